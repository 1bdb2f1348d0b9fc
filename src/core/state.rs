//! `state.json`: what a new daemon needs to know of the old one. Documented here, versioned by [`VERSION`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::id::{ProjectName, ServiceName};

/// The version that this program writes, and the only one that it reads.
pub const VERSION: u32 = 1;

/// The whole file.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct State {
    /// [`VERSION`].
    pub version: u32,
    /// The boot that process ids and start times belong to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot_id: Option<String>,
    /// The number of the last event, so that numbering goes on without a gap.
    #[serde(default)]
    pub last_seq: u64,
    /// The projects that were up.
    #[serde(default)]
    pub projects: Vec<ProjectState>,
    /// The ports that services had, so that they get them again.
    #[serde(default)]
    pub leases: Vec<Lease>,
}

/// A project that was up.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ProjectState {
    /// Its folder, absolute.
    pub dir: String,
    /// Its name.
    pub name: ProjectName,
    /// The environment of the client that started it last.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// The terminal of that client; none if it had none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal: Option<TerminalSize>,
    /// The configuration in effect: the file may say something else by now, or nothing that makes sense.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<Configuration>,
    /// Its services.
    #[serde(default)]
    pub services: BTreeMap<ServiceName, ServiceState>,
}

/// A configuration file.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Configuration {
    /// The file's name, in the project's folder.
    pub file: String,
    /// What stood in it.
    pub text: String,
}

/// A terminal's size in characters.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct TerminalSize {
    /// Its width.
    pub cols: u16,
    /// Its height.
    pub rows: u16,
}

/// A service of a project that was up.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct ServiceState {
    /// Whether it is to run.
    #[serde(default)]
    pub wanted: bool,
    /// Whether it is a task that has completed since the project came up.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub completed: bool,
    /// The number of its latest process.
    #[serde(default)]
    pub generation: u64,
    /// Its process; none while it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<ProcessState>,
}

/// A process, identified beyond reuse of its id.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ProcessState {
    /// Its id, also of its session and its group.
    pub pid: i32,
    /// When it started, in clock ticks since boot.
    pub start_time: u64,
}

/// A port that a service had.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Lease {
    /// The project.
    pub project: ProjectName,
    /// The service.
    pub service: ServiceName,
    /// The port.
    pub port: u16,
}

/// Why a text is no state to go on from.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum StateError {
    /// Truncated, damaged, or something else altogether.
    #[error("the state is damaged: {0}")]
    Corrupt(String),
    /// Written by a later locald.
    #[error("the state is of version {0}, this locald knows version {VERSION}")]
    Future(u64),
}

/// Reads a `state.json`; fields that it does not know are ignored.
pub fn parse(text: &str) -> Result<State, StateError> {
    let corrupt = |why: serde_json::Error| StateError::Corrupt(why.to_string());
    let value: serde_json::Value = serde_json::from_str(text).map_err(corrupt)?;
    match value.get("version").and_then(serde_json::Value::as_u64) {
        Some(version) if version == u64::from(VERSION) => {
            serde_json::from_value(value).map_err(corrupt)
        }
        Some(version) if version > u64::from(VERSION) => Err(StateError::Future(version)),
        _ => Err(StateError::Corrupt("it has no version".to_owned())),
    }
}

/// Writes a `state.json`.
pub fn render(state: &State) -> String {
    let mut text = serde_json::to_string_pretty(state)
        .expect("strings, numbers and maps with string keys can always be written");
    text.push('\n');
    text
}

impl State {
    /// A project is as follows, but for its processes: those are known from [`Self::runs`].
    pub fn put(&mut self, mut project: ProjectState) {
        for service in project.services.values_mut() {
            service.process = None;
        }
        let Some(known) = self.projects.iter_mut().find(|known| known.dir == project.dir) else {
            return self.projects.push(project);
        };
        for (name, service) in std::mem::take(&mut known.services) {
            if service.process.is_some() {
                project.services.entry(name).or_default().process = service.process;
            }
        }
        *known = project;
    }

    /// A service has this process, or none; maybe before anything else is known of its project.
    pub fn runs(
        &mut self,
        dir: &str,
        name: ProjectName,
        service: ServiceName,
        process: Option<ProcessState>,
    ) {
        let at = self.projects.iter().position(|known| known.dir == dir);
        let at = match (at, process) {
            (Some(at), _) => at,
            // It has been forgotten.
            (None, None) => return,
            (None, Some(_)) => {
                self.projects.push(ProjectState::new(dir.to_owned(), name));
                self.projects.len() - 1
            }
        };
        self.projects[at].services.entry(service).or_default().process = process;
    }

    /// This boot is another one than that of the processes, unless it is `boot_id`.
    pub fn booted(&mut self, boot_id: Option<String>) {
        if boot_id.is_none() || self.boot_id != boot_id {
            let services = self.projects.iter_mut().flat_map(|it| it.services.values_mut());
            services.for_each(|service| service.process = None);
        }
        self.boot_id = boot_id;
    }
}

impl ProjectState {
    /// Nothing of it is known yet.
    fn new(dir: String, name: ProjectName) -> Self {
        Self {
            dir,
            name,
            env: BTreeMap::new(),
            terminal: None,
            configuration: None,
            services: BTreeMap::new(),
        }
    }
}

impl Default for State {
    fn default() -> Self {
        Self { version: VERSION, boot_id: None, last_seq: 0, projects: vec![], leases: vec![] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> State {
        let name = |text| ServiceName::parse(text).unwrap();
        let process = Some(ProcessState { pid: 42, start_time: 7 });
        let web = ServiceState { wanted: true, completed: false, generation: 3, process };
        let shop = ProjectState {
            dir: "/srv/shop".to_owned(),
            name: ProjectName::parse("shop").unwrap(),
            env: [("A".to_owned(), "ü\n".to_owned())].into(),
            terminal: Some(TerminalSize { cols: 80, rows: 24 }),
            configuration: Some(Configuration {
                file: "Procfile".to_owned(),
                text: "web: true\n".to_owned(),
            }),
            services: [(name("web"), web), (name("job"), ServiceState::default())].into(),
        };
        let lease = Lease { project: shop.name.clone(), service: name("web"), port: 40_123 };
        let boot_id = Some("b".to_owned());
        State {
            boot_id,
            last_seq: 9,
            projects: vec![shop],
            leases: vec![lease],
            ..State::default()
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for state in [State::default(), full()] {
            assert_eq!(parse(&render(&state)), Ok(state));
        }
    }

    #[test]
    fn processes_are_known_whatever_is_told_first() {
        let name = |text| ServiceName::parse(text).unwrap();
        let process = ProcessState { pid: 42, start_time: 7 };
        let shop = || ProjectName::parse("shop").unwrap();
        let mut state = State::default();
        state.runs("/srv/shop", shop(), name("web"), Some(process));
        let mut wanted = full().projects.remove(0);
        wanted.services.remove("web");
        state.put(wanted);
        let of = |state: &State| state.projects[0].services["web"].process;
        assert_eq!(of(&state), Some(process), "it runs on though it is in no plan any more");
        state.put(full().projects.remove(0));
        assert_eq!((of(&state), state.projects[0].services["web"].wanted), (Some(process), true));
        state.runs("/srv/shop", shop(), name("web"), None);
        state.put(full().projects.remove(0));
        assert_eq!(of(&state), None, "what is wanted says nothing of processes");
        state.projects.clear();
        state.runs("/srv/shop", shop(), name("web"), None);
        assert_eq!(state, State::default(), "forgotten is forgotten");
    }

    #[test]
    fn processes_are_of_their_boot() {
        let process = |state: &State| state.projects[0].services["web"].process;
        let mut state = full();
        state.booted(full().boot_id);
        assert_eq!(state, full());
        for (before, now) in [(Some("b"), Some("c")), (None, Some("c")), (Some("b"), None)] {
            let mut state = State { boot_id: before.map(str::to_owned), ..full() };
            state.booted(now.map(str::to_owned));
            assert_eq!((process(&state), state.boot_id.as_deref()), (None, now));
        }
    }

    #[test]
    fn a_truncated_file_is_corrupt_at_every_length() {
        let text = render(&full());
        for end in (0..text.trim_end().len()).filter(|&end| text.is_char_boundary(end)) {
            assert!(matches!(parse(&text[..end]), Err(StateError::Corrupt(_))), "{end}");
        }
    }

    #[test]
    fn unknown_fields_are_ignored_and_missing_ones_have_defaults() {
        assert_eq!(parse(r#"{"version": 1, "moon": true}"#), Ok(State::default()));
    }

    #[test]
    fn other_versions_and_other_things_are_told_apart() {
        assert_eq!(parse(r#"{"version": 2, "projects": 5}"#), Err(StateError::Future(2)));
        for other in ["", "[]", "{}", "null", r#"{"version": 0}"#, r#"{"version": "1"}"#] {
            assert!(matches!(parse(other), Err(StateError::Corrupt(_))), "{other}");
        }
    }
}
