//! The files that services have watched: which folders, whom a change concerns, what is a loop.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use crate::{
    actors::context::ProjectContext,
    core::{
        id::ServiceName,
        watch::{Globs, Loop, QUIET, Root, Settling, Verdict},
    },
    os::watch::{Files, Folders, Ignores, Seen, WatchError, What},
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
    /// Whether all folders are to be looked for anew.
    stale: bool,
    /// The services whose files have changed, each with one of those.
    touched: BTreeMap<ServiceName, PathBuf>,
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
            stale: true,
            touched: BTreeMap::new(),
            loops: HashMap::new(),
            settling: Settling::new(CALM, LONGEST),
        }
    }

    /// The same for the plan of now; what is watched already is known.
    pub(super) fn again(self, context: &ProjectContext) -> Self {
        let Self { folders, touched, settling, .. } = self;
        Self { folders, touched, settling, ..Self::of(context) }
    }

    /// Files whose coming or change changes where to look.
    pub(super) fn signs(&self) -> impl Iterator<Item = PathBuf> {
        self.globs.roots().iter().map(|root| root.folder.join(".gitignore"))
    }

    /// All folders are to be looked for anew.
    pub(super) fn look_anew(&mut self) {
        self.stale = true;
    }

    /// Takes in news.
    pub(super) fn take_in(&mut self, seen: &Seen, now: Duration) {
        let Some(folder) = &seen.folder else {
            // Whatever it was that was lost.
            let all: Vec<ServiceName> = self.globs.owners().cloned().collect();
            self.touched.extend(all.into_iter().map(|name| (name, PathBuf::new())));
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
                self.stale |= Ignores::is_list(&path);
                let owners: Vec<ServiceName> = self.globs.owners_of(&path).cloned().collect();
                let ours = !owners.is_empty() && !self.ignores.ignores(&path, false);
                if !ours && !self.stale {
                    return;
                }
                self.touched.extend(owners.into_iter().filter(|_| ours).map(|o| (o, path.clone())));
            }
            What::Attributes | What::Gone | What::Lost => return,
        }
        self.settling.note(now);
    }

    /// Watches the folders that are there now, if any have come or gone.
    pub(super) async fn aim(
        &mut self,
        folders: &mut Folders,
        files: &Files,
    ) -> Result<(), WatchError> {
        let first = self.folders.is_empty();
        let (all, fresh) = (std::mem::take(&mut self.stale), std::mem::take(&mut self.fresh));
        if all {
            self.ignores = Ignores::of(self.ignores.dir());
        }
        let mut ignores = self.ignores.clone();
        let globs = self.globs.clone();
        let mut roots: Vec<Root> = if all {
            globs.roots().to_vec()
        } else {
            let come = fresh.into_iter().filter(|folder| !ignores.leaves_out(folder));
            come.flat_map(|folder| globs.roots_at(&folder)).collect()
        };
        for round in 0..ROUNDS {
            if roots.is_empty() {
                break;
            }
            let (globs, before) = (self.globs.clone(), ignores.clone());
            let walk = tokio::task::spawn_blocking(move || {
                let mut ignores = before;
                let walk = ignores.walk(roots, &globs);
                (ignores, walk)
            });
            let Ok((seen, walk)) = walk.await else { break };
            ignores = seen;
            if all && round == 0 {
                self.leave(folders, files, &walk.folders);
            }
            let mut new = Vec::new();
            for folder in walk.folders {
                if !self.folders.contains(&folder) && folders.add(&folder)? {
                    self.folders.insert(folder.clone());
                    new.push(folder);
                }
            }
            // What was there at first is no change; what came since was seen from the second look on.
            if first {
                break;
            }
            if round > 0 {
                self.touched.extend(walk.owners.into_iter().map(|name| (name, PathBuf::new())));
            }
            let look = |folder: &Arc<Path>| {
                let mut roots = self.globs.roots_at(folder);
                roots.retain(|root| *root.folder == **folder);
                roots
            };
            roots = new.iter().flat_map(look).collect();
        }
        self.ignores = ignores;
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
        now: Duration,
    ) -> Vec<(ServiceName, String)> {
        let mut restarts = Vec::new();
        for (name, path) in std::mem::take(&mut self.touched) {
            let known = path.strip_prefix(&context.board.dir).unwrap_or(&path);
            let file = match known.to_string_lossy() {
                none if none.is_empty() => "files".to_owned(),
                some => some.into_owned(),
            };
            match self.loops.entry(name.clone()).or_default().changed(now) {
                Verdict::Restart => restarts.push((name, file)),
                Verdict::Ignore => {}
                Verdict::Stop => {
                    let text = format!("{file} has changed; {}", looped(&name));
                    let project = &context.board.name;
                    context.infra.events.record(
                        Some(project),
                        Some(&name),
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
