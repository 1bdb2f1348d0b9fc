//! HTTP/1 heads: from bytes, with every shape refused that two readers could read as two things.

use std::mem::MaybeUninit;

use super::super::{
    fields::{Fields, Known, Span, elements},
    head::{Body, Refusal, RequestHead, ResponseHead, Upgrade, Version, content_length},
};
use crate::core::routes::Authority;

/// So many fields a head may have.
const FIELDS: usize = 200;

/// Reads a request's head, which `bytes` are to its blank line.
pub(super) fn request(bytes: &[u8], head: &mut RequestHead) -> Result<(), Refusal> {
    let mut list = [MaybeUninit::uninit(); FIELDS];
    let mut parsed = httparse::Request::new(&mut []);
    match parsed.parse_with_uninit_headers(bytes, &mut list) {
        Ok(httparse::Status::Complete(_)) => {}
        Err(httparse::Error::TooManyHeaders) => {
            return Err(Refusal { status: 431, why: "too many header fields" });
        }
        Err(httparse::Error::Version) => {
            return Err(Refusal { status: 505, why: "not a version that is spoken here" });
        }
        Ok(httparse::Status::Partial) | Err(_) => {
            return Err(Refusal::bad("the head is malformed"));
        }
    }
    let (Some(method), Some(target)) = (parsed.method, parsed.path) else {
        return Err(Refusal::bad("the head is malformed"));
    };
    head.version = if parsed.version == Some(1) { Version::Http11 } else { Version::Http10 };
    replace(&mut head.method, method.as_bytes());
    adopt(bytes, parsed.headers, &mut head.fields)?;
    set_target(target.as_bytes(), head)?;
    head.body = request_body(head)?;
    head.upgrade = upgrade(head);
    head.read_hops();
    Ok(())
}

/// Reads an answer's head, which `bytes` are to its blank line. An error is for people.
pub(super) fn response(bytes: &[u8], head: &mut ResponseHead) -> Result<Version, &'static str> {
    let mut list = [MaybeUninit::uninit(); FIELDS * 2];
    let mut parsed = httparse::Response::new(&mut []);
    let mut config = httparse::ParserConfig::default();
    config.allow_multiple_spaces_in_response_status_delimiters(true);
    let done = config.parse_response_with_uninit_headers(&mut parsed, bytes, &mut list);
    let (Ok(httparse::Status::Complete(_)), Some(status)) = (done, parsed.code) else {
        return Err("its answer is not HTTP");
    };
    if !(100..1000).contains(&status) {
        return Err("its answer has a status that does not exist");
    }
    head.status = status;
    replace(&mut head.reason, parsed.reason.unwrap_or_default().as_bytes());
    adopt(bytes, parsed.headers, &mut head.fields)
        .map_err(|_| "its answer has a malformed head")?;
    Ok(if parsed.version == Some(1) { Version::Http11 } else { Version::Http10 })
}

/// How the body of an answer is delimited, which depends on the question too.
pub(super) fn response_body(
    head: &ResponseHead,
    to_head: bool,
    tunnel: bool,
) -> Result<ResponseBody, &'static str> {
    if head.status == 101 && tunnel {
        return Ok(ResponseBody { body: Body::Tunnel, at_close: true });
    }
    if to_head || matches!(head.status, 100..=199 | 204 | 304) {
        return Ok(ResponseBody { body: Body::Empty, at_close: false });
    }
    let length = content_length(&head.fields)?;
    let mut codings = head.fields.all(Known::TransferEncoding).flat_map(elements);
    match (codings.next(), codings.next(), length) {
        (None, _, Some(length)) => Ok(ResponseBody { body: Body::Length(length), at_close: false }),
        (None, _, None) => Ok(ResponseBody { body: Body::Stream, at_close: true }),
        (Some(_), _, Some(_)) => Err("its answer has both Content-Length and Transfer-Encoding"),
        (Some(coding), None, None) if coding.eq_ignore_ascii_case(b"chunked") => {
            Ok(ResponseBody { body: Body::Stream, at_close: false })
        }
        (Some(_), ..) => Err("its answer has a Transfer-Encoding that is not chunked"),
    }
}

/// An answer's body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct ResponseBody {
    pub(super) body: Body,
    /// Whether it ends where the connection ends.
    pub(super) at_close: bool,
}

/// Reads a block of trailers.
pub(super) fn trailers(bytes: &[u8], fields: &mut Fields) -> Result<(), &'static str> {
    let mut list = [httparse::EMPTY_HEADER; FIELDS];
    match httparse::parse_headers(bytes, &mut list) {
        Ok(httparse::Status::Complete((_, list))) => {
            adopt(bytes, list, fields).map_err(|refusal| refusal.why)
        }
        _ => Err("malformed trailers"),
    }
}

fn adopt(bytes: &[u8], list: &[httparse::Header<'_>], fields: &mut Fields) -> Result<(), Refusal> {
    fields.set_text(bytes);
    for field in list {
        if field.name.is_empty() {
            return Err(Refusal::bad("a header field without a name"));
        }
        fields.adopt(Span::of(bytes, field.name.as_bytes()), Span::of(bytes, field.value));
    }
    Ok(())
}

fn set_target(target: &[u8], head: &mut RequestHead) -> Result<(), Refusal> {
    let mut hosts = head.fields.all(Known::Host);
    let host = hosts.next().ok_or(Refusal::bad("no Host field"))?;
    if hosts.next().is_some() {
        return Err(Refusal::bad("more than one Host field"));
    }
    let (authority, path) = match target {
        [b'/', ..] => (host, target),
        b"*" if head.method == b"OPTIONS" => (host, target),
        _ if head.method == b"CONNECT" => {
            return Err(Refusal { status: 405, why: "no proxy to other places: CONNECT" });
        }
        _ => absolute(target).ok_or(Refusal::bad("a target that is neither a path nor a URL"))?,
    };
    replace(&mut head.path, path);
    if !path.starts_with(b"/") && path != b"*" {
        head.path.insert(0, b'/');
    }
    replace(&mut head.authority, authority);
    super::super::authority::normalise(&mut head.authority)?;
    let parsed =
        Authority::parse(&head.authority).map_err(|_| Refusal::bad("the host is malformed"))?;
    (head.host, head.port) = (parsed.host, parsed.port);
    Ok(())
}

/// The authority and the path (perhaps without its slash) of a URL.
fn absolute(target: &[u8]) -> Option<(&[u8], &[u8])> {
    let scheme = target.iter().position(|&byte| byte == b':')?;
    if !target[..scheme].eq_ignore_ascii_case(b"http")
        && !target[..scheme].eq_ignore_ascii_case(b"https")
    {
        return None;
    }
    let rest = target[scheme + 1..].strip_prefix(b"//")?;
    let path = rest.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(rest.len());
    Some(rest.split_at(path))
}

fn request_body(head: &RequestHead) -> Result<Body, Refusal> {
    let length = content_length(&head.fields).map_err(Refusal::bad)?;
    let mut codings = head.fields.all(Known::TransferEncoding);
    let Some(coding) = codings.next() else {
        return Ok(length.map_or(Body::Empty, |length| match length {
            0 => Body::Empty,
            length => Body::Length(length),
        }));
    };
    if length.is_some() {
        return Err(Refusal::bad("both Content-Length and Transfer-Encoding"));
    }
    if head.version == Version::Http10 {
        return Err(Refusal::bad("Transfer-Encoding in HTTP/1.0"));
    }
    if codings.next().is_some() || !coding.eq_ignore_ascii_case(b"chunked") {
        return Err(Refusal::bad("a Transfer-Encoding that is not chunked"));
    }
    Ok(Body::Stream)
}

fn upgrade(head: &RequestHead) -> Upgrade {
    let asks = head.version == Version::Http11
        && head.body == Body::Empty
        && head.fields.lists(Known::Connection, b"upgrade")
        && head.fields.first(Known::Upgrade).is_some()
        && !head.fields.lists(Known::Upgrade, b"h2c");
    if asks { Upgrade::Http1 } else { Upgrade::None }
}

fn replace(old: &mut Vec<u8>, new: &[u8]) {
    old.clear();
    old.extend_from_slice(new);
}
