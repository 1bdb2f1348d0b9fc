//! Just enough HTTP to ask a service or the daemon something, also improperly.

use std::{
    io::{BufRead as _, BufReader, Read, Write},
    net::TcpStream,
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

use serde_json::Value;

use super::DEADLINE;

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// The values of a header field.
    pub(crate) fn field(&self, name: &str) -> Vec<&str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(':'));
        let named = fields.filter(|(known, _)| known.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.trim()).collect()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }
}

/// Asks a service on a port of this machine.
pub(crate) fn get(port: u16, path: &str) -> Answer {
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("somebody listens");
    stream.set_read_timeout(Some(DEADLINE)).expect("a positive time");
    ask(stream, "GET", path, "").expect("an answer")
}

/// Asks a program on a port of this machine to do something, which must succeed.
#[track_caller]
pub(crate) fn call(port: u16, method: &str, path: &str, body: &str) -> Value {
    let answer = try_call(port, method, path, body).expect("an answer");
    assert!(answer["value"]["error"].is_null(), "{method} {path}: {answer:#}");
    answer
}

/// The same; none: it does not answer. It may keep the connection open.
pub(crate) fn try_call(port: u16, method: &str, path: &str, body: &str) -> Option<Value> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(2 * DEADLINE)).ok()?;
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost:{port}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.trim().parse().ok()?;
            }
            None if line.trim_end().is_empty() => break,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}

/// Asks a daemon.
pub(crate) fn daemon(socket: &Path, method: &str, path: &str, body: &str) -> Answer {
    ask(connect(socket), method, path, body).expect("an answer")
}

/// Asks a daemon that may be losing its gateway; none: it did.
pub(crate) fn shaky_daemon(socket: &Path, method: &str, path: &str, body: &str) -> Option<u16> {
    ask(connect(socket), method, path, body).ok().map(|answer| answer.status)
}

/// Asks a daemon that may not be there at all.
pub(crate) fn try_daemon(socket: &Path, method: &str, path: &str, body: &str) -> Option<u16> {
    let stream = UnixStream::connect(socket).ok()?;
    stream.set_read_timeout(Some(DEADLINE)).ok()?;
    ask(stream, method, path, body).ok().map(|answer| answer.status)
}

pub(crate) fn connect(socket: &Path) -> UnixStream {
    let stream = UnixStream::connect(socket).expect("a daemon listens");
    stream.set_read_timeout(Some(DEADLINE)).expect("a positive time");
    stream.set_write_timeout(Some(Duration::from_secs(20))).expect("a positive time");
    stream
}

fn ask(
    mut stream: impl Read + Write,
    method: &str,
    path: &str,
    body: &str,
) -> std::io::Result<Answer> {
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    // At once: whoever reads only once shall see all of it.
    stream.write_all(request.as_bytes())?;
    read(stream)
}

/// Reads an answer that ends with its connection.
pub(crate) fn read(mut stream: impl Read) -> std::io::Result<Answer> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    let body = if chunked { unchunked(body) } else { body.to_owned() };
    Ok(Answer { status, head: head.to_owned(), body })
}

fn unchunked(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
        if size == 0 || rest.len() < size {
            break;
        }
        whole.push_str(&rest[..size]);
        body = rest[size..].trim_start_matches("\r\n");
    }
    whole
}
