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
        shim,
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
    let (mut notes, mut missed) = (Vec::new(), Vec::new());
    let mut chosen = |name: &str, port: u16| {
        let Some(text) = env(name) else { return port };
        text.parse().unwrap_or_else(|_| {
            notes.push(format!("{name} is {text:?}, which is no port: {port} is used"));
            port
        })
    };
    let [plain_fallback, tls_fallback] = proxy.fallback_ports;
    let http = chosen("LOCALD_HTTP_PORT", proxy.http_port);
    let https = chosen("LOCALD_HTTPS_PORT", proxy.https_port);
    let http = first_free("HTTP", [http, plain_fallback], &mut missed);
    let https = first_free("HTTPS", [https, tls_fallback], &mut missed);
    notes.extend(told(&missed));
    Front { http, https, notes }
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

/// A port that was not to be had.
struct Missed {
    what: &'static str,
    wanted: u16,
    why: String,
    /// The port instead of it, or why that was not to be had either.
    instead: Result<u16, (u16, String)>,
}

fn first_free(
    what: &'static str,
    [wanted, other]: [u16; 2],
    missed: &mut Vec<Missed>,
) -> Option<Sockets> {
    let why = match listen(wanted) {
        Ok(sockets) => return Some(sockets),
        Err(error)
            if error.kind() == io::ErrorKind::PermissionDenied && [80, 443].contains(&wanted) =>
        {
            match shim::find().and_then(|shim| shim.bind(wanted)) {
                Ok(sockets) => return Some(sockets),
                Err(why) => why,
            }
        }
        Err(error) => error.to_string(),
    };
    let second = listen(other);
    let instead = match &second {
        Ok(sockets) => Ok(sockets.address.port()),
        Err(error) => Err((other, error.to_string())),
    };
    missed.push(Missed { what, wanted, why, instead });
    second.ok()
}

/// One line if it is one thing.
fn told(missed: &[Missed]) -> Vec<String> {
    if let [a, b] = missed
        && let (Ok(first), Ok(second)) = (&a.instead, &b.instead)
        && a.why == b.why
    {
        return vec![format!(
            "{} is on port {first} and {} on {second}: cannot listen on {} and {}: {}",
            a.what, b.what, a.wanted, b.wanted, a.why
        )];
    }
    let one = |Missed { what, wanted, why, instead }: &Missed| match instead {
        Ok(port) => format!("{what} is on port {port}: cannot listen on {wanted}: {why}"),
        Err((other, also)) => {
            format!("there is no {what}: cannot listen on {wanted}: {why}; nor on {other}: {also}")
        }
    };
    missed.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_port_is_said_and_not_taken() {
        let any = Proxy { http_port: 0, https_port: 0, ..Proxy::default() };
        let front = front(&any, |name| (name == "LOCALD_HTTP_PORT").then(|| "80a".to_owned()));
        assert_eq!(front.notes, ["LOCALD_HTTP_PORT is \"80a\", which is no port: 0 is used"]);
        assert!(front.http.is_some() && front.https.is_some());
    }

    #[test]
    fn what_was_not_to_be_had_is_said_in_as_few_lines_as_possible() {
        let missed = |what, wanted, why: &str, instead| Missed {
            what,
            wanted,
            why: why.to_owned(),
            instead,
        };
        assert!(told(&[]).is_empty());
        let http = || missed("HTTP", 80, "not allowed", Ok(8080));
        assert_eq!(
            told(&[http(), missed("HTTPS", 443, "not allowed", Ok(8443))]),
            ["HTTP is on port 8080 and HTTPS on 8443: cannot listen on 80 and 443: not allowed"]
        );
        let taken = Err((8443, "taken, too".to_owned()));
        assert_eq!(
            told(&[http(), missed("HTTPS", 443, "taken", taken)]),
            [
                "HTTP is on port 8080: cannot listen on 80: not allowed",
                "there is no HTTPS: cannot listen on 443: taken; nor on 8443: taken, too"
            ]
        );
    }
}
