//! Prepares a server that locald provides, before its process is started: minutes of work at worst, which
//! a stop ends at once.

use std::sync::atomic::Ordering;

use crate::{
    actors::{board::ServiceBoard, context::ServiceContext},
    core::provision::Provision,
    provision::{self, Prepared, Request},
};

/// What is said of a preparation goes with it, also when that is broken off.
struct Saying<'a>(&'a ServiceBoard);

impl Drop for Saying<'_> {
    fn drop(&mut self) {
        self.0.update(|view| view.hint = None);
    }
}

/// Gets the server ready to be run; the error is for people.
pub(super) async fn prepare(
    context: &ServiceContext,
    provision: &Provision,
) -> Result<Prepared, String> {
    let project = &context.project;
    let caller = project.caller.load_full();
    let saying = Saying(&context.board);
    let request = Request {
        provision,
        project: &project.board.name,
        service: &context.name,
        dir: &project.board.dir,
        data_dir: &project.infra.places.data_dir,
        exe: &project.infra.exe,
        env: &caller.env,
        sink: &context.sink,
        wipe: context.reset.load(Ordering::Relaxed),
        tell: &|what| saying.0.update(|view| view.hint = Some(what.to_owned())),
    };
    let prepared = provision::prepare(request).await;
    drop(saying);
    if let Ok(prepared) = &prepared {
        context.sink.note(&prepared.about());
        // Not before: a stop on the way must not save what was to be thrown away.
        context.reset.store(false, Ordering::Relaxed);
    }
    prepared
}
