//! Reads a project's configuration, and knows the files that it is made of.

use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

use crate::{
    actors::context::ProjectContext,
    core::{launch::env_files_of, plan::Plan},
    os::project_file::{self, FILES, Unusable},
};

/// What has been read.
pub(super) enum Reading {
    Plan(Arc<Plan>),
    /// For people.
    Wrong(String),
    /// There is no such file; maybe not yet again.
    Missing(String),
}

pub(super) async fn read(dir: PathBuf) -> Reading {
    match tokio::task::spawn_blocking(move || project_file::plan(&dir)).await {
        Ok(Ok(plan)) => Reading::Plan(Arc::new(plan)),
        Ok(Err(why @ (Unusable::Missing(_) | Unusable::Gone(_)))) => {
            Reading::Missing(why.to_string())
        }
        Ok(Err(why)) => Reading::Wrong(why.to_string()),
        Err(error) => Reading::Wrong(error.to_string()),
    }
}

/// The files of the configuration in effect.
pub(super) fn files(context: &ProjectContext) -> BTreeSet<PathBuf> {
    let dir = &context.board.dir;
    let plan = context.plan.load();
    let env = plan.services.iter().flat_map(|service| env_files_of(&plan, service));
    let names = env.map(|file| file.path);
    FILES.iter().map(|name| dir.join(name)).chain(names.map(|name| dir.join(name))).collect()
}
