//! The end that asks, by HTTP/2.

use std::{
    io,
    task::{Context, Poll},
};

use bytes::Bytes;
use h2::{Reason, RecvStream, ext::Protocol, server::SendResponse};
use http::{HeaderMap, Method, Response, StatusCode, request::Parts};

use super::{
    fields::{append, from_map},
    stream::{Stream, broken},
};
use crate::{
    core::routes::Authority,
    proxy::{
        fields::{Fields, Known},
        forwarded::each_response_field,
        head::{Body, Refusal, RequestHead, ResponseHead, Upgrade, Version, content_length},
        side::{Client, Piece, Side},
    },
};

/// One stream of a client.
pub(super) struct Asker {
    respond: SendResponse<Bytes>,
    stream: Stream,
    /// A tunnel carries nothing before it has been accepted.
    shut: bool,
    /// Why it is broken off, if it is.
    reason: Reason,
}

impl Asker {
    pub(super) fn new(recv: RecvStream, respond: SendResponse<Bytes>, tunnel: bool) -> Self {
        let mut stream = Stream::default();
        stream.receive(recv);
        Self { respond, stream, shut: tunnel, reason: Reason::INTERNAL_ERROR }
    }

    pub(super) fn abort(&mut self) {
        if self.stream.is_sending() {
            self.stream.reset(self.reason);
        } else {
            self.respond.send_reset(self.reason);
        }
    }
}

impl Side for Asker {
    fn piece(&mut self) -> io::Result<Piece<'_>> {
        Ok(if self.shut { Piece::End } else { self.stream.piece() })
    }

    fn took(&mut self, count: usize) {
        self.stream.took(count);
    }

    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.poll_more(cx)
    }

    fn trailers(&self) -> Option<&Fields> {
        self.stream.trailers()
    }

    fn poll_put(&mut self, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        self.stream.poll_put(cx, data)
    }

    fn finish(&mut self, trailers: Option<&Fields>) -> io::Result<()> {
        self.stream.finish(trailers)
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.poll_flush()
    }
}

impl Client for Asker {
    fn inform(&mut self, head: &ResponseHead) -> io::Result<()> {
        let response = response(head, false)?;
        self.respond.send_informational(response).map_err(broken)
    }

    fn respond(&mut self, head: &ResponseHead, _: &RequestHead, _: bool) -> io::Result<()> {
        let length = head.status != 204 && matches!(head.body, Body::Length(_) | Body::Empty);
        let end = head.body == Body::Empty || head.body == Body::Length(0);
        let response = response(head, length)?;
        let send = self.respond.send_response(response, end).map_err(broken)?;
        if !end {
            self.stream.send(send);
        }
        self.shut &= head.body != Body::Tunnel;
        Ok(())
    }

    fn taken_back(&mut self, reason: Reason) {
        self.reason = reason;
    }

    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.stream.is_sending() {
            return self.stream.poll_reset(cx);
        }
        self.respond.poll_reset(cx).map(|_| ())
    }
}

fn response(head: &ResponseHead, length: bool) -> io::Result<Response<()>> {
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::from_u16(head.status).map_err(io::Error::other)?;
    let mut map = HeaderMap::with_capacity(head.fields.len());
    each_response_field(&head.fields, length, |name, value| append(&mut map, name, value));
    *response.headers_mut() = map;
    Ok(response)
}

/// Reads a request's head.
pub(super) fn request(parts: &Parts, end: bool, head: &mut RequestHead) -> Result<(), Refusal> {
    head.version = Version::Http2;
    head.method.extend_from_slice(parts.method.as_str().as_bytes());
    from_map(&parts.headers, &mut head.fields);
    set_target(parts, head)?;
    head.upgrade = match parts.extensions.get::<Protocol>() {
        Some(protocol) if protocol.as_str().eq_ignore_ascii_case("websocket") => Upgrade::WebSocket,
        Some(_) => return Err(Refusal { status: 501, why: "no protocol but websocket" }),
        None if parts.method == Method::CONNECT => {
            return Err(Refusal { status: 405, why: "no proxy to other places: CONNECT" });
        }
        None => Upgrade::None,
    };
    let length = content_length(&head.fields).map_err(Refusal::bad)?;
    head.body = match length {
        _ if head.upgrade == Upgrade::WebSocket => Body::Empty,
        _ if end => Body::Empty,
        Some(length) => Body::Length(length),
        None => Body::Stream,
    };
    head.read_hops();
    Ok(())
}

fn set_target(parts: &Parts, head: &mut RequestHead) -> Result<(), Refusal> {
    let mut hosts = head.fields.all(Known::Host);
    let host = hosts.next();
    if hosts.next().is_some() {
        return Err(Refusal::bad("more than one Host field"));
    }
    let parse =
        |text: &[u8]| Authority::parse(text).map_err(|_| Refusal::bad("the host is malformed"));
    let named = parts.uri.authority().map(|authority| authority.as_str().as_bytes());
    let authority = match (named, host) {
        (Some(named), Some(host)) if parse(named)? != parse(host)? => {
            return Err(Refusal::bad(":authority and Host differ"));
        }
        (Some(named), _) => named,
        (None, Some(host)) => host,
        (None, None) => return Err(Refusal::bad("no :authority")),
    };
    head.authority = authority.to_vec();
    super::super::authority::normalise(&mut head.authority)?;
    let authority = parse(&head.authority)?;
    (head.host, head.port) = (authority.host, authority.port);
    let path = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    head.path.extend_from_slice(path.as_bytes());
    Ok(())
}
