//! Commands on behalf of the person at the terminal: with their terminal, and nobody supervising.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    io,
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Command, ExitStatus, Stdio},
};

/// Becomes `argv`, found in the `PATH` of `env`. Comes back only with the reason why not.
/// `argv` has at least one element.
pub fn become_command(argv: &[OsString], env: &BTreeMap<String, String>, dir: &Path) -> io::Error {
    // Said apart, since exec reports a missing folder like a missing program.
    if let Err(error) = std::env::set_current_dir(dir) {
        return io::Error::new(
            io::ErrorKind::NotADirectory,
            format!("cannot go to {}: {error}", dir.display()),
        );
    }
    #[expect(clippy::disallowed_methods, reason = "this is an adapter of the os layer")]
    let mut command = Command::new(&argv[0]);
    command.args(&argv[1..]).env_clear().envs(env).exec()
}

/// Runs `program` to its end, without input and output.
pub fn run_quietly(program: &str, arg: &str) -> io::Result<ExitStatus> {
    #[expect(clippy::disallowed_methods, reason = "this is an adapter of the os layer")]
    let mut command = Command::new(program);
    command.arg(arg).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()
}

/// Whether `path` is a program that we may run.
pub fn is_program(path: &Path) -> bool {
    use nix::unistd::{AccessFlags, access};
    path.is_file() && access(path, AccessFlags::X_OK).is_ok()
}
