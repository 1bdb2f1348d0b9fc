//! The proxy's sockets and its data path, set up before there are actors.

use std::{fmt::Write as _, io, net::SocketAddr, sync::Arc};

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
    proxy::{Deadlines, Engine, Kind, Settings, Sources},
};

/// What listens, and for whom.
pub(super) struct Front {
    /// For HTTP; none if no port was to be had.
    pub(super) http: Option<Sockets>,
    /// For HTTPS, likewise.
    pub(super) https: Option<Sockets>,
    /// Whether somebody has chosen a port, so that its names are worth knowing.
    pub(super) chosen: bool,
    /// What was to be said about the ports.
    pub(super) notes: Vec<String>,
    /// How long others may keep it waiting.
    pub(super) deadlines: Deadlines,
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

/// Listens on the ports that are configured, or else on the fallback ones, or else on any. No port is no
/// reason not to run services.
pub(super) fn front(
    proxy: &Proxy,
    kept: [Option<Sockets>; 2],
    env: impl Fn(&str) -> Option<String>,
) -> Front {
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
    let chosen = http != 0 || https != 0;
    let [kept_http, kept_https] = kept;
    let mut open =
        |what, kept: Option<Sockets>, ports| kept.or_else(|| first_free(what, ports, &mut missed));
    let http = open("HTTP", kept_http, [http, plain_fallback]);
    let https = open("HTTPS", kept_https, [https, tls_fallback]);
    notes.extend(told(&missed));
    // For tests, which do not wait half a minute.
    let haste = env("LOCALD_PROXY_HASTE").and_then(|times| times.parse().ok());
    let deadlines = Deadlines::default().hastened(haste.unwrap_or(1));
    Front { http, https, chosen, notes, deadlines }
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
        deadlines: front.deadlines,
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
    /// Each port that was tried, and why it was not to be had.
    tried: Vec<(u16, String)>,
    /// The port instead of it.
    instead: Option<u16>,
}

fn first_free(
    what: &'static str,
    [wanted, other]: [u16; 2],
    missed: &mut Vec<Missed>,
) -> Option<Sockets> {
    let mut tried: Vec<(u16, String)> = Vec::new();
    let mut found = None;
    for port in [wanted, other, 0] {
        if tried.iter().any(|(known, _)| *known == port) {
            continue;
        }
        match listen_or_borrow(port) {
            Ok(sockets) => {
                found = Some(sockets);
                break;
            }
            Err(error) => tried.push((port, error)),
        }
    }
    if !tried.is_empty() {
        let instead = found.as_ref().map(|sockets| sockets.address.port());
        missed.push(Missed { what, tried, instead });
    }
    found
}

/// Listens, through the shim where only root may.
fn listen_or_borrow(port: u16) -> Result<Sockets, String> {
    match listen(port) {
        Ok(sockets) => Ok(sockets),
        Err(error)
            if error.kind() == io::ErrorKind::PermissionDenied && [80, 443].contains(&port) =>
        {
            shim::find().and_then(|shim| shim.bind(port))
        }
        Err(error) => Err(error.to_string()),
    }
}

/// One line if it is one thing.
fn told(missed: &[Missed]) -> Vec<String> {
    if let [a, b] = missed
        && let (Some(first), Some(second)) = (a.instead, b.instead)
        && a.tried.len() == b.tried.len()
        && a.tried.iter().zip(&b.tried).all(|((_, why), (_, also))| why == also)
    {
        let pairs = a.tried.iter().zip(&b.tried);
        let why = pairs.map(|((x, why), (y, _))| (format!("{x} and {y}"), why.as_str()));
        let (a, b) = (a.what, b.what);
        return vec![format!("{a} is on port {first} and {b} on {second}: {}", cannot(why))];
    }
    let one = |Missed { what, tried, instead }: &Missed| {
        let why = cannot(tried.iter().map(|(port, why)| (port.to_string(), why.as_str())));
        match instead {
            Some(port) => format!("{what} is on port {port}: {why}"),
            None => format!("there is no {what}: {why}"),
        }
    };
    missed.iter().map(one).collect()
}

/// Why ports were not to be had: each reason once.
fn cannot<'a>(tried: impl Iterator<Item = (String, &'a str)>) -> String {
    let (mut text, mut last) = (String::new(), None);
    for (ports, why) in tried {
        text.push_str(match last {
            None => "cannot listen on ",
            Some(known) if known == why => " nor on ",
            Some(_) => "; nor on ",
        });
        let ports = if ports == "0" { "any other" } else { &ports };
        // A reason that goes for several ports stands behind the last of them.
        if last == Some(why) {
            let end = text.len() - " nor on ".len() - why.len() - 2;
            text.replace_range(end..end + 2 + why.len(), "");
        }
        write!(text, "{ports}: {why}").expect("a string has room");
        last = Some(why);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_port_is_said_and_not_taken() {
        let any = Proxy { http_port: 0, https_port: 0, ..Proxy::default() };
        let front = front(&any, [None, None], |name| {
            (name == "LOCALD_HTTP_PORT").then(|| "80a".to_owned())
        });
        assert_eq!(front.notes, ["LOCALD_HTTP_PORT is \"80a\", which is no port: 0 is used"]);
        assert!(front.http.is_some() && front.https.is_some());
    }

    #[test]
    fn what_was_not_to_be_had_is_said_in_as_few_lines_as_possible() {
        let missed = |what, tried: &[(u16, &str)], instead| Missed {
            what,
            tried: tried.iter().map(|&(port, why)| (port, why.to_owned())).collect(),
            instead,
        };
        assert!(told(&[]).is_empty());
        let http = || missed("HTTP", &[(80, "not allowed")], Some(8080));
        assert_eq!(
            told(&[http(), missed("HTTPS", &[(443, "not allowed")], Some(8443))]),
            ["HTTP is on port 8080 and HTTPS on 8443: cannot listen on 80 and 443: not allowed"]
        );
        assert_eq!(
            told(&[
                missed("HTTP", &[(80, "not allowed"), (8080, "taken")], Some(5000)),
                missed("HTTPS", &[(443, "not allowed"), (8443, "taken")], Some(5001)),
            ]),
            ["HTTP is on port 5000 and HTTPS on 5001: cannot listen on 80 and 443: not allowed; \
                 nor on 8080 and 8443: taken"]
        );
        assert_eq!(
            told(&[http(), missed("HTTPS", &[(443, "taken"), (8443, "taken"), (0, "none")], None)]),
            [
                "HTTP is on port 8080: cannot listen on 80: not allowed",
                "there is no HTTPS: cannot listen on 443 nor on 8443: taken; nor on any other: none"
            ]
        );
    }
}
