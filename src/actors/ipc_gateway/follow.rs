//! Follows a command on the boards: what changes is told, until all is where it should be or it is
//! certain that it will not get there.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

use super::{
    Desk,
    outcome::{self, Verdict},
    reply::Lines,
};
use crate::{
    actors::{
        board::ServiceBoard,
        directory::Entry,
        project::{Target, Ticket},
    },
    api::{
        control::{Outcome, Progress},
        status::Service,
    },
    core::id::ServiceName,
};

/// Changes are told at most this often: a start of 1,000 services is told in pictures, not in words.
const PACE: Duration = Duration::from_millis(50);

/// Where a command wants services to be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Goal {
    /// Healthy, or completed.
    Up,
    /// Without the life they had.
    Down,
}

/// A ticket for all services of a project, to see them down.
pub(super) fn everything(entry: &Entry) -> Ticket {
    let target = |board: &Arc<ServiceBoard>| {
        let ends = board.read(|view| view.phase.is_alive().then_some(view.life));
        Target { name: board.name.clone(), ends }
    };
    Ticket { targets: entry.board.services().iter().map(target).collect() }
}

/// Follows the command to its end, or until nobody reads any more.
pub(super) async fn follow(
    desk: &Desk,
    entry: &Entry,
    ticket: Ticket,
    goal: Goal,
    lines: &Lines,
) -> Outcome {
    let mut bell = entry.board.watch();
    let targets = boards(entry, ticket);
    let mut told = Told::new(&targets);
    loop {
        bell.mark_unchanged();
        let verdict = outcome::judge(&targets, &told.boards, goal);
        if verdict != Verdict::Open || told.is_due() {
            let changes: Vec<Progress> =
                told.changes().into_iter().map(Progress::Service).collect();
            // Nobody may be reading; what was begun goes on, and `down` waits for its end.
            lines.write_all(&changes).await;
        }
        if verdict != Verdict::Open {
            return outcome::outcome(desk, entry, &targets, goal).await;
        }
        let due = told.due;
        tokio::select! {
            changed = bell.changed() => {
                if changed.is_err() {
                    return Outcome::default();
                }
            }
            () = sleep_until(due), if told.stale => {}
            () = lines.unread(), if goal == Goal::Up => return Outcome::default(),
        }
        told.stale = true;
    }
}

/// A target and its board.
pub(super) type Watched = (Target, Arc<ServiceBoard>);

fn boards(entry: &Entry, ticket: Ticket) -> Vec<Watched> {
    let services = entry.board.services();
    let by_name: HashMap<&ServiceName, &Arc<ServiceBoard>> =
        services.iter().map(|board| (&board.name, board)).collect();
    let board = |target: Target| {
        let board = Arc::clone(by_name.get(&target.name)?);
        Some((target, board))
    };
    ticket.targets.into_iter().filter_map(board).collect()
}

/// What tells whether a service may look different, without looking at it in full: how often its
/// board was written, and how many of its dependencies are missing.
type Marks = (u64, usize);

/// What the client has been told already.
struct Told {
    boards: Vec<Arc<ServiceBoard>>,
    last: Vec<Option<(Marks, Service)>>,
    due: Instant,
    /// Something may have changed since.
    stale: bool,
}

impl Told {
    /// Of the targets and all that they need.
    fn new(targets: &[Watched]) -> Self {
        let mut seen = HashSet::new();
        let mut boards = Vec::new();
        let mut todo: Vec<Arc<ServiceBoard>> =
            targets.iter().rev().map(|(_, board)| board.clone()).collect();
        while let Some(board) = todo.pop() {
            if seen.insert(board.name.clone()) {
                todo.extend(board.needs().iter().map(|need| need.board.clone()));
                boards.push(board);
            }
        }
        let last = boards.iter().map(|_| None).collect();
        Self { boards, last, due: Instant::now(), stale: true }
    }

    fn is_due(&self) -> bool {
        self.stale && Instant::now() >= self.due
    }

    fn changes(&mut self) -> Vec<Service> {
        let now = Instant::now();
        self.due = now + PACE;
        self.stale = false;
        let mut changes = Vec::new();
        for (board, last) in self.boards.iter().zip(&mut self.last) {
            let marks = (board.read(|view| view.version), board.missing());
            if last.as_ref().is_some_and(|(before, _)| *before == marks) {
                continue;
            }
            let service = board.present(now);
            let same = last.as_ref().is_some_and(|(_, last)| {
                *last == Service { uptime_s: last.uptime_s, ..service.clone() }
            });
            *last = Some((marks, service.clone()));
            if !same {
                changes.push(service);
            }
        }
        changes
    }
}
