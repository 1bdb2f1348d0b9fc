//! Heads of requests and answers, of whichever version they came in.

use super::fields::{Fields, Known, elements};
use crate::core::routes::HostName;

const GRPC: &[u8] = b"application/grpc";

/// A request's head, checked.
#[derive(Debug)]
pub(super) struct RequestHead {
    pub(super) method: Vec<u8>,
    /// The path and query, untouched; `*` for `OPTIONS *`.
    pub(super) path: Vec<u8>,
    /// The authority as it was written, with its port.
    pub(super) authority: Vec<u8>,
    /// Its host, normalised.
    pub(super) host: HostName,
    /// Its port, if it says one.
    pub(super) port: Option<u16>,
    pub(super) body: Body,
    pub(super) fields: Fields,
    pub(super) upgrade: Upgrade,
    pub(super) version: Version,
    /// How often it has come through us.
    pub(super) hops: u32,
}

/// An answer's head.
#[derive(Debug)]
pub(super) struct ResponseHead {
    pub(super) status: u16,
    pub(super) reason: Vec<u8>,
    pub(super) fields: Fields,
    pub(super) body: Body,
}

/// How a body is delimited.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Body {
    /// There is none.
    Empty,
    /// So many bytes.
    Length(u64),
    /// It says itself where it ends.
    Stream,
    /// Not a body: bytes in both directions.
    Tunnel,
}

/// Whether a request wants to leave HTTP.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Upgrade {
    None,
    /// By `Connection: upgrade`, as its `Upgrade` field says.
    Http1,
    /// By extended CONNECT (RFC 8441): a WebSocket.
    WebSocket,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Version {
    Http10,
    Http11,
    Http2,
}

/// Why a request is not taken any further.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) why: &'static str,
}

impl Default for RequestHead {
    fn default() -> Self {
        Self {
            method: Vec::new(),
            path: Vec::new(),
            authority: Vec::new(),
            host: HostName::parse(b"localhost").expect("a host"),
            port: None,
            body: Body::Empty,
            fields: Fields::default(),
            upgrade: Upgrade::None,
            version: Version::Http11,
            hops: 0,
        }
    }
}

impl Default for ResponseHead {
    fn default() -> Self {
        let (reason, fields) = (Vec::new(), Fields::default());
        Self { status: 0, reason, fields, body: Body::Empty }
    }
}

impl RequestHead {
    pub(super) fn is_head(&self) -> bool {
        self.method == b"HEAD"
    }

    /// Whether it may be sent again when nobody knows what became of it.
    pub(super) fn is_repeatable(&self) -> bool {
        self.body == Body::Empty
            && self.upgrade == Upgrade::None
            && matches!(&*self.method, b"GET" | b"HEAD" | b"OPTIONS" | b"TRACE")
    }

    /// Whether a person waits for a page.
    pub(super) fn is_navigation(&self) -> bool {
        self.method == b"GET"
            && self.upgrade == Upgrade::None
            && self.prefers_html()
            && self.fields.named(b"sec-fetch-mode").is_none_or(|mode| mode == b"navigate")
    }

    /// Whether it is a call of gRPC, which goes by HTTP/2 only; gRPC-Web does not.
    pub(super) fn is_grpc(&self) -> bool {
        let rest = self.fields.named(b"content-type").and_then(|it| it.strip_prefix(GRPC));
        rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';' | b' ')))
    }

    /// Whether an error is to be told as a page.
    pub(super) fn prefers_html(&self) -> bool {
        self.fields.named(b"accept").is_some_and(|accept| {
            let media = |of: &[u8]| {
                of.split(|&byte| byte == b';').next().map(<[u8]>::trim_ascii) == Some(b"text/html")
            };
            elements(accept).any(media)
        })
    }

    /// Reads what any version says in its fields.
    pub(super) fn read_hops(&mut self) {
        let hops = self.fields.first(Known::Hops).and_then(|text| std::str::from_utf8(text).ok());
        self.hops = hops.and_then(|text| text.parse().ok()).unwrap_or(0);
    }
}

impl Refusal {
    pub(super) const fn bad(why: &'static str) -> Self {
        Self { status: 400, why }
    }
}

/// The one length that a message states; an error if it states several, or nonsense.
pub(super) fn content_length(fields: &Fields) -> Result<Option<u64>, &'static str> {
    let mut all = fields.all(Known::ContentLength);
    let Some(text) = all.next() else { return Ok(None) };
    if all.next().is_some() {
        return Err("more than one Content-Length");
    }
    let digits = !text.is_empty() && text.len() <= 19 && text.iter().all(u8::is_ascii_digit);
    let length =
        std::str::from_utf8(text).ok().filter(|_| digits).and_then(|text| text.parse().ok());
    length.map(Some).ok_or("a Content-Length that is not a number")
}
