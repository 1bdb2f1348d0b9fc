//! A stream that goes on when its daemon makes way for another one, or is killed.

use serde::de::DeserializeOwned;

use super::{Client, Query, Stream, seen::Seen};
use crate::{
    api::{event::Event, log::Line},
    cli::error::{Error, Kind},
};

/// How to go on where the last daemon was.
pub trait Resume<T> {
    /// What to ask the next one for.
    fn query(&mut self) -> Query;

    /// Whether the item is news.
    fn is_new(&mut self, item: &T) -> bool;
}

/// What comes of itself anew with each daemon.
impl<T> Resume<T> for Query {
    fn query(&mut self) -> Query {
        self.clone()
    }

    fn is_new(&mut self, _: &T) -> bool {
        true
    }
}

/// The items of a stream, whichever daemon they are from.
#[derive(Debug)]
pub struct Following<T, R> {
    client: Client,
    resume: R,
    /// Whether only the daemon's end ends it.
    endless: bool,
    /// None: the daemon is gone.
    stream: Option<Stream<T>>,
    /// Why it went, if it did not say goodbye.
    gone: Option<Error>,
}

impl<T: DeserializeOwned, R: Resume<T>> Following<T, R> {
    /// Asks this daemon first, for what comes (`endless`) or only for what was.
    pub async fn begin(mut client: Client, mut resume: R, endless: bool) -> Result<Self, Error> {
        let stream = client.watch(&resume.query()).await?;
        Ok(Self { client, resume, endless, stream: Some(stream), gone: None })
    }

    /// The next item; none: the stream has ended as it should, or the daemon has and there is no other.
    /// Cancel-safe.
    pub async fn next(&mut self) -> Result<Option<T>, Error> {
        loop {
            while let Some(stream) = &mut self.stream {
                match stream.next().await {
                    Ok(Some(item)) if self.resume.is_new(&item) => return Ok(Some(item)),
                    Ok(Some(_)) => {}
                    Ok(None) if !self.endless => return Ok(None),
                    Ok(None) => self.stream = None,
                    Err(error) if error.kind == Kind::Gone => {
                        (self.stream, self.gone) = (None, Some(error));
                    }
                    Err(error) => return Err(error),
                }
            }
            let Some(mut client) = self.client.successor().await? else {
                return self.gone.take().map_or(Ok(None), Err);
            };
            self.stream = Some(client.watch(&self.resume.query()).await?);
            (self.client, self.gone) = (client, None);
        }
    }

    /// An item that is here already.
    pub fn buffered(&mut self) -> Result<Option<T>, Error> {
        while let Some(item) = self.stream.as_mut().map(Stream::buffered).transpose()?.flatten() {
            if self.resume.is_new(&item) {
                return Ok(Some(item));
            }
        }
        Ok(None)
    }
}

/// Events after the last one that was told.
#[derive(Debug)]
pub struct Events {
    /// Without where to begin.
    pub query: Query,
    /// The number of the last one that is known.
    pub after: Option<u64>,
}

impl Resume<Event> for Events {
    fn query(&mut self) -> Query {
        self.query.clone().maybe("after", self.after.map(|seq| seq.to_string()))
    }

    fn is_new(&mut self, event: &Event) -> bool {
        self.after = Some(event.seq);
        true
    }
}

/// Log lines after the last ones that were told of each service.
#[derive(Debug)]
pub struct Logs {
    /// What was and what comes.
    first: Query,
    /// Only what comes, with the same filters.
    onward: Query,
    /// When we began, as daemons write it.
    began: String,
    /// How many daemons have been asked.
    asked: usize,
    seen: Seen,
}

impl Logs {
    /// `first` asks for what was and what comes; `onward` asks the next daemon, from a time on that is
    /// added. `began` is now, as daemons write it.
    pub fn new(first: Query, onward: Query, began: String) -> Self {
        Self { first, onward, began, asked: 0, seen: Seen::default() }
    }
}

impl Resume<Line> for Logs {
    fn query(&mut self) -> Query {
        self.asked += 1;
        if self.asked == 1 {
            return self.first.clone();
        }
        let began = self.began.clone();
        let since = match self.seen.resume() {
            Some(at) => at.min(began),
            None => began,
        };
        self.onward.clone().with("since", since)
    }

    fn is_new(&mut self, line: &Line) -> bool {
        // What is older and was not told was not asked for.
        let asked_for = self.asked == 1 || self.seen.knows(&line.service) || line.at >= self.began;
        asked_for && self.seen.is_new(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::log::Stream;

    fn line(at: u32, service: &str, text: &str) -> Line {
        Line {
            at: format!("2026-01-01T00:00:00.{at:03}Z"),
            project: "shop".to_owned(),
            service: service.to_owned(),
            stream: Stream::Out,
            line: text.to_owned(),
        }
    }

    fn told(logs: &mut Logs, lines: &[Line]) -> Vec<String> {
        let new = lines.iter().filter(|line| logs.is_new(line));
        new.map(|line| line.line.clone()).collect()
    }

    #[test]
    fn each_line_is_told_once_whichever_daemon_tells_it() {
        let began = line(5, "", "").at;
        let (first, onward) = (Query::new("/l").with("lines", "9"), Query::new("/l"));
        let mut logs = Logs::new(first, onward, began);
        assert_eq!(logs.query().as_str(), "/l?lines=9");
        let lines = [line(1, "a", "old"), line(7, "a", "1"), line(7, "a", "2"), line(9, "b", "3")];
        assert_eq!(told(&mut logs, &lines), ["old", "1", "2", "3"]);
        assert!(logs.query().as_str().ends_with("since=2025-12-31T23%3A59%3A58.007Z"));
        let again = [
            line(1, "c", "never asked for"),
            line(6, "c", "4"),
            line(7, "a", "1"),
            line(7, "a", "2"),
            line(7, "a", "5"),
            line(9, "b", "3"),
            line(9, "b", "6"),
            line(2, "b", "7: the clock went back"),
        ];
        assert_eq!(told(&mut logs, &again), ["4", "5", "6", "7: the clock went back"]);
    }

    #[test]
    fn where_nothing_was_told_all_since_we_began_is_news() {
        let mut logs = Logs::new(Query::new("/l"), Query::new("/l"), line(5, "", "").at);
        logs.query();
        assert!(logs.query().as_str().contains("since"));
        assert_eq!(told(&mut logs, &[line(4, "a", "no"), line(5, "a", "yes")]), ["yes"]);
    }
}
