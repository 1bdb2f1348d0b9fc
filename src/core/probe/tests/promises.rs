//! What holds whatever happens in whatever order.

use proptest::prelude::*;

use super::*;

fn any_settings() -> impl Strategy<Value = Settings> {
    let mode = prop_oneof![
        Just(Mode::Http),
        Just(Mode::Tcp),
        Just(Mode::Command),
        Just(Mode::Notify),
        Just(Mode::Port),
        (0..400_u64).prop_map(|long| Mode::Alive(ms(long))),
        Just(Mode::Exit),
    ];
    let some = |most| prop::option::of((0..most).prop_map(ms));
    (mode, 0..500_u64, 0..4_u32, some(2000_u64), any::<(bool, bool)>(), some(500_u64)).prop_map(
        |(mode, interval, retries, start_period, (on_failure_restart, liveness), watchdog)| {
            Settings {
                mode,
                interval: ms(interval),
                timeout: ms(300),
                retries,
                start_period,
                on_failure_restart,
                liveness,
                watchdog,
            }
        },
    )
}

#[derive(Clone, Debug)]
enum News {
    Answer(bool),
    Stale(u64),
    Said(Note),
    Passes(u64),
}

fn any_news() -> impl Strategy<Value = News> {
    let note = prop_oneof![
        3 => Just(Note::Ready),
        3 => Just(Note::Watchdog),
        1 => Just(Note::Stopping),
        1 => Just(Note::Reloading),
        1 => Just(Note::WatchdogTrigger),
        1 => (0..400_u64).prop_map(|long| Note::WatchdogUsec(ms(long))),
        1 => prop_oneof![(0..400_u64).prop_map(ms), Just(Duration::MAX)]
            .prop_map(Note::ExtendTimeout),
    ];
    prop_oneof![
        6 => any::<bool>().prop_map(News::Answer),
        1 => (0..9_u64).prop_map(News::Stale),
        2 => note.prop_map(News::Said),
        6 => (0..300_u64).prop_map(News::Passes),
    ]
}

proptest! {
    #[test]
    fn any_news_keeps_the_promises(settings in any_settings(), news in prop::collection::vec(any_news(), 0..80)) {
        let implicit = matches!(settings.mode, Mode::Notify | Mode::Port | Mode::Alive(_));
        let unwatched = settings.watchdog.is_none()
            && !news.iter().any(|news| matches!(news, News::Said(Note::WatchdogUsec(_))));
        let mut probe = Probe::new(settings, START);
        let (mut now, mut running) = (START, None);
        let (mut ready, mut well, mut over) = (false, true, false);
        for news in news {
            let input = match news {
                News::Answer(ok) => match running.take() {
                    Some(number) => Input::Attempted { number, outcome: if ok { Ok(()) } else { Err(String::new()) } },
                    None => Input::Tick,
                },
                News::Stale(number) if Some(number) != running => {
                    Input::Attempted { number, outcome: Ok(()) }
                }
                News::Stale(_) => Input::Tick,
                News::Said(note) => Input::Notified(note),
                News::Passes(long) => {
                    now += ms(long);
                    Input::Tick
                }
            };
            for effect in probe.step(now, input) {
                prop_assert!(!over, "{effect:?} after the end");
                match effect {
                    Effect::Attempt { number, .. } => {
                        prop_assert!(running.is_none(), "two attempts at once");
                        running = Some(number);
                    }
                    Effect::Ready => prop_assert!(!std::mem::replace(&mut ready, true)),
                    Effect::Unhealthy(_) => prop_assert!(ready && std::mem::replace(&mut well, false)),
                    Effect::Healthy => prop_assert!(!std::mem::replace(&mut well, true)),
                    Effect::Fail(_) => over = true,
                    _ => {}
                }
            }
            // What is due has been done: a timer set by it never spins.
            prop_assert!(probe.next_wake().is_none_or(|wake| wake > now), "{probe:?}");
            if over || (ready && implicit && unwatched) {
                prop_assert_eq!(probe.next_wake(), None);
            }
        }
    }
}
