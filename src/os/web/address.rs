//! Addresses on the web: HTTPS, and plain HTTP only where nobody can be in between.

use std::net::IpAddr;

use hyper::Uri;

use super::WebError;

/// Where something is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Address {
    /// Whether it is HTTPS.
    pub(super) secure: bool,
    /// The host, an IPv6 address without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// With the query.
    pub(super) path: String,
}

impl Address {
    pub(super) fn parse(text: &str) -> Result<Self, WebError> {
        let refuse = |why| WebError::Address(text.to_owned(), why);
        let uri: Uri = text.parse().map_err(|_| refuse("it is none"))?;
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(refuse("it must begin with https://")),
        };
        let host = uri.host().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| refuse("it has no host"))?;
        if uri.authority().is_some_and(|it| it.as_str().contains('@')) {
            return Err(refuse("names and passwords in it are not supported"));
        }
        let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
        if !secure && !is_loopback(&host) {
            return Err(refuse("plain http is for this machine only"));
        }
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Ok(Self { secure, host, port, path })
    }

    /// Where the answer sends us: never from HTTPS to what others can read and change.
    pub(super) fn follow(&self, location: &str) -> Result<Self, WebError> {
        if location.starts_with('/') && !location.starts_with("//") {
            let uri: Result<Uri, _> = location.parse();
            let uri = uri.map_err(|_| WebError::Address(location.to_owned(), "it is none"))?;
            let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
            return Ok(Self { path, ..self.clone() });
        }
        let next = Self::parse(location)?;
        if self.secure && !next.secure {
            return Err(WebError::Address(location.to_owned(), "https does not lead to http"));
        }
        Ok(next)
    }

    /// As in a header.
    pub(super) fn authority(&self) -> String {
        let Self { host, port, secure, .. } = self;
        let usual = if *secure { 443 } else { 80 };
        let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        if *port == usual { host } else { format!("{host}:{port}") }
    }
}

/// Whether that is this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    #[test]
    fn plain_http_is_for_this_machine() {
        for good in
            ["https://r.test", "http://127.0.0.1:4873/x", "http://[::1]/", "http://localhost"]
        {
            assert!(Address::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "r.test",
            "/x",
            "http://r.test",
            "http://127.0.0.1.r.test/",
            "http://10.0.0.1/",
            "ftp://127.0.0.1/",
            "file:///etc/passwd",
            "https://",
            "https://me:secret@r.test/",
        ] {
            assert!(Address::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_redirect_stays_where_it_is_safe() {
        let from = address("https://r.test:8443/a?b");
        let to =
            |location| from.follow(location).map(|it| format!("{}{}", it.authority(), it.path));
        assert_eq!(to("/c?d").unwrap(), "r.test:8443/c?d");
        assert_eq!(to("https://cdn.test/e").unwrap(), "cdn.test/e");
        for bad in ["", "c", "//cdn.test/e", "http://127.0.0.1/", "http://cdn.test/", "/ x"] {
            assert!(from.follow(bad).is_err(), "{bad:?}");
        }
        let local = address("http://127.0.0.1:80/a");
        assert!(local.follow("http://r.test/").is_err());
        assert_eq!(local.follow("https://r.test/").unwrap().port, 443);
        assert_eq!(address("http://[::1]:99/").authority(), "[::1]:99");
    }
}
