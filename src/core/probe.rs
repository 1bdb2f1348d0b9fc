//! When a service is ready, and whether it still is well: the machine behind readiness, liveness and the watchdog.

mod vocabulary;
mod watchdog;

use std::time::Duration;

use crate::core::notify::Note;
pub use vocabulary::{Effect, Input, Mode, Settings};
use watchdog::Watchdog;

/// A moment since the daemon started. Never read from a clock in this module.
pub type Moment = Duration;

/// The wait before the first attempt, and the shortest between two.
const FIRST: Duration = Duration::from_millis(10);
/// How much patience grows from one attempt to the next until it has reached the interval.
const EASING: f64 = 1.25;

/// The machine of one life of one service.
#[derive(Debug)]
pub struct Probe {
    settings: Settings,
    began: Moment,
    phase: Phase,
    attempt: Attempt,
    numbered: u64,
    last_reason: Option<String>,
    watchdog: Watchdog,
    stopping: bool,
    reloading: bool,
}

#[derive(Debug)]
enum Phase {
    Starting { until: Option<Moment>, pause: Duration },
    Ready { failures: u32, well: bool },
    Over,
}

#[derive(Debug)]
enum Attempt {
    None,
    Due(Moment),
    Running { number: u64, since: Moment },
}

impl Probe {
    /// A service that was started `now`.
    pub fn new(settings: Settings, now: Moment) -> Self {
        let attempt = match settings.mode {
            Mode::Http | Mode::Tcp | Mode::Command | Mode::Port => {
                Attempt::Due(now.saturating_add(FIRST))
            }
            Mode::Notify | Mode::Alive(_) | Mode::Exit => Attempt::None,
        };
        let until = match settings.mode {
            Mode::Alive(so_long) => Some(now.saturating_add(so_long)),
            Mode::Exit => None,
            _ => settings.start_period.map(|period| now.saturating_add(period)),
        };
        // A task has no start to be spared in: it is watched from its first moment.
        let mut watchdog = Watchdog::new(settings.watchdog.filter(|interval| !interval.is_zero()));
        if settings.mode == Mode::Exit {
            watchdog.watch(now);
        }
        Self {
            settings,
            began: now,
            phase: Phase::Starting { until, pause: FIRST },
            attempt,
            numbered: 0,
            last_reason: None,
            watchdog,
            stopping: false,
            reloading: false,
        }
    }

    /// A service that another machine has seen ready: from here on it is watched.
    pub fn ready_already(settings: Settings, now: Moment) -> Self {
        let mut probe = Self::new(settings, now);
        if probe.settings.mode != Mode::Exit {
            // Those whom it concerns know.
            probe.ready(now, &mut Vec::new());
        }
        probe
    }

    /// When to come back with a [`Input::Tick`], if nothing else happens; none: never.
    pub fn next_wake(&self) -> Option<Moment> {
        let until = match self.phase {
            Phase::Starting { until, .. } => until,
            Phase::Ready { .. } => None,
            Phase::Over => return None,
        };
        let attempt = match self.attempt {
            Attempt::Due(at) => Some(at),
            Attempt::None | Attempt::Running { .. } => None,
        };
        [until, attempt, self.watchdog.overdue()].into_iter().flatten().min()
    }

    /// Takes in what happened and says what follows, in order.
    pub fn step(&mut self, now: Moment, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        if !matches!(self.phase, Phase::Over) {
            match input {
                Input::Attempted { number, outcome } => {
                    self.attempted(now, number, outcome, &mut effects);
                }
                Input::Notified(note) => self.notified(now, note, &mut effects),
                Input::Tick => {}
            }
            self.elapse(now, &mut effects);
        }
        effects
    }

    fn attempted(
        &mut self,
        now: Moment,
        number: u64,
        outcome: Result<(), String>,
        effects: &mut Vec<Effect>,
    ) {
        let since = match self.attempt {
            Attempt::Running { number: running, since } if running == number => since,
            _ => return,
        };
        if self.stopping {
            self.attempt = Attempt::None;
            return;
        }
        self.attempt = Attempt::Due(self.next_attempt(now, since));
        match outcome {
            Ok(()) => self.passed(now, effects),
            Err(reason) => self.missed(reason, effects),
        }
    }

    /// Before ready from the answer on, patience growing; after it from call to call.
    fn next_attempt(&mut self, now: Moment, since: Moment) -> Moment {
        let interval = self.settings.interval.max(FIRST);
        match &mut self.phase {
            Phase::Starting { pause, .. } => {
                *pause = pause.mul_f64(EASING).min(interval);
                now.saturating_add(*pause)
            }
            Phase::Ready { .. } | Phase::Over => since.saturating_add(interval).max(now),
        }
    }

    fn passed(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        match &mut self.phase {
            Phase::Starting { .. } => self.ready(now, effects),
            Phase::Ready { failures, well } => {
                *failures = 0;
                if !*well {
                    *well = true;
                    effects.push(Effect::Healthy);
                }
            }
            Phase::Over => {}
        }
    }

    fn missed(&mut self, reason: String, effects: &mut Vec<Effect>) {
        let Phase::Ready { failures, well } = &mut self.phase else {
            self.last_reason = Some(reason);
            return;
        };
        *failures = failures.saturating_add(1);
        if !*well || *failures < self.settings.retries.max(1) {
            return;
        }
        if self.settings.on_failure_restart {
            self.fail(reason, effects);
        } else {
            *well = false;
            effects.push(Effect::Unhealthy(reason));
        }
    }

    fn notified(&mut self, now: Moment, note: Note, effects: &mut Vec<Effect>) {
        match note {
            Note::Ready => self.said_ready(now, effects),
            Note::Status(text) => effects.push(Effect::Status(text)),
            Note::Stopping if !self.stopping => {
                self.stop(effects);
            }
            Note::Reloading if matches!(self.phase, Phase::Ready { .. }) && !self.reloading => {
                self.reloading = true;
                effects.push(Effect::Reloading);
            }
            Note::Watchdog => self.watchdog.ping(now),
            Note::WatchdogTrigger => {
                effects.push(Effect::Abort);
                self.fail("it triggered its own watchdog".to_owned(), effects);
            }
            Note::WatchdogUsec(interval) => self.watchdog.retime(now, interval),
            Note::ExtendTimeout(by) => self.extend(now, by),
            Note::MainPid(pid) => effects.push(Effect::MainPid(pid)),
            Note::Stopping | Note::Reloading | Note::Barrier => {}
        }
    }

    /// Whoever is leaving is asked nothing more, and does not become ready by still being there.
    fn stop(&mut self, effects: &mut Vec<Effect>) {
        self.stopping = true;
        self.watchdog.dismiss();
        if !matches!(self.attempt, Attempt::Running { .. }) {
            self.attempt = Attempt::None;
        }
        if let (Phase::Starting { until, .. }, Mode::Alive(_)) =
            (&mut self.phase, self.settings.mode)
        {
            *until = None;
        }
        effects.push(Effect::Stopping);
    }

    fn said_ready(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        let counts = matches!(self.settings.mode, Mode::Notify | Mode::Port | Mode::Alive(_));
        match self.phase {
            Phase::Starting { .. } if counts && !self.stopping => self.ready(now, effects),
            Phase::Ready { .. } if self.reloading => {
                self.reloading = false;
                effects.push(Effect::Reloaded);
            }
            _ => {}
        }
    }

    fn ready(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        let declared = matches!(self.settings.mode, Mode::Http | Mode::Tcp | Mode::Command);
        self.phase = Phase::Ready { failures: 0, well: true };
        self.last_reason = None;
        self.attempt = if declared && self.settings.liveness {
            Attempt::Due(now.saturating_add(self.settings.interval.max(FIRST)))
        } else {
            Attempt::None
        };
        self.watchdog.watch(now);
        effects.push(Effect::Ready);
    }

    fn extend(&mut self, now: Moment, by: Duration) {
        // A worker is ready by being alive: its `until` is a success, not a limit.
        if let Phase::Starting { until: Some(until), .. } = &mut self.phase
            && !matches!(self.settings.mode, Mode::Alive(_))
        {
            *until = now.saturating_add(by).max(*until);
        }
        self.watchdog.extend(now, by);
    }

    fn elapse(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        if let Phase::Starting { until: Some(until), .. } = self.phase
            && until <= now
        {
            match self.settings.mode {
                Mode::Alive(_) => self.ready(now, effects),
                _ => self.fail(self.too_late(now), effects),
            }
        }
        if let Some(overdue) = self.watchdog.overdue()
            && overdue <= now
        {
            let interval = self.watchdog.interval().unwrap_or_default();
            effects.push(Effect::Abort);
            self.fail(format!("no WATCHDOG=1 within {}", text(interval)), effects);
        }
        if let Attempt::Due(at) = self.attempt
            && at <= now
        {
            self.numbered += 1;
            self.attempt = Attempt::Running { number: self.numbered, since: now };
            effects.push(Effect::Attempt { number: self.numbered, timeout: self.timeout(now) });
        }
    }

    fn timeout(&self, now: Moment) -> Duration {
        match self.phase {
            Phase::Starting { until: Some(until), .. } => {
                self.settings.timeout.min(until.saturating_sub(now))
            }
            _ => self.settings.timeout,
        }
    }

    fn too_late(&self, now: Moment) -> String {
        let spent = text(now.saturating_sub(self.began));
        match (&self.last_reason, self.settings.mode) {
            (Some(reason), _) => format!("not ready after {spent}: {reason}"),
            (None, Mode::Notify) => format!("not ready after {spent}: it sent no READY=1"),
            (None, _) => format!("not ready after {spent}"),
        }
    }

    /// Over: nothing is due any more, and nothing said will be heard.
    fn fail(&mut self, reason: String, effects: &mut Vec<Effect>) {
        self.phase = Phase::Over;
        self.attempt = Attempt::None;
        self.watchdog.dismiss();
        effects.push(Effect::Fail(reason));
    }
}

/// "60 s", "1.5 s", "200 ms".
fn text(duration: Duration) -> String {
    if duration < Duration::from_secs(1) {
        return format!("{} ms", duration.as_millis());
    }
    let tenths = duration.as_millis() / 100;
    match tenths % 10 {
        0 => format!("{} s", tenths / 10),
        rest => format!("{}.{rest} s", tenths / 10),
    }
}

#[cfg(test)]
mod tests;
