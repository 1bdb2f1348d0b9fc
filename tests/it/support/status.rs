//! `status --json`, read by the names of the contract.

use serde_json::Value;

/// The whole answer.
#[derive(Clone, Debug)]
pub(crate) struct Status(Value);

/// An element of `projects`.
#[derive(Clone, Debug)]
pub(crate) struct ProjectStatus(pub(crate) Value);

/// An element of `services`.
#[derive(Clone, Debug)]
pub(crate) struct ServiceStatus(pub(crate) Value);

impl Status {
    pub(crate) fn new(value: Value) -> Self {
        Self(value)
    }

    pub(crate) fn value(&self) -> &Value {
        &self.0
    }

    pub(crate) fn daemon_pid(&self) -> i32 {
        number(&self.0["daemon"]["pid"]).expect("a daemon has a pid")
    }

    pub(crate) fn heart(&self) -> Option<i32> {
        number(&self.0["daemon"]["heart"])
    }

    pub(crate) fn projects(&self) -> Vec<ProjectStatus> {
        let projects = self.0["projects"].as_array().expect("a list of projects");
        projects.iter().cloned().map(ProjectStatus).collect()
    }

    #[track_caller]
    pub(crate) fn project(&self, name: &str) -> ProjectStatus {
        let found = self.projects().into_iter().find(|project| project.0["name"] == name);
        found.unwrap_or_else(|| panic!("no project {name} in {:#}", self.0))
    }
}

impl ProjectStatus {
    pub(crate) fn state(&self) -> &str {
        self.0["state"].as_str().expect("a project has a state")
    }

    pub(crate) fn services(&self) -> Vec<ServiceStatus> {
        let services = self.0["services"].as_array().expect("a list of services");
        services.iter().cloned().map(ServiceStatus).collect()
    }

    #[track_caller]
    pub(crate) fn service(&self, name: &str) -> ServiceStatus {
        let found = self.services().into_iter().find(|service| service.0["name"] == name);
        found.unwrap_or_else(|| panic!("no service {name} in {:#}", self.0))
    }

    /// Whether the service is in this state.
    pub(crate) fn is(&self, service: &str, state: &str) -> bool {
        self.service(service).state() == state
    }

    /// Every service with its state, as "db=healthy web=waiting".
    pub(crate) fn states(&self) -> String {
        let one = |service: &ServiceStatus| format!("{}={}", service.name(), service.state());
        self.services().iter().map(one).collect::<Vec<_>>().join(" ")
    }
}

impl ServiceStatus {
    pub(crate) fn name(&self) -> &str {
        self.0["name"].as_str().expect("a service has a name")
    }

    pub(crate) fn state(&self) -> &str {
        self.0["state"].as_str().expect("a service has a state")
    }

    /// Empty when there is none.
    pub(crate) fn reason(&self) -> &str {
        self.0["reason"].as_str().unwrap_or("")
    }

    #[track_caller]
    pub(crate) fn pid(&self) -> i32 {
        number(&self.0["pid"]).unwrap_or_else(|| panic!("no pid in {:#}", self.0))
    }

    pub(crate) fn maybe_pid(&self) -> Option<i32> {
        number(&self.0["pid"])
    }

    #[track_caller]
    pub(crate) fn port(&self) -> u16 {
        let port = self.0["port"].as_u64().and_then(|port| u16::try_from(port).ok());
        port.unwrap_or_else(|| panic!("no port in {:#}", self.0))
    }

    pub(crate) fn url(&self) -> Option<&str> {
        self.0["url"].as_str()
    }

    pub(crate) fn restarts(&self) -> u64 {
        self.0["restarts"].as_u64().expect("a number of restarts")
    }

    pub(crate) fn last_exit(&self) -> &Value {
        &self.0["last_exit"]
    }

    pub(crate) fn waiting_for(&self) -> Vec<&str> {
        strings(&self.0["waiting_for"])
    }

    pub(crate) fn depends_on(&self) -> Vec<&str> {
        strings(&self.0["depends_on"])
    }
}

fn strings(value: &Value) -> Vec<&str> {
    let list = value.as_array().expect("a list");
    list.iter().map(|one| one.as_str().expect("a name")).collect()
}

fn number(value: &Value) -> Option<i32> {
    i32::try_from(value.as_i64()?).ok()
}
