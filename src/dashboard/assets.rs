//! The files of the page, as they are in the repository: no build, and nothing from elsewhere.

use http::StatusCode;

use super::{door::Refusal, text};
use crate::proxy::DashboardAnswer;

/// The dashboard.
pub(super) const PAGE: &str = include_str!("assets/index.html");
/// The page that an invitation leads to.
pub(super) const LOGIN: &str = include_str!("assets/login.html");

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// Name, type, content.
const FILES: &[(&str, &str, &str)] = &[
    ("icon.svg", "image/svg+xml", include_str!("assets/icon.svg")),
    ("plain.css", STYLE, include_str!("assets/plain.css")),
    ("base.css", STYLE, include_str!("assets/base.css")),
    ("views.css", STYLE, include_str!("assets/views.css")),
    ("login.js", SCRIPT, include_str!("assets/login.js")),
    ("app.js", SCRIPT, include_str!("assets/app.js")),
    ("ansi.js", SCRIPT, include_str!("assets/ansi.js")),
    ("api.js", SCRIPT, include_str!("assets/api.js")),
    ("dom.js", SCRIPT, include_str!("assets/dom.js")),
    ("events.js", SCRIPT, include_str!("assets/events.js")),
    ("format.js", SCRIPT, include_str!("assets/format.js")),
    ("graph.js", SCRIPT, include_str!("assets/graph.js")),
    ("keys.js", SCRIPT, include_str!("assets/keys.js")),
    ("layout.js", SCRIPT, include_str!("assets/layout.js")),
    ("logs.js", SCRIPT, include_str!("assets/logs.js")),
    ("requests.js", SCRIPT, include_str!("assets/requests.js")),
    ("service.js", SCRIPT, include_str!("assets/service.js")),
    ("services.js", SCRIPT, include_str!("assets/services.js")),
    ("store.js", SCRIPT, include_str!("assets/store.js")),
    ("tree.js", SCRIPT, include_str!("assets/tree.js")),
    ("wrongs.js", SCRIPT, include_str!("assets/wrongs.js")),
];

/// The file at `/assets/NAME`.
pub(super) fn find(path: &str) -> Result<DashboardAnswer, Refusal> {
    let name = path.trim_start_matches("/assets/");
    let file = FILES.iter().find(|(known, ..)| *known == name);
    let (_, media, content) =
        file.ok_or(Refusal::new(StatusCode::NOT_FOUND, "there is nothing here"))?;
    Ok(text(StatusCode::OK, media, *content))
}
