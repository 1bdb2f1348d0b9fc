//! What `/proc` tells about a process.

use std::{ffi::OsStr, fs, io, os::unix::ffi::OsStrExt, time::Duration};

use nix::sys::prctl;
use rustix::param::{clock_ticks_per_second, page_size};

use crate::core::usage::Process;

/// When a process began, in clock ticks since boot: with the pid, its identity during one boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StartTime(pub u64);

/// The fields of `/proc/PID/stat` that identify a process and place it in the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// The parent, or whoever inherited it.
    pub parent: i32,
    /// The process group.
    pub group: i32,
    /// The session.
    pub session: i32,
    /// When it began.
    pub started: StartTime,
    /// False for a zombie: nothing of it runs any more, only its status waits to be fetched.
    pub alive: bool,
    /// Its program is not in memory yet (or not any more): it shows no arguments or environment.
    pub loading: bool,
    /// Clock ticks that processors have spent on it.
    pub ticks: u64,
    /// Pages that it has in memory.
    pub pages: u64,
}

/// The state of `pid`, or none when there is no such process (any more).
pub fn stat(pid: i32) -> Option<Stat> {
    parse_stat(&fs::read(format!("/proc/{pid}/stat")).ok()?)
}

/// The command line of `pid` as a person would type it, else the kernel's short name for it.
pub fn command_line(pid: i32) -> String {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words: Vec<_> = line.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
    let line = words.join(" ").trim().to_owned();
    if !line.is_empty() {
        return line;
    }
    match fs::read(format!("/proc/{pid}/comm")) {
        Ok(name) => format!("[{}]", String::from_utf8_lossy(&name).trim()),
        Err(_) => "[gone]".to_owned(),
    }
}

/// The environment `pid` began with, NUL-separated; none when it is not ours to read.
pub fn environment(pid: i32) -> Option<Vec<u8>> {
    fs::read(format!("/proc/{pid}/environ")).ok()
}

/// Has whatever lists processes call this one `locald`. Started as `/proc/self/exe`, it would be `exe`.
pub fn take_our_name() {
    // A name is no reason not to run.
    let _unnamed = prctl::set_name(c"locald");
}

/// Every process there is. Those that come or go meanwhile may be missing.
pub fn pids() -> io::Result<impl Iterator<Item = i32>> {
    Ok(fs::read_dir("/proc")?.filter_map(|entry| number(&entry.ok()?.file_name())))
}

/// What each process uses. Those that come or go meanwhile may be missing.
pub fn all() -> Vec<Process> {
    let (ticks, page) = (clock_ticks_per_second().max(1), page_size() as u64);
    let process = |pid| {
        let stat = stat(pid)?;
        let busy = Duration::from_millis(stat.ticks.saturating_mul(1000) / ticks);
        Some(Process {
            pid,
            parent: stat.parent,
            session: stat.session,
            began: stat.started.0,
            busy,
            memory: stat.pages.saturating_mul(page),
        })
    };
    pids().into_iter().flatten().filter_map(process).collect()
}

/// The number given to the newest process or thread.
pub fn newest() -> Option<i32> {
    fs::read_to_string("/proc/loadavg").ok()?.split_ascii_whitespace().last()?.parse().ok()
}

/// What number is the last before they begin anew.
pub fn highest() -> Option<i32> {
    fs::read_to_string("/proc/sys/kernel/pid_max").ok()?.trim().parse().ok()
}

/// Whether `pid` is a process, not one of the further threads of one.
pub fn is_process(pid: i32) -> bool {
    let Ok(status) = fs::read_to_string(format!("/proc/{pid}/status")) else { return false };
    let tgid = status.lines().find_map(|line| line.strip_prefix("Tgid:"));
    tgid.is_some_and(|tgid| tgid.trim().parse() == Ok(pid))
}

fn number(name: &OsStr) -> Option<i32> {
    std::str::from_utf8(name.as_bytes()).ok()?.parse().ok()
}

/// The name in the second field may hold spaces and parentheses; the last one ends it.
fn parse_stat(text: &[u8]) -> Option<Stat> {
    let end = memchr::memrchr(b')', text)?;
    let rest = std::str::from_utf8(text.get(end + 1..)?).ok()?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    let group = fields.next()?.parse().ok()?;
    let session = fields.next()?.parse().ok()?;
    let by_itself: u64 = fields.nth(7)?.parse().ok()?;
    let by_the_kernel: u64 = fields.next()?.parse().ok()?;
    let threads: u32 = fields.nth(4)?.parse().ok()?;
    let started = StartTime(fields.nth(1)?.parse().ok()?);
    let pages = fields.nth(1)?.parse().ok()?;
    let code_begins = fields.nth(1)?;
    let ticks = by_itself.saturating_add(by_the_kernel);
    // A main thread that ended before the others shows as a zombie, yet the process runs.
    let alive = !matches!(state, "Z" | "X" | "x") || threads > 1;
    let loading = code_begins == "0";
    Some(Stat { parent, group, session, started, alive, loading, ticks, pages })
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: &str = "7 8 9 34816 8 4194304 102 0 0 0 30 12 0 0 20 0 1 0 4711 5005312 969 18446744073709551615 4194304";

    #[test]
    fn a_name_cannot_forge_the_fields() {
        let text = format!("42 (a) R 1 1 (b) S {REST}");
        let expected = Stat {
            parent: 7,
            group: 8,
            session: 9,
            started: StartTime(4711),
            alive: true,
            loading: false,
            ticks: 42,
            pages: 969,
        };
        assert_eq!(parse_stat(text.as_bytes()), Some(expected));
    }

    #[test]
    fn a_zombie_is_dead_unless_threads_go_on() {
        let dead = format!("42 (sh) Z {REST}");
        assert!(!parse_stat(dead.as_bytes()).unwrap().alive);
        let threads_go_on = dead.replace(" 20 0 1 0 ", " 20 0 2 0 ");
        assert!(parse_stat(threads_go_on.as_bytes()).unwrap().alive);
    }

    #[test]
    fn garbage_is_no_process() {
        for text in ["", "42", "42 (sh)", "42 (sh) S 1 2", "42 (sh) S a b c"] {
            assert_eq!(parse_stat(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn we_are_among_the_living() {
        let me = i32::try_from(std::process::id()).unwrap();
        assert!(pids().unwrap().any(|pid| pid == me));
        let stat = stat(me).unwrap();
        assert_eq!(stat.parent, nix::unistd::getppid().as_raw());
        assert!(stat.alive);
        assert!(!command_line(me).starts_with('['));
        let all = all();
        let ours = all.iter().find(|process| process.pid == me).unwrap();
        // Zero where the session began outside of our pid namespace.
        assert_eq!(ours.session, nix::unistd::getsid(None).unwrap().as_raw());
        assert!(ours.memory > 100_000, "{ours:?}");
    }
}
