//! TLS: which certificate, by the name that the client asks for.

use std::{io, sync::Arc};

use rustls::{
    CipherSuite, ServerConfig,
    crypto::aws_lc_rs,
    server::{Acceptor, NoServerSessionStorage},
};
use tokio::{io::AsyncWriteExt as _, net::TcpStream};
use tokio_rustls::{LazyConfigAcceptor, StartHandshake, server::TlsStream};

use super::worker::Worker;
use crate::{
    core::routes::HostName,
    os::leaves::{Leaves, Rank, Refused},
};

/// A fatal alert, in the clear: `unrecognized_name`.
const UNRECOGNIZED_NAME: [u8; 7] = [21, 3, 3, 0, 2, 2, 112];
/// The same: `internal_error`.
const INTERNAL_ERROR: [u8; 7] = [21, 3, 3, 0, 2, 2, 80];

/// The ciphers that cost the least where a processor knows AES; browsers want them first as well.
const CHEAPEST: [CipherSuite; 2] =
    [CipherSuite::TLS13_AES_128_GCM_SHA256, CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256];

/// A connection that has been secured.
pub(super) struct Secured {
    pub(super) stream: TlsStream<TcpStream>,
    /// The host that its certificate is for.
    pub(super) certified: HostName,
    pub(super) http2: bool,
    /// Whether the protocol has been agreed on.
    pub(super) agreed: bool,
}

/// How all our handshakes are done.
pub(super) fn config(leaves: &Arc<Leaves>) -> Result<Arc<ServerConfig>, rustls::Error> {
    let mut provider = aws_lc_rs::default_provider();
    // Nothing travels further than this machine: of what both ends know, the cheapest.
    provider.cipher_suites.sort_by_key(|suite| !CHEAPEST.contains(&suite.suite()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(leaves.clone());
    config.ignore_client_order = true;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.ticketer = aws_lc_rs::Ticketer::new()?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 1;
    Ok(Arc::new(config))
}

/// Does the handshake.
pub(super) async fn secure(stream: TcpStream, worker: &Worker) -> io::Result<Secured> {
    let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
    let sni = start.client_hello().server_name().map(str::to_owned);
    let host = HostName::parse(sni.as_deref().unwrap_or("localhost").as_bytes());
    let Ok(certified) = host else { return refuse(start, &UNRECOGNIZED_NAME).await };
    let routed = worker.sources.routes.load().knows(&certified);
    let rank = if routed { Rank::Routed } else { Rank::Stranger };
    match worker.sources.leaves.for_client(sni.as_deref(), rank).await {
        Ok(_) => {}
        Err(Refused::NotOurs) => return refuse(start, &UNRECOGNIZED_NAME).await,
        Err(Refused::TooMany | Refused::Failed(_) | Refused::Late) => {
            return refuse(start, &INTERNAL_ERROR).await;
        }
    }
    let stream = start.into_stream(worker.tls.clone()).await?;
    let protocol = stream.get_ref().1.alpn_protocol();
    let (http2, agreed) = (protocol == Some(b"h2"), protocol.is_some());
    Ok(Secured { stream, certified, http2, agreed })
}

async fn refuse<T>(start: StartHandshake<TcpStream>, alert: &[u8]) -> io::Result<T> {
    let StartHandshake { mut io, .. } = start;
    io.write_all(alert).await?;
    io.shutdown().await?;
    Err(io::ErrorKind::ConnectionAborted.into())
}
