//! Signals by name and by number.

use std::{io, str::FromStr};

use nix::sys::signal::{SigSet, Signal};

/// The signal called `name` ("SIGTERM", "term" and "15" are all the same one).
pub fn signal_by_name(name: &str) -> Option<Signal> {
    if let Ok(number) = name.parse::<i32>() {
        return Signal::try_from(number).ok();
    }
    let upper = name.to_ascii_uppercase();
    let full = if upper.starts_with("SIG") { upper } else { format!("SIG{upper}") };
    Signal::from_str(&full).ok()
}

/// Hears every signal on this thread, and on those that it starts.
pub fn unblock_all() -> io::Result<()> {
    Ok(SigSet::all().thread_unblock()?)
}

/// The name of signal `number`: "SIGKILL", "SIGRTMIN+3", or "signal 99" for what is none.
pub fn signal_name(number: i32) -> String {
    if let Ok(signal) = Signal::try_from(number) {
        return signal.as_str().to_owned();
    }
    let first = libc::SIGRTMIN();
    match number {
        _ if number == first => "SIGRTMIN".to_owned(),
        _ if (first..=libc::SIGRTMAX()).contains(&number) => format!("SIGRTMIN+{}", number - first),
        _ => format!("signal {number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_agree() {
        for signal in Signal::iterator() {
            let name = signal_name(signal as i32);
            assert_eq!(signal_by_name(&name), Some(signal), "{name}");
        }
    }

    #[test]
    fn spellings_people_use() {
        for spelling in ["SIGTERM", "TERM", "term", "sigterm", "15"] {
            assert_eq!(signal_by_name(spelling), Some(Signal::SIGTERM), "{spelling}");
        }
        for nonsense in ["", "SIG", "SIGFOO", "0", "-1", "99"] {
            assert_eq!(signal_by_name(nonsense), None, "{nonsense:?}");
        }
    }

    #[test]
    fn numbers_without_a_proper_name() {
        assert_eq!(signal_name(libc::SIGRTMIN()), "SIGRTMIN");
        assert_eq!(signal_name(libc::SIGRTMIN() + 3), "SIGRTMIN+3");
        assert_eq!(signal_name(99), "signal 99");
    }
}
