//! A new connection: what it speaks, within one deadline; then whoever serves that.

use std::{io, net::SocketAddr, rc::Rc};

use bytes::BytesMut;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite},
    net::TcpStream,
    select,
    time::timeout,
};
use tokio_rustls::server::TlsStream;

use super::{
    accept::Kind,
    forwarded::Origin,
    h1::{self, Abort},
    h2,
    rewind::Rewind,
    tls::{self, Secured},
    worker::Worker,
};

/// What HTTP/2 begins with.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// A record of a TLS handshake.
const HANDSHAKE: u8 = 22;
const FIRST_READ: usize = 4 * 1024;

/// What a connection turns out to be.
#[expect(clippy::large_enum_variant, reason = "one per connection, moved once")]
enum Greeted {
    Plain(TcpStream, BytesMut),
    /// Without TLS, where TLS is spoken.
    Astray(TcpStream, BytesMut),
    Secured(Secured, BytesMut),
}

/// Serves a connection until its end.
pub(super) async fn serve(stream: TcpStream, peer: SocketAddr, kind: Kind, worker: Rc<Worker>) {
    stream.set_nodelay(true).ok();
    let Ok(local) = stream.local_addr() else { return };
    let origin = Origin {
        peer: peer.ip().to_string().into(),
        ends: (peer, local),
        port: local.port(),
        tls: false,
        certified: None,
    };
    let deadlines = worker.sources.settings.load().deadlines;
    let greeting = worker.greetings.enter();
    let greeted = select! {
        biased;
        // Each stage in memory of its own, so that a connection does not keep room for all of them.
        greeted = timeout(deadlines.greeting, Box::pin(greet(stream, kind, &worker))) => greeted,
        () = greeting.evicted() => return,
    };
    drop(greeting);
    match greeted {
        Ok(Ok(Greeted::Plain(io, input))) => speak(io, input, origin, worker).await,
        Ok(Ok(Greeted::Astray(io, input))) => {
            Box::pin(h1::redirect_to_tls(io, input, local.port(), deadlines)).await;
        }
        Ok(Ok(Greeted::Secured(secured, input))) => {
            let origin = Origin { tls: true, certified: Some(secured.certified), ..origin };
            if secured.http2 {
                Box::pin(h2::serve(secured.stream, origin, worker)).await;
            } else if secured.agreed {
                Box::pin(h1::serve(secured.stream, input, origin, worker)).await;
            } else {
                speak(secured.stream, input, origin, worker).await;
            }
        }
        Ok(Err(_)) | Err(_) => {}
    }
}

async fn greet(stream: TcpStream, kind: Kind, worker: &Worker) -> io::Result<Greeted> {
    match kind {
        Kind::Http => {
            let (stream, input) = first_bytes(stream).await?;
            Ok(Greeted::Plain(stream, input))
        }
        Kind::Https => {
            let mut first = [0];
            if stream.peek(&mut first).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if first[0] == HANDSHAKE {
                let mut secured = tls::secure(stream, worker).await?;
                let mut input = BytesMut::new();
                if !secured.agreed {
                    (secured.stream, input) = first_bytes(secured.stream).await?;
                }
                return Ok(Greeted::Secured(secured, input));
            }
            if !first[0].is_ascii_alphabetic() {
                return Err(io::ErrorKind::InvalidData.into());
            }
            let (stream, input) = first_bytes(stream).await?;
            Ok(Greeted::Astray(stream, input))
        }
    }
}

/// Reads as much as tells HTTP/2 from the rest.
async fn first_bytes<S: AsyncRead + Unpin>(mut stream: S) -> io::Result<(S, BytesMut)> {
    let mut input = BytesMut::with_capacity(FIRST_READ);
    loop {
        if stream.read_buf(&mut input).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if input.len() >= PREFACE.len() || !PREFACE.starts_with(&input) {
            return Ok((stream, input));
        }
    }
}

async fn speak<S>(io: S, input: BytesMut, origin: Origin, worker: Rc<Worker>)
where
    S: AsyncRead + AsyncWrite + Abort + Unpin + 'static,
{
    if input.starts_with(PREFACE) {
        Box::pin(h2::serve(Rewind::new(input, io), origin, worker)).await;
    } else {
        Box::pin(h1::serve(io, input, origin, worker)).await;
    }
}

impl Abort for TcpStream {
    fn abort(self) {
        // Without it the system ends the connection as if all had been said.
        self.set_zero_linger().ok();
    }
}

impl Abort for TlsStream<TcpStream> {
    fn abort(self) {
        self.into_inner().0.abort();
    }
}
