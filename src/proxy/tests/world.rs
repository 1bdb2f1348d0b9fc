//! An engine with one project, `app.localhost`, and a service that a test plays.

use std::{
    collections::HashMap,
    net::{SocketAddr, TcpListener as StdListener},
    sync::{Arc, OnceLock},
    time::Duration,
};

use arc_swap::ArcSwap;
use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt as _};
use http_body_util::{BodyExt as _, Full};
use rustls::{
    ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime},
    sign::CertifiedKey,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{
    core::{
        certs::{LeafName, Realm, leaf_validity, root_validity},
        id::{ProjectName, ServiceName},
        plan::Protocol,
        routes::{ProjectRoutes, ServiceRoutes, Table},
    },
    os::{
        clock,
        leaves::{Leaves, Minter, Refused},
        traffic::{Phase, State, Target},
    },
    proxy::{
        DashboardAnswer, DashboardRequest, Engine, Kind, Listening, Narrator, Settings, Sources,
        Story,
    },
};

/// Nothing here takes longer, unless it is broken.
const DEADLINE: Duration = Duration::from_secs(20);

pub(super) struct World {
    pub(super) engine: Option<Engine>,
    pub(super) http: SocketAddr,
    pub(super) https: SocketAddr,
    pub(super) web: Arc<Target>,
    pub(super) api: Arc<Target>,
    pub(super) settings: Arc<ArcSwap<Settings>>,
    pub(super) listening: Vec<Listening>,
}

impl World {
    /// Its services do not run yet.
    #[expect(clippy::unused_async, reason = "its listeners need a runtime")]
    pub(super) async fn new() -> Self {
        let minter = Arc::new(SelfSigned::default());
        let leaves = Arc::new(Leaves::new(Realm::new(["test"]), Shared(minter.clone())));
        minter.leaves.set(Arc::downgrade(&leaves)).expect("set once");
        let (web, api) = (service("web"), service("api"));
        let routes = [(&web, vec![]), (&api, vec!["/api".to_owned()])].map(|(target, paths)| {
            ServiceRoutes {
                service: target.service.clone(),
                domain: None,
                paths,
                target: target.clone(),
            }
        });
        let project = ProjectRoutes {
            project: web.project.clone(),
            domain: "app.localhost".to_owned(),
            services: routes.to_vec(),
        };
        let settings = Arc::new(ArcSwap::from_pointee(Settings::default()));
        let engine = Engine::start(&Sources {
            routes: Arc::new(ArcSwap::from_pointee(Table::build([project]).expect("no clash"))),
            settings: settings.clone(),
            leaves,
            narrator: Arc::new(Teller),
        })
        .expect("threads");
        let mut listening = Vec::new();
        let mut listen = |kind| {
            let listener = StdListener::bind("127.0.0.1:0").expect("a port");
            listening.push(engine.listen(&listener, kind).expect("it listens"));
            listener.local_addr().expect("an address")
        };
        let (http, https) = (listen(Kind::Http), listen(Kind::Https));
        let own_ports = vec![http.port(), https.port()];
        settings.store(Arc::new(Settings {
            own_ports,
            https_port: https.port(),
            ..Settings::default()
        }));
        Self { engine: Some(engine), http, https, web, api, settings, listening }
    }

    /// `web` runs, and each connection to it is served by this.
    pub(super) async fn with<F>(serve: impl Fn(Peer) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let world = Self::new().await;
        up(&world.web, 1, backend(serve).await);
        world
    }

    /// `web` answers every request with this, whatever it is.
    pub(super) async fn answering(answer: &'static str) -> Self {
        Self::with(move |mut peer| async move {
            while !peer.head().await.is_empty() {
                peer.send(answer).await;
            }
        })
        .await
    }

    pub(super) async fn client(&self) -> Peer {
        Peer::new(within(TcpStream::connect(self.http)).await.expect("it takes connections"))
    }

    pub(super) async fn tls(
        &self,
        host: &str,
        alpn: &[&str],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Trusting))
            .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        let stream = within(TcpStream::connect(self.https)).await?;
        let name = ServerName::try_from(host.to_owned()).expect("a name");
        within(TlsConnector::from(Arc::new(config)).connect(name, stream)).await
    }

    /// Sends this on a connection of its own, and gives all that comes back.
    pub(super) async fn ask(&self, request: &str) -> String {
        let mut client = self.client().await;
        client.send(request).await;
        client.rest().await
    }
}

pub(super) fn up(target: &Target, life: u32, port: u16) {
    target.publish(Phase { state: State::Up, life, port, protocol: Protocol::Auto });
}

pub(super) fn coming(target: &Target) {
    target.publish(Phase { state: State::Coming, ..target.now() });
}

pub(super) fn down(target: &Target) {
    target.publish(Phase { state: State::Down, ..target.now() });
}

/// A service on a port of its own.
pub(super) async fn backend<F>(serve: impl Fn(Peer) -> F + Send + 'static) -> u16
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(Peer::new(stream)));
        }
    });
    port
}

pub(super) async fn within<F: Future>(future: F) -> F::Output {
    timeout(DEADLINE, future).await.expect("in time")
}

/// One end of a connection, as a test sees it.
pub(super) struct Peer<S = TcpStream> {
    pub(super) stream: S,
    read: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, read: Vec::new() }
    }

    /// Sends; that the other end has gone is for the test to find out by reading.
    pub(super) async fn send(&mut self, text: impl AsRef<[u8]>) {
        within(self.stream.write_all(text.as_ref())).await.ok();
        within(self.stream.flush()).await.ok();
    }

    /// Reads to the next blank line; empty at the end.
    pub(super) async fn head(&mut self) -> String {
        self.until("\r\n\r\n").await
    }

    /// Reads to the end of this; empty if it never comes.
    pub(super) async fn until(&mut self, end: &str) -> String {
        loop {
            if let Some(at) = memchr::memmem::find(&self.read, end.as_bytes()) {
                let rest = self.read.split_off(at + end.len());
                return text(&std::mem::replace(&mut self.read, rest));
            }
            if !self.more().await {
                return String::new();
            }
        }
    }

    pub(super) async fn exactly(&mut self, count: usize) -> String {
        while self.read.len() < count && self.more().await {}
        let rest = self.read.split_off(count.min(self.read.len()));
        text(&std::mem::replace(&mut self.read, rest))
    }

    /// Reads to the end.
    pub(super) async fn rest(&mut self) -> String {
        while self.more().await {}
        text(&std::mem::take(&mut self.read))
    }

    /// Reads on: the error, if that is how it ends.
    pub(super) async fn broken(&mut self) -> Option<std::io::Error> {
        loop {
            match within(self.stream.read_buf(&mut self.read)).await {
                Ok(0) => return None,
                Ok(_) => {}
                Err(error) => return Some(error),
            }
        }
    }

    async fn more(&mut self) -> bool {
        within(self.stream.read_buf(&mut self.read)).await.is_ok_and(|count| count > 0)
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn service(name: &str) -> Arc<Target> {
    let (project, name) = (ProjectName::parse("app"), ServiceName::parse(name));
    Arc::new(Target::new(project.expect("a name"), name.expect("a name")))
}

#[derive(Debug)]
struct Teller;

impl Narrator for Teller {
    fn tell(&self, target: &Target) -> BoxFuture<'static, Story> {
        let state = format!("{:?}", target.now().state).to_lowercase();
        let log = vec!["<last line>".to_owned()];
        let story =
            Story { state, why: Some("a reason".into()), last_exit: Some("code 7".into()), log };
        async { story }.boxed()
    }

    fn dashboard(&self, request: DashboardRequest) -> BoxFuture<'static, DashboardAnswer> {
        let body = Full::new(Bytes::from(format!("{request:?}")));
        async { DashboardAnswer::new(body.map_err(|never| match never {}).boxed_unsync()) }.boxed()
    }
}

/// Makes a certificate for whatever it is asked for.
#[derive(Default)]
struct SelfSigned {
    leaves: OnceLock<std::sync::Weak<Leaves>>,
}

struct Shared(Arc<SelfSigned>);

impl Minter for Shared {
    fn mint(&self, name: LeafName) -> BoxFuture<'static, Result<Arc<CertifiedKey>, Refused>> {
        let made =
            rcgen::generate_simple_self_signed([name.as_str().to_owned()]).expect("a certificate");
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
        let provider = aws_lc_rs::default_provider();
        let key =
            CertifiedKey::from_der(vec![made.cert.der().clone()], key, &provider).expect("a pair");
        let key = Arc::new(key);
        let leaves = self.0.leaves.get().and_then(std::sync::Weak::upgrade).expect("still there");
        let now = clock::wall();
        let leaf = leaves.leaf(key.clone(), leaf_validity(now, root_validity(now)));
        let mut all: HashMap<_, _> = (*leaves.snapshot()).clone();
        all.insert(name, leaf);
        leaves.publish(all);
        async { Ok(key) }.boxed()
    }

    fn renew(&self, _: LeafName) {}
}

#[derive(Debug)]
struct Trusting;

impl ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
