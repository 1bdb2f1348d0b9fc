//! Job control: going out of the way of the shell, until it brings us back.

use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, getpgrp, getsid},
};

/// Stops this process, and with it the job that it is part of; comes back when the job goes on. False:
/// there is no shell that could bring it back, so it goes on at once.
pub fn suspend() -> bool {
    // Who leads its session, or is in the group of who does, was started without job control.
    let is_job = getsid(None).is_ok_and(|session| session != getpgrp());
    // Not the one that can be caught: whoever calls has caught it.
    is_job && kill(Pid::from_raw(0), Signal::SIGSTOP).is_ok()
}
