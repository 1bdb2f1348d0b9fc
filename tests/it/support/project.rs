//! A project's folder, and commands in it.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use serde_json::Value;

use super::{
    DEADLINE, Home, Output, ProjectStatus, ServiceStatus, command::Run, status::Status,
    stream::Stream,
};

/// A folder below a home.
#[derive(Debug)]
pub(crate) struct Project<'a> {
    home: &'a Home,
    dir: PathBuf,
}

impl<'a> Project<'a> {
    pub(super) fn new(home: &'a Home, dir: PathBuf) -> Self {
        Self { home, dir }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Writes a file in it.
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.dir.join(name);
        let below = path.strip_prefix(self.home.path()).expect("it is below the home");
        self.home.write(below.to_str().expect("a plain path"), text);
    }

    pub(crate) fn with(self, name: &str, text: impl AsRef<[u8]>) -> Self {
        let path = self.dir.join(name);
        fs::create_dir_all(path.parent().expect("it has one")).expect("a new folder");
        fs::write(&path, text).expect("a new file");
        self.home.give(&path);
        self
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.dir.join(name)).unwrap_or_default()
    }

    pub(crate) fn lines(&self, name: &str) -> Vec<String> {
        self.read(name).lines().map(str::to_owned).collect()
    }

    /// A pipe with a name, on which a service waits until the test opens it.
    pub(crate) fn gate(&self, name: &str) {
        let path = self.dir.join(name);
        let mode = nix::sys::stat::Mode::from_bits_truncate(0o600);
        nix::unistd::mkfifo(&path, mode).expect("a new name");
        self.home.give(&path);
    }

    /// Lets whoever waits at the gate go on; waits until somebody does.
    pub(crate) fn open(&self, name: &str) {
        let path = self.dir.join(name);
        let (send, opened) = std::sync::mpsc::channel();
        std::thread::spawn(move || send.send(fs::write(path, b"go\n").is_ok()));
        let opened = opened.recv_timeout(DEADLINE);
        assert_eq!(opened, Ok(true), "nobody waits at the gate {name}");
    }

    /// `locald …` in this folder.
    pub(crate) fn locald<const N: usize>(&self, args: [&str; N]) -> Run {
        self.home.locald(args).within(&self.dir)
    }

    /// `locald up`, which must succeed.
    #[track_caller]
    pub(crate) fn up(&self) -> Output {
        self.locald(["up"]).ok()
    }

    /// Its element of `status --json`.
    #[track_caller]
    pub(crate) fn status(&self) -> ProjectStatus {
        let output = self.locald(["status", "--json"]).ok();
        let status = Status::new(output.json());
        let project = status.projects().into_iter().next();
        project.unwrap_or_else(|| panic!("no project in {output}"))
    }

    #[track_caller]
    pub(crate) fn service(&self, name: &str) -> ServiceStatus {
        self.status().service(name)
    }

    /// Waits until `is` holds of the project's status, by watching it.
    #[track_caller]
    pub(crate) fn until(&self, what: &str, is: impl Fn(&ProjectStatus) -> bool) -> ProjectStatus {
        let mut watch = self.locald(["status", "--watch", "--json"]).stream();
        let until = Instant::now() + DEADLINE;
        let mut last = None;
        while let Some(line) = watch.line() {
            let value: Value = serde_json::from_str(&line).expect("lines of JSON");
            if let Some(project) = Status::new(value).projects().into_iter().next() {
                if is(&project) {
                    return project;
                }
                last = Some(project);
            }
            assert!(Instant::now() < until, "this never came true: {what}: {last:#?}");
        }
        panic!("`status --watch` ended before {what}: {last:#?}");
    }

    #[track_caller]
    pub(crate) fn until_state(&self, service: &str, state: &str) -> ServiceStatus {
        let what = format!("{service} is {state}");
        self.until(&what, |project| project.is(service, state)).service(service)
    }

    /// Waits for a new process of a service, healthy.
    #[track_caller]
    pub(crate) fn until_replaced(&self, service: &str, old: i32) -> ServiceStatus {
        let what = format!("{service} has another process than {old}");
        let status = self.until(&what, |project| {
            let service = project.service(service);
            service.state() == "healthy" && service.maybe_pid().is_some_and(|pid| pid != old)
        });
        status.service(service)
    }

    /// The lines of a service's log, without anything that locald adds.
    #[track_caller]
    pub(crate) fn log(&self, service: &str) -> Vec<String> {
        let output = self.locald(["logs", service]).ok();
        output.stdout.lines().map(str::to_owned).collect()
    }

    /// `logs -f`.
    pub(crate) fn follow(&self, service: &str) -> Stream {
        self.locald(["logs", "-f", service]).stream()
    }

    /// The events of the project so far, as "service event".
    #[track_caller]
    pub(crate) fn events(&self) -> Vec<String> {
        let output = self.locald(["events", "--json"]).ok();
        let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        output
            .json_lines()
            .iter()
            .map(|event| format!("{} {}", word(&event["service"]), word(&event["event"])))
            .collect()
    }
}
