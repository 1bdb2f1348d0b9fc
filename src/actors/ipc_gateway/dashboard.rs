//! `POST /v1/dashboard`: invites whoever may use the socket to the dashboard.

use std::sync::Arc;

use axum::{Json, extract::State};

use super::{
    Desk,
    reply::{Refused, Reply},
};
use crate::{
    api::{dashboard::Invitation, error::Code},
    core::{routes::DASHBOARD, visitors::INVITED},
    os::secret::secret,
};

pub(super) async fn invite(State(desk): State<Arc<Desk>>) -> Reply<Json<Invitation>> {
    desk.infra.gate.refresh();
    let failed = |why: String| Refused::new(Code::Failed, why);
    let base = desk.infra.gate.url(DASHBOARD).ok_or_else(|| {
        failed("the dashboard has no address: the proxy has no port".to_owned())
            .hinted("`locald doctor` says who has the ports")
    })?;
    let invitation = secret().map_err(|error| failed(format!("cannot make a secret: {error}")))?;
    // What stands behind `#` is not sent to any server, and does not appear in any log.
    let url = format!("{base}/login#{invitation}");
    let now = desk.since.elapsed();
    desk.visitors.send_modify(|visitors| visitors.invite(now, invitation));
    Ok(Json(Invitation { url, expires_s: INVITED.as_secs_f64() }))
}
