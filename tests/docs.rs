//! What documents say is so: `actors.md` against code and live tree, the README against `--help` and the schema.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests are outside, where programs are run, clocks are read and failures are told"
)]

#[path = "docs/actors.rs"]
mod actors;
#[path = "docs/readme.rs"]
mod readme;
#[path = "it/support/mod.rs"]
#[expect(dead_code, reason = "shared with tests/it, which uses all of it")]
mod support;

use std::{fs, path::Path};

/// A file of the repository.
fn read(path: &str) -> String {
    let whole = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&whole).unwrap_or_else(|error| panic!("cannot read {path}: {error}"))
}
