//! What the data plane is given by the rest of the daemon.

use std::{error::Error, fmt, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;

use super::head::RequestHead;
use crate::{
    core::routes::Table,
    os::{leaves::Leaves, traffic::Target},
};

/// All that the data plane reads.
#[derive(Clone, Debug)]
pub struct Sources {
    /// The routes; whoever stores here changes them for the next request.
    pub routes: Arc<ArcSwap<Table<Arc<Target>>>>,
    /// The settings, in the same way.
    pub settings: Arc<ArcSwap<Settings>>,
    /// The certificates.
    pub leaves: Arc<Leaves>,
    /// Who knows more than the data plane.
    pub narrator: Arc<dyn Narrator>,
}

/// What a person can decide.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Settings {
    /// How long a request waits for its service.
    pub hold: Duration,
    /// Whether what comes without TLS is sent to where TLS is spoken.
    pub redirect_to_https: bool,
    /// The port that HTTPS URLs have.
    pub https_port: u16,
    /// All ports that we listen on, which are never dialled.
    pub own_ports: Vec<u16>,
    /// How long others may keep us waiting.
    pub deadlines: Deadlines,
}

/// How long others may keep us waiting.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Deadlines {
    /// For the first byte, SNI and handshake, all together.
    pub greeting: Duration,
    /// For a head, once it has begun.
    pub head: Duration,
    /// For the head of a service's answer: breakpoints are part of development.
    pub answer: Duration,
    /// Between two signs of life of a connection of HTTP/2 on which nothing else happens.
    pub ping: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            greeting: Duration::from_secs(15),
            head: Duration::from_secs(30),
            answer: Duration::from_mins(10),
            ping: Duration::from_mins(1),
        }
    }
}

impl Deadlines {
    /// So many times as strict.
    #[must_use]
    pub fn hastened(self, times: u32) -> Self {
        let times = times.max(1);
        let Self { greeting, head, answer, ping } = self;
        Self {
            greeting: greeting / times,
            head: head / times,
            answer: answer / times,
            ping: ping / times,
        }
    }
}

/// Answers what the data plane cannot know by itself.
pub trait Narrator: Send + Sync + fmt::Debug {
    /// What there is to say about a service that cannot be reached.
    fn tell(&self, target: &Target) -> BoxFuture<'static, Story>;
    /// Answers a request to the dashboard's host.
    fn dashboard(&self, request: DashboardRequest) -> BoxFuture<'static, DashboardAnswer>;
}

/// What there is to say about a service.
#[derive(Clone, Debug, Default)]
pub struct Story {
    /// Its state, in the words of `locald status`.
    pub state: String,
    /// Why it is in that state.
    pub why: Option<String>,
    /// How it ended last.
    pub last_exit: Option<String>,
    /// Its last lines of output.
    pub log: Vec<String>,
}

/// A request to the dashboard; its host has been checked, and whose program asks.
#[derive(Debug)]
pub struct DashboardRequest {
    /// The request, its body complete.
    pub request: Request<Bytes>,
    /// The dashboard's own origin as the client sees it: what `Origin` must be to change things.
    pub own_origin: String,
}

/// The dashboard's answer, which may be a stream without an end.
pub type DashboardAnswer = Response<UnsyncBoxBody<Bytes, Box<dyn Error + Send + Sync>>>;

impl Default for Settings {
    fn default() -> Self {
        let hold = Duration::from_secs(30);
        Self {
            hold,
            redirect_to_https: false,
            https_port: 443,
            own_ports: Vec::new(),
            deadlines: Deadlines::default(),
        }
    }
}

/// Where a request is found by TLS.
pub(super) fn redirect_location(request: &RequestHead, port: u16) -> String {
    let path = String::from_utf8_lossy(&request.path);
    let path = if path == "*" { "/".into() } else { path };
    match port {
        443 => format!("https://{}{path}", request.host),
        port => format!("https://{}:{port}{path}", request.host),
    }
}
