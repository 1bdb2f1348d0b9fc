//! Boards in the words of the socket API.

use std::collections::HashSet;

use tokio::time::Instant;

use super::{Needed, ProjectBoard, ServiceBoard, View, words::exit};
use crate::actors::gate::Gate;
use crate::{
    api::status::{Project, ProjectState, Service, ServiceState},
    core::{
        id::ServiceName,
        plan::{Condition, Kind},
    },
    os::traffic,
    supervision::engine::Phase,
};

/// What a service adds to the state of its project.
#[derive(Clone, Copy)]
struct Share {
    state: ServiceState,
    wanted: bool,
    essential: bool,
}

impl ProjectBoard {
    /// The project as `status` shows it.
    pub fn present(&self, gate: &Gate) -> Project {
        let now = Instant::now();
        Project {
            name: self.name.to_string(),
            path: self.dir.clone(),
            domain: self.domain.load().to_string(),
            state: self.state(),
            config_error: Option::clone(&self.config_error.load()),
            watch_error: Option::clone(&self.watch_error.load()),
            services: self.services().iter().map(|board| board.present(gate, now)).collect(),
        }
    }

    /// All services at a glance.
    pub fn state(&self) -> ProjectState {
        let services = self.services();
        let share = |view: &View| Share {
            state: view.state(),
            wanted: view.wanted,
            essential: view.essential,
        };
        let shares: Vec<Share> = services.iter().map(|board| board.read(share)).collect();
        let trouble: HashSet<&ServiceName> = services
            .iter()
            .zip(&shares)
            .filter(|(_, share)| in_trouble(share.state))
            .map(|(board, _)| &board.name)
            .collect();
        let blocked = !trouble.is_empty()
            && services.iter().any(|board| {
                board.waiting_for().iter().any(|need| trouble.contains(&need.board.name))
            });
        summary(&shares, blocked)
    }
}

impl ServiceBoard {
    /// The service as `status` shows it.
    pub fn present(&self, gate: &Gate, now: Instant) -> Service {
        let waiting_for = self.waiting_for();
        self.read(|view| Service {
            name: self.name.to_string(),
            kind: view.kind.to_string(),
            state: view.state(),
            pid: view.running.map(|running| running.pid),
            port: view.port,
            url: self.host.load().as_ref().as_ref().and_then(|host| gate.url(host)).or_else(|| {
                match view.kind.product() {
                    Some(_) => view.access.clone(),
                    None => view.port.map(|port| format!("http://127.0.0.1:{port}")),
                }
            }),
            restarts: view.births.saturating_sub(1),
            uptime_s: view
                .running
                .map(|running| now.saturating_duration_since(running.since).as_secs_f64()),
            last_exit: view.exits.back().map(exit),
            reason: view.reason(&waiting_for, now),
            depends_on: self.needs().iter().map(|need| need.board.name.to_string()).collect(),
            waiting_for: waiting_for.iter().map(|need| need.board.name.to_string()).collect(),
        })
    }
}

impl View {
    /// SPEC §4's word for where it is.
    pub fn state(&self) -> ServiceState {
        match self.phase {
            Phase::Pending => ServiceState::Waiting,
            Phase::Up { .. } if self.unhealthy.is_some() => ServiceState::Unhealthy,
            Phase::Up { ready: true } => ServiceState::Healthy,
            Phase::Up { ready: false } => ServiceState::Starting,
            Phase::Stopping { .. } => ServiceState::Stopping,
            Phase::Backoff => ServiceState::Backoff,
            Phase::Completed if self.kind == Kind::Task => ServiceState::Completed,
            Phase::Stopped | Phase::Completed => ServiceState::Stopped,
            Phase::GaveUp => ServiceState::Failed,
        }
    }

    /// The failures that still count, or have made it give up.
    pub fn counted(&self, now: Instant) -> u32 {
        let forgiven = self.phase != Phase::GaveUp && self.forgiven.is_some_and(|at| at <= now);
        if forgiven { 0 } else { self.failures }
    }

    /// What requests for it are to do.
    pub fn traffic(&self) -> traffic::Phase {
        use ServiceState::{Backoff, Healthy, Starting, Stopping, Unhealthy, Waiting};
        let state = match self.state() {
            Healthy | Unhealthy => traffic::State::Up,
            Waiting | Starting | Backoff => traffic::State::Coming,
            Stopping if self.wanted => traffic::State::Coming,
            _ => traffic::State::Down,
        };
        // A connection is compared with the current life only: that these may wrap around is as good.
        let life = u32::try_from(self.life & u64::from(u32::MAX)).unwrap_or_default();
        let port = self.port.unwrap_or_default();
        traffic::Phase { state, life, port, protocol: self.protocol }
    }

    /// One line on anything that is not as wanted, or what the service says of itself.
    pub fn reason(&self, waiting_for: &[Needed], now: Instant) -> Option<String> {
        if !self.survivors.is_empty() {
            return Some(format!("SIGKILL did not end {}", self.survivors.join(", ")));
        }
        match self.state() {
            ServiceState::Waiting if waiting_for.is_empty() => {
                Some("waits for others to be down".to_owned())
            }
            ServiceState::Waiting => Some(format!("waits for {}", missing(waiting_for))),
            ServiceState::Unhealthy => self.unhealthy.clone(),
            ServiceState::Backoff => {
                let failure = self.failure.as_deref().unwrap_or("failed");
                let wait = |at: Instant| at.saturating_duration_since(now).as_secs_f64();
                let next = self.next_start.map_or(0.0, wait);
                Some(format!("{failure}; next start in {next:.1} s"))
            }
            ServiceState::Failed => self.failure.clone(),
            ServiceState::Starting => self.hint.clone().or_else(|| self.status.clone()),
            _ => self.status.clone(),
        }
    }
}

/// What it waits for, as "db, migrate to complete".
fn missing(waiting_for: &[Needed]) -> String {
    let one = |need: &Needed| match need.condition {
        Condition::Healthy => need.board.name.to_string(),
        Condition::Started => format!("{} to be started", need.board.name),
        Condition::Completed => format!("{} to complete", need.board.name),
    };
    waiting_for.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn in_trouble(state: ServiceState) -> bool {
    matches!(state, ServiceState::Unhealthy | ServiceState::Backoff | ServiceState::Failed)
}

/// SPEC §14: project state; `blocked`: somebody waits for one in trouble.
fn summary(shares: &[Share], blocked: bool) -> ProjectState {
    let failed = |share: &Share| share.state == ServiceState::Failed;
    if shares.iter().any(|share| failed(share) && share.essential) {
        return ProjectState::Failed;
    }
    let wanted: Vec<&Share> = shares.iter().filter(|share| share.wanted).collect();
    if wanted.is_empty() {
        let stopping = shares.iter().any(|share| share.state == ServiceState::Stopping);
        return if stopping { ProjectState::Stopping } else { ProjectState::Stopped };
    }
    if wanted.iter().all(|share| failed(share)) {
        return ProjectState::Failed;
    }
    if blocked || wanted.iter().any(|share| in_trouble(share.state)) {
        return ProjectState::Degraded;
    }
    let settled = |share: &&Share| {
        use ServiceState::{Completed, Healthy, Stopped};
        matches!(share.state, Healthy | Completed | Stopped)
    };
    if wanted.iter().all(settled) { ProjectState::Healthy } else { ProjectState::Starting }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ServiceState::{Backoff, Completed, Failed, Healthy, Starting, Stopped, Stopping, Waiting};

    #[test]
    fn a_project_is_what_its_wanted_services_are() {
        let sum = |states: &[(ServiceState, bool)], blocked| {
            let share = |&(state, wanted)| Share { state, wanted, essential: false };
            summary(&states.iter().map(share).collect::<Vec<_>>(), blocked)
        };
        let (on, off) = (true, false);
        let healthy = [(Healthy, on), (Completed, on), (Stopped, off)];
        assert_eq!(sum(&[], off), ProjectState::Stopped);
        assert_eq!(sum(&healthy, off), ProjectState::Healthy);
        assert_eq!(sum(&[(Healthy, on), (Starting, on)], off), ProjectState::Starting);
        assert_eq!(sum(&[(Healthy, on), (Backoff, on)], off), ProjectState::Degraded);
        assert_eq!(sum(&[(Healthy, on), (Failed, on)], off), ProjectState::Degraded);
        assert_eq!(sum(&[(Healthy, on), (Waiting, on)], on), ProjectState::Degraded);
        assert_eq!(sum(&[(Failed, on), (Failed, on)], off), ProjectState::Failed);
        assert_eq!(sum(&[(Stopping, off), (Stopped, off)], off), ProjectState::Stopping);
        assert_eq!(sum(&[(Stopped, off)], off), ProjectState::Stopped);
    }

    #[test]
    fn an_essential_service_that_gave_up_fails_the_project() {
        let share = |state, wanted, essential| Share { state, wanted, essential };
        let shares = [share(Failed, true, true), share(Stopped, false, false)];
        assert_eq!(summary(&shares, false), ProjectState::Failed);
    }
}
