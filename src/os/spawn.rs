//! Starts programs: one path for services, tasks and health-check commands.
//!
//! Everything goes through `posix_spawn`, which shares the daemon's memory until the program is
//! loaded instead of copying its page tables, and runs no code of ours in between.

mod posix;
mod program;
#[cfg(test)]
mod tests;

use std::{
    ffi::{CString, OsString},
    io,
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::{Path, PathBuf},
};

use rustix::{
    fs::OFlags,
    pipe::{PipeFlags, fcntl_setpipe_size, pipe_with},
};

use self::posix::Plan;
use super::{
    child::Child,
    leaders, limits,
    pty::{self, Pty},
};

/// What to run.
#[derive(Clone, Debug)]
pub struct Command {
    /// The program and its arguments. A program without a slash is looked up in the `PATH` of `env`.
    pub argv: Vec<OsString>,
    /// The whole environment: nothing is inherited.
    pub env: Vec<(OsString, OsString)>,
    /// Where it runs; relative programs and `PATH` entries start from here.
    pub dir: PathBuf,
    /// Where its output goes.
    pub output: Output,
    /// An entry of `env` ("NAME=value") that nothing but this service and its descendants has.
    /// By it a descendant is known that has left the session and lost its parents.
    pub marker: Option<OsString>,
}

/// Where a program's output goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// To a terminal of this size, which is the controlling one.
    Pty {
        /// Columns.
        cols: u16,
        /// Rows.
        rows: u16,
    },
    /// To two pipes; there is no input.
    Pipes,
}

/// A program that runs.
#[derive(Debug)]
pub struct Spawned {
    /// Its process, leader of its own session.
    pub child: Child,
    /// The terminal's master, or the pipe from its standard output. Non-blocking.
    pub out: OwnedFd,
    /// The pipe from its standard error; a terminal mixes both.
    pub err: Option<OwnedFd>,
    /// The terminal.
    pub pty: Option<Pty>,
}

/// Why a program could not be started.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// `argv` is empty.
    #[error("there is no command to run")]
    NoCommand,
    /// No program of that name, neither in `PATH` nor as a path.
    #[error("no such program: {0}")]
    NoSuchProgram(String),
    /// It is there, but it is a folder or lacks the permission.
    #[error("{} is not executable", .0.display())]
    NotExecutable(PathBuf),
    /// The first line of a script names a program that is not there.
    #[error("{} wants to be run by {interpreter}, which does not exist", program.display())]
    NoInterpreter {
        /// The script.
        program: PathBuf,
        /// What its first line asks for.
        interpreter: String,
    },
    /// The folder to run in does not exist or is not one.
    #[error("no such folder to run in: {}", .0.display())]
    NoSuchWorkdir(PathBuf),
    /// The folder to run in cannot be entered.
    #[error("cannot run in {}: {source}", path.display())]
    Workdir {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// An argument, a variable or the folder contains a NUL byte.
    #[error("{0:?} contains a NUL byte, which no argument or variable can hold")]
    Nul(String),
    /// A variable's name is empty or contains "=".
    #[error("{0:?} cannot be the name of a variable")]
    Variable(String),
    /// The terminal or the pipes could not be opened.
    #[error("cannot open a terminal or pipe: {0}")]
    Output(#[source] io::Error),
    /// Anything else the system says, such as too many processes.
    #[error("cannot run {program}: {source}")]
    System {
        /// What was to run.
        program: String,
        /// What the system says.
        source: io::Error,
    },
}

/// Starts a program as leader of a new session, with default signals and nothing inherited but
/// the three standard descriptors. Must be called within a tokio runtime.
pub fn spawn(command: &Command) -> Result<Spawned, SpawnError> {
    spawn_fed(command, None)
}

/// The same with something to read on standard input, if its output goes to pipes.
pub fn spawn_fed(command: &Command, input: Option<BorrowedFd<'_>>) -> Result<Spawned, SpawnError> {
    let name = command.argv.first().ok_or(SpawnError::NoCommand)?;
    program::check_dir(&command.dir)?;
    let path = program::find(name, &command.env, &command.dir)?;
    let mut plan = Plan {
        program: c_string(path.as_os_str().as_bytes())?,
        argv: command
            .argv
            .iter()
            .map(|word| c_string(word.as_bytes()))
            .collect::<Result<_, _>>()?,
        env: command.env.iter().map(variable).collect::<Result<_, _>>()?,
        dir: c_string(command.dir.as_os_str().as_bytes())?,
    };
    let wiring = Wiring::open(command.output).map_err(SpawnError::Output)?;
    let child = start(&mut plan, wiring.stdio(input), command)
        .map_err(|source| program::explain(source, &path, name, &command.dir))?;
    Ok(Spawned { child, out: wiring.out, err: wiring.err, pty: wiring.pty })
}

/// The daemon's ends of the output, and the program's.
struct Wiring {
    out: OwnedFd,
    err: Option<OwnedFd>,
    pty: Option<Pty>,
    theirs: Theirs,
}

enum Theirs {
    Terminal { name: CString, _open: Box<dyn portable_pty::SlavePty + Send> },
    Pipes { out: OwnedFd, err: OwnedFd },
}

impl Wiring {
    fn open(output: Output) -> io::Result<Self> {
        match output {
            Output::Pty { cols, rows } => Self::open_pty(cols, rows),
            Output::Pipes => Self::open_pipes(),
        }
    }

    fn open_pty(cols: u16, rows: u16) -> io::Result<Self> {
        let quiet = leaders::quiet();
        let fresh = pty::open(cols, rows)?;
        drop(quiet);
        non_blocking(&fresh.master)?;
        let pty = Pty::of_master(fresh.master.try_clone()?);
        let name = CString::new(fresh.name.as_os_str().as_bytes())?;
        let theirs = Theirs::Terminal { name, _open: fresh.slave };
        Ok(Self { out: fresh.master, err: None, pty: Some(pty), theirs })
    }

    fn open_pipes() -> io::Result<Self> {
        let (out, their_out) = pipe()?;
        let (err, their_err) = pipe()?;
        let theirs = Theirs::Pipes { out: their_out, err: their_err };
        Ok(Self { out, err: Some(err), pty: None, theirs })
    }

    fn stdio(&self, input: Option<BorrowedFd<'_>>) -> posix::Stdio<'_> {
        match &self.theirs {
            Theirs::Terminal { name, .. } => posix::Stdio::Terminal(name),
            Theirs::Pipes { out, err } => {
                let input = input.map(|input| input.as_raw_fd());
                posix::Stdio::Pipes { input, out: out.as_raw_fd(), err: err.as_raw_fd() }
            }
        }
    }
}

fn start(plan: &mut Plan, stdio: posix::Stdio<'_>, command: &Command) -> io::Result<Child> {
    let permit = leaders::permit();
    let pid = match posix::spawn(plan, stdio) {
        // A script without "#!": the shell's, as execvp and every shell see it.
        Err(error) if error.raw_os_error() == Some(libc::ENOEXEC) => {
            plan.run_by_shell();
            posix::spawn(plan, stdio)?
        }
        result => result?,
    };
    leaders::enter(&permit, pid, command.marker.as_deref());
    drop(permit);
    limits::restore_nofile(pid);
    Child::of_spawned(pid, command.marker.clone())
}

fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (ours, theirs) = pipe_with(PipeFlags::CLOEXEC)?;
    non_blocking(&ours)?;
    // More room means fewer stalls of a chatty program. The system may refuse it; then it has less.
    for size in [1 << 20, 1 << 18] {
        if fcntl_setpipe_size(&ours, size).is_ok() {
            break;
        }
    }
    Ok((ours, theirs))
}

fn non_blocking(fd: impl AsFd) -> io::Result<()> {
    let flags = rustix::fs::fcntl_getfl(&fd)?;
    Ok(rustix::fs::fcntl_setfl(&fd, flags | OFlags::NONBLOCK)?)
}

fn variable((name, value): &(OsString, OsString)) -> Result<CString, SpawnError> {
    let name = name.as_bytes();
    if name.is_empty() || name.contains(&b'=') {
        return Err(SpawnError::Variable(String::from_utf8_lossy(name).into_owned()));
    }
    c_string(&[name, b"=", value.as_bytes()].concat())
}

fn c_string(bytes: &[u8]) -> Result<CString, SpawnError> {
    CString::new(bytes).map_err(|_| SpawnError::Nul(String::from_utf8_lossy(bytes).into_owned()))
}

/// The path as a person wants to read it: with the folder it is relative to.
fn shown(path: &Path, dir: &Path) -> PathBuf {
    if path.is_absolute() { path.to_owned() } else { dir.join(path) }
}
