//! The names of what runs, for those who write them down.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use futures_util::future::select_all;

use super::super::directory::{Directory, Entry};
use crate::os::hosts_file::Keeper;

/// Services change in bursts, of which the beginning and the end count.
const PAUSE: Duration = Duration::from_millis(100);

/// Tells the keeper of every change, until it is aborted.
pub(super) async fn follow(directory: Directory, keeper: Arc<Keeper>) {
    loop {
        // Watched before they are read: what changes in between is not missed.
        let mut projects = directory.watch();
        let mut bells: Vec<_> = directory.all().values().map(|entry| entry.board.watch()).collect();
        keeper.keep(of_what_runs(&directory));
        tokio::time::sleep(PAUSE).await;
        let bells = bells.iter_mut().map(|bell| Box::pin(bell.changed()));
        // An end of watching is a change too: a project is gone.
        let _changed = select_all(bells.chain(std::iter::once(Box::pin(projects.changed())))).await;
    }
}

/// The names of all projects that run.
pub fn of_what_runs(directory: &Directory) -> BTreeSet<String> {
    directory.all().values().flat_map(names_of).collect()
}

/// The project's domain and its services' hosts, while any of them runs or is to.
fn names_of(entry: &Entry) -> BTreeSet<String> {
    let services = entry.board.services();
    let runs = services.iter().any(|it| it.read(|view| view.wanted || view.running.is_some()));
    if !runs {
        return BTreeSet::new();
    }
    let hosts = services.iter().filter_map(|service| service.host.load().as_ref().clone());
    hosts.chain([entry.board.domain.load().to_string()]).collect()
}
