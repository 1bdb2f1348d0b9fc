//! `POST /v1/hold`: a project that ends with the connection of whoever holds it, however that ends.

use std::{fs, path::Path, sync::Arc};

use axum::{body::Body, extract::State, response::Response};

use super::{
    Desk,
    follow::{Goal, follow},
    reply::{Lines, Reply, lines, read_json},
};
use crate::{
    actors::{
        directory::Entry,
        project::{Command, Verb},
    },
    api::control::{Held, HoldRequest},
};

pub(super) async fn hold(State(desk): State<Arc<Desk>>, body: Body) -> Reply<Response> {
    let HoldRequest { dir } = read_json(body).await?;
    let entry = desk.load(&dir).await?;
    let (lines, response) = lines();
    tokio::spawn(async move {
        keep(&desk, &entry, &lines).await;
        desk.let_go(&entry).await;
    });
    Ok(response)
}

/// Until nobody reads any more, or all end.
async fn keep(desk: &Desk, entry: &Entry, lines: &Lines) {
    let mut closing = desk.closing.subscribe();
    if lines.write(&Held { project: entry.board.name.to_string() }).await {
        tokio::select! {
            () = lines.unread() => {}
            _ = closing.wait_for(|closing| *closing) => {}
        }
    }
}

impl Desk {
    /// Stops the project and forgets it; its folder goes, too, if it was made for this.
    pub async fn let_go(&self, entry: &Entry) {
        let dir = entry.board.dir.clone();
        let command = Command { verb: Verb::Stop, services: Vec::new(), caller: None };
        let (unread, _nobody) = lines();
        if let Ok(ticket) = self.ask(entry, command).await {
            follow(self, entry, ticket, Goal::Down, &unread).await;
        }
        if let Err(error) = self.infra.projects.close(dir.clone()).await {
            tracing::warn!(project = %entry.board.name, %error, "cannot end a project that nobody holds");
            return;
        }
        let scratch = self.infra.places.scratch_dir();
        let removed = tokio::task::spawn_blocking(move || remove(&scratch, &dir));
        if let Ok(Err(error)) = removed.await {
            tracing::warn!(project = %entry.board.name, %error, "cannot remove its folder");
        }
    }
}

/// Removes `dir` if it is one of the scratch folders.
fn remove(scratch: &Path, dir: &Path) -> std::io::Result<()> {
    if scratch.canonicalize().is_ok_and(|scratch| dir.parent() == Some(&*scratch)) {
        fs::remove_dir_all(dir)?;
    }
    Ok(())
}
