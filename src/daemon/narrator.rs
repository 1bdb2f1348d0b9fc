//! What the data path asks the rest of the daemon: the story of a service, and the dashboard.

use std::{
    fmt::{self, Write as _},
    sync::OnceLock,
};

use futures_util::{FutureExt as _, future::BoxFuture};
use tokio::time::Instant;

use crate::{
    actors::{board::ending_sentence, infra::Infra},
    os::traffic::Target,
    proxy::{self, DashboardAnswer, DashboardRequest, Narrator},
};

/// So many of a service's last lines are told.
const LINES: usize = 20;

/// Tells from the boards. The infrastructure is known only after the data path has been started.
#[derive(Default)]
pub(super) struct Story(OnceLock<Infra>);

impl Story {
    /// From here on there is something to tell.
    pub(super) fn begin(&self, infra: Infra) {
        // It is begun once, where the tree is built.
        let _begun = self.0.set(infra);
    }
}

impl Narrator for Story {
    fn tell(&self, target: &Target) -> BoxFuture<'static, proxy::Story> {
        let Some(infra) = self.0.get().cloned() else {
            return std::future::ready(proxy::Story::default()).boxed();
        };
        let (project, service) = (target.project.clone(), target.service.clone());
        async move {
            let projects = infra.directory.all();
            let entry = projects.values().find(|entry| entry.board.name == project);
            let Some(board) = entry.and_then(|entry| entry.board.service(&service)) else {
                return proxy::Story { state: "gone".to_owned(), ..proxy::Story::default() };
            };
            let waiting_for = board.waiting_for();
            let sinks = infra.logs.sinks(project, vec![service]).await.unwrap_or_default();
            let log = sinks.first().map(|sink| sink.last_lines(LINES, None)).unwrap_or_default();
            board.read(|view| proxy::Story {
                state: view.state().to_string(),
                why: view.reason(&waiting_for, Instant::now()),
                last_exit: view.exits.back().map(|past| ending_sentence(past.how, past.asked)),
                log,
            })
        }
        .boxed()
    }

    fn dashboard(&self, request: DashboardRequest) -> BoxFuture<'static, DashboardAnswer> {
        let answer = |status, body: String| DashboardAnswer {
            status,
            content_type: "text/html; charset=utf-8",
            body: body.into_bytes(),
        };
        let path = request.path.split('?').next().unwrap_or_default();
        let answer = match (request.method.as_str(), path) {
            ("GET" | "HEAD", "/") => answer(200, self.page()),
            ("GET" | "HEAD", _) => {
                answer(404, "<!doctype html><title>Not found</title>".to_owned())
            }
            _ => answer(405, "<!doctype html><title>Only to be looked at</title>".to_owned()),
        };
        std::future::ready(answer).boxed()
    }
}

impl Story {
    /// The projects, their services, and where they are.
    fn page(&self) -> String {
        let mut page = HEAD.to_owned();
        if let Some(infra) = self.0.get() {
            for entry in infra.directory.all().values() {
                let project = entry.board.present(&infra.gate);
                let (name, state) = (escape(&project.name), project.state);
                let mut rows = String::new();
                for service in &project.services {
                    let name = escape(&service.name);
                    let name = match &service.url {
                        Some(url) => format!("<a href=\"{}\">{name}</a>", escape(url)),
                        None => name,
                    };
                    let why = escape(service.reason.as_deref().unwrap_or_default());
                    let state = service.state;
                    write!(rows, "<tr><td>{name}<td class=\"{state}\">{state}<td>{why}")
                        .expect("a string has room");
                }
                write!(page, "<h2>{name} <small>{state}</small></h2><table>{rows}</table>")
                    .expect("a string has room");
            }
        }
        page
    }
}

impl fmt::Debug for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Story")
    }
}

const HEAD: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
<meta name=\"viewport\" content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light dark\">\
<title>locald</title><style>body{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;\
padding:0 1rem}td{padding:.1rem 1rem .1rem 0}small{font-weight:normal;opacity:.7}\
.healthy,.completed{color:#1a7f37}.failed,.unhealthy,.backoff{color:#cf222e}</style><h1>locald</h1>";

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
