//! The task that watches: news of files in, settled changes out.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use super::reading::{self, Reading};
use crate::{
    actors::context::ProjectContext,
    core::watch::Settling,
    os::watch::{Files, Folders, Seen, WatchError},
};

/// An edit is over when its files have been quiet for so long.
const QUIET: Duration = Duration::from_millis(50);

/// Nobody waits longer for the end of an edit.
const LONGEST: Duration = Duration::from_secs(1);

/// So long a file may be missing before that is an error: some tools delete a file and make it again.
const MISSING: Duration = Duration::from_secs(1);

/// Where nothing tells of changes, the configuration is read again so often.
const LOOK: Duration = Duration::from_secs(5);

/// What watches a project.
pub(super) struct Eyes {
    context: Arc<ProjectContext>,
    /// None where the system does not let us watch.
    folders: Option<Folders>,
    files: Files,
    settling: Settling,
    /// Since when the configuration file has not been there.
    missing: Option<Instant>,
    /// When to do something although nothing was heard of.
    wake: Option<Instant>,
    epoch: Instant,
}

impl Eyes {
    pub(super) fn new(context: Arc<ProjectContext>) -> Self {
        Self {
            context,
            folders: None,
            files: Files::default(),
            settling: Settling::new(QUIET, LONGEST),
            missing: None,
            wake: None,
            epoch: Instant::now(),
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
        let due = self.settling.due().map(|due| self.epoch + due);
        let next = due.into_iter().chain(self.wake).min();
        let time = async {
            match next {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            news = news(self.folders.as_mut()) => match news {
                Ok(seen) => {
                    self.take_in(&seen);
                    false
                }
                Err(error) => {
                    self.folders = None;
                    self.trouble(Some(&WatchError::Other { path: self.dir(), source: error }));
                    true
                }
            },
            // The board is gone only with the project, and this task with it.
            _ = plans.changed() => true,
            () = time => self.time_has_come().await,
        }
    }

    fn take_in(&mut self, seen: &[Seen]) {
        let wrong = self.context.board.config_error.load().is_some();
        if seen.iter().any(|seen| wrong || self.files.concerns(seen)) {
            self.settling.note(self.now());
        }
    }

    async fn time_has_come(&mut self) -> bool {
        if self.wake.is_some_and(|at| at <= Instant::now()) {
            self.wake = None;
            self.settling.note(self.now());
        }
        if !self.settling.is_over(self.now()) {
            return false;
        }
        self.read().await;
        true
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
        let names = reading::files(&self.context);
        let looked = tokio::task::spawn_blocking(move || Files::of(names)).await;
        // It does not panic, and nobody aborts it.
        let Ok(files) = looked else { return };
        let outcome = self.aim_at(&files);
        self.files = files;
        if outcome.is_err() {
            self.wake = Some(Instant::now() + LOOK);
        }
        self.trouble(outcome.err().as_ref());
    }

    fn aim_at(&mut self, files: &Files) -> Result<(), WatchError> {
        let folders = match &mut self.folders {
            Some(folders) => folders,
            None => self.folders.insert(Folders::new()?),
        };
        files.watch(folders)?;
        for folder in self.files.folders().filter(|folder| !files.has(folder)) {
            folders.remove(folder);
        }
        Ok(())
    }

    fn trouble(&self, error: Option<&WatchError>) {
        self.context.cannot_watch(error.map(ToString::to_string));
        let folders = self.folders.as_ref().map_or(0, Folders::len);
        self.context.board.watched.store(folders, Ordering::Relaxed);
    }

    fn dir(&self) -> std::path::PathBuf {
        self.context.board.dir.clone()
    }

    fn now(&self) -> Duration {
        self.epoch.elapsed()
    }
}

async fn news(folders: Option<&mut Folders>) -> std::io::Result<Vec<Seen>> {
    match folders {
        Some(folders) => folders.next().await,
        None => std::future::pending().await,
    }
}
