//! Reads the configuration of a folder.

use std::{path::Path, sync::Arc};

use super::reply::{Refused, Reply};
use crate::{api::error::Code, core::plan::Plan, os::project_file};

/// The plan of the project in `dir`; every error of its file in one text.
pub(super) async fn plan(dir: &Path) -> Reply<Arc<Plan>> {
    if !dir.is_absolute() {
        let text = format!("{} is not an absolute path", dir.display());
        return Err(Refused::new(Code::BadRequest, text));
    }
    let dir = dir.to_owned();
    let read = tokio::task::spawn_blocking(move || project_file::plan(&dir));
    match read.await {
        Ok(Ok(plan)) => Ok(Arc::new(plan)),
        Ok(Err(why)) => Err(Refused::new(Code::InvalidConfig, why.to_string())
            .hinted("`locald check` shows the errors in their places")),
        Err(error) => Err(Refused::new(Code::Failed, error.to_string())),
    }
}
