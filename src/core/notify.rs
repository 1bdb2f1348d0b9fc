//! What a service says through `NOTIFY_SOCKET`: the assignments of `sd_notify(3)` in one datagram.

use std::time::Duration;

/// The longest datagram that is looked at; systemd has the same bound.
pub const MAX_DATAGRAM: usize = 4096;
/// The longest `STATUS=` text that is kept, in bytes.
pub const MAX_STATUS: usize = 1024;

/// One assignment that locald understands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Note {
    /// `READY=1`: started, or done reloading.
    Ready,
    /// `STATUS=…`: one line for people; an empty one takes the last one back.
    Status(String),
    /// `STOPPING=1`: on its way out by its own will.
    Stopping,
    /// `RELOADING=1`: busy until the next `READY=1`.
    Reloading,
    /// `WATCHDOG=1`: a sign of life.
    Watchdog,
    /// `WATCHDOG=trigger`: treat me as if the watchdog had been missed.
    WatchdogTrigger,
    /// `WATCHDOG_USEC=…`: a new interval; zero turns the watchdog off.
    WatchdogUsec(Duration),
    /// `EXTEND_TIMEOUT_USEC=…`: at least this much longer from now.
    ExtendTimeout(Duration),
    /// `MAINPID=…`: the process that counts.
    MainPid(i32),
    /// `BARRIER=1`: all that was said before has been heard once its descriptor is closed.
    Barrier,
}

/// The notes of a datagram in the order of their lines. What is not understood is skipped, line by line.
pub fn parse(datagram: &[u8]) -> Vec<Note> {
    bounded(datagram).split(|&byte| byte == b'\n').filter_map(note).collect()
}

/// Foreign text as one line of at most so many bytes: it ends up in terminals and on web pages.
pub fn harmless_line(text: &[u8], most: usize) -> String {
    let mut line = String::new();
    for char in String::from_utf8_lossy(text).chars().filter(|&char| harmless(char)) {
        if line.len() + char.len_utf8() > most {
            break;
        }
        line.push(char);
    }
    line.truncate(line.trim_end().len());
    line
}

/// Cuts what is too long after its last whole line: half an assignment might mean something else.
fn bounded(datagram: &[u8]) -> &[u8] {
    match datagram.get(..MAX_DATAGRAM) {
        Some(head) if datagram.len() > MAX_DATAGRAM => {
            let end = head.iter().rposition(|&byte| byte == b'\n').unwrap_or(0);
            &head[..end]
        }
        _ => datagram,
    }
}

fn note(line: &[u8]) -> Option<Note> {
    // Programs in C send the terminator along, those from elsewhere a carriage return.
    let line = line.trim_ascii_end();
    let end = line.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    let line = &line[..end];
    if line.contains(&0) {
        return None;
    }
    if let Some(text) = line.strip_prefix(b"STATUS=") {
        return Some(Note::Status(harmless_line(text, MAX_STATUS)));
    }
    let (key, value) = str::from_utf8(line).ok()?.split_once('=')?;
    match (key, value) {
        ("READY", "1") => Some(Note::Ready),
        ("STOPPING", "1") => Some(Note::Stopping),
        ("RELOADING", "1") => Some(Note::Reloading),
        ("WATCHDOG", "1") => Some(Note::Watchdog),
        ("WATCHDOG", "trigger") => Some(Note::WatchdogTrigger),
        ("WATCHDOG_USEC", usec) => micros(usec).map(Note::WatchdogUsec),
        ("EXTEND_TIMEOUT_USEC", usec) => micros(usec).map(Note::ExtendTimeout),
        ("MAINPID", pid) => pid.parse().ok().filter(|&pid: &i32| pid > 1).map(Note::MainPid),
        ("BARRIER", "1") => Some(Note::Barrier),
        _ => None,
    }
}

fn micros(text: &str) -> Option<Duration> {
    text.parse().ok().map(Duration::from_micros)
}

/// Neither a control character nor one that turns the direction of the text around it.
fn harmless(char: char) -> bool {
    !char.is_control() && !matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests;
