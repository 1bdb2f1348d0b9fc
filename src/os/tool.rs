//! Runs the programs of the system: found in a fixed list of folders, without a shell, bounded in time.

use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::{io::AsyncReadExt, net::unix::pipe, time};

use crate::{
    core::notify::harmless_line,
    os::{
        child::Ending,
        exec,
        signals::signal_name,
        spawn::{Command, Output, spawn},
    },
};

/// Nobody can put a program of their own here.
const FOLDERS: [&str; 6] =
    ["usr/bin", "usr/sbin", "bin", "sbin", "usr/local/bin", "run/current-system/sw/bin"];
/// Of what a program says, so much is looked at.
const MOST: u64 = 4 << 20;
/// What of its complaints is told.
const LINE: usize = 200;

/// The program `name` of the system below `top`.
pub fn find(top: &Path, name: &str) -> Option<PathBuf> {
    FOLDERS.iter().map(|folder| top.join(folder).join(name)).find(|path| exec::is_program(path))
}

/// Runs it to its end; what it wrote, or what it complained about. Nothing that it has started is left.
pub async fn run(
    program: &Path,
    args: &[impl AsRef<std::ffi::OsStr>],
    within: Duration,
) -> Result<Vec<u8>, String> {
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    let mut words = vec![program.as_os_str().to_owned()];
    words.extend(args.iter().map(|arg| arg.as_ref().to_owned()));
    let variables = [("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"), ("LC_ALL", "C"), ("HOME", "/")];
    let command = Command {
        argv: words,
        env: variables.map(|(name, value)| (OsString::from(name), OsString::from(value))).into(),
        dir: "/".into(),
        output: Output::Pipes,
        marker: None,
    };
    let spawned = spawn(&command).map_err(|error| error.to_string())?;
    let read = |error: io::Error| format!("cannot read what {name} says: {error}");
    let out = pipe::Receiver::from_owned_fd(spawned.out).map_err(read)?;
    let err = spawned.err.map(pipe::Receiver::from_owned_fd).transpose().map_err(read)?;
    let child = spawned.child;
    let whole = async {
        let out = all(Some(out));
        let err = all(err);
        // What it has started may keep the pipes for longer than it lives itself.
        let ending = async {
            let ending = child.exited().await;
            drop(child.clear(None, Duration::ZERO).await);
            ending
        };
        tokio::join!(ending, out, err)
    };
    let whole = time::timeout(within, whole).await;
    let Ok((ending, out, err)) = whole else {
        drop(child.clear(None, Duration::ZERO).await);
        return Err(format!("{name} did not end within {} s", within.as_secs()));
    };
    let what = match ending {
        Ending::Code(0) => return Ok(out),
        Ending::Code(code) => format!("{name} exited {code}"),
        Ending::Signal(signal) => format!("{name} ended by {}", signal_name(signal)),
    };
    let lines = |bytes: &[u8]| {
        let mut lines = bytes.rsplit(|&byte| byte == b'\n').map(|line| harmless_line(line, LINE));
        lines.find(|line| !line.is_empty())
    };
    let said = lines(&err).or_else(|| lines(&out));
    Err(said.map_or_else(|| what.clone(), |said| format!("{what}: {said}")))
}

async fn all(pipe: Option<pipe::Receiver>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        // What was read before an error is all there is.
        let _read = pipe.take(MOST).read_to_end(&mut bytes).await;
    }
    bytes
}
