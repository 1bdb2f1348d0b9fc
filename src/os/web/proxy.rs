//! The way through a proxy, which sees only where it leads.

use std::io;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hyper::Uri;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{
    Variables,
    address::{Address, is_loopback},
};

/// No answer of a proxy is longer.
const MOST: usize = 8 << 10;

/// A proxy.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Proxy {
    host: String,
    port: u16,
    /// Name and password, for the header.
    login: Option<String>,
}

impl Proxy {
    /// The one that is to be used for an address.
    pub(super) fn of(address: &Address, variables: Variables<'_>) -> io::Result<Option<Self>> {
        let named = |names: &[&str]| {
            let found = names.iter().find_map(|name| variables(name));
            found.filter(|text| !text.trim().is_empty())
        };
        let except = named(&["no_proxy", "NO_PROXY"]).unwrap_or_default();
        if !address.secure || is_loopback(&address.host) || is_listed(&address.host, &except) {
            return Ok(None);
        }
        let text = named(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]);
        text.map(|text| Self::parse(text.trim())).transpose()
    }

    fn parse(text: &str) -> io::Result<Self> {
        let unknown = || {
            // Without what it says: there may be a password in it.
            let why = "cannot use the proxy of HTTPS_PROXY: it is not like http://HOST:PORT";
            io::Error::new(io::ErrorKind::InvalidInput, why)
        };
        let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let uri: Uri = whole.parse().map_err(|_| unknown())?;
        let authority = uri.authority().filter(|_| uri.scheme_str() == Some("http"));
        let authority = authority.ok_or_else(unknown)?;
        let login = authority.as_str().rsplit_once('@').map(|(login, _)| unescaped(login));
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        Ok(Self { host, port: authority.port_u16().unwrap_or(80), login })
    }

    /// A connection that leads to the address.
    pub(super) async fn tunnel(&self, address: &Address) -> io::Result<TcpStream> {
        let failed = |error: io::Error| {
            let why = format!("by the proxy {}:{}: {error}", self.host, self.port);
            io::Error::new(error.kind(), why)
        };
        let connected = TcpStream::connect((&*self.host, self.port)).await;
        let mut stream = connected.map_err(failed)?;
        self.shake(&mut stream, address).await.map_err(failed)?;
        Ok(stream)
    }

    async fn shake(&self, stream: &mut TcpStream, address: &Address) -> io::Result<()> {
        let Address { host, port, .. } = address;
        let target = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        let login = self.login.as_ref().map_or_else(String::new, |login| {
            format!("Proxy-Authorization: Basic {}\r\n", STANDARD.encode(login))
        });
        let request =
            format!("CONNECT {target}:{port} HTTP/1.1\r\nHost: {target}:{port}\r\n{login}\r\n");
        stream.write_all(request.as_bytes()).await?;
        // Byte by byte: what comes after the head is no longer the proxy's.
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if head.len() == MOST {
                return Err(io::Error::other("its answer is too long"));
            }
            head.push(stream.read_u8().await?);
        }
        let mut fields = [httparse::EMPTY_HEADER; 64];
        let mut response = httparse::Response::new(&mut fields);
        match response.parse(&head).ok().and(response.code) {
            Some(200..=299) => Ok(()),
            Some(code) => Err(io::Error::other(format!("it answers {code}"))),
            None => Err(io::Error::other("it does not speak HTTP")),
        }
    }
}

/// Whether a host is excepted: by its name, by that of a domain above it, or with all others.
fn is_listed(host: &str, list: &str) -> bool {
    list.split([',', ' ']).map(str::trim).filter(|entry| !entry.is_empty()).any(|entry| {
        let entry = entry.trim_start_matches("*.").trim_start_matches('.').to_ascii_lowercase();
        let below = |domain: &str| host.strip_suffix(domain).is_some_and(|it| it.ends_with('.'));
        entry == "*" || host == entry || below(&entry)
    })
}

/// A part of a URL as it was before it was made one.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let code = (*first == b'%').then(|| after.get(..2)).flatten();
        let code = code.and_then(|code| std::str::from_utf8(code).ok());
        if let Some(byte) = code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            bytes.push(byte);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    fn chosen(url: &str, variables: &[(&str, &str)]) -> Option<Proxy> {
        let look = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Proxy::of(&Address::parse(url).unwrap(), &look).unwrap()
    }

    #[test]
    fn the_proxy_of_the_environment_and_its_exceptions() {
        let expected = Proxy { host: "p.test".to_owned(), port: 3128, login: None };
        let url = "https://registry.test/";
        for text in ["http://p.test:3128", "http://p.test:3128/", "p.test:3128"] {
            assert_eq!(chosen(url, &[("HTTPS_PROXY", text)]).as_ref(), Some(&expected), "{text}");
        }
        for list in ["*", "test", ".test", "a.test, registry.test", "*.test"] {
            let variables = [("HTTPS_PROXY", "http://p.test"), ("NO_PROXY", list)];
            assert_eq!(chosen(url, &variables), None, "{list}");
        }
        let variables = [("HTTPS_PROXY", "http://p.test:3128"), ("NO_PROXY", "istry.test,x")];
        assert_eq!(chosen(url, &variables), Some(expected));
        assert_eq!(chosen("http://127.0.0.1:9/", &[("ALL_PROXY", "http://p.test")]), None);
        let login = chosen(url, &[("https_proxy", "http://me:a%40b%@p.test")]).unwrap().login;
        assert_eq!(login.as_deref(), Some("me:a@b%"));
        for bad in ["socks5://p.test", "https://p.test", "http://"] {
            assert!(Proxy::parse(bad).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_tunnel_is_asked_for_and_its_answer_heard_out() {
        for (answer, good) in [
            ("HTTP/1.1 200 OK\r\nx: y\r\n\r\n", true),
            ("HTTP/1.0 200 Connection established\r\n\r\n", true),
            ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", false),
            ("SSH-2.0-x\r\n\r\n", false),
            ("HTTP/1.1 200", false),
        ] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = listener.local_addr().unwrap().port();
            let served = tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut heard = Vec::new();
                while !heard.ends_with(b"\r\n\r\n") {
                    heard.push(stream.read_u8().await.unwrap());
                }
                stream.write_all(answer.as_bytes()).await.unwrap();
                String::from_utf8(heard).unwrap()
            });
            let proxy =
                Proxy { host: "127.0.0.1".to_owned(), port, login: Some("me:x".to_owned()) };
            let tunnel = proxy.tunnel(&Address::parse("https://r.test/").unwrap()).await;
            assert_eq!(tunnel.is_ok(), good, "{answer:?}: {tunnel:?}");
            let heard = served.await.unwrap();
            assert!(heard.starts_with("CONNECT r.test:443 HTTP/1.1\r\n"), "{heard}");
            assert!(heard.contains("Proxy-Authorization: Basic bWU6eA==\r\n"), "{heard}");
        }
    }
}
