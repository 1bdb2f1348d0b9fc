//! Whether a command is done, and what is to be said when it is.

use std::{collections::HashMap, sync::Arc};

use tokio::time::Instant;

use super::{
    Desk,
    follow::{Goal, Watched},
};
use crate::{
    actors::{
        board::{Past, ServiceBoard, View},
        directory::Entry,
    },
    api::{
        control::{Failure, Outcome},
        status::ServiceState,
    },
    core::id::ServiceName,
};

/// So many of a guilty service's last lines are shown.
const LINES: usize = 10;

/// How far a command is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Verdict {
    /// It may still come to its goal.
    Open,
    /// All are where they should be.
    Reached,
    /// It is certain that some will not get there by themselves.
    Failed,
}

/// How far the command is; `all` are the targets and whatever they need.
pub(super) fn judge(targets: &[Watched], all: &[Arc<ServiceBoard>], goal: Goal) -> Verdict {
    match goal {
        Goal::Down => {
            let down = targets.iter().all(|watched| !lives_on(watched));
            if down { Verdict::Reached } else { Verdict::Open }
        }
        Goal::Up => judge_up(targets, all),
    }
}

/// What the client is told at the end.
pub(super) async fn outcome(
    desk: &Desk,
    entry: &Entry,
    targets: &[Watched],
    goal: Goal,
) -> Outcome {
    let failed = failed(targets, goal);
    let project = entry.board.name.clone();
    let names = failed.iter().map(|(name, _)| name.clone()).collect();
    let sinks = match goal {
        Goal::Down => Vec::new(),
        Goal::Up => desk.infra.logs.sinks(project, names).await.unwrap_or_default(),
    };
    let mut sinks = sinks.into_iter();
    let failure = |(name, reason): (ServiceName, String)| Failure {
        service: name.to_string(),
        reason,
        last_lines: sinks.next().map(|sink| sink.last_lines(LINES, None)).unwrap_or_default(),
    };
    let failures = failed.into_iter().map(failure).collect();
    Outcome { failures, problem: None, notes: Vec::new() }
}

/// Who is not where it should be, and why; before those that wait for one that will not come, that one.
fn failed(targets: &[Watched], goal: Goal) -> Vec<(ServiceName, String)> {
    let mut hope = Hope::default();
    let mut failed: Vec<(ServiceName, String)> = Vec::new();
    for (target, board) in targets {
        let reason = match goal {
            Goal::Down => survivors(board),
            Goal::Up => hope.lost(board).map(|lost| {
                if let Some((culprit, why)) = lost.culprit
                    && !failed.iter().any(|(name, _)| *name == culprit)
                {
                    failed.push((culprit, why));
                }
                lost.why
            }),
        };
        if !failed.iter().any(|(name, _)| *name == target.name) {
            failed.extend(reason.map(|reason| (target.name.clone(), reason)));
        }
    }
    failed
}

/// Whether the life that was to end has not.
fn lives_on((target, board): &Watched) -> bool {
    board.read(|view| target.ends == Some(view.life) && view.phase.is_alive())
}

fn survivors(board: &ServiceBoard) -> Option<String> {
    let survivors = board.read(|view| view.survivors.join(", "));
    (!survivors.is_empty()).then(|| format!("SIGKILL did not end {survivors}"))
}

fn judge_up(targets: &[Watched], all: &[Arc<ServiceBoard>]) -> Verdict {
    use ServiceState::{Completed, Failed, Healthy, Stopped};
    let state = |board: &ServiceBoard| board.read(View::state);
    let good = |(_, board): &Watched| matches!(state(board), Healthy | Completed);
    if targets.iter().all(good) {
        return Verdict::Reached;
    }
    // This is asked at every change of any service: the graph is searched only when somebody in it
    // can have spoilt it for others.
    if !all.iter().any(|board| matches!(state(board), Failed | Stopped)) {
        return Verdict::Open;
    }
    let mut hope = Hope::default();
    let lost = targets.iter().any(|(_, board)| hope.lost(board).is_some());
    if lost { Verdict::Failed } else { Verdict::Open }
}

/// Finds out for whom there is no hope, each service once.
#[derive(Default)]
struct Hope(HashMap<ServiceName, Option<Lost>>);

/// A service that will not come up by itself.
#[derive(Clone)]
struct Lost {
    why: String,
    /// The service that is to blame, if it is another one, and what is wrong with that.
    culprit: Option<(ServiceName, String)>,
}

impl Hope {
    /// Why a service will not come up by itself, if that is certain.
    fn lost(&mut self, board: &ServiceBoard) -> Option<Lost> {
        if let Some(known) = self.0.get(&board.name) {
            return known.clone();
        }
        let lost = self.find(board);
        self.0.insert(board.name.clone(), lost.clone());
        lost
    }

    fn find(&mut self, board: &ServiceBoard) -> Option<Lost> {
        let (state, reason) = board.read(|view| (view.state(), view.reason(&[], Instant::now())));
        let own = |why: String| Some(Lost { why, culprit: None });
        match state {
            ServiceState::Failed => own(reason.unwrap_or_else(|| "failed".to_owned())),
            ServiceState::Stopped => own(stopped(board)),
            ServiceState::Waiting => board.waiting_for().iter().find_map(|need| {
                let name = &need.board.name;
                let Lost { why, culprit } = self.lost(&need.board)?;
                let culprit = culprit.unwrap_or_else(|| (name.clone(), why));
                let why = format!("waits for {name}, which will not come");
                Some(Lost { why, culprit: Some(culprit) })
            }),
            _ => None,
        }
    }
}

fn stopped(board: &ServiceBoard) -> String {
    let by_itself = |view: &View| view.exits.back().filter(|past| !past.asked).map(Past::sentence);
    board.read(by_itself).unwrap_or_else(|| "was stopped".to_owned())
}
