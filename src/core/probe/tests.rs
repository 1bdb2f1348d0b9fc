//! The probe machine, example by example.

mod promises;

use super::*;

const START: Moment = Moment::from_secs(100);

fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn settings(mode: Mode) -> Settings {
    Settings {
        mode,
        interval: ms(1000),
        timeout: ms(1000),
        retries: 3,
        start_period: Some(ms(60_000)),
        on_failure_restart: false,
        liveness: true,
        watchdog: None,
    }
}

/// The machine, its clock, and a service whose answer to an attempt is known beforehand.
struct World {
    probe: Probe,
    now: Moment,
    attempts: u32,
}

impl World {
    fn new(settings: Settings) -> Self {
        Self { probe: Probe::new(settings, START), now: START, attempts: 0 }
    }

    fn of(mode: Mode) -> Self {
        Self::new(settings(mode))
    }

    /// A declared check that has passed at once.
    fn ready(settings: Settings) -> Self {
        let mut world = Self::new(settings);
        assert_eq!(world.run(ms(10), |_| Ok(())), [Effect::Ready]);
        world
    }

    fn say(&mut self, note: Note) -> Vec<Effect> {
        self.probe.step(self.now, Input::Notified(note))
    }

    fn tick(&mut self) -> Vec<Effect> {
        self.probe.step(self.now, Input::Tick)
    }

    /// Lets time pass; attempts are answered at once. Gives every effect but the attempts.
    fn run(
        &mut self,
        long: Duration,
        answer: impl Fn(Moment) -> Result<(), String>,
    ) -> Vec<Effect> {
        let until = self.now + long;
        let mut seen = Vec::new();
        while let Some(wake) = self.probe.next_wake().filter(|&wake| wake <= until) {
            self.now = self.now.max(wake);
            let mut effects = self.tick();
            while let Some(at) = effects.iter().position(|e| matches!(e, Effect::Attempt { .. })) {
                let Effect::Attempt { number, .. } = effects.remove(at) else { unreachable!() };
                self.attempts += 1;
                let outcome = answer(self.now.saturating_sub(START));
                effects.extend(self.probe.step(self.now, Input::Attempted { number, outcome }));
            }
            seen.extend(effects);
        }
        self.now = until;
        seen
    }
}

fn refused(_: Moment) -> Result<(), String> {
    Err("connection refused".to_owned())
}

fn fail(reason: &str) -> Effect {
    Effect::Fail(reason.to_owned())
}

#[test]
fn a_service_that_listens_after_30_ms_is_seen_within_20_more() {
    for mode in [Mode::Http, Mode::Tcp, Mode::Command, Mode::Port] {
        let mut world = World::of(mode);
        let answer = |at| if at < ms(30) { refused(at) } else { Ok(()) };
        assert_eq!(world.run(ms(50), answer), [Effect::Ready], "{mode:?}");
    }
}

#[test]
fn a_slow_start_costs_few_attempts() {
    let mut world = World::of(Mode::Port);
    assert_eq!(world.run(ms(20_000), refused), []);
    assert!((25..45).contains(&world.attempts), "{}", world.attempts);
    assert_eq!(world.run(ms(1000), |_| Ok(())), [Effect::Ready]);
}

#[test]
fn the_end_of_the_start_period_fails_with_the_last_reason() {
    let mut world = World::of(Mode::Http);
    assert_eq!(world.run(ms(59_999), refused), []);
    assert_eq!(world.run(ms(1), refused), [fail("not ready after 60 s: connection refused")]);
    assert_eq!(world.probe.next_wake(), None);

    let mut world = World::of(Mode::Notify);
    let effects = world.run(ms(60_000), refused);
    assert_eq!(effects, [fail("not ready after 60 s: it sent no READY=1")]);
    assert_eq!(world.attempts, 0);
    assert_eq!(world.say(Note::Ready), [], "nothing is heard any more");
}

#[test]
fn an_attempt_ends_with_the_start_period_at_the_latest() {
    let mut world = World::new(Settings { start_period: Some(ms(300)), ..settings(Mode::Tcp) });
    world.now += ms(250);
    assert_eq!(world.tick(), [Effect::Attempt { number: 1, timeout: ms(50) }]);
    world.now += ms(50);
    assert_eq!(world.tick(), [fail("not ready after 300 ms")]);
    let late = Input::Attempted { number: 1, outcome: Ok(()) };
    assert_eq!(world.probe.step(world.now, late), []);
}

#[test]
fn extensions_move_the_end_of_the_start_but_never_back() {
    let mut world = World::of(Mode::Notify);
    world.run(ms(50_000), refused);
    assert_eq!(world.say(Note::ExtendTimeout(ms(5_000))), []);
    assert_eq!(world.run(ms(9_000), refused), [], "60 s is later than 55 s");
    assert_eq!(world.say(Note::ExtendTimeout(ms(30_000))), []);
    assert_eq!(world.run(ms(29_999), refused), []);
    let effects = world.run(ms(1), refused);
    assert_eq!(effects, [fail("not ready after 89 s: it sent no READY=1")]);
}

#[test]
fn no_start_period_means_for_ever() {
    let mut world = World::new(Settings { start_period: None, ..settings(Mode::Notify) });
    assert_eq!(world.probe.next_wake(), None);
    assert_eq!(world.say(Note::ExtendTimeout(ms(1))), []);
    assert_eq!(world.run(ms(1_000_000), refused), []);
    assert_eq!(world.say(Note::Ready), [Effect::Ready]);
}

#[test]
fn ready_by_notification_ends_the_start_where_nothing_is_declared() {
    for mode in [Mode::Notify, Mode::Port, Mode::Alive(ms(200))] {
        let mut world = World::of(mode);
        assert_eq!(world.say(Note::Ready), [Effect::Ready], "{mode:?}");
        assert_eq!(world.say(Note::Ready), [], "{mode:?}");
        assert_eq!(world.probe.next_wake(), None, "{mode:?} needs no wake-ups once ready");
    }
}

#[test]
fn ready_by_notification_while_an_attempt_is_under_way_makes_its_answer_stale() {
    let mut world = World::of(Mode::Port);
    world.now += ms(10);
    assert!(matches!(world.tick()[..], [Effect::Attempt { number: 1, .. }]));
    assert_eq!(world.say(Note::Ready), [Effect::Ready]);
    let late = Input::Attempted { number: 1, outcome: Ok(()) };
    assert_eq!(world.probe.step(world.now, late), []);
    assert_eq!(world.probe.next_wake(), None);
}

#[test]
fn a_declared_check_is_not_replaced_by_a_notification() {
    for mode in [Mode::Http, Mode::Tcp, Mode::Command] {
        let mut world = World::of(mode);
        assert_eq!(world.say(Note::Ready), [], "{mode:?}");
        assert_eq!(world.run(ms(10), |_| Ok(())), [Effect::Ready], "{mode:?}");
    }
}

#[test]
fn a_worker_is_ready_by_being_alive() {
    let mut world =
        World::new(Settings { start_period: Some(ms(1)), ..settings(Mode::Alive(ms(200))) });
    assert_eq!(world.run(ms(199), refused), []);
    assert_eq!(world.run(ms(1), refused), [Effect::Ready]);
    assert_eq!((world.attempts, world.probe.next_wake()), (0, None));
}

#[test]
fn a_worker_that_says_it_is_stopping_is_not_ready_by_still_being_there() {
    let mut world = World::of(Mode::Alive(ms(200)));
    assert_eq!(world.say(Note::Stopping), [Effect::Stopping]);
    assert_eq!(world.run(ms(1000), refused), []);
    assert_eq!(world.say(Note::Ready), []);
}

#[test]
fn a_task_is_never_ready_and_never_late() {
    let mut world = World::of(Mode::Exit);
    assert_eq!(world.say(Note::Ready), []);
    assert_eq!(world.probe.next_wake(), None);
    let mut world = World::new(Settings { watchdog: Some(ms(500)), ..settings(Mode::Exit) });
    let missed = [Effect::Abort, fail("no WATCHDOG=1 within 500 ms")];
    assert_eq!(world.run(ms(500), refused), missed, "but it is watched from the start");
}

#[test]
fn liveness_tells_of_unhealthy_and_healthy_once_each() {
    let mut world = World::ready(settings(Mode::Http));
    assert_eq!(world.run(ms(2_000), refused), [], "two failures are not three");
    assert_eq!(world.run(ms(1_000), |_| Ok(())), [], "and do not add up");
    assert_eq!(world.run(ms(2_000), refused), []);
    let unhealthy = Effect::Unhealthy("connection refused".to_owned());
    assert_eq!(world.run(ms(5_000), refused), [unhealthy]);
    assert_eq!(world.run(ms(5_000), |_| Ok(())), [Effect::Healthy]);
    assert_eq!(world.attempts, 1 + 15, "one an interval");
}

#[test]
fn liveness_can_be_as_good_as_a_crash() {
    let mut world =
        World::ready(Settings { on_failure_restart: true, retries: 0, ..settings(Mode::Tcp) });
    assert_eq!(world.run(ms(5_000), refused), [fail("connection refused")]);
    assert_eq!((world.attempts, world.probe.next_wake()), (2, None));
}

#[test]
fn without_liveness_a_declared_check_ends_with_the_start() {
    let world = World::ready(Settings { liveness: false, ..settings(Mode::Tcp) });
    assert_eq!(world.probe.next_wake(), None);
}

#[test]
fn a_slow_check_neither_overlaps_nor_piles_up() {
    let mut world = World::ready(settings(Mode::Command));
    world.now += ms(1_000);
    assert!(matches!(world.tick()[..], [Effect::Attempt { number: 2, .. }]));
    assert_eq!(world.probe.next_wake(), None, "its answer is what is waited for");
    world.now += ms(7_000);
    assert_eq!(world.tick(), []);
    let effects = world.probe.step(world.now, Input::Attempted { number: 2, outcome: Ok(()) });
    assert!(matches!(effects[..], [Effect::Attempt { number: 3, .. }]), "{effects:?}");
}

#[test]
fn news_of_another_attempt_changes_nothing() {
    let mut world = World::of(Mode::Tcp);
    for number in [0, 1, 2] {
        let early = Input::Attempted { number, outcome: Ok(()) };
        assert_eq!(world.probe.step(world.now, early), []);
    }
    assert_eq!(world.run(ms(10), |_| Ok(())), [Effect::Ready]);
}

#[test]
fn the_watchdog_barks_when_pings_stop() {
    let mut world = World::new(Settings { watchdog: Some(ms(2_000)), ..settings(Mode::Notify) });
    world.run(ms(10_000), refused);
    assert_eq!(world.say(Note::Ready), [Effect::Ready], "not watched while starting");
    for _ in 0..5 {
        assert_eq!(world.run(ms(1_999), refused), []);
        assert_eq!(world.say(Note::Watchdog), []);
    }
    assert_eq!(world.run(ms(1_999), refused), []);
    let missed = [Effect::Abort, fail("no WATCHDOG=1 within 2 s")];
    assert_eq!(world.run(ms(1), refused), missed);
    assert_eq!(world.say(Note::Watchdog), []);
    assert_eq!(world.probe.next_wake(), None);
}

#[test]
fn a_service_sets_its_own_watchdog() {
    let mut world = World::of(Mode::Notify);
    world.say(Note::WatchdogUsec(ms(300)));
    assert_eq!(world.run(ms(1_000), refused), [], "not before it is ready");
    world.say(Note::Ready);
    world.say(Note::WatchdogUsec(ms(1_500)));
    assert_eq!(world.run(ms(1_499), refused), []);
    let missed = [Effect::Abort, fail("no WATCHDOG=1 within 1.5 s")];
    assert_eq!(world.run(ms(1), refused), missed);

    let mut world = World::new(Settings { watchdog: Some(ms(100)), ..settings(Mode::Notify) });
    world.say(Note::Ready);
    world.say(Note::WatchdogUsec(Duration::ZERO));
    assert_eq!(world.probe.next_wake(), None, "zero turns it off");
}

#[test]
fn an_extension_holds_the_watchdog_off_once() {
    let mut world = World::new(Settings { watchdog: Some(ms(100)), ..settings(Mode::Notify) });
    world.say(Note::Ready);
    world.say(Note::ExtendTimeout(ms(50)));
    world.say(Note::ExtendTimeout(ms(1_000)));
    assert_eq!(world.run(ms(999), refused), []);
    world.say(Note::Watchdog);
    assert_eq!(world.run(ms(99), refused), []);
    assert!(world.run(ms(1), refused).contains(&Effect::Abort), "a ping ends the grace");
}

#[test]
fn a_triggered_watchdog_needs_no_interval() {
    let mut world = World::of(Mode::Port);
    let effects = world.say(Note::WatchdogTrigger);
    assert_eq!(effects, [Effect::Abort, fail("it triggered its own watchdog")]);
}

#[test]
fn whoever_is_stopping_is_left_alone() {
    let mut world = World::ready(Settings {
        on_failure_restart: true,
        watchdog: Some(ms(100)),
        ..settings(Mode::Http)
    });
    assert_eq!(world.say(Note::Stopping), [Effect::Stopping]);
    assert_eq!(world.say(Note::Stopping), []);
    assert_eq!(world.say(Note::Watchdog), []);
    assert_eq!(world.probe.next_wake(), None);

    let mut world = World::ready(Settings { retries: 1, ..settings(Mode::Http) });
    world.now += ms(1_000);
    assert!(matches!(world.tick()[..], [Effect::Attempt { number: 2, .. }]));
    world.say(Note::Stopping);
    let answer = Input::Attempted { number: 2, outcome: Err("refused".to_owned()) };
    assert_eq!(world.probe.step(world.now, answer), []);
    assert_eq!(world.probe.next_wake(), None);
}

#[test]
fn a_start_that_turns_into_a_stop_still_has_its_bound() {
    let mut world = World::of(Mode::Http);
    world.say(Note::Stopping);
    assert_eq!(world.run(ms(60_000), |_| Ok(())), [fail("not ready after 60 s")]);
    assert_eq!(world.attempts, 0);
}

#[test]
fn a_reload_is_told_with_its_end() {
    let mut world = World::of(Mode::Notify);
    assert_eq!(world.say(Note::Reloading), [], "a start is no reload");
    assert_eq!(world.say(Note::Ready), [Effect::Ready]);
    assert_eq!(world.say(Note::Reloading), [Effect::Reloading]);
    assert_eq!(world.say(Note::Reloading), []);
    assert_eq!(world.say(Note::Ready), [Effect::Reloaded]);
    assert_eq!(world.say(Note::Ready), []);
}

#[test]
fn words_and_pids_are_passed_on() {
    let mut world = World::of(Mode::Exit);
    let effects = world.say(Note::Status("3 of 5".to_owned()));
    assert_eq!(effects, [Effect::Status("3 of 5".to_owned())]);
    assert_eq!(world.say(Note::MainPid(42)), [Effect::MainPid(42)]);
    assert_eq!(world.say(Note::Barrier), []);
}
