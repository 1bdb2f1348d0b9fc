//! Starts a program that outlives us, and learns through a pipe whether it got going.

#![expect(
    unsafe_code,
    reason = "setsid and closing descriptors between fork and exec; taking over a descriptor by number"
)]

use std::{
    env,
    fs::File,
    io::{self, Read as _},
    os::{
        fd::{AsFd, AsRawFd as _, FromRawFd as _, OwnedFd, RawFd},
        unix::process::CommandExt as _,
    },
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use nix::{
    fcntl::{FcntlArg, FdFlag, OFlag, fcntl},
    poll::{PollFd, PollFlags, PollTimeout, poll},
    unistd::{pipe2, setsid},
};

use super::clock;

/// Names the descriptor on which the started program says one line and which it then closes.
pub const READY_FD: &str = "LOCALD_READY_FD";
/// Nobody says more than that.
const LONGEST: u64 = 64 << 10;

/// Starts `program` in a session of its own, in `/`, with its output in `log` and no other
/// descriptor than the pipe that [`READY_FD`] names. Answers the reading end of that pipe.
pub fn detach(program: &Path, args: &[&str], log: &File) -> io::Result<File> {
    let (read, write) = pipe2(OFlag::O_CLOEXEC)?;
    let ready = write.as_raw_fd();
    #[expect(clippy::disallowed_methods, reason = "this is an adapter of the os layer")]
    let mut command = Command::new(program);
    command
        .args(args)
        .env(READY_FD, ready.to_string())
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log.try_clone()?);
    // SAFETY: the closure only makes system calls, which may be made between fork and exec.
    unsafe { command.pre_exec(move || only_keep(ready)) };
    // Not waited for: it outlives us, and if not, its end of the pipe says so.
    drop(command.spawn()?);
    Ok(read.into())
}

/// In the child: leaves the terminal's session, and all descriptors but one and the standard ones.
fn only_keep(ready: RawFd) -> io::Result<()> {
    setsid()?;
    // Whatever we were given by accident (a pipe of a script) must not stay open in a daemon.
    // SAFETY: only marks descriptors; those of the standard library's own stay usable until exec.
    // A kernel without it (before 5.11) leaves them open: untidy, and no reason not to start.
    let _untidy = unsafe {
        libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC)
    };
    // SAFETY: `ready` is the pipe's writing end, which is open in this process.
    let kept = unsafe { libc::fcntl(ready, libc::F_SETFD, 0) };
    if kept < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// What the started program says on the pipe, up to its closing; none: it has not come to an end
/// within `limit`. An empty text: it ended without a word.
pub fn hear(mut pipe: File, limit: Duration) -> io::Result<Option<String>> {
    let deadline = clock::now() + limit;
    let mut said = Vec::new();
    loop {
        let left = deadline.saturating_duration_since(clock::now());
        let left =
            PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX);
        match poll(&mut [PollFd::new(pipe.as_fd(), PollFlags::POLLIN)], left) {
            Ok(0) => return Ok(None),
            Ok(_) => {}
            Err(nix::errno::Errno::EINTR) => continue,
            Err(error) => return Err(error.into()),
        }
        let mut chunk = [0; 1024];
        match pipe.read(&mut chunk) {
            Ok(0) => break,
            Ok(length) => said.extend_from_slice(&chunk[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if said.len() as u64 > LONGEST {
            break;
        }
    }
    Ok(Some(String::from_utf8_lossy(&said).into_owned()))
}

/// In the started program: the pipe to say on that it is ready, if somebody waits for that. To be
/// called once, before anything else is opened.
pub fn ready_pipe() -> Option<File> {
    inherited(READY_FD).map(File::from)
}

/// A descriptor that whoever started this program has given it, and named in the variable `name`.
/// To be called once for each, before anything else is opened.
pub fn inherited(name: &str) -> Option<OwnedFd> {
    heirloom(env::var(name).ok()?.parse().ok()?)
}

/// A descriptor of this number that the program which we were before, or which has started us, has
/// left open for us. To be called once for each, before anything else is opened.
pub fn heirloom(fd: RawFd) -> Option<OwnedFd> {
    if fd <= libc::STDERR_FILENO {
        return None;
    }
    // SAFETY: whoever told us the number has opened this descriptor for us and told nobody else of it;
    // should the number be wrong, the next line finds that it is not open.
    let inherited = unsafe { OwnedFd::from_raw_fd(fd) };
    if fcntl(&inherited, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).is_err() {
        // Not ours to close.
        std::mem::forget(inherited);
        return None;
    }
    Some(inherited)
}

/// Lets programs that are started from now on inherit `fd`, or not.
pub fn bequeath(fd: impl AsFd, inherited: bool) -> io::Result<()> {
    let flags = if inherited { FdFlag::empty() } else { FdFlag::FD_CLOEXEC };
    fcntl(fd, FcntlArg::F_SETFD(flags))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(script: &str) -> (File, tempfile::NamedTempFile) {
        let log = tempfile::NamedTempFile::new().expect("a temporary file");
        let pipe =
            detach(Path::new("/bin/sh"), &["-c", script], log.as_file()).expect("there is a shell");
        (pipe, log)
    }

    const LIMIT: Duration = Duration::from_secs(20);

    #[test]
    fn the_word_of_the_program_is_heard_while_it_goes_on() {
        let (pipe, _log) = started(
            // Some shells know only descriptors of one digit.
            "exec bash -c 'eval \"echo ready >&$LOCALD_READY_FD; exec $LOCALD_READY_FD>&-\"; \
             sleep 30 & wait'",
        );
        assert_eq!(hear(pipe, LIMIT).expect("it can be read").as_deref(), Some("ready\n"));
    }

    #[test]
    fn an_end_without_a_word_is_noticed() {
        let (pipe, log) = started("echo no room >&2; exit 3");
        assert_eq!(hear(pipe, LIMIT).expect("it can be read").as_deref(), Some(""));
        assert_eq!(std::fs::read_to_string(log.path()).expect("it is there"), "no room\n");
    }

    #[test]
    fn silence_has_an_end() {
        let (pipe, _log) = started("read -r never < /dev/tty || sleep 2");
        assert_eq!(hear(pipe, Duration::from_millis(50)).expect("it can be read"), None);
    }

    #[test]
    fn it_has_a_session_of_its_own_and_nothing_of_ours() {
        let (leak, _end) = nix::unistd::pipe().expect("a pipe");
        let leak = leak.as_raw_fd();
        let (pipe, log) = started(&format!(
            "cut -d' ' -f1,6 /proc/$$/stat; pwd; test -e /proc/$$/fd/{leak} && echo leaks"
        ));
        hear(pipe, LIMIT).expect("it can be read");
        let said = std::fs::read_to_string(log.path()).expect("it is there");
        let lines: Vec<&str> = said.lines().collect();
        let (pid, session) = lines[0].split_once(' ').expect("two numbers");
        assert_eq!(pid, session);
        assert_eq!(lines[1..], ["/"]);
    }
}
