//! `GET /v1/live`: what has changed, as it is now, at the pace of the reader.

use std::{sync::Arc, time::Duration};

use axum::{extract::State, response::Response};
use futures_util::future::select_all;
use serde::Deserialize;
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

use super::{
    Desk, graph,
    reply::{Asked, Lines, lines_ahead},
    tree,
};
use crate::api::{
    event::Event,
    live::{News, ProjectGraph},
    tree::Node,
};

/// News are told at most this often.
const PACE: Duration = Duration::from_millis(100);
/// So many events are told to whoever has not seen any.
const EVENTS: usize = 300;

/// What somebody has seen already.
#[derive(Debug, Deserialize)]
pub(super) struct Which {
    after: Option<u64>,
}

pub(super) async fn live(State(desk): State<Arc<Desk>>, Asked(which): Asked<Which>) -> Response {
    // What waits for a slow reader gets old.
    let (lines, response) = lines_ahead(1);
    tokio::spawn(tell(desk, which.after, lines));
    response
}

/// What has been told last, where that is not to be told twice.
#[derive(Default)]
struct Told {
    tree: Option<Node>,
    graphs: Option<Vec<ProjectGraph>>,
    after: u64,
}

async fn tell(desk: Arc<Desk>, after: Option<u64>, lines: Lines) {
    let mut closing = desk.closing.subscribe();
    let mut events = desk.infra.events.watch();
    let mut usage = desk.usage.watch(&desk.infra);
    let before = desk.infra.events.last().saturating_sub(EVENTS as u64);
    let mut told = Told { after: after.unwrap_or(before).max(before), ..Told::default() };
    if !lines.write(&News::Usage(desk.usage.so_far())).await {
        return;
    }
    loop {
        let mut bells = bells(&desk);
        events.mark_unchanged();
        let began = Instant::now();
        if !lines.write_all(&told.news(&desk)).await {
            return;
        }
        loop {
            let any = select_all(bells.iter_mut().map(|bell| Box::pin(bell.changed())));
            tokio::select! {
                _ = any => break,
                _ = events.changed() => break,
                _ = usage.changed() => {
                    let latest = News::Usage(usage.borrow_and_update().clone());
                    if !lines.write(&latest).await {
                        return;
                    }
                }
                () = ended(&mut closing) => return,
                () = lines.unread() => return,
            }
        }
        sleep(PACE.saturating_sub(began.elapsed())).await;
    }
}

/// Completes when the daemon ends.
async fn ended(closing: &mut watch::Receiver<bool>) {
    drop(closing.wait_for(|closing| *closing).await);
}

/// Whatever rings when there is something new; never empty.
fn bells(desk: &Desk) -> Vec<watch::Receiver<u64>> {
    let mut bells = vec![desk.infra.directory.watch(), desk.root.watch()];
    for branch in desk.root.children().iter().filter_map(|plate| plate.below()) {
        bells.push(branch.watch());
        // Of those below a service its board tells.
        bells.extend(branch.children().iter().filter_map(|plate| Some(plate.below()?.watch())));
    }
    bells.extend(desk.infra.directory.all().values().map(|entry| entry.board.watch()));
    bells
}

impl Told {
    fn news(&mut self, desk: &Desk) -> Vec<News> {
        let mut news = vec![News::Status(desk.status(None))];
        let tree = tree::whole(desk);
        if self.tree.as_ref() != Some(&tree) {
            self.tree = Some(tree.clone());
            news.push(News::Tree(tree));
        }
        let graphs = graph::all(desk);
        if self.graphs.as_ref() != Some(&graphs) {
            self.graphs = Some(graphs.clone());
            news.push(News::Graphs(graphs));
        }
        let events: Vec<Event> = desk.infra.events.since(self.after);
        if let Some(last) = events.last() {
            self.after = last.seq;
            news.push(News::Events(events));
        }
        news
    }
}
