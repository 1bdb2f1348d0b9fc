//! `posix_spawn`, with a new session, a terminal or pipes, and a folder to run in.

#![expect(unsafe_code, reason = "no crate offers posix_spawn with a working directory")]

use std::{
    ffi::{CStr, CString, c_char},
    io,
    mem::MaybeUninit,
    os::fd::RawFd,
    ptr,
    sync::Once,
};

/// What to run, as the system wants it.
pub(super) struct Plan {
    pub(super) program: CString,
    pub(super) argv: Vec<CString>,
    pub(super) env: Vec<CString>,
    pub(super) dir: CString,
}

/// The program's standard descriptors.
#[derive(Clone, Copy)]
pub(super) enum Stdio<'a> {
    /// All three are this terminal.
    Terminal(&'a CStr),
    /// This or no input, and a pipe each for output and errors.
    Pipes { input: Option<RawFd>, out: RawFd, err: RawFd },
}

impl Plan {
    /// Lets `/bin/sh` read the program.
    pub(super) fn run_by_shell(&mut self) {
        let script = std::mem::replace(&mut self.program, c"/bin/sh".to_owned());
        self.argv.splice(..1, [c"/bin/sh".to_owned(), script]);
    }
}

/// Lets no child inherit what we inherited ourselves: some editors and shells leak descriptors.
/// Everything that is opened since is close-on-exec anyway.
pub(super) fn keep_to_ourselves() {
    // SAFETY: it only sets close-on-exec, which nobody in this process wants to be unset.
    let result = unsafe {
        libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC)
    };
    if result == 0 {
        return;
    }
    // Before Linux 5.11, one by one.
    let numbers = std::fs::read_dir("/proc/self/fd").into_iter().flatten();
    for number in numbers.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()) {
        if number > 2 {
            // SAFETY: as above; a number that is closed by now fails, or is close-on-exec already.
            unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) };
        }
    }
}

/// Starts the program and answers its pid.
pub(super) fn spawn(plan: &Plan, stdio: Stdio<'_>) -> io::Result<i32> {
    static ONCE: Once = Once::new();
    ONCE.call_once(keep_to_ourselves);
    let attributes = Attributes::new()?;
    let actions = Actions::new(&plan.dir, stdio)?;
    let argv = pointers(&plan.argv);
    let env = pointers(&plan.env);
    let mut pid = 0;
    // SAFETY: both objects are initialised; the arrays end in null, point to strings that
    // `plan` owns, and are only read (C's signature lacks the const).
    check(unsafe {
        libc::posix_spawn(
            &raw mut pid,
            plan.program.as_ptr(),
            actions.0.as_ptr(),
            attributes.0.as_ptr(),
            argv.as_ptr(),
            env.as_ptr(),
        )
    })?;
    Ok(pid)
}

fn pointers(strings: &[CString]) -> Vec<*mut c_char> {
    strings.iter().map(|text| text.as_ptr().cast_mut()).chain([ptr::null_mut()]).collect()
}

/// A new session; every signal at its default and none blocked, whatever the daemon does.
struct Attributes(MaybeUninit<libc::posix_spawnattr_t>);

impl Attributes {
    fn new() -> io::Result<Self> {
        let mut this = Self::init()?;
        let attributes = this.0.as_mut_ptr();
        let (every, none) = (signals(libc::sigfillset), signals(libc::sigemptyset));
        let flags = i32::from(libc::POSIX_SPAWN_SETSID)
            | libc::POSIX_SPAWN_SETSIGDEF
            | libc::POSIX_SPAWN_SETSIGMASK;
        let flags = libc::c_short::try_from(flags).map_err(io::Error::other)?;
        // SAFETY: `attributes` is initialised, the sets are, and both are copied.
        unsafe {
            check(libc::posix_spawnattr_setsigdefault(attributes, &raw const every))?;
            check(libc::posix_spawnattr_setsigmask(attributes, &raw const none))?;
            check(libc::posix_spawnattr_setflags(attributes, flags))?;
        }
        Ok(this)
    }

    fn init() -> io::Result<Self> {
        let mut attributes = MaybeUninit::uninit();
        // SAFETY: the call initialises what it is given, or fails and nobody drops it.
        check(unsafe { libc::posix_spawnattr_init(attributes.as_mut_ptr()) })?;
        Ok(Self(attributes))
    }
}

impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: `init` succeeded, or there would be no value.
        unsafe { libc::posix_spawnattr_destroy(self.0.as_mut_ptr()) };
    }
}

fn signals(fill: unsafe extern "C" fn(*mut libc::sigset_t) -> i32) -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: sigfillset and sigemptyset initialise the set and cannot fail.
    unsafe {
        fill(set.as_mut_ptr());
        set.assume_init()
    }
}

/// What happens between the new session and the program.
struct Actions(MaybeUninit<libc::posix_spawn_file_actions_t>);

impl Actions {
    fn new(dir: &CStr, stdio: Stdio<'_>) -> io::Result<Self> {
        let mut this = Self::init()?;
        match stdio {
            Stdio::Terminal(name) => {
                // A session leader without a controlling terminal gets the first that it opens.
                this.open(0, name, libc::O_RDWR)?;
                this.copy(0, 1)?;
                this.copy(0, 2)?;
            }
            Stdio::Pipes { input, out, err } => {
                match input {
                    Some(input) => this.copy(input, 0)?,
                    None => this.open(0, c"/dev/null", libc::O_RDONLY)?,
                }
                this.copy(out, 1)?;
                this.copy(err, 2)?;
            }
        }
        // SAFETY: initialised; the path is copied.
        check(unsafe {
            libc::posix_spawn_file_actions_addchdir_np(this.0.as_mut_ptr(), dir.as_ptr())
        })?;
        Ok(this)
    }

    fn init() -> io::Result<Self> {
        let mut actions = MaybeUninit::uninit();
        // SAFETY: the call initialises what it is given, or fails and nobody drops it.
        check(unsafe { libc::posix_spawn_file_actions_init(actions.as_mut_ptr()) })?;
        Ok(Self(actions))
    }

    fn open(&mut self, fd: RawFd, path: &CStr, flags: i32) -> io::Result<()> {
        // SAFETY: initialised; the path is copied.
        check(unsafe {
            let actions = self.0.as_mut_ptr();
            libc::posix_spawn_file_actions_addopen(actions, fd, path.as_ptr(), flags, 0)
        })
    }

    fn copy(&mut self, from: RawFd, to: RawFd) -> io::Result<()> {
        // SAFETY: initialised; a bad number fails later, in the child.
        check(unsafe { libc::posix_spawn_file_actions_adddup2(self.0.as_mut_ptr(), from, to) })
    }
}

impl Drop for Actions {
    fn drop(&mut self) {
        // SAFETY: `init` succeeded, or there would be no value.
        unsafe { libc::posix_spawn_file_actions_destroy(self.0.as_mut_ptr()) };
    }
}

/// These functions answer the error itself; `errno` means nothing.
fn check(error: i32) -> io::Result<()> {
    if error == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(error)) }
}
