//! The task that watches: news of files in, settled changes out.

use std::{
    path::Path,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use super::{
    reading::{self, Reading},
    sources::Sources,
};
use crate::{
    actors::{context::ProjectContext, project},
    core::watch::Settling,
    os::{
        git,
        lent::Borrowed,
        watch::{Files, Folders, Seen, WatchError},
    },
    supervision::address::Address,
};

/// An edit is over when its files have been quiet for so long.
const QUIET: Duration = Duration::from_millis(50);

/// Nobody waits longer for the end of an edit.
const LONGEST: Duration = Duration::from_secs(1);

/// While git is at work it is looked so often whether it is done, and for so long.
const GIT: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(10));

/// So long a file may be missing before that is an error: some tools delete a file and make it again.
const MISSING: Duration = Duration::from_secs(1);

/// Where nothing tells of changes, the configuration is read again so often.
const LOOK: Duration = Duration::from_secs(5);

/// Where the system lets us watch some but not all, all is tried again so often.
const RETRY: Duration = Duration::from_secs(30);

/// What watches a project.
pub(super) struct Eyes {
    context: Arc<ProjectContext>,
    address: Address<project::Msg>,
    sight: Borrowed<Sight>,
    files: Files,
    /// Why edits may go unnoticed.
    problem: Option<String>,
    settling: Settling,
    /// Since when the configuration file has not been there.
    missing: Option<Instant>,
    /// Since when git has been at work, and until when that is waited for.
    git: Option<(Instant, Instant)>,
    /// When to do something although nothing was heard of.
    wake: Option<Instant>,
}

/// What is watched, and the changes that have been seen and not been dealt with: the next life of
/// the watcher goes on with it, so that what is saved meanwhile is not lost.
pub struct Sight {
    /// None where the system does not let us watch.
    folders: Option<Folders>,
    sources: Sources,
    epoch: Instant,
}

impl Eyes {
    pub(super) fn new(context: Arc<ProjectContext>, address: Address<project::Msg>) -> Self {
        let before = context.sight.take();
        let fresh = Sources::of(&context);
        let sight = match before {
            Some(Sight { folders, sources, epoch }) if folders.is_some() => {
                Sight { folders, sources: sources.again(&context), epoch }
            }
            _ => Sight { folders: None, sources: fresh, epoch: Instant::now() },
        };
        Self {
            sight: context.sight.lend(sight),
            problem: None,
            address,
            context,
            files: Files::default(),
            settling: Settling::new(QUIET, LONGEST),
            missing: None,
            git: None,
            wake: None,
        }
    }

    /// Never ends by itself.
    pub(super) async fn watch(mut self) {
        let mut plans = self.context.board.watch_routes();
        // What was edited before anybody watched counts too.
        self.settling.note(self.now());
        loop {
            self.aim().await;
            loop {
                if self.look(&mut plans).await {
                    break;
                }
            }
        }
    }

    /// Waits for the next thing and deals with it; true if other files may be of interest now.
    async fn look(&mut self, plans: &mut watch::Receiver<u64>) -> bool {
        let due = [&self.settling, &self.sight.sources.settling].map(Settling::due);
        let due = due.into_iter().flatten().map(|due| self.sight.epoch + due);
        let held = self.git.map(|(_, until)| until);
        let due = due.min().map(|due| held.map_or(due, |held| held.max(due)));
        let next = due.into_iter().chain(self.wake).min();
        let time = async {
            match next {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            news = news(self.sight.folders.as_mut()) => match news {
                Ok(seen) => {
                    self.take_in(&seen);
                    false
                }
                Err(error) => {
                    self.sight.folders = None;
                    self.sight.sources.lose_sight();
                    let path = self.context.board.dir.clone();
                    self.trouble(Some(&WatchError::Other { path, source: error }));
                    true
                }
            },
            // The board is gone only with the project, and this task with it.
            _ = plans.changed() => {
                self.replan();
                true
            }
            () = time => self.time_has_come().await,
        }
    }

    fn take_in(&mut self, seen: &[Seen]) {
        let wrong = self.context.board.config_error.load().is_some();
        if seen.iter().any(|seen| wrong || self.files.concerns(seen)) {
            self.settling.note(self.now());
        }
        let now = self.now();
        for seen in seen {
            self.sight.sources.take_in(seen, now);
        }
        // What is saved together is seen together.
        if self.settling.due().is_some() && self.sight.sources.settling.due().is_some() {
            self.settling.note(now);
        }
    }

    /// Other files may be watched from now on, and what was a loop may be none.
    fn replan(&mut self) {
        let fresh = Sources::of(&self.context);
        let before = std::mem::replace(&mut self.sight.sources, fresh);
        self.sight.sources = before.again(&self.context);
    }

    /// Has the services restarted whose files have changed.
    async fn restart(&mut self) {
        let outcome = self.aim_at_sources().await;
        self.trouble(outcome.err().as_ref());
        let now = self.now();
        let epoch = self.sight.epoch;
        let restarts = self.sight.sources.restarts(&self.context, epoch, now);
        if !restarts.is_empty() {
            self.address.touched(restarts);
        }
        self.show();
    }

    async fn aim_at_sources(&mut self) -> Result<(), WatchError> {
        let now = self.now();
        let Sight { folders, sources, .. } = &mut *self.sight;
        match folders {
            Some(folders) => sources.aim(folders, &self.files, now).await,
            None => Ok(()),
        }
    }

    async fn time_has_come(&mut self) -> bool {
        if self.wake.is_some_and(|at| at <= Instant::now()) {
            self.wake = None;
            self.settling.note(self.now());
            if self.sight.sources.is_short() {
                self.sight.sources.look_anew();
            }
        }
        let now = self.now();
        if self.is_due(now) && self.is_held_by_git().await {
            return false;
        }
        if self.sight.sources.settling.is_over(now) {
            self.restart().await;
        }
        if !self.settling.is_over(self.now()) {
            return false;
        }
        self.read().await;
        true
    }

    fn is_due(&self, now: Duration) -> bool {
        let due = [&self.settling, &self.sight.sources.settling].map(Settling::due);
        due.into_iter().flatten().any(|due| due <= now)
    }

    /// Whether git is changing files: a checkout may be slower than any edit, and is one edit.
    async fn is_held_by_git(&mut self) -> bool {
        let dir = self.context.board.dir.clone();
        let looked = tokio::task::spawn_blocking(move || git::is_at_work(&dir)).await;
        let now = Instant::now();
        let (since, _) = self.git.unwrap_or((now, now));
        let holds = looked.unwrap_or(false) && now - since < GIT.1;
        // A lock that was left behind holds up nobody for long, and then the next edit again.
        self.git = holds.then(|| (since, now + GIT.0));
        holds
    }

    /// Reads the configuration and passes it on.
    async fn read(&mut self) {
        let board = &self.context.board;
        match reading::read(board.dir.clone()).await {
            Reading::Plan(plan) => {
                self.missing = None;
                self.context.infra.projects.edited(board.dir.clone(), plan);
            }
            Reading::Wrong(why) => {
                self.missing = None;
                self.context.refuse(&why);
                // It may be about a file that is not among those that are watched.
                self.wake = Some(Instant::now() + LOOK);
            }
            Reading::Missing(why) => {
                let since = *self.missing.get_or_insert_with(Instant::now);
                if since.elapsed() < MISSING {
                    self.wake = Some(since + MISSING);
                } else {
                    self.context.refuse(&why);
                }
            }
        }
    }

    /// Watches the files that matter now.
    async fn aim(&mut self) {
        let mut names = reading::files(&self.context);
        names.extend(self.sight.sources.signs());
        let looked = tokio::task::spawn_blocking(move || Files::of(names)).await;
        // It does not panic, and nobody aborts it.
        let Ok(files) = looked else { return };
        let mut outcome = self.aim_at(&files);
        if self.files != files {
            self.sight.sources.look_anew();
            // What has changed there before it was watched, or since it is not any more.
            self.settling.note(self.now());
        }
        self.files = files;
        if outcome.is_ok() {
            outcome = self.aim_at_sources().await;
        }
        let now = self.now();
        self.sight.sources.wake_up(now);
        self.trouble(outcome.err().as_ref());
    }

    fn aim_at(&mut self, files: &Files) -> Result<(), WatchError> {
        let now = self.now();
        let Sight { folders, sources, .. } = &mut *self.sight;
        let folders = match folders {
            Some(folders) => folders,
            None => folders.insert(Folders::new()?),
        };
        if !files.watch(folders)? {
            self.settling.note(now);
        }
        let left = |folder: &&Arc<Path>| !files.has(folder) && !sources.has(folder);
        for folder in self.files.folders().filter(left) {
            folders.remove(folder);
        }
        Ok(())
    }

    fn trouble(&mut self, error: Option<&WatchError>) {
        if error.is_none() && self.sight.sources.is_short() {
            // All that was tried went well, and that was not all.
            return self.show();
        }
        self.problem = error.map(ToString::to_string);
        if error.is_some() {
            self.wake =
                Some(Instant::now() + if self.sight.folders.is_some() { RETRY } else { LOOK });
        }
        self.show();
    }

    /// Shows how it is with the watching.
    fn show(&self) {
        let all: Vec<String> =
            self.problem.iter().cloned().chain(self.sight.sources.complaints()).collect();
        self.context.cannot_watch((!all.is_empty()).then(|| all.join("; ")));
        let folders = self.sight.folders.as_ref().map_or(0, Folders::len);
        self.context.board.watched.store(folders, Ordering::Relaxed);
    }

    fn now(&self) -> Duration {
        self.sight.epoch.elapsed()
    }
}

async fn news(folders: Option<&mut Folders>) -> std::io::Result<Vec<Seen>> {
    match folders {
        Some(folders) => folders.next().await,
        None => std::future::pending().await,
    }
}
