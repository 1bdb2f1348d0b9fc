//! The data path alone, with a fixed table: what benchmarks measure and profilers look at.
//!
//!     proxy HTTP_PORT HTTPS_PORT BACKEND_PORT CERT.pem KEY.pem

use std::{collections::HashMap, env, error::Error, net::TcpListener, sync::Arc, time::SystemTime};

use arc_swap::ArcSwap;
use futures_util::future::{BoxFuture, FutureExt as _};
use http_body_util::{BodyExt as _, Empty};
use locald::{
    core::{
        certs::{LeafName, Realm, leaf_validity, root_validity},
        id::{ProjectName, ServiceName},
        plan::Protocol,
        routes::{ProjectRoutes, ServiceRoutes, Table},
    },
    os::{
        leaves::{Leaves, Minter, Refused},
        traffic::{Phase, State, Target},
    },
    proxy::{DashboardAnswer, DashboardRequest, Engine, Kind, Narrator, Settings, Sources, Story},
};
use rustls::{crypto::aws_lc_rs, pki_types::pem::PemObject as _, sign::CertifiedKey};

#[derive(Debug)]
struct Fixed;

impl Minter for Fixed {
    fn mint(&self, _: LeafName) -> BoxFuture<'static, Result<Arc<CertifiedKey>, Refused>> {
        async { Err(Refused::NotOurs) }.boxed()
    }

    fn renew(&self, _: LeafName) {}
}

impl Narrator for Fixed {
    fn tell(&self, _: &Target) -> BoxFuture<'static, Story> {
        async { Story::default() }.boxed()
    }

    fn dashboard(&self, _: DashboardRequest) -> BoxFuture<'static, DashboardAnswer> {
        let nothing = Empty::new().map_err(|never| match never {}).boxed_unsync();
        async { DashboardAnswer::new(nothing) }.boxed()
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [http, https, backend, cert, key] = &arguments[..] else {
        return Err("usage: proxy HTTP_PORT HTTPS_PORT BACKEND_PORT CERT.pem KEY.pem".into());
    };
    let leaves = Leaves::new(Realm::new(["test"]), Fixed);
    let chain = vec![rustls::pki_types::CertificateDer::from_pem_file(cert)?];
    let key = rustls::pki_types::PrivateKeyDer::from_pem_file(key)?;
    let key = CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider())?;
    let name = leaves.realm().leaf_for(Some("app.localhost")).ok_or("not ours")?;
    #[expect(clippy::disallowed_methods, reason = "an example has no layers")]
    let now = SystemTime::now();
    let leaf = leaves.leaf(Arc::new(key), leaf_validity(now, root_validity(now)));
    leaves.publish(HashMap::from([(name, leaf)]));

    let (project, service) = (ProjectName::parse("app")?, ServiceName::parse("web")?);
    let target = Arc::new(Target::new(project.clone(), service.clone()));
    target.publish(Phase {
        state: State::Up,
        life: 1,
        port: backend.parse()?,
        protocol: Protocol::Auto,
    });
    let services = vec![ServiceRoutes { service, domain: None, paths: Vec::new(), target }];
    let routes = ProjectRoutes { project, domain: "app.localhost".to_owned(), services };
    let engine = Engine::start(&Sources {
        routes: Arc::new(ArcSwap::from_pointee(Table::build([routes])?)),
        settings: Arc::new(ArcSwap::from_pointee(Settings::default())),
        leaves: Arc::new(leaves),
        narrator: Arc::new(Fixed),
    })?;
    let listener = |port: &str| TcpListener::bind(format!("127.0.0.1:{port}"));
    let _http = engine.listen(&listener(http)?, Kind::Http)?;
    let _https = engine.listen(&listener(https)?, Kind::Https)?;
    loop {
        std::thread::park();
    }
}
