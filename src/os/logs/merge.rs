//! Several logs as one: history in the order of time, then whatever comes.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::io;
use std::pin::Pin;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::follow::Follower;
use crate::core::log::{Stamp, StoredLine};

/// Held of all logs together while their history is merged.
const BUDGET: usize = 8 * 1024 * 1024;
/// Read of one log at once, at least.
const LEAST: usize = 8 * 1024;
/// Lines given at once while history is merged.
const BATCH: usize = 1024;

/// Reads logs side by side; a line is given with the key of its log.
pub struct Merge<K> {
    logs: Vec<Log<K>>,
    /// Of each log that has a line at hand, the time of the first.
    first: BinaryHeap<Reverse<(Stamp, usize)>>,
    /// Logs whose next lines are not at hand.
    hungry: Vec<usize>,
    live: FuturesUnordered<Reading>,
}

struct Log<K> {
    key: K,
    /// None while it is being read.
    follower: Option<Follower>,
    lines: VecDeque<StoredLine>,
}

type News = (usize, Follower, io::Result<Option<Vec<StoredLine>>>);
type Reading = Pin<Box<dyn Future<Output = News> + Send>>;

impl<K: Clone> Merge<K> {
    /// Of followers that nothing has been read from.
    pub fn new(followers: Vec<(K, Follower)>) -> Self {
        let portion = (BUDGET / followers.len().max(1)).clamp(LEAST, 256 * 1024);
        let logs: Vec<_> = followers
            .into_iter()
            .map(|(key, mut follower)| {
                follower.set_portion(portion);
                Log { key, follower: Some(follower), lines: VecDeque::new() }
            })
            .collect();
        let hungry = (0..logs.len()).collect();
        Self { logs, first: BinaryHeap::new(), hungry, live: FuturesUnordered::new() }
    }

    /// The next lines, at least one. Without `follow` ends with history; with it when all logs end.
    /// Nothing is lost if the future is dropped and the call made again.
    pub async fn next_batch(&mut self, follow: bool) -> io::Result<Option<Vec<(K, StoredLine)>>> {
        let history = self.next_of_history().await?;
        if !history.is_empty() {
            return Ok(Some(history));
        }
        if follow { self.next_live().await } else { Ok(None) }
    }

    async fn next_of_history(&mut self) -> io::Result<Vec<(K, StoredLine)>> {
        let mut batch = Vec::new();
        while batch.len() < BATCH {
            while let Some(&index) = self.hungry.last() {
                if !batch.is_empty() {
                    // Reading may be given up half-way; what is merged may not.
                    return Ok(batch);
                }
                self.feed(index).await?;
                self.hungry.pop();
            }
            let Some(Reverse((_, index))) = self.first.pop() else { break };
            let log = &mut self.logs[index];
            let line = log.lines.pop_front().expect("the heap has logs with lines");
            batch.push((log.key.clone(), line));
            self.expect_next(index);
        }
        Ok(batch)
    }

    async fn feed(&mut self, index: usize) -> io::Result<()> {
        let log = &mut self.logs[index];
        let Some(follower) = &mut log.follower else { return Ok(()) };
        if let Some(lines) = follower.next_batch(false).await? {
            log.lines.extend(lines);
            let first = log.lines.front().expect("a batch is never empty");
            self.first.push(Reverse((first.at, index)));
        } else if let Some(follower) = log.follower.take() {
            // Its history is told; from now on it is read as lines come.
            self.live.push(read(index, follower));
        }
        Ok(())
    }

    fn expect_next(&mut self, index: usize) {
        match self.logs[index].lines.front() {
            Some(line) => self.first.push(Reverse((line.at, index))),
            None => self.hungry.push(index),
        }
    }

    async fn next_live(&mut self) -> io::Result<Option<Vec<(K, StoredLine)>>> {
        while let Some((index, follower, news)) = self.live.next().await {
            // A log that has ended is not read again.
            let Some(lines) = news? else { continue };
            self.live.push(read(index, follower));
            let key = &self.logs[index].key;
            return Ok(Some(lines.into_iter().map(|line| (key.clone(), line)).collect()));
        }
        Ok(None)
    }
}

fn read(index: usize, mut follower: Follower) -> Reading {
    Box::pin(async move {
        let news = follower.next_batch(true).await;
        (index, follower, news)
    })
}
