//! The pure part of the shim: what it accepts, and what it writes. No system call is made here.

#![forbid(unsafe_code)]

pub mod cert;
pub mod der;
pub mod hosts;
pub mod request;

/// The versions of the protocol that this shim speaks: from, to.
pub const PROTOCOL: (u32, u32) = (1, 1);

/// What is refused, and why: never a word of the caller's.
pub type Refused = &'static str;
