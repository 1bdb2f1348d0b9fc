//! Where the test service is, and how to write it into a configuration.

use std::{
    path::{Path, PathBuf},
    sync::LazyLock,
};

use super::example;

/// `command = …` of a service that takes these steps (see `tests/support/testsvc.rs`).
pub(crate) fn svc<const N: usize>(steps: [&str; N]) -> String {
    command(&program(), &steps)
}

pub(super) fn command(program: &Path, steps: &[&str]) -> String {
    // A JSON string is a TOML string.
    let quoted = |text: &str| serde_json::to_string(text).expect("a string");
    let program = program.to_str().expect("a plain path");
    let words: Vec<String> =
        std::iter::once(program).chain(steps.iter().copied()).map(quoted).collect();
    format!("command = [{}]", words.join(", "))
}

/// The example `testsvc`.
pub(crate) fn program() -> PathBuf {
    static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
        example::built("testsvc", &["testsvc.rs", "grpc.rs", "web.rs", "web/raw.rs"])
    });
    PROGRAM.clone()
}

/// `web`, which needs `db`: each writes down in `order` that it is told to end.
pub(crate) fn ends_in_order() -> String {
    let noted = |name: &str| svc([&format!("on-term=order:{name}"), "listen", "forever"]);
    let (web, db) = (noted("web"), noted("db"));
    format!("[services.web]\n{web}\ndepends_on = [\"db\"]\n[services.db]\n{db}\n")
}
