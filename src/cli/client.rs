//! Talks to the daemon: HTTP/1.1 over its Unix socket, one connection for all that a command asks.

pub mod following;
pub mod ndjson;
pub mod query;
pub mod seen;

use std::{
    marker::PhantomData,
    path::{Path, PathBuf},
    time::Duration,
};

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    client::conn::http1::{self, SendRequest},
    header::{CONNECTION, HeaderValue, UPGRADE},
};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::{net::UnixStream, time::timeout};

use self::ndjson::Lines;
pub use self::{following::Following, query::Query};
use super::{
    error::{Error, Kind},
    output,
};
use crate::{
    api::{PROTOCOL, attach, error::ErrorBody},
    os::socket::{self, ConnectError},
};

/// How long the daemon may take to say who it is.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// So often a daemon may go away before it has said who it is: where that is its death, the next one
/// says it instead, or nobody listens any more.
const LIVES: usize = 5;
/// How long it may take for an answer that needs no work.
const ANSWER: Duration = Duration::from_secs(30);
/// The longest answer that is no stream.
const LONGEST: usize = 64 << 20;

/// A connection to a daemon that speaks our language.
#[derive(Debug)]
pub struct Client {
    socket: PathBuf,
    sender: SendRequest<Full<Bytes>>,
    daemon: Daemon,
}

/// Who answers, read leniently: also one of another protocol can be named, and told to stop.
#[derive(Clone, Debug, Deserialize)]
pub struct Daemon {
    /// The protocol it speaks.
    pub protocol: u32,
    /// Its release.
    #[serde(default)]
    pub version: String,
    /// Its process.
    #[serde(default)]
    pub pid: i32,
    /// The process that keeps it alive.
    #[serde(default)]
    pub heart: Option<i32>,
}

impl Daemon {
    /// Tells a person that the daemon is of another release than this program, and what to do.
    pub fn mention_other_release(&self) {
        const OURS: &str = env!("CARGO_PKG_VERSION");
        if self.version != OURS {
            output::note(&format!(
                "the daemon is locald {}, this is locald {OURS}: `locald server upgrade` replaces it, \
                 and services go on",
                self.version
            ));
        }
    }
}

/// A connection that was switched to another protocol.
pub type Link = TokioIo<hyper::upgrade::Upgraded>;

/// The items of an answer that comes line by line.
#[derive(Debug)]
pub struct Stream<T> {
    body: Incoming,
    lines: Lines,
    item: PhantomData<fn() -> T>,
}

impl Client {
    /// Connects to the daemon; none: there is none.
    pub async fn connect(socket: &Path) -> Result<Option<Self>, Error> {
        let Some(client) = Self::connect_to_any(socket).await? else { return Ok(None) };
        let Daemon { protocol, version, pid, .. } = &client.daemon;
        if *protocol == PROTOCOL {
            return Ok(Some(client));
        }
        Err(Error::no_daemon(format!(
            "the daemon (locald {version}, pid {pid}) speaks protocol {protocol}, \
             this locald speaks {PROTOCOL}"
        ))
        .hinted("`locald server upgrade` replaces it without stopping services; so does `locald server restart`, which restarts them"))
    }

    /// Connects to a daemon of whatever protocol.
    pub async fn connect_to_any(socket: &Path) -> Result<Option<Self>, Error> {
        for _life in 1..LIVES {
            match Self::connect_once(socket).await {
                Err(error) if error.kind == Kind::Gone => {}
                outcome => return outcome,
            }
        }
        Self::connect_once(socket).await
    }

    /// Connects to the daemon that has taken the place of this one; none: there is none, or this one is
    /// only about to end.
    pub async fn successor(&self) -> Result<Option<Self>, Error> {
        let next = Self::connect(&self.socket).await?;
        Ok(next.filter(|next| next.daemon.pid != self.daemon.pid))
    }

    async fn connect_once(socket: &Path) -> Result<Option<Self>, Error> {
        let stream = match socket::connect(socket).await {
            Ok(stream) => stream,
            Err(ConnectError::NotRunning) => return Ok(None),
            Err(error) => {
                return Err(Error::no_daemon("cannot connect to the daemon").because(error));
            }
        };
        match timeout(HANDSHAKE, Self::handshake(socket, stream)).await {
            Ok(client) => client.map(Some),
            Err(_) => Err(Error::no_daemon("the daemon does not answer")
                .hinted("`locald server logs` shows what it wrote last")),
        }
    }

    async fn handshake(socket: &Path, stream: UnixStream) -> Result<Self, Error> {
        let (sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(went_away)?;
        tokio::spawn(async {
            // The error reaches whoever waits for an answer.
            let _reported_there = connection.with_upgrades().await;
        });
        let daemon = Daemon { protocol: PROTOCOL, version: String::new(), pid: 0, heart: None };
        let mut client = Self { socket: socket.to_owned(), sender, daemon };
        client.daemon = client.look(&Query::new("/v1/version")).await?;
        Ok(client)
    }

    /// Who answers.
    pub fn daemon(&self) -> &Daemon {
        &self.daemon
    }

    /// Asks for something that is there. If the daemon dies over it, the next one is asked, once.
    pub async fn get<T: DeserializeOwned>(&mut self, query: &Query) -> Result<T, Error> {
        match self.look(query).await {
            Err(error) if error.kind == Kind::Gone => {
                *self = Self::connect(&self.socket).await?.ok_or(error)?;
                self.look(query).await
            }
            answer => answer,
        }
    }

    async fn look<T: DeserializeOwned>(&mut self, query: &Query) -> Result<T, Error> {
        self.answer(request(Method::GET, query.as_str(), Bytes::new())?).await
    }

    /// Asks for something that needs a body.
    pub async fn post<T: DeserializeOwned>(
        &mut self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Error> {
        self.answer(request(Method::POST, path, json(body)?)?).await
    }

    /// Asks for a stream of what happens.
    pub async fn watch<T: DeserializeOwned>(&mut self, query: &Query) -> Result<Stream<T>, Error> {
        self.stream(request(Method::GET, query.as_str(), Bytes::new())?).await
    }

    /// Asks for an operation, and for the stream of how it gets on.
    pub async fn operate<T: DeserializeOwned>(
        &mut self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<Stream<T>, Error> {
        self.stream(request(Method::POST, path, json(body)?)?).await
    }

    /// Asks to be connected with something else than a daemon that answers requests.
    pub async fn switch(mut self, query: &Query) -> Result<Link, Error> {
        let mut request = request(Method::POST, query.as_str(), Bytes::new())?;
        let headers = request.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static(attach::PROTOCOL));
        self.sender.ready().await.map_err(went_away)?;
        let response = self.sender.send_request(request).await.map_err(went_away)?;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Err(refusal(response).await);
        }
        hyper::upgrade::on(response).await.map(TokioIo::new).map_err(went_away)
    }

    async fn answer<T: DeserializeOwned>(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<T, Error> {
        let exchange = async {
            let response = self.send(request).await?;
            let body = Limited::new(response.into_body(), LONGEST).collect().await;
            let body = body.map_err(went_away_because)?.to_bytes();
            serde_json::from_slice(&body).map_err(nonsense)
        };
        let late = || Error::new(Kind::Timeout, "the daemon does not answer");
        timeout(ANSWER, exchange).await.map_err(|_| late())?
    }

    async fn stream<T>(&mut self, request: Request<Full<Bytes>>) -> Result<Stream<T>, Error> {
        let body = self.send(request).await?.into_body();
        Ok(Stream { body, lines: Lines::default(), item: PhantomData })
    }

    async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Error> {
        self.sender.ready().await.map_err(went_away)?;
        let response = self.sender.send_request(request).await.map_err(went_away)?;
        if response.status().is_success() { Ok(response) } else { Err(refusal(response).await) }
    }
}

impl<T: DeserializeOwned> Stream<T> {
    /// The next item; none: the stream has ended as it should.
    pub async fn next(&mut self) -> Result<Option<T>, Error> {
        loop {
            if let Some(item) = self.buffered()? {
                return Ok(Some(item));
            }
            match self.body.frame().await {
                Some(frame) => {
                    let frame = frame.map_err(went_away)?;
                    if let Some(bytes) = frame.data_ref() {
                        self.lines.push(bytes).map_err(nonsense)?;
                    }
                }
                None if self.lines.is_mid_line() => {
                    return Err(went_away_because("it ended in the middle of a line"));
                }
                None => return Ok(None),
            }
        }
    }

    /// An item that is here already.
    pub fn buffered(&mut self) -> Result<Option<T>, Error> {
        self.lines.next_line().map(serde_json::from_slice).transpose().map_err(nonsense)
    }
}

fn request(method: Method, path: &str, body: Bytes) -> Result<Request<Full<Bytes>>, Error> {
    let mut request = Request::builder().method(method).uri(path).header("host", "locald");
    if !body.is_empty() {
        request = request.header("content-type", "application/json");
    }
    request
        .body(Full::new(body))
        .map_err(|error| Error::failed("cannot ask the daemon").because(error))
}

fn json(body: &impl Serialize) -> Result<Bytes, Error> {
    let json = serde_json::to_vec(body);
    json.map(Bytes::from).map_err(|error| Error::failed("cannot ask the daemon").because(error))
}

/// What the daemon says instead of an answer.
async fn refusal(response: Response<Incoming>) -> Error {
    let status = response.status();
    let body = Limited::new(response.into_body(), LONGEST).collect().await;
    let body = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    match serde_json::from_slice::<ErrorBody>(&body) {
        Ok(body) => body.error.into(),
        Err(_) if status == StatusCode::NOT_FOUND => {
            Error::failed("the daemon does not know this request")
                .hinted("`locald server upgrade` replaces the daemon by this release")
        }
        Err(_) => Error::failed(format!("the daemon answered {status}")),
    }
}

fn went_away(error: hyper::Error) -> Error {
    if error.is_parse() { nonsense(error) } else { went_away_because(error) }
}

fn went_away_because(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(Kind::Gone, "the daemon went away before its answer was complete")
        .because(error)
        .hinted("`locald server logs` shows what it wrote last")
}

fn nonsense(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::no_daemon("what answers on the socket makes no sense")
        .because(error)
        .hinted("`locald server restart` replaces the daemon by this release")
}

#[cfg(test)]
mod tests;
