//! What a request costs: finding its service, and the whole way through the proxy beside the way
//! around it.

use std::{
    hint::black_box,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::Arc,
    thread,
};

use arc_swap::ArcSwap;
use divan::Bencher;
use futures_util::{FutureExt as _, future::BoxFuture};
use locald::{
    core::{
        certs::{LeafName, Realm},
        id::{ProjectName, ServiceName},
        routes::{HostName, ProjectRoutes, ServiceRoutes, Table},
    },
    os::{
        leaves::{Leaves, Minter, Refused},
        traffic::{Phase, State, Target},
    },
    proxy::{
        DashboardAnswer, DashboardRequest, Engine, Kind, Listening, Narrator, Settings, Sources,
        Story,
    },
};
use rustls::sign::CertifiedKey;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: p0.localhost\r\n\r\n";
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

fn main() {
    divan::main();
}

#[divan::bench(args = [1, 10, 1_000])]
fn find_a_service(bencher: Bencher<'_, '_>, projects: usize) {
    let table = table((0..projects).map(|number| Arc::new(target(number))));
    let host =
        HostName::parse(format!("api.p{}.localhost", projects / 2).as_bytes()).expect("a name");
    bencher.bench(|| {
        black_box(table.find(black_box(&host), b"/v1/things"));
    });
}

#[divan::bench(args = [10, 1_000])]
fn build_the_table(bencher: Bencher<'_, '_>, projects: usize) {
    let targets: Vec<_> = (0..projects).map(|number| Arc::new(target(number))).collect();
    bencher.bench(|| table(targets.iter().cloned()));
}

#[divan::bench]
fn ask_the_service_itself(bencher: Bencher<'_, '_>) {
    let mut client = connect(backend());
    bencher.bench_local(|| ask(&mut client));
}

#[divan::bench]
fn ask_through_the_proxy(bencher: Bencher<'_, '_>) {
    let proxy = Proxy::in_front_of(backend());
    let mut client = connect(proxy.http);
    bencher.bench_local(|| ask(&mut client));
}

#[divan::bench]
fn connect_and_ask_through_the_proxy(bencher: Bencher<'_, '_>) {
    let proxy = Proxy::in_front_of(backend());
    bencher.bench_local(|| ask(&mut connect(proxy.http)));
}

fn ask(client: &mut TcpStream) {
    let mut answer = [0; 4096];
    let mut read = 0;
    client.write_all(REQUEST).expect("it is open");
    while !answer[..read].ends_with(b"hello") {
        let more = client.read(&mut answer[read..]).expect("it is open");
        assert_ne!(more, 0, "no answer");
        read += more;
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("somebody listens");
    stream.set_nodelay(true).expect("it is a socket");
    stream
}

/// A service that answers every request at once.
fn backend() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || serve(stream));
        }
    });
    address
}

fn serve(mut stream: TcpStream) {
    let mut request = [0; 4096];
    while stream.read(&mut request).is_ok_and(|count| count > 0) {
        if stream.write_all(ANSWER).is_err() {
            return;
        }
    }
}

fn target(number: usize) -> Target {
    let (project, service) = (ProjectName::parse(&format!("p{number}")), ServiceName::parse("web"));
    Target::new(project.expect("a name"), service.expect("a name"))
}

fn table(targets: impl Iterator<Item = Arc<Target>>) -> Table<Arc<Target>> {
    let projects = targets.map(|target| ProjectRoutes {
        project: target.project.clone(),
        domain: format!("{}.localhost", target.project),
        services: vec![ServiceRoutes {
            service: target.service.clone(),
            domain: None,
            paths: vec!["/v1".to_owned()],
            target,
        }],
    });
    Table::build(projects.collect::<Vec<_>>()).expect("no clash")
}

/// The data path with one listener.
struct Proxy {
    http: SocketAddr,
    _engine: Engine,
    _listening: Listening,
}

impl Proxy {
    fn in_front_of(backend: SocketAddr) -> Self {
        let web = Arc::new(target(0));
        web.publish(Phase {
            state: State::Up,
            life: 1,
            port: backend.port(),
            protocol: locald::core::plan::Protocol::Auto,
        });
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let http = listener.local_addr().expect("an address");
        let settings = Settings { own_ports: vec![http.port()], ..Settings::default() };
        let engine = Engine::start(&Sources {
            routes: Arc::new(ArcSwap::from_pointee(table([web].into_iter()))),
            settings: Arc::new(ArcSwap::from_pointee(settings)),
            leaves: Arc::new(Leaves::new(Realm::new(["localhost"]), Nobody)),
            narrator: Arc::new(Nobody),
        })
        .expect("threads");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let _inside = runtime.as_ref().expect("a runtime").enter();
        let listening = engine.listen(&listener, Kind::Http).expect("it listens");
        Self { http, _engine: engine, _listening: listening }
    }
}

/// Nobody is asked here for certificates or stories.
#[derive(Debug)]
struct Nobody;

impl Minter for Nobody {
    fn mint(&self, _: LeafName) -> BoxFuture<'static, Result<Arc<CertifiedKey>, Refused>> {
        std::future::ready(Err(Refused::Late)).boxed()
    }

    fn renew(&self, _: LeafName) {}
}

impl Narrator for Nobody {
    fn tell(&self, _: &Target) -> BoxFuture<'static, Story> {
        std::future::pending().boxed()
    }

    fn dashboard(&self, _: DashboardRequest) -> BoxFuture<'static, DashboardAnswer> {
        std::future::pending().boxed()
    }
}
