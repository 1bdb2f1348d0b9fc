//! What a service is told about who asks, and which fields go on to it.

use std::net::SocketAddr;

use super::{
    fields::{Fields, HOPS, Known},
    head::{Body, RequestHead, Upgrade, Version},
};
use crate::{core::routes::HostName, os::peer};

/// Where a request came in.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    /// The address of who asks, as text.
    pub(super) peer: Box<str>,
    /// Both ends of the connection: who asks, and ours.
    pub(super) ends: (SocketAddr, SocketAddr),
    /// The port of ours that it came in by.
    pub(super) port: u16,
    /// Whether by TLS.
    pub(super) tls: bool,
    /// What the connection's certificate is for; none without TLS, or if it is for this machine.
    pub(super) certified: Option<HostName>,
}

impl Origin {
    /// Whether another user of this machine asks, who may see what services serve, and nothing of ours.
    pub(super) async fn is_stranger(&self) -> bool {
        let (client, server) = self.ends;
        let looking = tokio::task::spawn_blocking(move || peer::is_stranger(client, server));
        looking.await.unwrap_or(true)
    }

    pub(super) fn scheme(&self) -> &'static str {
        if self.tls { "https" } else { "http" }
    }

    /// The port as it stands in a URL: nothing where it is what the scheme implies.
    pub(super) fn url_port(&self, port: Option<u16>) -> String {
        match (port.unwrap_or(self.port), self.tls) {
            (443, true) | (80, false) => String::new(),
            (port, _) => format!(":{port}"),
        }
    }
}

/// Hands on each field of a request, those that are ours among them, but none that is only about
/// the connection or about the body's framing.
pub(super) fn each_request_field(
    head: &RequestHead,
    from: &Origin,
    mut put: impl FnMut(&[u8], &[u8]),
) {
    let nominated = Nominated::by(&head.fields);
    let (mut cookies, mut trailers) = (0, false);
    for (name, value, known) in head.fields.iter() {
        match known {
            Known::Host
            | Known::Forwarded
            | Known::Hops
            | Known::Watch
            | Known::ContentLength
            | Known::XForwardedFor
            | Known::XForwardedHost
            | Known::XForwardedPort
            | Known::XForwardedProto => {}
            Known::Te => trailers |= value.eq_ignore_ascii_case(b"trailers"),
            Known::Cookie if head.version == Version::Http2 => cookies += 1,
            known if known.is_hop_by_hop() || nominated.has(name) => {}
            _ => put(name, value),
        }
    }
    match cookies {
        0 => {}
        1 => head.fields.all(Known::Cookie).for_each(|cookie| put(b"cookie", cookie)),
        _ => put(b"cookie", &head.fields.all(Known::Cookie).collect::<Vec<_>>().join(&b"; "[..])),
    }
    if trailers {
        put(b"TE", b"trailers");
    }
    put_forwarded(head, from, &mut put);
}

fn put_forwarded(head: &RequestHead, from: &Origin, put: &mut impl FnMut(&[u8], &[u8])) {
    let (mut text, scheme) = (Text::default(), from.scheme());
    put(b"X-Forwarded-For", from.peer.as_bytes());
    put(b"X-Forwarded-Proto", scheme.as_bytes());
    put(b"X-Forwarded-Host", &head.authority);
    let default = if from.tls { 443 } else { 80 };
    put(b"X-Forwarded-Port", text.number(head.port.unwrap_or(default).into()));
    // RFC 7239, section 6: an IPv6 address is in brackets, and therefore quoted.
    let (open, close): (&[u8], &[u8]) =
        if from.peer.contains(':') { (b"for=\"[", b"]\"") } else { (b"for=", b"") };
    let peer = from.peer.as_bytes();
    let scheme = scheme.as_bytes();
    let parts: [&[u8]; 7] = [open, peer, close, b";host=\"", &head.authority, b"\";proto=", scheme];
    put(b"Forwarded", text.joined(&parts));
    put(HOPS, text.number(head.hops.saturating_add(1)));
}

/// Hands on each field of an answer.
pub(super) fn each_response_field(
    fields: &Fields,
    length: bool,
    mut put: impl FnMut(&[u8], &[u8]),
) {
    let nominated = Nominated::by(fields);
    for (name, value, known) in fields.iter() {
        match known {
            Known::ContentLength if !length => {}
            known if known.is_hop_by_hop() || nominated.has(name) => {}
            _ => put(name, value),
        }
    }
}

/// Hands on each field behind a body.
pub(super) fn each_trailer(fields: &Fields, mut put: impl FnMut(&[u8], &[u8])) {
    let trailing = fields.iter().filter(|(_, _, known)| known.may_trail());
    trailing.for_each(|(name, value, _)| put(name, value));
}

/// Whether the request as it goes on is one that changes the protocol.
pub(super) fn is_tunnel(head: &RequestHead) -> bool {
    head.upgrade != Upgrade::None || head.body == Body::Tunnel
}

/// The fields that `Connection` makes hop-by-hop.
struct Nominated<'a> {
    fields: Option<&'a Fields>,
}

impl<'a> Nominated<'a> {
    fn by(fields: &'a Fields) -> Self {
        let usual = |value: &[u8]| {
            [&b"keep-alive"[..], b"close", b"upgrade"]
                .iter()
                .any(|usual| value.eq_ignore_ascii_case(usual))
        };
        let unusual = fields.all(Known::Connection).any(|value| !usual(value));
        Self { fields: unusual.then_some(fields) }
    }

    fn has(&self, name: &[u8]) -> bool {
        // What names the message's end or its origin cannot be taken away by nomination.
        self.fields.is_some_and(|fields| fields.lists(Known::Connection, name))
    }
}

/// Memory for a short text, used again.
#[derive(Default)]
struct Text(Vec<u8>);

impl Text {
    fn joined(&mut self, parts: &[&[u8]]) -> &[u8] {
        self.0.clear();
        for part in parts {
            self.0.extend_from_slice(part);
        }
        &self.0
    }

    fn number(&mut self, mut number: u32) -> &[u8] {
        self.0.clear();
        loop {
            self.0.push(b'0' + u8::try_from(number % 10).unwrap_or_default());
            number /= 10;
            if number == 0 {
                break;
            }
        }
        self.0.reverse();
        &self.0
    }
}
