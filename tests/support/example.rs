//! Programs of the tests: examples, built if `cargo test` has not done so (with `--test NAME` it does not).

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// The example of this name, not older than these files of `tests/support`.
pub(crate) fn built(name: &str, sources: &[&str]) -> PathBuf {
    let folder = Path::new(env!("CARGO_BIN_EXE_locald")).parent().expect("it is in a folder");
    let program = folder.join("examples").join(name);
    let support = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support");
    let age = |path: &Path| path.metadata().and_then(|metadata| metadata.modified()).ok();
    let newest = sources.iter().map(|source| age(&support.join(source))).max().flatten();
    if age(&program).is_none() || age(&program) < newest {
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--example", name]);
        if folder.ends_with("release") {
            build.arg("--release");
        }
        build.current_dir(env!("CARGO_MANIFEST_DIR"));
        let status = build.status().expect("cargo runs");
        assert!(status.success() && program.exists(), "cannot build the example {name}");
    }
    program
}
