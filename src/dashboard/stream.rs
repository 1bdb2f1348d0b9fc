//! Answers of the socket API as streams of events, as browsers read them: one event per line.

use std::{convert::Infallible, time::Duration};

use axum::{body::Body, response::Response};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, HeaderValue, header};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use tokio::time::timeout;

use super::boxed;
use crate::proxy::DashboardAnswer;

const EVENTS: &str = "text/event-stream";
/// A stream that is silent for so long says that it is still there: a reader that has gone is found out
/// only by writing to it.
const SILENCE: Duration = Duration::from_secs(15);
/// How many milliseconds a browser waits before it comes again.
const AGAIN: &str = "retry: 1000\n\n";

/// Whether somebody asks for events.
pub(super) fn wants_events(fields: &HeaderMap) -> bool {
    fields.get(header::ACCEPT).is_some_and(|accept| accept.as_bytes() == EVENTS.as_bytes())
}

/// The answer as events, if it comes line by line.
pub(super) fn events(mut answer: Response) -> DashboardAnswer {
    let lines = answer.headers().get(header::CONTENT_TYPE);
    if lines.is_none_or(|media| media != "application/x-ndjson") {
        return answer.map(|body| body.map_err(boxed).boxed_unsync());
    }
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(EVENTS));
    answer.map(|body| {
        let state = (body.into_data_stream(), Frames::default());
        let frames = stream::unfold(state, |(mut body, mut frames)| async move {
            let text = match timeout(SILENCE, body.next()).await {
                Ok(Some(Ok(lines))) => frames.of(&lines),
                Ok(Some(Err(_)) | None) => return None,
                Err(_) => Bytes::from_static(b":\n\n"),
            };
            Some((text, (body, frames)))
        });
        let begin = stream::once(async { Bytes::from_static(AGAIN.as_bytes()) });
        let frames = begin.chain(frames).map(|text| Ok::<_, Infallible>(Frame::data(text)));
        Body::new(StreamBody::new(frames)).map_err(boxed).boxed_unsync()
    })
}

/// Turns lines into events, wherever they are cut.
#[derive(Default)]
struct Frames {
    within: bool,
}

impl Frames {
    fn of(&mut self, lines: &[u8]) -> Bytes {
        let mut text = Vec::with_capacity(lines.len() + 16);
        for part in lines.split_inclusive(|&byte| byte == b'\n') {
            if !self.within {
                text.extend_from_slice(b"data: ");
            }
            text.extend_from_slice(part);
            self.within = !part.ends_with(b"\n");
            if !self.within {
                text.push(b'\n');
            }
        }
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_an_event_however_it_is_cut() {
        let mut frames = Frames::default();
        let all = [&b"{\"a\":1}\n{\"b\""[..], b":2}", b"\n", b"{}\n"];
        let text: Vec<u8> = all.iter().flat_map(|part| frames.of(part)).collect();
        assert_eq!(text, b"data: {\"a\":1}\n\ndata: {\"b\":2}\n\ndata: {}\n\n");
    }
}
