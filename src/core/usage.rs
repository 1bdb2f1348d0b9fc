//! What services use of the machine, reckoned from two looks at all processes.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

/// So many samples of each service are kept.
pub const KEPT: usize = 60;
/// Parents of parents that are followed.
const DEEP: usize = 256;

/// A process, as one look has seen it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Process {
    /// Its pid.
    pub pid: i32,
    /// The parent, or whoever inherited it.
    pub parent: i32,
    /// The session.
    pub session: i32,
    /// When it began: with the pid, its identity.
    pub began: u64,
    /// How long it has kept processors busy.
    pub busy: Duration,
    /// How much memory it has, in bytes.
    pub memory: u64,
}

/// What a service used at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sample {
    /// Percent of one processor.
    pub cpu: f64,
    /// Bytes in memory; what its processes share counts for each.
    pub memory: u64,
}

/// Compares each look with the one before.
#[derive(Debug, Default)]
pub struct Meter {
    before: HashMap<(i32, u64), Duration>,
    at: Option<Duration>,
}

/// The latest samples of one service, the newest last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History(VecDeque<Sample>);

impl Meter {
    /// What each of the sessions of `leaders` uses, descendants that left it included. The first look
    /// knows of no work.
    pub fn read(
        &mut self,
        at: Duration,
        processes: &[Process],
        leaders: &[i32],
    ) -> HashMap<i32, Sample> {
        let passed = self.at.map(|before| at.saturating_sub(before)).filter(|it| !it.is_zero());
        let mut samples: HashMap<i32, Sample> =
            leaders.iter().map(|&leader| (leader, Sample::default())).collect();
        let by_pid: HashMap<i32, &Process> = processes.iter().map(|it| (it.pid, it)).collect();
        for process in processes {
            let Some(leader) = owner(process, &by_pid, &samples) else { continue };
            let Some(sample) = samples.get_mut(&leader) else { continue };
            sample.memory += process.memory;
            if let Some(passed) = passed {
                // What began meanwhile has done all of its work meanwhile.
                let before = self.before.get(&(process.pid, process.began)).copied();
                let busy = process.busy.saturating_sub(before.unwrap_or_default());
                sample.cpu += busy.as_secs_f64() / passed.as_secs_f64() * 100.0;
            }
        }
        self.before = processes.iter().map(|it| ((it.pid, it.began), it.busy)).collect();
        self.at = Some(at);
        samples
    }
}

/// Whose a process is: the leader of its session, or of that of an ancestor.
fn owner(
    process: &Process,
    by_pid: &HashMap<i32, &Process>,
    leaders: &HashMap<i32, Sample>,
) -> Option<i32> {
    let mut current = process;
    for _step in 0..DEEP {
        if leaders.contains_key(&current.session) {
            return Some(current.session);
        }
        current = by_pid.get(&current.parent)?;
    }
    None
}

impl History {
    /// Adds a sample; the oldest gives way.
    pub fn push(&mut self, sample: Sample) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(sample);
    }

    /// The oldest first.
    pub fn samples(&self) -> impl DoubleEndedIterator<Item = Sample> + ExactSizeIterator + Clone {
        self.0.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: i32, parent: i32, session: i32, busy_ms: u64) -> Process {
        let busy = Duration::from_millis(busy_ms);
        Process { pid, parent, session, began: 7, busy, memory: 100 }
    }

    #[test]
    fn a_service_is_its_session_and_whoever_descends_from_it() {
        let processes = [
            process(10, 1, 10, 0),
            process(11, 10, 10, 0),
            // Has left the session.
            process(12, 11, 12, 0),
            process(13, 12, 13, 0),
            process(20, 1, 20, 0),
            process(30, 1, 30, 0),
        ];
        let samples = Meter::default().read(Duration::ZERO, &processes, &[10, 20]);
        assert_eq!(samples[&10].memory, 400);
        assert_eq!(samples[&20].memory, 100);
        assert_eq!(samples.len(), 2);
    }

    #[test]
    fn work_is_what_was_done_between_two_looks() {
        let mut meter = Meter::default();
        let first = meter.read(Duration::from_secs(1), &[process(10, 1, 10, 5_000)], &[10]);
        assert!(first[&10].cpu.abs() < 0.001, "{first:?}");
        let now = [process(10, 1, 10, 5_500), process(11, 10, 10, 250)];
        let second = meter.read(Duration::from_secs(2), &now, &[10]);
        assert!((second[&10].cpu - 75.0).abs() < 0.001, "{second:?}");
        // Another process of the same pid.
        let other = [Process { began: 8, ..process(10, 1, 10, 100) }];
        let third = meter.read(Duration::from_secs(3), &other, &[10]);
        assert!((third[&10].cpu - 10.0).abs() < 0.001, "{third:?}");
    }

    #[test]
    fn a_loop_of_parents_ends() {
        let processes = [process(1, 2, 5, 0), process(2, 1, 6, 0)];
        assert_eq!(Meter::default().read(Duration::ZERO, &processes, &[9])[&9].memory, 0);
    }

    #[test]
    fn a_history_is_as_long_as_a_minute() {
        let mut history = History::default();
        for memory in 0..100 {
            history.push(Sample { cpu: 0.0, memory });
        }
        assert_eq!(history.samples().len(), KEPT);
        assert_eq!(history.samples().next_back().map(|it| it.memory), Some(99));
    }
}
