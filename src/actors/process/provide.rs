//! Prepares a server that locald provides, before its process is started: minutes of work at worst, which
//! a stop ends at once.

use std::sync::atomic::Ordering;

use crate::{
    actors::context::ServiceContext,
    core::provision::Provision,
    provision::{self, Prepared, Request},
};

/// Gets the server ready to be run; the error is for people.
pub(super) async fn prepare(
    context: &ServiceContext,
    provision: &Provision,
) -> Result<Prepared, String> {
    let project = &context.project;
    let caller = project.caller.load_full();
    let say = |what: Option<&str>| {
        context.board.update(|view| view.hint = what.map(str::to_owned));
    };
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
        tell: &|what| say(Some(what)),
    };
    let prepared = provision::prepare(request).await;
    say(None);
    if let Ok(prepared) = &prepared {
        context.sink.note(&prepared.about());
        // Not before: a stop on the way must not save what was to be thrown away.
        context.reset.store(false, Ordering::Relaxed);
    }
    prepared
}
