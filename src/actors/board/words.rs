//! Endings and details in words.

use std::sync::atomic::Ordering;

use tokio::time::Instant;

use super::{Past, ProjectBoard, ServiceBoard};
use crate::{
    api::status::Exit,
    os::{child::Ending, clock, signals::signal_name},
};

/// For the tree: how it is with the configuration on disk.
pub fn watching(board: &ProjectBoard) -> Option<String> {
    if let Some(error) = board.config_error.load().as_ref() {
        return Some(format!("not in effect: {}", error.replace('\n', "; ")));
    }
    if let Some(error) = board.watch_error.load().as_ref() {
        return Some(error.clone());
    }
    let folders = board.watched.load(Ordering::Relaxed);
    Some(format!("watches {folders} {}", if folders == 1 { "folder" } else { "folders" }))
}

/// An exit as the API tells it.
pub fn exit(past: &Past) -> Exit {
    let (code, signal) = match past.how {
        Ending::Code(code) => (Some(code), None),
        Ending::Signal(number) => (None, Some(signal_name(number))),
    };
    Exit { code, signal, asked: past.asked, at: clock::rfc3339(past.at) }
}

/// "exited with code 1", "killed by SIGKILL", "killed by SIGTERM, as asked".
pub fn ending_sentence(how: Ending, asked: bool) -> String {
    let text = match how {
        Ending::Code(127) if !asked => "exited with code 127: command not found".to_owned(),
        Ending::Code(126) if !asked => "exited with code 126: not executable".to_owned(),
        Ending::Code(code) => format!("exited with code {code}"),
        Ending::Signal(number) => format!("killed by {}", signal_name(number)),
    };
    if asked { format!("{text}, as asked") } else { text }
}

/// For the tree: the process and its port.
pub fn process_detail(board: &ServiceBoard) -> Option<String> {
    let parts: Vec<String> = board.read(|view| {
        let running = view.running.map(|running| format!("pid {}", running.pid));
        running.into_iter().chain(view.port.map(|port| format!("port {port}"))).collect()
    });
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// For the tree: pid, port, last exit and reason of a service.
pub fn service_detail(board: &ServiceBoard) -> Option<String> {
    let waiting_for = board.waiting_for();
    let (last, reason) = board.read(|view| {
        let last = view.exits.back().map(|past| ending_sentence(past.how, past.asked));
        (last.map(|text| format!("last {text}")), view.reason(&waiting_for, Instant::now()))
    });
    let parts: Vec<String> = [process_detail(board), last, reason].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}
