//! What the kernel knows of processes, for comparison with what locald says.

use std::{
    fs,
    os::unix::ffi::OsStrExt as _,
    path::Path,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{self, Signal},
    unistd::{Pid, geteuid},
};

/// A process as `/proc` shows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    pub(crate) command: String,
}

/// What `/proc/PID/stat` says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Stat {
    pub(crate) state: char,
    pub(crate) parent: i32,
    pub(crate) group: i32,
    pub(crate) session: i32,
    pub(crate) terminal: i32,
    pub(crate) threads: i64,
}

impl Process {
    /// Whatever has become of it.
    pub(crate) fn kill(&self) {
        let _gone = signal::kill(Pid::from_raw(self.pid), Signal::SIGKILL);
    }
}

pub(crate) fn am_root() -> bool {
    geteuid().is_root()
}

/// Sends a signal to a process that must be there.
#[track_caller]
pub(crate) fn kill(pid: i32, signal: Signal) {
    assert!(pid > 1, "{pid} is nobody's pid");
    signal::kill(Pid::from_raw(pid), signal).unwrap_or_else(|error| panic!("kill {pid}: {error}"));
}

/// Whether there is such a process, and it is no zombie.
pub(crate) fn is_alive(pid: i32) -> bool {
    stat(pid).is_some_and(|stat| stat.state != 'Z')
}

pub(crate) fn stat(pid: i32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command may contain blanks and parentheses.
    let (_, rest) = text.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    Some(Stat {
        state: fields.first()?.chars().next()?,
        parent: fields.get(1)?.parse().ok()?,
        group: fields.get(2)?.parse().ok()?,
        session: fields.get(3)?.parse().ok()?,
        terminal: fields.get(4)?.parse().ok()?,
        threads: fields.get(17)?.parse().ok()?,
    })
}

/// User and system time in clock ticks, and voluntary context switches of all its threads.
pub(crate) fn activity(pid: i32) -> (u64, u64) {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs");
    let (_, rest) = text.rsplit_once(") ").expect("the kernel's format");
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    let ticks = |nth: usize| fields[nth].parse::<u64>().expect("a number");
    let threads = fs::read_dir(format!("/proc/{pid}/task")).expect("it runs").flatten();
    let switches = threads.filter_map(|thread| {
        let status = fs::read_to_string(thread.path().join("status")).ok()?;
        let line = status.lines().find(|line| line.starts_with("voluntary_ctxt_switches:"))?;
        line.split_ascii_whitespace().nth(1)?.parse::<u64>().ok()
    });
    (ticks(11) + ticks(12), switches.sum())
}

/// Resident memory in KiB, as of now.
pub(crate) fn resident_kib(pid: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("it has memory");
    line.split_ascii_whitespace().nth(1).expect("a number").parse().expect("a number")
}

/// The processes that carry a variable with this value in their environment.
pub(crate) fn processes_with(name: &str, value: &Path) -> Vec<Process> {
    let mut wanted = format!("{name}=").into_bytes();
    wanted.extend_from_slice(value.as_os_str().as_bytes());
    pids()
        .filter(|pid| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.split(|&byte| byte == 0).any(|entry| entry == wanted)
        })
        .map(|pid| Process { pid, command: command(pid) })
        .collect()
}

pub(crate) fn command(pid: i32) -> String {
    let text = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&text).replace('\0', " ").trim().to_owned()
}

/// Looks until there is nobody any more, for at most so long; answers who is left.
pub(crate) fn gone_within<T>(limit: Duration, look: impl Fn() -> Vec<T>) -> Vec<T> {
    let until = Instant::now() + limit;
    loop {
        let there = look();
        if there.is_empty() || Instant::now() >= until {
            return there;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn pids() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").expect("Linux has it").flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}
