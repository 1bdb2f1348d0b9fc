//! A browser that is logged in, without the browser.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpStream,
    time::Instant,
};

use serde_json::Value;

use crate::support::{DEADLINE, Home, front::Front, http::Answer};

pub(super) const HOST: &str = "locald.localhost";
pub(super) const ORIGIN: &str = "http://locald.localhost";

/// Who is logged in.
pub(super) struct Visit<'a> {
    pub(super) front: Front<'a>,
    pub(super) cookie: String,
    pub(super) token: String,
}

/// A stream of events.
pub(super) struct Events(BufReader<TcpStream>);

/// What `locald dashboard` opens, and what stands behind its `#`.
pub(super) fn invitation(home: &Home) -> (String, String) {
    let url = home.locald(["dashboard", "--print"]).ok().stdout.trim().to_owned();
    let (page, secret) = url.split_once('#').expect("an invitation");
    (page.to_owned(), secret.to_owned())
}

/// Sends a request with these fields.
#[track_caller]
pub(super) fn ask(front: Front<'_>, what: &str, fields: &[(&str, &str)], body: &str) -> Answer {
    let length = body.len();
    let fields = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
    let fields = fields.collect::<Vec<_>>().concat();
    front.ask(format!(
        "{what} HTTP/1.1\r\nConnection: close\r\nContent-Length: {length}\r\n{fields}\r\n{body}"
    ))
}

impl<'a> Visit<'a> {
    /// As the page at `/login` does it.
    #[track_caller]
    pub(super) fn new(home: &'a Home) -> Self {
        let front = Front::of(home);
        let (_, secret) = invitation(home);
        let answer = ask(front, "POST /login", &[("Host", HOST), ("Origin", ORIGIN)], &secret);
        assert_eq!(answer.status, 204, "{answer:?}");
        let cookie = answer.field("set-cookie")[0].split(';').next().expect("a cookie").to_owned();
        let mut visit = Self { front, cookie, token: String::new() };
        let session = visit.get("/session").json();
        session["token"].as_str().expect("a token").clone_into(&mut visit.token);
        visit
    }

    #[track_caller]
    pub(super) fn get(&self, path: &str) -> Answer {
        ask(self.front, &format!("GET {path}"), &[("Host", HOST), ("Cookie", &self.cookie)], "")
    }

    /// A command as the page sends it.
    #[track_caller]
    pub(super) fn post(&self, path: &str, body: &Value) -> Answer {
        let fields = [
            ("Host", HOST),
            ("Origin", ORIGIN),
            ("Cookie", &self.cookie),
            ("X-Locald-Token", &self.token),
        ];
        ask(self.front, &format!("POST {path}"), &fields, &body.to_string())
    }

    pub(super) fn events(&self, path: &str) -> Events {
        let mut stream = self.front.connect();
        // Of this version so that there are no chunks between the lines.
        let text = format!(
            "GET {path} HTTP/1.0\r\nHost: {HOST}\r\nCookie: {}\r\nAccept: text/event-stream\r\n\r\n",
            self.cookie
        );
        stream.write_all(text.as_bytes()).expect("the proxy reads");
        Events(BufReader::new(stream))
    }
}

impl Events {
    /// The first event from here on of which `is` makes something.
    #[track_caller]
    pub(super) fn find<T>(&mut self, what: &str, is: impl Fn(&Value) -> Option<T>) -> T {
        let until = Instant::now() + DEADLINE;
        let mut last = String::new();
        while Instant::now() < until {
            let mut line = String::new();
            let count = self.0.read_line(&mut line).expect("the stream goes on");
            assert!(count > 0, "the stream ended before {what}: {last}");
            let Some(text) = line.strip_prefix("data: ") else {
                last += &line;
                continue;
            };
            let event = serde_json::from_str(text).expect("events are JSON");
            if let Some(found) = is(&event) {
                return found;
            }
            last = line;
        }
        panic!("this never came: {what}: {last}");
    }

    /// A status in which this holds of the service.
    #[track_caller]
    pub(super) fn service(&mut self, name: &str, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        self.find(what, |event| {
            let services = event["status"]["projects"][0]["services"].as_array()?;
            services.iter().find(|it| it["name"] == name && is(it)).cloned()
        })
    }
}
