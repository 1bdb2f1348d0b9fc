//! A service as a destination of requests.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use tokio::sync::{Semaphore, SemaphorePermit, watch};

use super::requests::RequestLog;
use crate::core::{
    id::{ProjectName, ServiceName},
    plan::Protocol,
};

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
    /// What its latest life is known to speak.
    spoken: AtomicU64,
    /// Held by who opens a connection that all requests share, or finds out what is spoken.
    opening: Semaphore,
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
    /// What it is to be asked by, as its configuration says.
    pub protocol: Protocol,
}

/// What a life of a service has been found to speak.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Spoken {
    /// Nobody had to know yet.
    Unknown,
    /// No HTTP/2.
    Http1,
    /// HTTP/1.1, and perhaps HTTP/2: it has answered, and nobody had to know more.
    AtLeastHttp1,
    /// HTTP/2 without TLS, and perhaps HTTP/1.1.
    Http2,
    /// HTTP/2 without TLS only.
    OnlyHttp2,
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
        let phase = Phase { state: State::Down, life: 0, port: 0, protocol: Protocol::Auto };
        Self {
            project,
            service,
            requests: RequestLog::default(),
            now: AtomicU64::new(phase.pack()),
            phases: watch::Sender::new(phase),
            spoken: AtomicU64::new(0),
            opening: Semaphore::new(1),
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

    /// What this life has been found to speak.
    #[expect(clippy::cast_possible_truncation, reason = "a part is cut out of the whole")]
    pub fn spoken(&self, life: u32) -> Spoken {
        let packed = self.spoken.load(Ordering::Acquire);
        match packed as u8 {
            _ if packed >> 32 != u64::from(life) => Spoken::Unknown,
            1 => Spoken::Http1,
            2 => Spoken::Http2,
            3 => Spoken::OnlyHttp2,
            4 => Spoken::AtLeastHttp1,
            _ => Spoken::Unknown,
        }
    }

    /// Remembers what this life speaks. What is known better stays.
    pub fn learn(&self, life: u32, spoken: Spoken) {
        let word = match spoken {
            Spoken::Unknown => 0,
            Spoken::Http1 => 1,
            Spoken::Http2 => 2,
            Spoken::OnlyHttp2 => 3,
            Spoken::AtLeastHttp1 => 4,
        };
        let packed = u64::from(life) << 32 | word;
        if spoken == Spoken::AtLeastHttp1 {
            let better = |known: u64| known >> 32 == u64::from(life) && known & 0xff != 0;
            let swap = |known| (!better(known)).then_some(packed);
            // An error is that there is nothing to be changed.
            self.spoken.fetch_update(Ordering::AcqRel, Ordering::Acquire, swap).ok();
        } else {
            self.spoken.store(packed, Ordering::Release);
        }
    }

    /// One at a time opens what others then share.
    pub async fn opening(&self) -> Option<SemaphorePermit<'_>> {
        // It is never closed.
        self.opening.acquire().await.ok()
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
        let protocol = match self.protocol {
            Protocol::Auto => 0,
            Protocol::Http => 1,
            Protocol::H2c => 2,
        };
        u64::from(self.life) << 32 | u64::from(self.port) << 16 | protocol << 8 | state
    }

    #[expect(clippy::cast_possible_truncation, reason = "each part is cut out of the whole")]
    fn unpack(packed: u64) -> Self {
        let state = match packed as u8 {
            0 => State::Up,
            1 => State::Coming,
            _ => State::Down,
        };
        let (life, port) = ((packed >> 32) as u32, (packed >> 16) as u16);
        let protocol = match (packed >> 8) as u8 {
            0 => Protocol::Auto,
            1 => Protocol::Http,
            _ => Protocol::H2c,
        };
        Self { state, life, port, protocol }
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
            for (life, port, protocol) in [
                (0, 0, Protocol::Auto),
                (u32::MAX, u16::MAX, Protocol::H2c),
                (7, 80, Protocol::Http),
            ] {
                let phase = Phase { state, life, port, protocol };
                target.publish(phase);
                assert_eq!(target.now(), phase);
            }
        }
    }

    #[test]
    fn what_one_life_speaks_says_nothing_of_the_next() {
        let target = target();
        assert_eq!(target.spoken(0), Spoken::Unknown);
        for spoken in [Spoken::Http1, Spoken::Http2, Spoken::OnlyHttp2] {
            target.learn(7, spoken);
            assert_eq!((target.spoken(7), target.spoken(8)), (spoken, Spoken::Unknown));
            target.learn(7, Spoken::AtLeastHttp1);
            assert_eq!(target.spoken(7), spoken, "that is known better");
        }
        target.learn(8, Spoken::AtLeastHttp1);
        assert_eq!(target.spoken(8), Spoken::AtLeastHttp1);
    }

    #[tokio::test]
    async fn who_waits_hears_of_it() {
        let target = target();
        let mut phases = target.phases();
        let up = Phase { state: State::Up, life: 1, port: 80, protocol: Protocol::Auto };
        target.publish(up);
        assert_eq!(*phases.wait_for(|phase| phase.state == State::Up).await.unwrap(), up);
    }
}
