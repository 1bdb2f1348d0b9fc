//! What the heart remembers of a service for the next daemon, as the text of a note. A note that is not
//! understood is as good as none: its process is then stopped like any that was left behind.

use std::{ffi::OsString, path::Path};

use serde::{Deserialize, Serialize};

use super::{id::ServiceName, state::ProcessState};

/// The version of notes that this program writes, and the only one that it reads.
pub const VERSION: u32 = 1;

/// A process that runs.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Body {
    /// [`VERSION`].
    pub version: u32,
    /// The folder of its project.
    pub dir: String,
    /// Its service.
    pub service: ServiceName,
    /// Which process.
    pub process: ProcessState,
    /// Whether it has a terminal.
    pub pty: bool,
    /// The entry of its environment that only it and its descendants have.
    pub marker: String,
    /// When it was started, in milliseconds since 1970.
    pub since_ms: u64,
}

/// The entry of the environment that only a service and its descendants have.
pub fn marker(notify_socket: &Path) -> OsString {
    let mut marker = OsString::from(MARKER);
    marker.push(notify_socket);
    marker
}

const MARKER: &str = "NOTIFY_SOCKET=";

impl Body {
    /// Where it sends notifications.
    pub fn notify_socket(&self) -> Option<&Path> {
        self.marker.strip_prefix(MARKER).map(Path::new)
    }
}

/// Where a service is in the eyes of its supervisor.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It waits for something, or for its next start.
    Pending,
    /// It runs.
    Up,
    /// It runs, and has been ready.
    Ready,
    /// It is on its way down.
    Stopping,
    /// It is not wanted.
    Stopped,
    /// It has ended well.
    Completed,
    /// It has failed too often.
    GaveUp,
}

/// What a supervisor knows of a service.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Mind {
    /// [`VERSION`].
    pub version: u32,
    /// The folder of its project.
    pub dir: String,
    /// The service.
    pub service: ServiceName,
    /// Where it is.
    pub stage: Stage,
    /// Whether it is to be up.
    pub wanted: bool,
    /// Lives since a person last started it.
    pub births: u32,
    /// How long ago each failure was that still counts, at the time of `at_ms`, in milliseconds.
    pub failures_ms: Vec<u64>,
    /// When this was written, in milliseconds since 1970.
    pub at_ms: u64,
    /// Why it is down, if it has failed.
    pub failure: Option<String>,
    /// Who or what last changed whether it is wanted.
    pub cause: Option<String>,
    /// Its last exits, the newest last.
    pub exits: Vec<Exit>,
}

/// An exit.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Exit {
    /// Its code, unless a signal has ended it.
    pub code: Option<i32>,
    /// The number of that signal.
    pub signal: Option<i32>,
    /// Whether we had asked for it.
    pub asked: bool,
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// How long it had run.
    pub ran_ms: u64,
    /// Why we ended it, if we did and nobody had asked us to.
    pub cause: Option<String>,
}

/// The beginning of the names of notes about processes.
pub const BODIES: &str = "body/";
/// The beginning of the names of notes about what supervisors know.
pub const MINDS: &str = "mind/";

/// The beginning of the names of notes about projects: each is a part of the state that may not be
/// written yet.
pub const PROJECTS: &str = "project/";

/// The name of the note about all leases, likewise.
pub const LEASES: &str = "leases";

/// The name of the note about a project.
pub fn project_name(project: &str) -> String {
    format!("{PROJECTS}{project}")
}

/// The name of the note about the process of a service. Its descriptors have this name and
/// one of [`DESCRIPTORS`].
pub fn body_name(project: &str, service: &str) -> String {
    format!("{BODIES}{project}/{service}")
}

/// The name of the note about what its supervisor knows of a service.
pub fn mind_name(project: &str, service: &str) -> String {
    format!("{MINDS}{project}/{service}")
}

/// Ends the name of a terminal, or of the pipe from a standard output.
pub const OUT: &str = "/out";
/// Ends the name of the pipe from a standard error.
pub const ERR: &str = "/err";
/// Ends the name of the socket on which it speaks `sd_notify(3)`.
pub const NOTIFY: &str = "/notify";
/// All of them.
pub const DESCRIPTORS: [&str; 3] = [OUT, ERR, NOTIFY];

/// A note of this form and version; none if it is another one.
pub fn read<T: for<'a> Deserialize<'a>>(note: &[u8]) -> Option<T> {
    let value: serde_json::Value = serde_json::from_slice(note).ok()?;
    let version = value.get("version")?.as_u64()?;
    if version != u64::from(VERSION) {
        return None;
    }
    serde_json::from_value(value).ok()
}

/// The text of a note.
pub fn write<T: Serialize>(note: &T) -> Vec<u8> {
    serde_json::to_vec(note).expect("strings, numbers and lists can always be written")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body() -> Body {
        Body {
            version: VERSION,
            dir: "/srv/shop".to_owned(),
            service: ServiceName::parse("web").unwrap(),
            process: ProcessState { pid: 42, start_time: 7 },
            pty: true,
            marker: "NOTIFY_SOCKET=/x".to_owned(),
            since_ms: 5,
        }
    }

    #[test]
    fn a_note_is_read_as_it_was_written() {
        assert_eq!(read(&write(&body())), Some(body()));
    }

    #[test]
    fn another_version_is_refused_and_never_misread() {
        let other = write(&Body { version: VERSION + 1, ..body() });
        assert_eq!(read::<Body>(&other), None);
        for garbage in [&b""[..], b"{", b"{}", b"{\"version\": 1}", b"[1]"] {
            assert_eq!(read::<Body>(garbage), None);
        }
        assert_eq!(read::<Mind>(&write(&body())), None, "of another form");
    }
}
