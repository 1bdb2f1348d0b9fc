//! The files that services have watched: which folders, whom a change concerns, what is a loop.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;

use crate::{
    actors::{context::ProjectContext, project::Touched},
    core::{
        id::ServiceName,
        watch::{Globs, Loop, QUIET, Root, Settling, Verdict},
    },
    os::watch::{Files, Folders, Ignores, Seen, Walk, WatchError, What},
};

/// A burst of changes is over when files have been quiet for so long.
const CALM: Duration = Duration::from_millis(100);

/// Nobody waits longer for the end of a burst.
const LONGEST: Duration = Duration::from_secs(3);

/// With more new folders than this at once, all are looked at.
const MANY: usize = 1_000;

/// So often folders are looked for in folders that have just come.
const ROUNDS: usize = 8;

/// The watched files of a project.
pub(super) struct Sources {
    globs: Arc<Globs>,
    ignores: Ignores,
    folders: BTreeSet<Arc<Path>>,
    /// Folders that have come.
    fresh: BTreeSet<PathBuf>,
    /// Folders that are watched and have not been looked into since.
    unseen: BTreeSet<Arc<Path>>,
    /// Whether all folders were watched once; what comes to be watched later has changed.
    complete: bool,
    /// Whether all folders are to be looked for anew.
    stale: bool,
    /// Whether some folders could not be watched when all were last looked for.
    short: bool,
    /// The services whose files have changed, each with the last of those, and when.
    touched: BTreeMap<ServiceName, (PathBuf, Duration)>,
    loops: HashMap<ServiceName, Loop>,
    pub(super) settling: Settling,
}

impl Sources {
    /// Nothing is watched yet.
    pub(super) fn of(context: &ProjectContext) -> Self {
        let dir = &context.board.dir;
        Self {
            globs: Arc::new(Globs::of(&context.plan.load(), dir)),
            ignores: Ignores::of(dir),
            folders: BTreeSet::new(),
            fresh: BTreeSet::new(),
            unseen: BTreeSet::new(),
            complete: false,
            stale: true,
            short: false,
            touched: BTreeMap::new(),
            loops: HashMap::new(),
            settling: Settling::new(CALM, LONGEST),
        }
    }

    /// Changes whose burst nobody waits for the end of are dealt with soon.
    pub(super) fn wake_up(&mut self, now: Duration) {
        if !self.touched.is_empty() && self.settling.due().is_none() {
            self.settling.note(now);
        }
    }

    /// No folder is watched any more.
    pub(super) fn lose_sight(&mut self) {
        self.folders.clear();
        (self.stale, self.complete) = (true, false);
    }

    /// The same for the plan of now; what is watched already is known.
    pub(super) fn again(self, context: &ProjectContext) -> Self {
        let fresh = Self::of(context);
        let complete = self.complete && self.globs.roots() == fresh.globs.roots();
        let Self { folders, unseen, touched, settling, .. } = self;
        Self { folders, unseen, complete, touched, settling, ..fresh }
    }

    /// Files whose coming or change changes where to look.
    pub(super) fn signs(&self) -> impl Iterator<Item = PathBuf> {
        self.globs.roots().iter().map(|root| root.folder.join(".gitignore"))
    }

    /// All folders are to be looked for anew.
    pub(super) fn look_anew(&mut self) {
        self.stale = true;
    }

    /// Whether some folders could not be watched. It stays so until all have been looked for anew.
    pub(super) fn is_short(&self) -> bool {
        self.short
    }

    /// Takes in news.
    pub(super) fn take_in(&mut self, seen: &Seen, now: Duration) {
        let Some(folder) = &seen.folder else {
            // Whatever it was that was lost.
            let all: Vec<ServiceName> = self.globs.owners().cloned().collect();
            self.touched.extend(all.into_iter().map(|name| (name, (PathBuf::new(), now))));
            self.stale = true;
            return self.settling.note(now);
        };
        if !self.folders.contains(folder) {
            return;
        }
        let Some(name) = &seen.name else {
            if seen.what == What::Gone {
                self.folders.remove(folder);
                self.stale = true;
                self.settling.note(now);
            }
            return;
        };
        let path = folder.join(name);
        match seen.what {
            What::Folder => {
                self.fresh.insert(path);
                self.stale |= self.fresh.len() > MANY;
            }
            What::Changed => {
                if Ignores::is_list(&path) {
                    (self.stale, self.complete) = (true, false);
                }
                let owners: Vec<ServiceName> = self.globs.owners_of(&path).cloned().collect();
                let ours = !owners.is_empty() && !self.ignores.ignores(&path, false);
                if !ours && !self.stale {
                    return;
                }
                let owners = owners.into_iter().filter(|_| ours);
                self.touched.extend(owners.map(|owner| (owner, (path.clone(), now))));
            }
            What::Attributes | What::Gone | What::Lost => return,
        }
        self.settling.note(now);
    }

    /// Watches the folders that are there now, if any have come or gone. It may be broken off at any
    /// moment, and goes on the next time.
    pub(super) async fn aim(
        &mut self,
        folders: &mut Folders,
        files: &Files,
        now: Duration,
    ) -> Result<(), WatchError> {
        let all = self.stale;
        let outcome = self.look(folders, files, now).await;
        self.short = outcome.is_err() || self.short && !all;
        outcome
    }

    async fn look(
        &mut self,
        folders: &mut Folders,
        files: &Files,
        now: Duration,
    ) -> Result<(), WatchError> {
        let (all, fresh) = (std::mem::take(&mut self.stale), std::mem::take(&mut self.fresh));
        if all {
            self.ignores = Ignores::of(self.ignores.dir());
        }
        let roots: Vec<Root> = if all {
            self.globs.roots().to_vec()
        } else {
            let come = fresh.into_iter().filter(|folder| !self.ignores.leaves_out(folder));
            come.flat_map(|folder| self.globs.roots_at(&folder)).collect()
        };
        let there = self.walk(roots).await;
        if all {
            self.leave(folders, files, &there.folders);
        }
        self.meet(folders, there.folders)?;
        if !std::mem::replace(&mut self.complete, true) {
            // What was there at first is no change.
            self.unseen.clear();
        }
        // What is in those that have come since then was there before they were watched.
        for _ in 0..ROUNDS {
            let looked_at = self.unseen.clone();
            if looked_at.is_empty() {
                break;
            }
            let inside = self.walk(self.inside(&looked_at)).await;
            self.meet(folders, inside.folders)?;
            let owners = inside.owners.into_iter();
            self.touched.extend(owners.map(|name| (name, (PathBuf::new(), now))));
            self.unseen.retain(|folder| !looked_at.contains(folder));
        }
        Ok(())
    }

    /// Only the folders themselves, and what has come in them: those in them are looked at too.
    fn inside(&self, folders: &BTreeSet<Arc<Path>>) -> Vec<Root> {
        let roots = folders.iter().flat_map(|folder| {
            let here = self.globs.roots_at(folder).into_iter();
            here.filter(|root| *root.folder == **folder)
        });
        roots.map(|root| Root { depth: Some(root.depth.unwrap_or(1).min(1)), ..root }).collect()
    }

    async fn walk(&mut self, roots: Vec<Root>) -> Walk {
        if roots.is_empty() {
            return Walk::default();
        }
        let (mut ignores, globs) = (self.ignores.clone(), self.globs.clone());
        let walk = tokio::task::spawn_blocking(move || {
            let walk = ignores.walk(roots, &globs);
            (ignores, walk)
        });
        // It does not panic, and nobody aborts it.
        let Ok((ignores, walk)) = walk.await else { return Walk::default() };
        self.ignores = ignores;
        walk
    }

    fn meet(
        &mut self,
        folders: &mut Folders,
        there: BTreeSet<Arc<Path>>,
    ) -> Result<(), WatchError> {
        for folder in there {
            if !self.folders.contains(&folder) && folders.add(&folder)? {
                self.folders.insert(folder.clone());
                self.unseen.insert(folder);
            }
        }
        Ok(())
    }

    fn leave(&mut self, folders: &mut Folders, files: &Files, there: &BTreeSet<Arc<Path>>) {
        self.folders.retain(|folder| {
            let stays = there.contains(folder);
            if !stays && !files.has(folder) {
                folders.remove(folder);
            }
            stays
        });
    }

    /// Whether a folder is watched for somebody.
    pub(super) fn has(&self, folder: &Path) -> bool {
        self.folders.contains(folder)
    }

    /// The services to restart, each with the file that has changed, as people call it.
    pub(super) fn restarts(
        &mut self,
        context: &ProjectContext,
        epoch: Instant,
        now: Duration,
    ) -> Vec<Touched> {
        let mut restarts = Vec::new();
        for (service, (path, at)) in std::mem::take(&mut self.touched) {
            let known = path.strip_prefix(&context.board.dir).unwrap_or(&path);
            let file = match known.to_string_lossy() {
                none if none.is_empty() => "files".to_owned(),
                some => some.into_owned(),
            };
            match self.loops.entry(service.clone()).or_default().changed(now) {
                Verdict::Restart => restarts.push(Touched { service, file, at: epoch + at }),
                Verdict::Ignore => {}
                Verdict::Stop => {
                    let text = format!("{file} has changed; {}", looped(&service));
                    let project = &context.board.name;
                    context.infra.events.record(
                        Some(project),
                        Some(&service),
                        "watch-stopped",
                        Some(text),
                    );
                }
            }
        }
        restarts
    }

    /// What is to be said of services that are not restarted any more.
    pub(super) fn complaints(&self) -> impl Iterator<Item = String> {
        self.loops.iter().filter(|(_, own)| own.is_stopped()).map(|(name, _)| looped(name))
    }
}

fn looped(name: &ServiceName) -> String {
    format!(
        "{name} seems to change its own watched files at each start: it is not restarted for that \
         any more, until a change after {} s of quiet (put what it writes into .gitignore)",
        QUIET.as_secs()
    )
}
