//! Where the proxy listens, and how URLs look from outside.

use std::{net::SocketAddr, sync::Arc};

use crate::{core::config::global::Redirect, os::trust::Watch};

/// The proxy as people see it. Made once; whether the CA is trusted is looked up when asked.
pub struct Gate {
    /// Where it listens for HTTP, on IPv4; none if it does not.
    pub http: Option<SocketAddr>,
    /// Where it listens for HTTPS, on IPv4; none if it does not.
    pub https: Option<SocketAddr>,
    /// Whether the CA is trusted.
    pub trust: Arc<Watch>,
    /// When HTTP leads to HTTPS.
    pub redirect: Redirect,
    /// Tells the data path whether HTTP leads to HTTPS now.
    pub tell: Box<dyn Fn(bool) + Send + Sync>,
}

impl Gate {
    /// The URL of a host: HTTPS once the CA is trusted. None if there is no proxy.
    pub fn url(&self, host: &str) -> Option<String> {
        let https = self.https.filter(|_| self.trust.is_trusted());
        let (scheme, at, default) = match (https, self.http) {
            (Some(at), _) => ("https", at, 443),
            (None, Some(at)) => ("http", at, 80),
            (None, None) => return None,
        };
        let port = at.port();
        let port = if port == default { String::new() } else { format!(":{port}") };
        Some(format!("{scheme}://{host}{port}"))
    }

    /// Has the data path redirect as it should now: the CA may have come to be trusted since.
    pub fn refresh(&self) {
        let redirects = match self.redirect {
            Redirect::Always => true,
            Redirect::Never => false,
            Redirect::Auto => self.trust.is_trusted(),
        };
        (self.tell)(redirects && self.https.is_some());
    }
}
