//! What the data path asks the rest of the daemon: the story of a service, and the dashboard.

use std::{fmt, sync::OnceLock};

use futures_util::{FutureExt as _, future::BoxFuture};
use http::StatusCode;
use tokio::{runtime::Handle, time::Instant};

use crate::{
    actors::{board::Past, infra::Infra},
    dashboard::Dashboard,
    os::traffic::Target,
    proxy::{self, DashboardAnswer, DashboardRequest, Narrator},
};

/// So many of a service's last lines are told.
const LINES: usize = 20;

/// Tells from the boards. The infrastructure is known only after the data path has been started.
#[derive(Default)]
pub(super) struct Story {
    infra: OnceLock<Infra>,
    dashboard: OnceLock<(Dashboard, Handle)>,
}

impl Story {
    /// From here on there is something to tell.
    pub(super) fn begin(&self, infra: Infra) {
        // It is begun once, where the tree is built.
        let _begun = self.infra.set(infra);
    }

    /// From here on there is a dashboard, which works on these threads.
    pub(super) fn show(&self, dashboard: Dashboard, threads: Handle) {
        let _begun = self.dashboard.set((dashboard, threads));
    }
}

impl Narrator for Story {
    fn tell(&self, target: &Target) -> BoxFuture<'static, proxy::Story> {
        let Some(infra) = self.infra.get().cloned() else {
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
                last_exit: view.exits.back().map(Past::sentence),
                log,
            })
        }
        .boxed()
    }

    fn dashboard(&self, request: DashboardRequest) -> BoxFuture<'static, DashboardAnswer> {
        let Some((dashboard, runtime)) = self.dashboard.get().cloned() else {
            return std::future::ready(unavailable()).boxed();
        };
        async move {
            // On threads that outlive those of the proxy.
            let answering = runtime.spawn(async move { dashboard.answer(request).await });
            answering.await.unwrap_or_else(|_| unavailable())
        }
        .boxed()
    }
}

fn unavailable() -> DashboardAnswer {
    let mut answer = DashboardAnswer::default();
    *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    answer
}

impl fmt::Debug for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Story")
    }
}
