//! The privileged helper of locald. All of it is here, so that it has its own dependencies and no others; the
//! program itself, `main.rs`, is built with locald, so that both are installed together.
//!
//! Who packages it may link it statically, which leaves a loader nothing to be tricked with: cargo has no such switch for
//! one program, but `-C target-feature=+crt-static` in `RUSTFLAGS` for a build with `--target` and `--bin locald-shim` does it.
//!
//! What it accepts and what it writes (`cert`, `hosts`, `request`) is pure: no system call is made there.

#![forbid(unsafe_code)]

mod call;
pub mod cert;
mod entry;
pub mod hosts;
mod place;
mod ports;
pub mod request;
mod store;

pub use call::main;

/// The versions of the protocol that this shim speaks: from, to.
pub const PROTOCOL: (u32, u32) = (1, 1);

/// What is refused, and why: never a word of the caller's.
pub type Refused = &'static str;

/// What came of what was tried; if nothing, why.
type Done<T = ()> = Result<T, String>;

/// What to say, and the descriptors to send with it.
type Reply = (String, Vec<std::net::TcpListener>);

/// Refuses unless it holds.
fn must(holds: bool, why: Refused) -> Result<(), Refused> {
    if holds { Ok(()) } else { Err(why) }
}
