//! New connections to services.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    rc::Rc,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    net::TcpStream,
    time::{Instant, sleep, timeout},
};

use super::{
    fields::Fields,
    forwarded::Origin,
    h1, h2,
    head::{RequestHead, ResponseHead},
    side::{Piece, Server, Side},
    worker::Worker,
};
use crate::{
    core::plan::Protocol,
    os::traffic::{Phase, Spoken, Target},
};

/// A loopback connection is there at once, or its listener is stuck.
const CONNECT_TIME: Duration = Duration::from_secs(5);
/// A service that is only tried with HTTP/2 has so long to show that it speaks it.
const TRY_TIME: Duration = Duration::from_secs(1);
/// A service that is said to run may refuse for so long: what is said lags behind.
const COME_BACK: Duration = Duration::from_secs(2);
const BETWEEN: Duration = Duration::from_millis(20);

/// A connection to a service, of the version that it takes.
#[expect(clippy::large_enum_variant, reason = "the large one is the common one")]
pub(super) enum Backend {
    Http1(h1::Upstream),
    Http2(Box<h2::Upstream>),
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    /// One of our own listeners has the port.
    #[error("it is to listen on a port of the proxy itself")]
    Ourselves,
    /// No descriptors.
    #[error("the proxy has no file descriptor left")]
    Exhausted,
    /// Nobody takes the connection.
    #[error("it does not take connections")]
    Late,
    /// It was asked by HTTP/2, and answers otherwise.
    #[error("it does not speak HTTP/2 without TLS: {0}")]
    NotHttp2(String),
    /// In the system's words.
    #[error("{0}")]
    Failed(String),
}

/// Connects to a port of this machine: IPv4, then IPv6, as servers listen on either.
pub(super) async fn dial(worker: &Worker, port: u16) -> Result<TcpStream, Refused> {
    if worker.sources.settings.load().own_ports.contains(&port) {
        return Err(Refused::Ourselves);
    }
    let four = match connect(IpAddr::V4(Ipv4Addr::LOCALHOST), port).await {
        Ok(stream) => return Ok(stream),
        Err(Refused::Failed(why)) => why,
        Err(refused) => return Err(refused),
    };
    match connect(IpAddr::V6(Ipv6Addr::LOCALHOST), port).await {
        Err(Refused::Failed(_)) => Err(Refused::Failed(format!(
            "it cannot be reached on 127.0.0.1 nor [::1], port {port}: {four}"
        ))),
        reached => reached,
    }
}

/// The connection of HTTP/2 that all requests to this life share.
pub(super) async fn shared(
    worker: &Rc<Worker>,
    target: &Arc<Target>,
    phase: Phase,
) -> Result<Backend, Refused> {
    if let Some(link) = known(worker, target, phase).await {
        return Ok(link);
    }
    // A hundred first requests open one connection.
    let opening = target.opening().await;
    if let Some(link) = known(worker, target, phase).await {
        return Ok(link);
    }
    let link = open(worker, target, phase).await;
    drop(opening);
    link
}

/// Whether this life is to be asked this by HTTP/2. A service of which nothing is said is tried
/// with it once per life, and only when something comes that cannot go any other way.
pub(super) async fn wants_http2(
    worker: &Rc<Worker>,
    target: &Arc<Target>,
    phase: Phase,
    request: &RequestHead,
) -> Result<bool, Refused> {
    let spoken = match phase.protocol {
        Protocol::Http => return Ok(false),
        Protocol::H2c => return Ok(true),
        Protocol::Auto => target.spoken(phase.life),
    };
    match spoken {
        Spoken::Http1 => Ok(false),
        Spoken::OnlyHttp2 => Ok(true),
        _ if !request.is_grpc() => Ok(false),
        Spoken::Http2 => Ok(true),
        Spoken::Unknown | Spoken::AtLeastHttp1 => find_out(worker, target, phase).await,
    }
}

async fn find_out(worker: &Rc<Worker>, target: &Target, phase: Phase) -> Result<bool, Refused> {
    let _opening = target.opening().await;
    let known = target.spoken(phase.life);
    if !matches!(known, Spoken::Unknown | Spoken::AtLeastHttp1) {
        return Ok(known != Spoken::Http1);
    }
    let stream = dial(worker, phase.port).await?;
    let speaks = matches!(timeout(TRY_TIME, h2::Link::open(stream)).await, Ok(Ok(_)));
    target.learn(phase.life, if speaks { Spoken::Http2 } else { Spoken::Http1 });
    Ok(speaks)
}

async fn known(worker: &Worker, target: &Arc<Target>, phase: Phase) -> Option<Backend> {
    let link = worker.with_pool(|pool| pool.shared(target, phase))?;
    Some(Backend::http2(link.ready().await.ok()?))
}

async fn open(worker: &Rc<Worker>, target: &Arc<Target>, phase: Phase) -> Result<Backend, Refused> {
    let stream = dial(worker, phase.port).await?;
    let opened = timeout(CONNECT_TIME, h2::Link::open(stream)).await;
    let link = opened.map_err(|_| Refused::NotHttp2("it is silent".to_owned()))??;
    worker.with_pool(|pool| pool.share(target, phase, link.clone()));
    worker.ensure_sweep();
    let link = link.ready().await.map_err(|error| Refused::Failed(error.to_string()))?;
    Ok(Backend::http2(link))
}

/// Waits a moment for a service that refused; false if it is not worth another try.
pub(super) async fn may_come_back(
    refused: &Refused,
    since: Instant,
    target: &Target,
    phase: Phase,
) -> bool {
    let worth = match refused {
        Refused::Failed(_) => since.elapsed() <= COME_BACK,
        // Unless it was on its way out.
        Refused::NotHttp2(_) => {
            another_phase(target, phase).await;
            return target.now() != phase;
        }
        Refused::Ourselves | Refused::Exhausted | Refused::Late => false,
    };
    if worth {
        another_phase(target, phase).await;
    }
    worth
}

/// Waits a moment for the service to be in another phase.
pub(super) async fn another_phase(target: &Target, phase: Phase) {
    let mut phases = target.phases();
    let changed = phases.wait_for(|now| *now != phase);
    timeout(BETWEEN, changed).await.ok();
}

async fn connect(host: IpAddr, port: u16) -> Result<TcpStream, Refused> {
    let stream = match timeout(CONNECT_TIME, TcpStream::connect(SocketAddr::new(host, port))).await
    {
        Err(_) => return Err(Refused::Late),
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(Refused::from(&error)),
    };
    // Between a port of the ephemeral range and itself the system makes a connection of nobody
    // with nobody.
    if stream.local_addr().ok() == stream.peer_addr().ok() {
        sleep(BETWEEN).await;
        return Err(Refused::Failed("nobody listens".to_owned()));
    }
    stream.set_nodelay(true).ok();
    Ok(stream)
}

impl From<&io::Error> for Refused {
    fn from(error: &io::Error) -> Self {
        match error.raw_os_error() {
            Some(libc::EMFILE | libc::ENFILE | libc::EADDRNOTAVAIL | libc::ENOBUFS) => {
                Self::Exhausted
            }
            Some(libc::ECONNREFUSED) => Self::Failed("nobody listens".to_owned()),
            _ => Self::Failed(error.to_string()),
        }
    }
}

impl From<::h2::Error> for Refused {
    fn from(error: ::h2::Error) -> Self {
        Self::NotHttp2(error.to_string())
    }
}

impl Backend {
    pub(super) fn http2(link: h2::Link) -> Self {
        Self::Http2(Box::new(h2::Upstream::new(link)))
    }

    /// Why the service took the request back, if it did.
    pub(super) fn taken_back(&self) -> Option<::h2::Reason> {
        match self {
            Self::Http1(_) => None,
            Self::Http2(it) => it.taken_back(),
        }
    }

    pub(super) fn http1(stream: TcpStream) -> Self {
        Self::Http1(h1::Upstream::new(stream))
    }
}

impl Side for Backend {
    fn piece(&mut self) -> io::Result<Piece<'_>> {
        match self {
            Self::Http1(it) => it.piece(),
            Self::Http2(it) => it.piece(),
        }
    }

    fn took(&mut self, count: usize) {
        match self {
            Self::Http1(it) => it.took(count),
            Self::Http2(it) => it.took(count),
        }
    }

    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Http1(it) => it.poll_more(cx),
            Self::Http2(it) => it.poll_more(cx),
        }
    }

    fn trailers(&self) -> Option<&Fields> {
        match self {
            Self::Http1(it) => it.trailers(),
            Self::Http2(it) => it.trailers(),
        }
    }

    fn poll_put(&mut self, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Http1(it) => it.poll_put(cx, data),
            Self::Http2(it) => it.poll_put(cx, data),
        }
    }

    fn finish(&mut self, trailers: Option<&Fields>) -> io::Result<()> {
        match self {
            Self::Http1(it) => it.finish(trailers),
            Self::Http2(it) => it.finish(trailers),
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Http1(it) => it.poll_flush(cx),
            Self::Http2(it) => it.poll_flush(cx),
        }
    }
}

impl Server for Backend {
    fn ask(&mut self, head: &RequestHead, from: &Origin) -> io::Result<()> {
        match self {
            Self::Http1(it) => it.ask(head, from),
            Self::Http2(it) => it.ask(head, from),
        }
    }

    fn poll_answer(
        &mut self,
        cx: &mut Context<'_>,
        head: &mut ResponseHead,
        to: &RequestHead,
    ) -> Poll<io::Result<()>> {
        match self {
            Self::Http1(it) => it.poll_answer(cx, head, to),
            Self::Http2(it) => it.poll_answer(cx, head, to),
        }
    }

    fn has_sent(&self) -> bool {
        match self {
            Self::Http1(it) => it.has_sent(),
            Self::Http2(it) => it.has_sent(),
        }
    }
}
