//! Endings and details in words.

use std::sync::atomic::Ordering;

use tokio::time::Instant;

use super::{Past, ProjectBoard, ServiceBoard};
use crate::{
    api::status::Exit,
    core::time::duration_text,
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

impl Past {
    /// "exited with code 1", "killed by SIGTERM, as asked", "killed by SIGABRT (no WATCHDOG=1 within
    /// 10 s)".
    pub fn sentence(&self) -> String {
        bare(self.how) + &self.because()
    }

    /// The same with how long it had run: "exited with code 1 after 350ms".
    pub fn history(&self) -> String {
        format!("{} after {}{}", bare(self.how), duration_text(self.ran), self.because())
    }

    fn because(&self) -> String {
        match (&self.cause, self.asked) {
            (Some(cause), _) => format!(" ({cause})"),
            (None, true) => ", as asked".to_owned(),
            (None, false) => hint(self.how).map_or_else(String::new, |hint| format!(" ({hint})")),
        }
    }
}

/// An ending of which nothing else is known.
pub fn ending_sentence(how: Ending) -> String {
    bare(how) + &hint(how).map_or_else(String::new, |hint| format!(" ({hint})"))
}

/// Who has sent a SIGKILL that is not ours: how often the kernel had killed for want of memory before
/// and after it tells.
pub fn killer(before: Option<u64>, after: Option<u64>) -> &'static str {
    match (before, after) {
        (Some(before), Some(after)) if before < after => {
            "the kernel had no memory left, and killed for that at the same time"
        }
        (Some(_), Some(_)) => "by somebody else; the kernel was not short of memory",
        _ => "by somebody else, or the kernel for want of memory",
    }
}

fn bare(how: Ending) -> String {
    match how {
        Ending::Code(code) => format!("exited with code {code}"),
        Ending::Signal(number) => format!("killed by {}", signal_name(number)),
    }
}

/// What an ending that nobody had asked for usually means.
fn hint(how: Ending) -> Option<String> {
    match how {
        Ending::Code(127) => Some("command not found".to_owned()),
        Ending::Code(126) => Some("not executable".to_owned()),
        Ending::Code(code @ 129..=159) => {
            let signal = signal_name(code - 128);
            Some(format!("as a shell does when its command was killed by {signal}"))
        }
        Ending::Signal(libc::SIGKILL) => Some(killer(None, None).to_owned()),
        Ending::Signal(libc::SIGTERM | libc::SIGINT | libc::SIGHUP | libc::SIGQUIT) => {
            Some("not by locald".to_owned())
        }
        _ => None,
    }
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
        let last = view.exits.back().map(Past::sentence);
        (last.map(|text| format!("last {text}")), view.reason(&waiting_for, Instant::now()))
    });
    let parts: Vec<String> = [process_detail(board), last, reason].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn past(how: Ending, asked: bool, cause: Option<&str>) -> Past {
        let (at, ran) = (UNIX_EPOCH, Duration::from_millis(2_500));
        Past { how, asked, at, ran, cause: cause.map(str::to_owned) }
    }

    #[track_caller]
    fn says(how: Ending, asked: bool, cause: Option<&str>, sentence: &str) {
        assert_eq!(past(how, asked, cause).sentence(), sentence);
    }

    #[test]
    fn an_exit_says_what_it_was_and_who_wanted_it() {
        says(Ending::Code(0), false, None, "exited with code 0");
        says(Ending::Code(0), true, None, "exited with code 0, as asked");
        says(Ending::Signal(15), true, None, "killed by SIGTERM, as asked");
        says(Ending::Signal(15), false, None, "killed by SIGTERM (not by locald)");
        says(Ending::Signal(11), false, None, "killed by SIGSEGV");
        let watchdog = Some("no WATCHDOG=1 within 10 s");
        says(Ending::Signal(6), false, watchdog, "killed by SIGABRT (no WATCHDOG=1 within 10 s)");
        let slow = Some("it did not stop within 5s of SIGTERM");
        let text = "killed by SIGKILL (it did not stop within 5s of SIGTERM)";
        says(Ending::Signal(9), true, slow, text);
    }

    #[test]
    fn codes_of_shells_are_explained() {
        says(Ending::Code(127), false, None, "exited with code 127 (command not found)");
        says(Ending::Code(126), false, None, "exited with code 126 (not executable)");
        let text = "exited with code 137 (as a shell does when its command was killed by SIGKILL)";
        says(Ending::Code(137), false, None, text);
        says(Ending::Code(143), true, None, "exited with code 143, as asked");
    }

    #[test]
    fn how_long_it_ran_stands_before_why() {
        let text = past(Ending::Code(127), false, None).history();
        assert_eq!(text, "exited with code 127 after 2.5s (command not found)");
        assert_eq!(
            past(Ending::Code(0), true, None).history(),
            "exited with code 0 after 2.5s, as asked"
        );
    }

    #[test]
    fn a_sigkill_is_laid_at_the_right_door() {
        assert!(ending_sentence(Ending::Signal(9)).contains("or the kernel for want of memory"));
        assert!(killer(Some(3), Some(3)).contains("not short of memory"));
        assert!(killer(Some(3), Some(4)).contains("no memory left"));
        assert_eq!(killer(None, Some(4)), killer(Some(3), None));
    }
}
