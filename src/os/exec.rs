//! Commands on behalf of the person at the terminal: with their terminal, and nobody supervising.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    env,
    ffi::{CString, OsString},
    io,
    os::unix::{ffi::OsStringExt as _, process::CommandExt as _},
    path::Path,
    process::{Command, ExitStatus, Stdio},
};

use nix::unistd::{AccessFlags, access, execve};
use tokio::signal::unix::{SignalKind, signal};

/// Becomes `argv`, found in the `PATH` of `env`. Comes back only with the reason why not.
/// `argv` has at least one element.
pub fn become_command(argv: &[OsString], env: &BTreeMap<String, String>, dir: &Path) -> io::Error {
    // Said apart, since exec reports a missing folder like a missing program.
    if let Err(error) = env::set_current_dir(dir) {
        return io::Error::new(
            io::ErrorKind::NotADirectory,
            format!("cannot go to {}: {error}", dir.display()),
        );
    }
    #[expect(clippy::disallowed_methods, reason = "this is an adapter of the os layer")]
    let mut command = Command::new(&argv[0]);
    command.args(&argv[1..]).env_clear().envs(env).exec()
}

/// Runs `argv` with our terminal, to its end. What interrupts it is for it to answer: we go on until it
/// has ended. `argv` has at least one element.
pub async fn run_attached(
    argv: &[String],
    env: &BTreeMap<String, String>,
    dir: &Path,
) -> io::Result<ExitStatus> {
    let _interrupt = signal(SignalKind::interrupt())?;
    let _quit = signal(SignalKind::quit())?;
    // Said apart, since a missing folder is reported like a missing program.
    if !dir.is_dir() {
        let text = format!("there is no folder {}", dir.display());
        return Err(io::Error::new(io::ErrorKind::NotADirectory, text));
    }
    #[expect(clippy::disallowed_methods, reason = "this is an adapter of the os layer")]
    let mut command = Command::new(&argv[0]);
    let mut child = command.args(&argv[1..]).env_clear().envs(env).current_dir(dir).spawn()?;
    tokio::task::spawn_blocking(move || child.wait()).await.map_err(io::Error::other)?
}

/// Becomes this program with other arguments. Comes back only with the reason why not.
pub fn become_self(args: &[&str]) -> io::Error {
    #[expect(clippy::disallowed_methods, reason = "this is an adapter of the os layer")]
    let mut command = Command::new("/proc/self/exe");
    command.arg0("locald").args(args).exec()
}

/// Becomes another program under our name, with our environment but for one new entry and some that
/// are left out. Comes back only with the reason why not, and then nothing has changed.
pub fn become_successor(
    program: &Path,
    args: &[&str],
    (name, value): (&str, &str),
    without: &[&str],
) -> io::Error {
    let attempt = || -> io::Result<Infallible> {
        let text = |text: OsString| CString::new(text.into_vec()).map_err(io::Error::from);
        let me = env::args_os().next().unwrap_or_else(|| "locald".into());
        let words = std::iter::once(me).chain(args.iter().map(OsString::from)).map(text);
        let others = env::vars_os()
            .filter(|(known, _)| known != name && without.iter().all(|without| known != without));
        let entries = others.chain([(name.into(), value.into())]).map(|(mut entry, value)| {
            entry.push("=");
            entry.push(value);
            text(entry)
        });
        let (words, entries) =
            (words.collect::<Result<Vec<_>, _>>()?, entries.collect::<Result<Vec<_>, _>>()?);
        // The standard library's would have changed how signals are taken.
        Ok(execve(&text(program.into())?, &words, &entries)?)
    };
    match attempt() {
        Ok(never) => match never {},
        Err(error) => error,
    }
}

/// Becomes `argv` as another user, without any of our groups. Comes back only with the reason why not.
/// `argv` has at least one element.
pub fn become_other(uid: u32, gid: u32, argv: &[OsString]) -> io::Error {
    #[expect(clippy::disallowed_methods, reason = "this is an adapter of the os layer")]
    let mut command = Command::new(&argv[0]);
    command.args(&argv[1..]).gid(gid).uid(uid).exec()
}

/// Runs `program` to its end, without input and output.
pub fn run_quietly(program: &str, arg: &str) -> io::Result<ExitStatus> {
    #[expect(clippy::disallowed_methods, reason = "this is an adapter of the os layer")]
    let mut command = Command::new(program);
    command.arg(arg).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()
}

/// Whether `path` is a program that we may run.
pub fn is_program(path: &Path) -> bool {
    path.is_file() && access(path, AccessFlags::X_OK).is_ok()
}
