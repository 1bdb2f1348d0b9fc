//! A locald of the test's own: everything it makes is below one folder, and nothing may outlive it.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
    time::Duration,
};

use tempfile::TempDir;

use super::{
    Project,
    command::{Output, Run},
    kernel,
    status::Status,
    svc,
};

/// Nobody has this user; tests that need an ordinary user become it.
pub(crate) const ORDINARY: u32 = 54_321;

/// Dropped last of all that uses it: what still runs then, or is left, fails the test.
#[derive(Debug)]
pub(crate) struct Home {
    dir: TempDir,
    /// Who runs locald; none: whoever runs the tests.
    user: Option<u32>,
    binary: PathBuf,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self::make(None)
    }

    /// One of an ordinary user; needs root to make it, or is that of whoever runs the tests.
    pub(crate) fn of_ordinary_user() -> Self {
        Self::make(kernel::am_root().then_some(ORDINARY))
    }

    /// One of this user's; needs root to make it.
    pub(crate) fn of(user: u32) -> Self {
        Self::make(Some(user))
    }

    fn make(user: Option<u32>) -> Self {
        // Short, for the sake of the sockets in it.
        let dir = tempfile::Builder::new().prefix("lt").tempdir_in("/tmp").expect("room in /tmp");
        let mut binary = PathBuf::from(env!("CARGO_BIN_EXE_locald"));
        if let Some(user) = user {
            // Where the tests are built, an ordinary user may not look.
            for program in [&binary, &svc::program()] {
                let name = program.file_name().expect("a program");
                let copy = dir.path().join(name);
                // By another process: what is open for writing here, when a neighbour of this test
                // starts a program, cannot be executed.
                Run::new("cp").arg("--").arg(program).arg(&copy).ok();
            }
            binary = dir.path().join("locald");
            chown(dir.path(), Some(user), Some(user)).expect("we are root");
        }
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
        Self { dir, user, binary }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn user(&self) -> Option<u32> {
        self.user
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.path().join("run/locald.sock")
    }

    pub(crate) fn state_dir(&self) -> PathBuf {
        self.path().join("state")
    }

    /// Any program, in the environment of this home.
    pub(crate) fn program(&self, program: impl AsRef<Path>) -> Run {
        let run = Run::new(program.as_ref())
            .empty_env()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("LANG", "C.UTF-8")
            .env("HOME", self.path())
            .env("LOCALD_HOME", self.path())
            .env("LOCALD_HTTP_PORT", "0")
            .env("LOCALD_HTTPS_PORT", "0")
            // Nobody there: no test has a server fetched that it did not put there.
            .env("npm_config_registry", "http://127.0.0.1:1")
            .within(self.path());
        match self.user {
            Some(user) => run.run_by(user),
            None => run,
        }
    }

    pub(crate) fn binary(&self) -> &Path {
        &self.binary
    }

    /// `locald …`, in the home's folder.
    pub(crate) fn locald<const N: usize>(&self, args: [&str; N]) -> Run {
        self.program(&self.binary).args(args)
    }

    /// The test service, with these steps, as an element of a configuration.
    pub(crate) fn svc<const N: usize>(&self, steps: [&str; N]) -> String {
        let program = match self.user {
            Some(_) => self.path().join("testsvc"),
            None => svc::program(),
        };
        svc::command(&program, &steps)
    }

    /// A project `name` with these services, in a folder of that name.
    pub(crate) fn project(&self, name: &str, services: &str) -> Project<'_> {
        self.project_with(name, "", services)
    }

    /// The same, with more lines for `[project]`.
    pub(crate) fn project_with(&self, name: &str, head: &str, services: &str) -> Project<'_> {
        let text = format!("[project]\nname = \"{name}\"\n{head}\n{services}");
        self.folder(name).with("locald.toml", text)
    }

    /// A project in a folder of this name, without anything in it.
    pub(crate) fn folder(&self, name: &str) -> Project<'_> {
        let dir = self.path().join("p").join(name);
        fs::create_dir_all(&dir).expect("a new folder");
        self.give(&self.path().join("p"));
        self.give(&dir);
        Project::new(self, dir)
    }

    /// Writes a file below the home.
    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(path);
        let dir = path.parent().expect("it is below the home");
        fs::create_dir_all(dir).expect("a new folder");
        fs::write(&path, text).expect("a new file");
        for ancestor in dir.ancestors().take_while(|dir| *dir != self.path()) {
            self.give(ancestor);
        }
        self.give(&path);
        path
    }

    /// Makes it belong to whoever runs locald.
    pub(crate) fn give(&self, path: &Path) {
        if let Some(user) = self.user {
            chown(path, Some(user), Some(user)).expect("we are root");
        }
    }

    /// `status --all --json`.
    pub(crate) fn status(&self) -> Status {
        Status::new(self.locald(["status", "--all", "--json"]).ok().json())
    }

    pub(crate) fn daemon_pid(&self) -> i32 {
        self.status().daemon_pid()
    }

    /// The processes that carry this home in their environment.
    pub(crate) fn processes(&self) -> Vec<kernel::Process> {
        kernel::processes_with("LOCALD_HOME", self.path())
    }

    pub(crate) fn stop_daemon(&self) -> Output {
        self.locald(["server", "stop"]).ok()
    }

    /// Waits until nothing of it runs; then names what does.
    fn survivors(&self) -> Vec<kernel::Process> {
        kernel::gone_within(Duration::from_secs(5), || self.processes())
    }

    fn left_in_run(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path().join("run")).into_iter().flatten();
        entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let failing = std::thread::panicking();
        let stopped = failing || self.locald(["server", "stop"]).run().code() == 0;
        if failing {
            for process in self.processes() {
                process.kill();
            }
            let log = fs::read_to_string(self.state_dir().join("daemon.log")).unwrap_or_default();
            let tail: Vec<&str> = log.lines().rev().take(30).collect();
            eprintln!("--- the daemon's last lines, newest first\n{}", tail.join("\n"));
            return;
        }
        let survivors = self.survivors();
        survivors.iter().for_each(kernel::Process::kill);
        assert!(stopped, "`server stop` failed");
        assert!(survivors.is_empty(), "left running after `server stop`: {survivors:#?}");
        let left = self.left_in_run();
        assert!(left.is_empty(), "left in run/ after `server stop`: {left:?}");
    }
}
