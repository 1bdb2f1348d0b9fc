//! The task that runs the command of `on_event`, once for each event, some at a time.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{StreamExt as _, stream::FuturesUnordered};

use super::Outbox;
use crate::{
    actors::{context::ProjectContext, process},
    api::event::Event,
    core::notify::harmless_line,
    os::{errand::Errand, lent::Borrowed, probe::judge},
};

/// So many commands of a project may run at a time.
const AT_ONCE: usize = 4;

/// How long one may take.
const LONGEST: Duration = Duration::from_secs(10);

/// So much of a line of its output goes to the daemon's log.
const LINE: usize = 200;

/// How busy the notifier is, for the tree.
#[derive(Default)]
pub(super) struct Load {
    running: AtomicUsize,
    waiting: AtomicUsize,
}

impl Load {
    /// In words.
    pub(super) fn words(&self) -> String {
        let read = |count: &AtomicUsize| count.load(Ordering::Relaxed);
        format!("{} commands run, {} events wait", read(&self.running), read(&self.waiting))
    }
}

type Delivery = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What it works with.
pub(super) struct Rounds {
    context: Arc<ProjectContext>,
    outbox: Borrowed<Outbox>,
    /// Not tasks of their own: they, and the commands, end when this is dropped.
    running: FuturesUnordered<Delivery>,
    load: Arc<Load>,
}

impl Rounds {
    /// Goes on where a life that failed was, or begins with what happens from now on.
    pub(super) fn new(context: Arc<ProjectContext>, load: Arc<Load>) -> Self {
        let before = context.outbox.take();
        let outbox = before.unwrap_or_else(|| Outbox::new(context.infra.events.last()));
        let outbox = context.outbox.lend(outbox);
        Self { context, outbox, running: FuturesUnordered::new(), load }
    }

    /// Ends only with the event log, which is with the daemon.
    pub(super) async fn go(mut self) {
        let mut bell = self.context.infra.events.watch();
        loop {
            bell.mark_unchanged();
            self.take_in();
            while self.running.len() < AT_ONCE
                && let Some(event) = self.outbox.next()
            {
                self.running.push(Box::pin(deliver(self.context.clone(), event)));
            }
            self.load.running.store(self.running.len(), Ordering::Relaxed);
            self.load.waiting.store(self.outbox.len(), Ordering::Relaxed);
            tokio::select! {
                more = bell.changed() => if more.is_err() { return },
                Some(()) = self.running.next() => {}
            }
        }
    }

    fn take_in(&mut self) {
        let project = &*self.context.board.name;
        let events = &self.context.infra.events;
        let (new, seen) = events.select(self.outbox.seen(), |event| Outbox::wants(project, event));
        for Event { seq, service, event, .. } in self.outbox.take_in(new, seen) {
            let text = format!("event {seq} ({event}) is not told: too many wait");
            events.record(Some(project), service.as_deref(), "on-event-dropped", Some(text));
        }
    }
}

/// Runs the command for one event; what is wrong with that is an event as well, of which none is told.
async fn deliver(context: Arc<ProjectContext>, event: Event) {
    let Err(why) = run(&context, &event).await else { return };
    let Event { seq, event: word, service, .. } = event;
    let text = format!("`on_event` for event {seq} ({word}): {why}");
    let project = Some(&*context.board.name);
    context.infra.events.record(project, service.as_deref(), "on-event-failed", Some(text));
}

async fn run(context: &Arc<ProjectContext>, event: &Event) -> Result<(), String> {
    let of_thread = context.clone();
    // Env files are read.
    let resolving = tokio::task::spawn_blocking(move || process::on_event(&of_thread));
    let Some(errand) = resolving.await.map_err(|error| error.to_string())?? else {
        return Ok(());
    };
    let mut input = serde_json::to_vec(event).map_err(|error| error.to_string())?;
    input.push(b'\n');
    let errand = Errand {
        argv: &errand.argv,
        env: &errand.env,
        dir: &errand.dir,
        input: &input,
        timeout: LONGEST,
    };
    let outcome = errand.run().await.map_err(|error| error.to_string())?;
    for text in [&outcome.out, &outcome.err] {
        for line in text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            let (project, line) = (&*context.board.name, harmless_line(line, LINE));
            tracing::info!(project, event = event.seq, line, "on_event wrote");
        }
    }
    judge(&outcome, LONGEST)
}
