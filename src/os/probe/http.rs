//! A plain HTTP/1.1 GET of which only the status counts.

use std::{fmt::Write as _, time::Duration};

use crate::core::http2::is_greeting;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Instant, timeout},
};

/// Informational answers included, this much is read for the status of the final one.
const HEAD: usize = 8 * 1024;
/// How long and how much is read after it, so that the server can say what it has to say.
const FAREWELL: (Duration, usize) = (Duration::from_secs(1), 64 * 1024);

/// Why there is no good answer.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unanswered {
    /// The server speaks nothing but HTTP/2.
    #[error("it speaks HTTP/2 without TLS only")]
    OnlyHttp2,
    /// In words for people.
    #[error("{0}")]
    Failed(String),
}

/// Whether `GET path` is answered by a wanted status; with none named, by 2xx or 3xx.
pub async fn http(
    port: u16,
    path: &str,
    host: &str,
    accept: &[u16],
    deadline: Duration,
) -> Result<(), Unanswered> {
    let began = Instant::now();
    let stream = super::tcp::connect(port, deadline).await.map_err(Unanswered::Failed)?;
    let path = escaped(path);
    let left = deadline.saturating_sub(began.elapsed());
    match timeout(left, status(stream, &path, host)).await {
        Ok(Err(Unanswered::OnlyHttp2)) => Err(Unanswered::OnlyHttp2),
        Ok(status) => {
            let status = status.map_err(|why| why.to_string());
            judged(&path, status, accept).map_err(Unanswered::Failed)
        }
        Err(_) => Err(Unanswered::Failed(format!("GET {path}: {}", super::no_answer(deadline)))),
    }
}

/// Whether a status is a wanted one, or why there is none.
pub(super) fn judged(
    path: &str,
    status: Result<u16, String>,
    accept: &[u16],
) -> Result<(), String> {
    let status = status.map_err(|why| format!("GET {path} {why}"))?;
    let wanted =
        if accept.is_empty() { (200..400).contains(&status) } else { accept.contains(&status) };
    if wanted { Ok(()) } else { Err(format!("GET {path} answered {status}")) }
}

/// What can stand in a request line: a target that starts with a slash and has neither blanks nor controls.
pub(super) fn escaped(path: &str) -> String {
    let mut target = String::with_capacity(path.len() + 1);
    if !path.starts_with('/') {
        target.push('/');
    }
    for byte in path.bytes() {
        if byte.is_ascii_graphic() {
            target.push(char::from(byte));
        } else {
            write!(target, "%{byte:02X}").expect("a String takes everything");
        }
    }
    target
}

async fn status(mut stream: TcpStream, path: &str, host: &str) -> Result<u16, Unanswered> {
    let failed = |why: &str| Err(Unanswered::Failed(why.to_owned()));
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: locald\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    );
    // A server may have answered and gone before it has read everything: what it said decides.
    let sent = stream.write_all(request.as_bytes()).await;
    let mut head = Vec::with_capacity(512);
    loop {
        if is_greeting(&head) {
            return Err(Unanswered::OnlyHttp2);
        }
        match final_status(&head).map_err(Unanswered::Failed)? {
            Some(status) => {
                part(stream);
                return Ok(status);
            }
            None if head.len() >= HEAD => return failed("was not answered by HTTP"),
            None => {}
        }
        let read = stream.read_buf(&mut head).await.and_then(|read| sent_or(&sent, read));
        match read {
            Ok(0) if head.is_empty() => return failed("was answered by closing"),
            Ok(0) => return failed("was not answered by HTTP"),
            Ok(_) => {}
            Err(error) => return failed(&format!("failed: {error}")),
        }
    }
}

/// Nothing to read after a failed write: the write's error is the cause.
fn sent_or(sent: &std::io::Result<()>, read: usize) -> std::io::Result<usize> {
    match sent {
        Err(error) if read == 0 => Err(error.kind().into()),
        _ => Ok(read),
    }
}

/// The status of the first answer that is not informational, once it is there.
fn final_status(head: &[u8]) -> Result<Option<u16>, String> {
    let mut rest = head;
    loop {
        let Some(end) = memchr::memchr(b'\n', rest) else { return Ok(None) };
        let status = parsed(&rest[..end]).ok_or("was not answered by HTTP")?;
        if !(100..200).contains(&status) {
            return Ok(Some(status));
        }
        let Some(blank) = memchr::memmem::find(rest, b"\r\n\r\n") else { return Ok(None) };
        rest = &rest[blank + 4..];
    }
}

fn parsed(line: &[u8]) -> Option<u16> {
    let line = str::from_utf8(line).ok()?.strip_prefix("HTTP/1.")?;
    let status = line.split_ascii_whitespace().nth(1)?;
    status.parse().ok().filter(|status| (100..600).contains(status))
}

/// Lets the server finish in peace: to close on it would have many log a broken pipe.
fn part(mut stream: TcpStream) {
    tokio::spawn(async move {
        let (long, much) = FAREWELL;
        let mut left = much;
        let mut bin = [0; 2048];
        let drain = async {
            while left > 0
                && let Ok(read @ 1..) = stream.read(&mut bin).await
            {
                left = left.saturating_sub(read);
            }
        };
        drop(timeout(long, drain).await);
    });
}

#[cfg(test)]
mod tests;
