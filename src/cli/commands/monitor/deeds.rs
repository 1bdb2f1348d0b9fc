//! What the monitor has done: to services by the daemon, with URLs by a browser.

use std::{collections::BTreeMap, thread};

use tokio::sync::mpsc;

use crate::{
    api::control::{Outcome, Progress, Request, TerminalSize},
    cli::{
        client::Client,
        commands::open,
        context::caller_environment,
        error::Error,
        monitor::{
            deed::{Deed, Verb},
            effect::News,
        },
        render::text::Paint,
        report,
    },
    os::paths::Places,
};

/// Does it; says what there is to say, or what went wrong.
pub(super) async fn done(
    places: &Places,
    deed: &Deed,
    terminal: Option<TerminalSize>,
) -> Result<String, String> {
    let outcome = attempt(places, deed, terminal).await.map_err(|error| whole(&error))?;
    if let Some(problem) = outcome.problem {
        return Err(whole(&Error::from(problem)));
    }
    let Some(first) = outcome.failures.first() else {
        let done = deed.done();
        let notes = outcome.notes.into_iter();
        return Ok(notes.fold(done, |text, note| format!("{text}; {note}")));
    };
    let more = match outcome.failures.len() {
        1 => String::new(),
        several => format!(" (and {} more)", several - 1),
    };
    Err(format!("{}: {}{more}", first.service, first.reason))
}

async fn attempt(
    places: &Places,
    deed: &Deed,
    terminal: Option<TerminalSize>,
) -> Result<Outcome, Error> {
    let none = || Error::no_daemon("the daemon is not running");
    let mut client = Client::connect(&places.socket).await?.ok_or_else(none)?;
    let (path, starts) = match deed.verb {
        Verb::Start => ("/v1/start", true),
        Verb::Restart => ("/v1/restart", true),
        Verb::Stop => ("/v1/stop", false),
    };
    let request = Request {
        dir: deed.dir.clone(),
        services: deed.service.iter().cloned().collect(),
        env: if starts { caller_environment() } else { BTreeMap::new() },
        terminal: terminal.filter(|_| starts),
        cascade: false,
        no_wait: false,
        as_before: false,
    };
    let mut stream = client.operate::<Progress>(path, &request).await?;
    while let Some(item) = stream.next().await? {
        if let Progress::Done(outcome) = item {
            return Ok(outcome);
        }
    }
    Err(Error::no_daemon("the daemon went away before it was done"))
}

/// Opens a URL. A thread of its own waits for the program, which may take as long as the browser runs.
pub(super) fn open(url: String, news: mpsc::Sender<News>) {
    thread::spawn(move || {
        if let Err(error) = open::browse(&url) {
            let _nobody_hears = news.blocking_send(News::Trouble(line(&error)));
        }
    });
}

/// An error on one line.
pub(super) fn line(error: &Error) -> String {
    let text = report::text(error, Paint { colour: false });
    let mut lines = text.lines().map(|line| {
        let labels = ["error: ", "because: ", "help: "];
        labels.iter().find_map(|label| line.strip_prefix(label)).unwrap_or(line).trim()
    });
    let first = lines.next().unwrap_or_default().to_owned();
    lines.fold(first, |text, line| format!("{text}: {line}"))
}

/// An error on as many lines as it takes, the first without a label.
fn whole(error: &Error) -> String {
    let text = report::text(error, Paint { colour: true });
    if error.details.is_empty() { line(error) } else { text }
}
