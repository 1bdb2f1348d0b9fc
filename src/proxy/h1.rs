//! HTTP/1, both roles.

mod client;
mod framing;
mod parse;
mod serve;
mod upstream;
mod wire;

pub(super) use serve::{Abort, redirect_to_tls, serve};
pub(super) use upstream::{SpeaksHttp2, Upstream};
