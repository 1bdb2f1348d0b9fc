//! The operating system, one adapter per file. An adapter never knows who calls it.

pub mod ca;
pub mod census;
pub mod child;
pub mod clock;
pub mod detach;
pub mod exec;
pub mod file;
mod leaders;
pub mod leaves;
pub mod limits;
pub mod listeners;
pub mod lock;
pub mod logs;
pub mod loopback;
pub mod notify_socket;
pub mod own_leaf;
pub mod paths;
pub mod pidfd;
pub mod ports;
pub mod probe;
pub mod proc;
pub mod project_file;
pub mod pty;
pub mod reaper;
pub mod shim;
pub mod signals;
pub mod site;
pub mod socket;
pub mod spawn;
#[cfg(test)]
mod testing;
pub mod traffic;
pub mod trust;
pub mod wait;
pub mod watch;
pub mod watched;
