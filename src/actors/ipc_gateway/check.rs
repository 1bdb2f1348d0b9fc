//! `GET /v1/check`: what is wrong with the configuration of a project that is there.

use std::sync::Arc;

use axum::{Json, extract::State};

use super::{
    Desk,
    read::Which,
    reply::{Asked, Refused, Reply},
};
use crate::{
    api::{check::Checked, error::Code},
    os::project_file::{self, Unusable},
};

pub(super) async fn check(
    State(desk): State<Arc<Desk>>,
    Asked(which): Asked<Which>,
) -> Reply<Json<Checked>> {
    let dir = which.dir.ok_or_else(|| Refused::new(Code::BadRequest, "whose configuration?"))?;
    let dir = desk.entry(&dir)?.board.dir.clone();
    let read = tokio::task::spawn_blocking(move || project_file::plan(&dir)).await;
    Ok(Json(match read {
        Ok(Ok(_)) => Checked::default(),
        Ok(Err(Unusable::Invalid(all))) => Checked::of(&all),
        Ok(Err(why)) => Checked::only(why.to_string()),
        Err(error) => return Err(Refused::new(Code::Failed, error.to_string())),
    }))
}
