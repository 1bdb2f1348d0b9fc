//! The proxy's sockets and its data path, set up before there are actors.

use std::{io, net::SocketAddr, sync::Arc};

use arc_swap::ArcSwap;

use super::narrator::Story;
use crate::{
    actors::{
        gate::Gate,
        listener::{Accept, Accepting},
        proxy_router::Routes,
    },
    core::config::global::Proxy,
    os::{
        leaves::Leaves,
        loopback::{Sockets, listen},
        trust::Watch,
    },
    proxy::{Engine, Kind, Settings, Sources},
};

/// What listens, and for whom.
pub(super) struct Front {
    /// For HTTP; none if no port was to be had.
    pub(super) http: Option<Sockets>,
    /// For HTTPS, likewise.
    pub(super) https: Option<Sockets>,
    /// What was to be said about the ports.
    pub(super) notes: Vec<String>,
}

/// The running data path.
pub(super) struct DataPath {
    /// Its threads.
    pub(super) engine: Arc<Engine>,
    /// The table that it reads.
    pub(super) routes: Routes,
    /// How it looks from outside.
    pub(super) gate: Arc<Gate>,
}

/// Listens on the ports that are configured, or else on the fallback ones. No port is no reason not to
/// run services.
pub(super) fn front(proxy: &Proxy, env: impl Fn(&str) -> Option<String>) -> Front {
    let mut notes = Vec::new();
    let chosen =
        |name: &str, port: u16| env(name).and_then(|text| text.parse().ok()).unwrap_or(port);
    let [plain, tls] = proxy.fallback_ports;
    let http = chosen("LOCALD_HTTP_PORT", proxy.http_port);
    let https = chosen("LOCALD_HTTPS_PORT", proxy.https_port);
    Front {
        http: first_free("HTTP", [http, plain], &mut notes),
        https: first_free("HTTPS", [https, tls], &mut notes),
        notes,
    }
}

/// Starts the data path.
pub(super) fn data_path(
    front: &Front,
    proxy: &Proxy,
    leaves: Arc<Leaves>,
    trust: Arc<Watch>,
    story: Arc<Story>,
) -> io::Result<DataPath> {
    let address = |sockets: &Option<Sockets>| sockets.as_ref().map(|sockets| sockets.address);
    let (http, https) = (address(&front.http), address(&front.https));
    let port = |address: Option<SocketAddr>| address.map(|address| address.port());
    let settings = Arc::new(ArcSwap::from_pointee(Settings {
        hold: proxy.hold,
        redirect_to_https: false,
        https_port: port(https).unwrap_or(proxy.https_port),
        own_ports: port(http).into_iter().chain(port(https)).collect(),
    }));
    let routes = Routes::default();
    let sources =
        Sources { routes: routes.clone(), settings: settings.clone(), leaves, narrator: story };
    let engine = Arc::new(Engine::start(&sources)?);
    let tell = move |redirect_to_https: bool| {
        let now = settings.load();
        if now.redirect_to_https != redirect_to_https {
            settings.store(Arc::new(Settings { redirect_to_https, ..Settings::clone(&now) }));
        }
    };
    let redirect = proxy.redirect_https;
    let gate = Arc::new(Gate { http, https, trust, redirect, tell: Box::new(tell) });
    gate.refresh();
    Ok(DataPath { engine, routes, gate })
}

/// How a listener has the data path accept.
pub(super) fn accept(engine: Arc<Engine>, kind: Kind) -> Accept {
    Arc::new(move |socket| Ok(Box::new(engine.listen(socket, kind)?) as Accepting))
}

fn first_free(what: &str, [first, second]: [u16; 2], notes: &mut Vec<String>) -> Option<Sockets> {
    let error = match listen(first) {
        Ok(sockets) => return Some(sockets),
        Err(error) => error,
    };
    match listen(second) {
        Ok(sockets) => {
            let port = sockets.address.port();
            notes.push(format!("{what} is on port {port}: cannot listen on {first}: {error}"));
            Some(sockets)
        }
        Err(other) => {
            notes.push(format!(
                "there is no {what}: cannot listen on {first}: {error}; nor on {second}: {other}"
            ));
            None
        }
    }
}
