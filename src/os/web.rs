//! Gets what a server on the web has: by HTTPS, or from this machine. Nothing has to be waited for that
//! does not come on, and nothing ends only because it takes long.

mod address;
mod proxy;
mod secure;

use std::{io, time::Duration};

use http_body_util::{BodyExt as _, Empty};
use hyper::{
    Request, Response, StatusCode,
    body::{Body as _, Bytes, Incoming},
    client::conn::http1,
    header::{ACCEPT, CONNECTION, HOST, LOCATION, USER_AGENT},
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    task::JoinHandle,
    time::timeout,
};

use self::{address::Address, proxy::Proxy};

/// How long each step of reaching a server may take.
const REACH: Duration = Duration::from_secs(20);
/// How long nothing may come.
const STALL: Duration = Duration::from_secs(30);
/// So often a server may send us elsewhere.
const REDIRECTS: usize = 5;

/// A variable of the environment in which somebody asks.
pub type Variables<'a> = &'a (dyn Fn(&str) -> Option<String> + Sync);

/// An answer, as far as it has come.
#[derive(Debug)]
pub struct Answer {
    /// How long it will be, if that was said.
    pub length: Option<u64>,
    body: Incoming,
    host: String,
    _connection: Connection,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// Not what we go to.
    #[error("cannot use the address {0}: {1}")]
    Address(String, &'static str),
    /// Nobody there, or nobody who speaks TLS or is who they should be.
    #[error("cannot reach {host}: {source}")]
    Unreachable {
        /// Who was asked for.
        host: String,
        /// What the system says.
        source: io::Error,
    },
    /// Not within the time there is.
    #[error("cannot reach {0}: no answer within {seconds} s", seconds = REACH.as_secs())]
    Late(String),
    /// It stopped in the middle.
    #[error("{0} has sent nothing for {seconds} s", seconds = STALL.as_secs())]
    Stalled(String),
    /// The connection broke, or what came is no HTTP.
    #[error("the connection to {host} broke: {source}")]
    Broken {
        /// Who was asked.
        host: String,
        /// What is wrong.
        source: hyper::Error,
    },
    /// It says no.
    #[error("{host} answers {status}")]
    Refused {
        /// Who was asked.
        host: String,
        /// What it says.
        status: StatusCode,
    },
    /// From one to the next, and so on.
    #[error("{0} sends us from one address to the next")]
    Redirects(String),
    /// More than anybody wants.
    #[error("{host} sends more than {most} bytes")]
    TooLong {
        /// Who was asked.
        host: String,
        /// How much would have been right.
        most: u64,
    },
}

/// Asks for what is at `url`, by the proxy that the variables name.
pub async fn get(url: &str, accept: &str, variables: Variables<'_>) -> Result<Answer, WebError> {
    let mut address = Address::parse(url)?;
    for _ in 0..=REDIRECTS {
        let (connection, response) = ask(&address, accept, variables).await?;
        let host = address.host.clone();
        let status = response.status();
        let elsewhere = response.headers().get(LOCATION).filter(|_| status.is_redirection());
        if let Some(elsewhere) = elsewhere {
            address = address.follow(elsewhere.to_str().unwrap_or_default())?;
        } else if status == StatusCode::OK {
            let body = response.into_body();
            let length = body.size_hint().exact();
            return Ok(Answer { length, body, host, _connection: connection });
        } else {
            return Err(WebError::Refused { host, status });
        }
    }
    Err(WebError::Redirects(address.host))
}

impl Answer {
    /// The next part of it; none at its end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, WebError> {
        loop {
            let frame = timeout(STALL, self.body.frame()).await;
            let frame = frame.map_err(|_| WebError::Stalled(self.host.clone()))?;
            let Some(frame) = frame else { return Ok(None) };
            let broken = |source| WebError::Broken { host: self.host.clone(), source };
            if let Ok(data) = frame.map_err(broken)?.into_data() {
                return Ok(Some(data));
            }
        }
    }

    /// All of it, if it is no longer than that.
    pub async fn whole(mut self, most: u64) -> Result<Vec<u8>, WebError> {
        let mut whole = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            if whole.len() as u64 + chunk.len() as u64 > most {
                return Err(self.too_long(most));
            }
            whole.extend_from_slice(&chunk);
        }
        Ok(whole)
    }

    /// That it is longer than that.
    pub fn too_long(&self, most: u64) -> WebError {
        WebError::TooLong { host: self.host.clone(), most }
    }
}

/// What both ends of a connection are to us.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// The task that moves the bytes of a connection.
#[derive(Debug)]
struct Connection(JoinHandle<()>);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn ask(
    address: &Address,
    accept: &str,
    variables: Variables<'_>,
) -> Result<(Connection, Response<Incoming>), WebError> {
    let host = || address.host.clone();
    let late = |_| WebError::Late(host());
    let unreachable = |source| WebError::Unreachable { host: host(), source };
    let broken = |source| WebError::Broken { host: host(), source };
    let reached = timeout(REACH, reach(address, variables)).await;
    let stream = reached.map_err(late)?.map_err(unreachable)?;
    let shaken = http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = shaken.map_err(broken)?;
    // How it ends is told by the answer as well.
    let connection = Connection(tokio::spawn(async move { drop(connection.await) }));
    let request = Request::get(&*address.path)
        .header(HOST, address.authority())
        .header(USER_AGENT, concat!("locald/", env!("CARGO_PKG_VERSION")))
        .header(ACCEPT, accept)
        .header(CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|_| WebError::Address(host(), "it is no address of a page"))?;
    let answered = timeout(STALL, sender.send_request(request)).await;
    let response = answered.map_err(|_| WebError::Stalled(host()))?.map_err(broken)?;
    Ok((connection, response))
}

async fn reach(address: &Address, variables: Variables<'_>) -> io::Result<Box<dyn Stream>> {
    let host = &*address.host;
    let tcp = match Proxy::of(address, variables)? {
        Some(proxy) => proxy.tunnel(address).await?,
        None => TcpStream::connect((host, address.port)).await?,
    };
    if !address.secure {
        return Ok(Box::new(tcp));
    }
    Ok(Box::new(secure::greet(tcp, host, variables).await?))
}
