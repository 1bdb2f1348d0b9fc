//! What the heart is given of a process, so that it survives the daemon.

use std::{
    os::fd::{AsFd, BorrowedFd},
    time::{Duration, UNIX_EPOCH},
};

use super::launch;
use crate::{
    actors::context::{Running, ServiceContext},
    core::{
        memory::{self, Body, DESCRIPTORS, ERR, NOTIFY, OUT},
        state::ProcessState,
    },
    os::{clock, keep},
};

/// Has the process and its output kept, and written down for the case that the heart dies as well.
pub(super) fn keep(
    context: &ServiceContext,
    running: &Running,
    out: BorrowedFd<'_>,
    err: Option<BorrowedFd<'_>>,
) {
    let project = &context.project;
    let process = ProcessState { pid: running.child.pid(), start_time: running.child.started().0 };
    let (dir, name) = (project.board.dir.clone(), context.name.clone());
    let of = (dir.clone(), project.board.name.clone());
    project.infra.state_store.runs(of, name.clone(), Some(process));
    let Some(line) = keep::line() else { return };
    let since = clock::wall().duration_since(UNIX_EPOCH).unwrap_or_default();
    let body = Body {
        version: memory::VERSION,
        dir: dir.to_string_lossy().into_owned(),
        service: name,
        process,
        pty: running.pty,
        marker: launch::marker(context).to_string_lossy().into_owned(),
        since_ms: millis(since),
    };
    let name = memory::body_name(&project.board.name, &context.name);
    line.keep(&format!("{name}{OUT}"), &[], Some(out));
    for (end, fd) in [(ERR, err), (NOTIFY, running.notify.as_ref().map(AsFd::as_fd))] {
        if fd.is_some() {
            line.keep(&format!("{name}{end}"), &[], fd);
        }
    }
    line.keep(&name, &memory::write(&body), None);
}

/// The process is gone.
pub(super) fn forget(context: &ServiceContext) {
    let project = &context.project;
    let of = (project.board.dir.clone(), project.board.name.clone());
    project.infra.state_store.runs(of, context.name.clone(), None);
    let Some(line) = keep::line() else { return };
    let name = memory::body_name(&project.board.name, &context.name);
    line.drop(&name);
    for end in DESCRIPTORS {
        line.drop(&format!("{name}{end}"));
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
