//! Processes that were born while others were looked at.

use crate::os::proc;

/// The lowest number that is given again after the highest.
const RESERVED: i32 = 300;

/// From where on processes count as new.
pub(super) struct Born {
    newest: Option<i32>,
}

impl Born {
    pub(super) fn from_now() -> Self {
        Self { newest: proc::newest() }
    }

    /// Processes born since the last time, as far as they still exist. Numbers are given in
    /// order, so the newest one tells which they are.
    pub(super) fn meanwhile(&mut self) -> Vec<i32> {
        let before = std::mem::replace(&mut self.newest, proc::newest());
        let (Some(before), Some(newest)) = (before, self.newest) else { return Vec::new() };
        let highest = if newest < before { proc::highest().unwrap_or(before) } else { before };
        numbers(before, newest, highest).filter(|pid| proc::is_process(*pid)).collect()
    }
}

/// The numbers after `before` up to `newest`, past `highest` if they began anew.
fn numbers(before: i32, newest: i32, highest: i32) -> impl Iterator<Item = i32> {
    let anew = newest < before;
    let first = before + 1..=if anew { highest } else { newest };
    first.chain((RESERVED..=newest).filter(move |_| anew))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_given_in_order_and_begin_anew() {
        let between = |before, newest| numbers(before, newest, 1000).collect::<Vec<_>>();
        assert!(between(5, 5).is_empty());
        assert_eq!(between(5, 7), [6, 7]);
        assert_eq!(between(998, 301), [999, 1000, 300, 301]);
        assert_eq!(between(1000, 300), [300]);
    }

    #[test]
    fn a_thread_is_no_process() {
        let me = i32::try_from(std::process::id()).unwrap();
        assert!(proc::is_process(me));
        let thread = std::thread::spawn(|| proc::is_process(nix::unistd::gettid().as_raw()));
        assert!(!thread.join().unwrap());
    }
}
