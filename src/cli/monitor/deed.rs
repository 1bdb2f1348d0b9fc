//! What a person has done to services.

use std::path::PathBuf;

/// An operation on services of a project.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Deed {
    /// What is done.
    pub verb: Verb,
    /// The project's folder.
    pub dir: PathBuf,
    /// What people call that project.
    pub project: String,
    /// The service; none: all.
    pub service: Option<String>,
}

/// What is done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verb {
    /// Started, with what it needs.
    Start,
    /// Stopped.
    Stop,
    /// Restarted.
    Restart,
}

impl Deed {
    /// Whom it is done to.
    pub fn whom(&self) -> &str {
        self.service.as_deref().unwrap_or(&self.project)
    }

    /// That it is being done.
    pub fn under_way(&self) -> String {
        let doing = match self.verb {
            Verb::Start => "starting",
            Verb::Stop => "stopping",
            Verb::Restart => "restarting",
        };
        format!("{doing} {}…", self.whom())
    }

    /// That it is done.
    pub fn done(&self) -> String {
        let done = match self.verb {
            Verb::Start => "up",
            Verb::Stop => "stopped",
            Verb::Restart => "up again",
        };
        format!("{} is {done}", self.whom())
    }

    /// The question before it is done to a whole project.
    pub fn question(&self) -> String {
        let verb = match self.verb {
            Verb::Start => "Start",
            Verb::Stop => "Stop",
            Verb::Restart => "Restart",
        };
        format!("{verb} all services of {}? y/n", self.project)
    }
}
