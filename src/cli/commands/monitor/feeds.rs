//! What the monitor hears from the daemon: a task for each stream that is wanted. When the daemon goes
//! away, the one that tells the status tries to reach it again; the others wait until that has succeeded.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::{
    sync::{mpsc, watch},
    task::{AbortHandle, JoinSet},
    time::{sleep, timeout},
};

use super::deeds;
use crate::{
    api::{control::TerminalSize, event::Event, log::Line, status::Status, tree::Node, why::Why},
    cli::{
        client::{Client, Query, seen::Seen},
        context::Context,
        error::Error,
        monitor::{
            deed::Deed,
            effect::{Logs, News, One},
            patience::Patience,
        },
    },
    os::paths::Places,
};

/// So many lines of each service are shown at first.
const LINES: &str = "1000";
/// So many lines are told at once.
const TOGETHER: usize = 1_000;
/// Who goes through services does not want the log of each.
const SETTLED: Duration = Duration::from_millis(40);
/// A stream that ended for no reason that the status shows is tried again after this.
const PATIENCE: Duration = Duration::from_secs(10);

/// The tasks.
pub(super) struct Feeds {
    tell: Teller,
    tasks: JoinSet<()>,
    logs: Option<AbortHandle>,
    tree: Option<AbortHandle>,
    events: Option<AbortHandle>,
    why: Option<AbortHandle>,
}

/// What each task has.
#[derive(Clone)]
struct Teller {
    places: Places,
    news: mpsc::Sender<News>,
    /// Rings when the daemon has told its status.
    bell: watch::Sender<()>,
}

/// Nobody wants to hear it any more.
struct Unwanted;

impl Feeds {
    pub(super) fn new(context: &Context, news: mpsc::Sender<News>) -> Self {
        let tell = Teller { places: context.places.clone(), news, bell: watch::Sender::new(()) };
        Self { tell, tasks: JoinSet::new(), logs: None, tree: None, events: None, why: None }
    }

    /// Tells how things are in a project, or in all, from now on.
    pub(super) fn status(&mut self, dir: Option<PathBuf>) {
        let tell = self.tell.clone();
        self.tasks.spawn(async move {
            let _unwanted = tell.status(dir).await;
        });
    }

    /// Tells these logs under this number, and no others any more.
    pub(super) fn logs(&mut self, number: u64, logs: Logs) {
        end(&mut self.logs);
        let tell = self.tell.clone();
        self.logs = Some(self.tasks.spawn(async move {
            sleep(SETTLED).await;
            let _unwanted = tell.logs(number, &logs).await;
        }));
    }

    /// Tells the tree no more.
    pub(super) fn no_tree(&mut self) {
        end(&mut self.tree);
    }

    /// Tells the tree of all, or of the project in that folder.
    pub(super) fn tree(&mut self, dir: Option<&Path>) {
        end(&mut self.tree);
        let query = match dir {
            Some(dir) => Query::new("/v1/tree").dir(dir),
            None => Query::new("/v1/tree").with("all", "true"),
        };
        let tell = self.tell.clone();
        self.tree = Some(self.tasks.spawn(async move {
            let news = |root: Node| News::Tree(Box::new(root));
            let _unwanted = tell.again_and_again(&query, news).await;
        }));
    }

    /// Tells why a service is as it is.
    pub(super) fn why(&mut self, one: Option<One>) {
        end(&mut self.why);
        let Some(one) = one else { return };
        let query = Query::new("/v1/why").dir(&one.dir).with("service", &one.service);
        let tell = self.tell.clone();
        self.why = Some(self.tasks.spawn(async move {
            let news = |why: Why| News::Why(Box::new(why));
            let _unwanted = tell.again_and_again(&query, news).await;
        }));
    }

    /// Tells what happened and what happens.
    pub(super) fn events(&mut self, wanted: bool) {
        end(&mut self.events);
        if wanted {
            let tell = self.tell.clone();
            self.events = Some(self.tasks.spawn(async move {
                let _unwanted = tell.events().await;
            }));
        }
    }

    /// Does something to services, and tells what came of it.
    pub(super) fn deed(&mut self, deed: Deed, terminal: Option<TerminalSize>) {
        let tell = self.tell.clone();
        self.tasks.spawn(async move {
            let outcome = deeds::done(&tell.places, &deed, terminal).await;
            let _unwanted = tell.news.send(News::Done(deed, outcome)).await;
        });
    }

    /// Opens a URL; tells if it cannot be done.
    pub(super) fn open(&self, url: String) {
        deeds::open(url, self.tell.news.clone());
    }

    /// Takes away tasks that have ended; ends when there was one to take away.
    pub(super) async fn tidy(&mut self) {
        match self.tasks.join_next().await {
            // A bug is not to be hidden: the terminal was restored when it was told.
            Some(Err(error)) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Some(_) => {}
            None => std::future::pending().await,
        }
    }
}

fn end(task: &mut Option<AbortHandle>) {
    if let Some(task) = task.take() {
        task.abort();
    }
}

impl Teller {
    async fn tell(&self, news: News) -> Result<(), Unwanted> {
        self.news.send(news).await.map_err(|_| Unwanted)
    }

    async fn client(&self) -> Result<Client, Error> {
        let none = || Error::no_daemon("the daemon is not running");
        Client::connect(&self.places.socket).await?.ok_or_else(none)
    }

    async fn status(&self, dir: Option<PathBuf>) -> Result<(), Unwanted> {
        let query = Query::new("/v1/watch");
        let query = dir.iter().fold(query, |query, dir| query.dir(dir));
        let mut patience = Patience::default();
        loop {
            let why = self.status_once(&query, &mut patience).await?;
            self.tell(News::Gone(why)).await?;
            sleep(patience.wait()).await;
        }
    }

    /// Until the daemon is gone; says why.
    async fn status_once(
        &self,
        query: &Query,
        patience: &mut Patience,
    ) -> Result<String, Unwanted> {
        let stream = match self.client().await {
            Ok(mut client) => client.watch::<Status>(query).await,
            Err(error) => Err(error),
        };
        let mut stream = match stream {
            Ok(stream) => stream,
            Err(error) => return Ok(deeds::line(&error)),
        };
        loop {
            match stream.next().await {
                Ok(Some(status)) => {
                    *patience = Patience::default();
                    self.tell(News::Status(Box::new(status))).await?;
                    self.bell.send_replace(());
                }
                Ok(None) | Err(_) => return Ok("the daemon went away".to_owned()),
            }
        }
    }

    async fn logs(&self, number: u64, logs: &Logs) -> Result<(), Unwanted> {
        let mut seen = Seen::default();
        let mut bell = self.bell.subscribe();
        loop {
            bell.mark_unchanged();
            let query = Query::new("/v1/logs").dir(&logs.dir).with("follow", "true");
            let query = query.maybe("service", logs.service.as_deref());
            let query = match seen.resume() {
                Some(since) => query.with("since", since),
                None => query.with("lines", LINES),
            };
            self.logs_once(number, &query, &mut seen).await?;
            // Without its project there is no log, and without the daemon nobody to tell it.
            let _late = timeout(PATIENCE, bell.changed()).await;
        }
    }

    /// Until the stream breaks.
    async fn logs_once(&self, number: u64, query: &Query, seen: &mut Seen) -> Result<(), Unwanted> {
        let Ok(mut client) = self.client().await else { return Ok(()) };
        let Ok(mut stream) = client.watch::<Line>(query).await else { return Ok(()) };
        while let Ok(Some(line)) = stream.next().await {
            let mut lines = vec![line];
            while lines.len() < TOGETHER
                && let Ok(Some(line)) = stream.buffered()
            {
                lines.push(line);
            }
            lines.retain(|line| seen.is_new(line));
            if !lines.is_empty() {
                self.tell(News::Lines(number, lines)).await?;
            }
        }
        Ok(())
    }

    async fn events(&self) -> Result<(), Unwanted> {
        let mut last = 0;
        let mut bell = self.bell.subscribe();
        loop {
            bell.mark_unchanged();
            let query = Query::new("/v1/events").with("follow", "true");
            self.events_once(&query.with("after", last.to_string()), &mut last).await?;
            let _late = timeout(PATIENCE, bell.changed()).await;
        }
    }

    async fn events_once(&self, query: &Query, last: &mut u64) -> Result<(), Unwanted> {
        let Ok(mut client) = self.client().await else { return Ok(()) };
        let Ok(mut stream) = client.watch::<Event>(query).await else { return Ok(()) };
        while let Ok(Some(event)) = stream.next().await {
            let mut events = vec![event];
            while events.len() < TOGETHER
                && let Ok(Some(event)) = stream.buffered()
            {
                events.push(event);
            }
            *last = events.last().map_or(*last, |event| event.seq);
            self.tell(News::Events(events)).await?;
        }
        Ok(())
    }

    /// Asks now and whenever the status has changed.
    async fn again_and_again<T: serde::de::DeserializeOwned>(
        &self,
        query: &Query,
        news: impl Fn(T) -> News,
    ) -> Result<(), Unwanted> {
        let mut bell = self.bell.subscribe();
        let mut client = None;
        loop {
            bell.mark_unchanged();
            if client.is_none() {
                client = self.client().await.ok();
            }
            if let Some(daemon) = &mut client {
                match daemon.get::<T>(query).await {
                    Ok(answer) => self.tell(news(answer)).await?,
                    Err(_) => client = None,
                }
            }
            if bell.changed().await.is_err() {
                return Ok(());
            }
        }
    }
}
