//! `POST /v1/upgrade`: another program is to go on with all that runs. Whether it can is known before
//! anything is let go of.

use std::sync::Arc;

use axum::{Json, body::Body, extract::State};

use super::{
    Desk, Tenure, read,
    reply::{Refused, Reply, read_json},
};
use crate::{
    api::{error::Code, upgrade::Upgrade, version::Version},
    os::{exec, keep},
};

const RESTART: &str = "`locald server restart` replaces it, and restarts services";

pub(super) async fn upgrade(State(desk): State<Arc<Desk>>, body: Body) -> Reply<Json<Version>> {
    let Upgrade { program, formats } = read_json(body).await?;
    if *desk.closing.borrow() {
        return Err(Refused::new(Code::ShuttingDown, "the daemon is shutting down"));
    }
    let failed = |text: String| Refused::new(Code::Failed, text);
    let ours = keep::formats();
    if formats != ours {
        let text = format!(
            "the daemon cannot hand over to this locald, which reads other formats \
             ({formats}) than it writes ({ours})"
        );
        return Err(failed(text).hinted(RESTART));
    }
    if !program.is_absolute() || !exec::is_program(&program) {
        let text = format!("{} is no program with an absolute path", program.display());
        return Err(Refused::new(Code::BadRequest, text));
    }
    let Some(line) = keep::line().filter(|line| line.heart().is_some()) else {
        let text = "the daemon has no heart that would keep what runs";
        return Err(failed(text.to_owned()).hinted(RESTART));
    };
    if *desk.tenure.borrow() != Tenure::Stays {
        return Err(failed("the daemon is making way already".to_owned()));
    }
    let told = {
        let program = program.clone();
        tokio::task::spawn_blocking(move || line.succeed_by(&program)).await
    };
    let told = told.map_err(std::io::Error::other).flatten();
    told.map_err(|error| {
        failed(format!("the heart does not say that it makes way as well: {error}")).hinted(RESTART)
    })?;
    desk.tenure.send_replace(Tenure::MakesWay(program));
    Ok(read::version().await)
}
