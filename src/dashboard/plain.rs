//! The page for whoever is not logged in: projects, services, and where they are.

use std::fmt::Write as _;

use crate::{actors::ipc_gateway::Desk, api::status::Project};

const HEAD: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
<meta name=\"viewport\" content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light dark\">\
<title>locald</title><link rel=\"icon\" href=\"/assets/icon.svg\"><link rel=\"stylesheet\" \
href=\"/assets/plain.css\"><h1>locald</h1><p class=\"hint\">Run <code>locald dashboard</code> in a terminal: \
it opens this page with logs, the supervision tree and buttons.</p>";

/// The page.
pub(super) fn page(desk: &Desk) -> String {
    let mut page = HEAD.to_owned();
    for entry in desk.infra.directory.all().values() {
        let project = entry.board.present(&desk.infra.gate);
        let (name, state) = (escape(&project.name), project.state);
        let mut rows = String::new();
        let notes = notes(&project);
        for service in &project.services {
            let name = escape(&service.name);
            let name = match &service.url {
                Some(url) if url.starts_with("http") => {
                    format!("<a href=\"{}\">{name}</a>", escape(url))
                }
                _ => name,
            };
            let why = escape(service.reason.as_deref().unwrap_or_default());
            let state = service.state;
            write!(rows, "<tr><td>{name}<td class=\"{state}\">{state}<td>{why}")
                .expect("a string has room");
        }
        write!(page, "<h2>{name} <small>{state}</small></h2>{notes}<table>{rows}</table>")
            .expect("a string has room");
    }
    page
}

/// What is wrong with the project's files.
fn notes(project: &Project) -> String {
    let wrong = project.config_error.as_ref().map(|why| {
        format!("the file has errors; what runs is the configuration before them:\n{why}")
    });
    let mut notes = String::new();
    for note in [&wrong, &project.watch_error].into_iter().flatten() {
        write!(notes, "<pre class=\"failed\">{}</pre>", escape(note)).expect("a string has room");
    }
    notes
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
