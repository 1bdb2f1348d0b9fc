//! `http://NAME.localhost`: the proxy as browsers, scripts and attackers see it.

mod bulk;
mod ending;
mod floods;
mod grpc;
mod holding;
mod hostile;
mod http2;
mod names;
mod pages;
mod patience;
mod protocols;
mod refusals;
mod shown;
mod tls;
mod trusted;

use crate::support::{Home, Project, svc};

/// A service `name` that is a web application of that name, and more lines for it.
fn web(name: &str, lines: &str) -> String {
    let command = svc([&format!("web={name}"), "forever"]);
    format!("[services.{name}]\n{command}\n{lines}\n")
}

/// A project `shop` with one web application, up.
fn shop(home: &Home) -> Project<'_> {
    let project = home.project("shop", &web("web", ""));
    project.up();
    project
}
