//! Where the test service is, and how to write it into a configuration.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

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

/// The example `testsvc`, built if `cargo test` has not done so: with `--test it` it does not.
pub(crate) fn program() -> PathBuf {
    static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = Path::new(env!("CARGO_BIN_EXE_locald")).parent().expect("it is in a folder");
        let program = folder.join("examples/testsvc");
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support");
        let age = |path: &Path| path.metadata().and_then(|metadata| metadata.modified()).ok();
        let source = ["testsvc.rs", "web.rs", "web/raw.rs"].map(|name| age(&sources.join(name)));
        if age(&program).is_none() || age(&program) < source.into_iter().max().flatten() {
            let mut build = Command::new(env!("CARGO"));
            build.args(["build", "--quiet", "--example", "testsvc"]);
            if folder.ends_with("release") {
                build.arg("--release");
            }
            build.current_dir(env!("CARGO_MANIFEST_DIR"));
            let built = build.status().expect("cargo runs");
            assert!(built.success() && program.exists(), "cannot build the test service");
        }
        program
    });
    PROGRAM.clone()
}
