//! A service as a destination of requests.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use tokio::sync::watch;

use super::requests::RequestLog;
use crate::core::id::{ProjectName, ServiceName};

/// A service that requests can go to. The router makes one for each service and keeps it as long
/// as the service exists, so that who waits for it and its request log survive every change.
pub struct Target {
    /// Its project.
    pub project: ProjectName,
    /// Its name.
    pub service: ServiceName,
    /// Its last requests.
    pub requests: RequestLog,
    /// The same as in `phases`, to be read without a lock.
    now: AtomicU64,
    phases: watch::Sender<Phase>,
}

/// What a service is at this moment, as far as requests are concerned.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Phase {
    /// Whether it can be asked.
    pub state: State,
    /// Which life of it: a connection to an earlier one is not used again.
    pub life: u32,
    /// Where it listens.
    pub port: u16,
    /// Whether it takes HTTP/2 without TLS, and is to be asked so.
    pub h2c: bool,
}

/// Whether a service can be asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// It runs: requests go there.
    Up,
    /// It is about to run (waiting, starting, backoff): requests wait.
    Coming,
    /// It does not run and will not by itself: requests are told so.
    Down,
}

impl Target {
    /// A service, down until something else is published.
    pub fn new(project: ProjectName, service: ServiceName) -> Self {
        let phase = Phase { state: State::Down, life: 0, port: 0, h2c: false };
        Self {
            project,
            service,
            requests: RequestLog::default(),
            now: AtomicU64::new(phase.pack()),
            phases: watch::Sender::new(phase),
        }
    }

    /// What it is now.
    pub fn now(&self) -> Phase {
        Phase::unpack(self.now.load(Ordering::Acquire))
    }

    /// Says what it is from now on; who waits for it hears of it.
    pub fn publish(&self, phase: Phase) {
        self.phases.send_if_modified(|last| {
            self.now.store(phase.pack(), Ordering::Release);
            std::mem::replace(last, phase) != phase
        });
    }

    /// Every phase from now on, or the latest of several.
    pub fn phases(&self) -> watch::Receiver<Phase> {
        self.phases.subscribe()
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{} {:?}", self.project, self.service, self.now())
    }
}

impl Phase {
    fn pack(self) -> u64 {
        let state = match self.state {
            State::Up => 0,
            State::Coming => 1,
            State::Down => 2,
        };
        u64::from(self.life) << 32 | u64::from(self.port) << 16 | u64::from(self.h2c) << 8 | state
    }

    #[expect(clippy::cast_possible_truncation, reason = "each part is cut out of the whole")]
    fn unpack(packed: u64) -> Self {
        let state = match packed as u8 {
            0 => State::Up,
            1 => State::Coming,
            _ => State::Down,
        };
        let (life, port) = ((packed >> 32) as u32, (packed >> 16) as u16);
        Self { state, life, port, h2c: packed >> 8 & 1 == 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Target {
        let name = "web";
        Target::new(ProjectName::parse(name).unwrap(), ServiceName::parse(name).unwrap())
    }

    #[test]
    fn what_is_published_is_read() {
        let target = target();
        assert_eq!(target.now().state, State::Down);
        for state in [State::Up, State::Coming, State::Down] {
            for (life, port, h2c) in [(0, 0, false), (u32::MAX, u16::MAX, true), (7, 80, true)] {
                let phase = Phase { state, life, port, h2c };
                target.publish(phase);
                assert_eq!(target.now(), phase);
            }
        }
    }

    #[tokio::test]
    async fn who_waits_hears_of_it() {
        let target = target();
        let mut phases = target.phases();
        let up = Phase { state: State::Up, life: 1, port: 80, h2c: false };
        target.publish(up);
        assert_eq!(*phases.wait_for(|phase| phase.state == State::Up).await.unwrap(), up);
    }
}
