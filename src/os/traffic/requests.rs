//! The last requests of a service, in memory.

#![expect(clippy::disallowed_types, reason = "held for as long as copying one path takes")]

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use tokio::sync::watch;

/// So many are remembered.
pub const REMEMBERED: usize = 1000;
/// Of a longer path this much is remembered.
const PATH: usize = 1024;

/// The last [`REMEMBERED`] requests of one service.
pub struct RequestLog {
    ring: Mutex<Ring>,
    /// How many there have been, told only while somebody listens.
    count: watch::Sender<u64>,
}

/// One request, answered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Request {
    /// When it came.
    pub at: SystemTime,
    /// Its method.
    pub method: String,
    /// Its path and query.
    pub path: String,
    /// The status of the answer; 0 if the client went before there was one.
    pub status: u16,
    /// The size of the answer's body.
    pub bytes: u64,
    /// From its head being read to its answer being sent.
    pub took: Duration,
}

#[derive(Default)]
struct Ring {
    /// As many as there were, up to [`REMEMBERED`]; then the one at `total % REMEMBERED` is the oldest.
    entries: Vec<Request>,
    total: u64,
}

impl RequestLog {
    /// Adds one. The strings of the one that it replaces are used again.
    pub fn add(
        &self,
        at: SystemTime,
        (method, path): (&[u8], &[u8]),
        (status, bytes): (u16, u64),
        took: Duration,
    ) {
        let mut guard = self.ring();
        let ring = &mut *guard;
        let place = ring.place();
        if place == ring.entries.len() {
            let (method, path) = (String::new(), String::new());
            ring.entries.push(Request { at, method, path, status, bytes, took });
        }
        let entry = &mut ring.entries[place];
        (entry.at, entry.status, entry.bytes, entry.took) = (at, status, bytes, took);
        replace(&mut entry.method, method);
        replace(&mut entry.path, &path[..path.len().min(PATH)]);
        ring.total += 1;
        let total = ring.total;
        drop(guard);
        if self.count.receiver_count() > 0 {
            self.count.send_replace(total);
        }
    }

    /// Those after the first `seen`, as far as they are remembered, and how many there have been.
    pub fn since(&self, seen: u64) -> (Vec<Request>, u64) {
        let ring = self.ring();
        let held = ring.entries.len() as u64;
        let fresh = ring.total.saturating_sub(seen).min(held);
        let first = ring.total - fresh;
        let at = |number: u64| {
            #[expect(clippy::cast_possible_truncation, reason = "less than REMEMBERED")]
            let place = (number % REMEMBERED as u64) as usize;
            ring.entries[place].clone()
        };
        ((first..ring.total).map(at).collect(), ring.total)
    }

    /// Wakes with each request; what it holds is not to be relied on: ask [`Self::since`].
    pub fn follow(&self) -> watch::Receiver<u64> {
        self.count.subscribe()
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for RequestLog {
    fn default() -> Self {
        Self { ring: Mutex::default(), count: watch::Sender::new(0) }
    }
}

impl fmt::Debug for RequestLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestLog({})", self.ring().total)
    }
}

impl Ring {
    #[expect(clippy::cast_possible_truncation, reason = "less than REMEMBERED")]
    fn place(&self) -> usize {
        (self.total % REMEMBERED as u64) as usize
    }
}

fn replace(old: &mut String, new: &[u8]) {
    old.clear();
    match std::str::from_utf8(new) {
        Ok(new) => old.push_str(new),
        Err(_) => old.push_str(&String::from_utf8_lossy(new)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(log: &RequestLog, path: &str) {
        let at = SystemTime::UNIX_EPOCH;
        log.add(at, (b"GET", path.as_bytes()), (200, 7), Duration::from_millis(1));
    }

    #[test]
    fn the_last_thousand_are_remembered_in_order() {
        let log = RequestLog::default();
        for i in 0..2500 {
            add(&log, &format!("/{i}"));
        }
        let (all, total) = log.since(0);
        assert_eq!((all.len(), total), (REMEMBERED, 2500));
        assert_eq!((&*all[0].path, &*all[999].path), ("/1500", "/2499"));
        assert_eq!(log.since(2498).0.len(), 2);
        assert_eq!(log.since(9999).0.len(), 0);
        let endless = "é".repeat(4000);
        add(&log, &endless);
        assert!(log.since(2500).0[0].path.len() <= PATH + 3);
    }

    #[tokio::test]
    async fn a_follower_wakes() {
        let log = RequestLog::default();
        let mut follower = log.follow();
        add(&log, "/");
        follower.changed().await.unwrap();
        assert_eq!(log.since(0).0[0].path, "/");
    }
}
