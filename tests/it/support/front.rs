//! The proxy's front, asked as browsers, scripts and attackers do.

use std::{io::Write as _, net::TcpStream};

use super::{
    DEADLINE, Home,
    command::Run,
    eventually,
    http::{self, Answer},
};

/// Where a home's proxy listens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Front<'a> {
    home: &'a Home,
    pub(crate) http: u16,
    pub(crate) https: u16,
}

impl<'a> Front<'a> {
    /// As `status` says; the daemon runs.
    #[track_caller]
    pub(crate) fn of(home: &'a Home) -> Self {
        let status = home.status();
        let port = |what: &str| {
            let address = status.value()["daemon"][what].as_str().unwrap_or_default();
            let port = address.rsplit(':').next().and_then(|port| port.parse().ok());
            port.unwrap_or_else(|| panic!("no {what} in {:#}", status.value()["daemon"]))
        };
        Self { home, http: port("http"), https: port("https") }
    }

    /// As a script would.
    #[track_caller]
    pub(crate) fn get(&self, host: &str, path: &str) -> Answer {
        self.ask(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"))
    }

    /// As somebody who types it in a browser.
    #[track_caller]
    pub(crate) fn visit(&self, host: &str, path: &str) -> Answer {
        self.ask(format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: text/html,*/*;q=0.8\r\n\
             Sec-Fetch-Mode: navigate\r\nConnection: close\r\n\r\n"
        ))
    }

    #[track_caller]
    pub(crate) fn post(&self, host: &str, path: &str, body: &str) -> Answer {
        let length = body.len();
        self.ask(format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        ))
    }

    /// Sends exactly this, and reads until the end of the connection.
    #[track_caller]
    pub(crate) fn ask(&self, bytes: impl AsRef<[u8]>) -> Answer {
        let mut stream = self.connect();
        stream.write_all(bytes.as_ref()).expect("the proxy reads");
        http::read(stream).expect("an answer and its end")
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.http)).expect("the proxy listens");
        stream.set_read_timeout(Some(DEADLINE)).expect("a positive time");
        stream
    }

    /// By TLS, believing only in this home's own CA.
    pub(crate) fn curl(&self, host: &str, path: &str) -> Run {
        let ca = self.home.path().join("data/ca/root.pem");
        // It is made while the daemon starts, beside everything else.
        eventually("a CA", || ca.exists().then_some(()));
        let url = format!("https://{host}:{}{path}", self.https);
        let resolve = format!("{host}:{}:127.0.0.1", self.https);
        self.home.program("curl").args(["-sS", "--max-time", "50", "--cacert"]).arg(ca).args([
            "--resolve",
            &resolve,
            &url,
        ])
    }
}
