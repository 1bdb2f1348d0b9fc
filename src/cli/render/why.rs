//! `locald why`: sentences for a person.

use std::fmt::Write as _;

use super::text::{Colour, Paint, clean, count, quoted, span, state_colour};
use crate::api::{status::ServiceState, why::Why};

/// Why the service is in its state.
pub fn why(why: &Why, paint: Paint) -> String {
    let mut out = String::new();
    let state = paint.with(state_colour(why.state), phrase(why.state));
    let name = paint.with(Colour::Bold, &clean(&why.service));
    let mut say = |line: String| {
        let _infallible = writeln!(out, "{line}");
    };
    say(match &why.reason {
        Some(reason) => format!("{name} {state}: {}", clean(reason)),
        None => format!("{name} {state}."),
    });
    if let Some(cause) = &why.last_cause {
        say(sentence(&clean(cause)));
    }
    for blocker in &why.waiting_for {
        say(format!(
            "It waits for {} to be {}, which {} now.",
            clean(&blocker.service),
            clean(&blocker.condition),
            phrase(blocker.state)
        ));
    }
    if !why.wanted && why.state == ServiceState::Stopped {
        say(format!("Nobody wants it up: `locald start {}` starts it.", clean(&why.service)));
    }
    if let Some(seconds) = why.next_start_s {
        say(format!("It starts again in {}.", span(seconds)));
    }
    if why.restarts > 0 || why.intensity.used > 0 {
        say(intensity(why));
    }
    if why.state == ServiceState::Failed && !gave_up(why) {
        let name = clean(&why.service);
        say(format!("It is not started again by itself: `locald restart {name}` does that."));
    }
    if !why.exits.is_empty() {
        say("Its last exits, the newest last:".to_owned());
        for exit in &why.exits {
            let at = paint.with(Colour::Dim, &clean(&exit.how.at));
            say(format!("  {at}  {}", clean(&exit.cause)));
        }
    }
    if !why.last_lines.is_empty() {
        say("Its last lines:".to_owned());
        out.push_str(&quoted(&why.last_lines));
    }
    out
}

fn phrase(state: ServiceState) -> &'static str {
    match state {
        ServiceState::Stopped => "is stopped",
        ServiceState::Waiting => "is waiting",
        ServiceState::Starting => "is starting",
        ServiceState::Healthy => "is healthy",
        ServiceState::Unhealthy => "is unhealthy",
        ServiceState::Backoff => "is in backoff",
        ServiceState::Stopping => "is stopping",
        ServiceState::Completed => "has completed",
        ServiceState::Failed => "has failed",
    }
}

fn intensity(why: &Why) -> String {
    let intensity = why.intensity;
    let mut text = match why.restarts {
        0 => String::new(),
        1 => "It was restarted once since somebody last started it; ".to_owned(),
        more => format!("It was restarted {more} times since somebody last started it; "),
    };
    let window = span(intensity.window_s);
    if intensity.used == 0 {
        let _infallible =
            write!(text, "that was more than {window} ago, and does not count any more.");
        return text;
    }
    let _infallible = write!(text, "{} within {window}", count(intensity.used, "failure"));
    if gave_up(why) {
        let _infallible = write!(
            text,
            ", and more than {} are too many. `locald restart {}`, or an edit of its \
             configuration or watched files, clears that.",
            intensity.max_restarts,
            clean(&why.service)
        );
    } else {
        let _infallible = write!(text, ", of which {} are allowed.", intensity.max_restarts);
    }
    text
}

/// Whether it has failed too often; another one that has failed is just not to be tried again.
fn gave_up(why: &Why) -> bool {
    why.state == ServiceState::Failed && why.intensity.used > why.intensity.max_restarts
}

/// `text` with a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut rest = text.trim().chars();
    let mut sentence: String = rest.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    sentence.push_str(rest.as_str());
    if !sentence.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{
        status::Exit,
        why::{Blocker, Intensity, PastExit},
    };

    const PLAIN: Paint = Paint { colour: false };

    fn web(state: ServiceState) -> Why {
        Why {
            service: "web".to_owned(),
            state,
            reason: None,
            waiting_for: Vec::new(),
            restarts: 0,
            exits: Vec::new(),
            intensity: Intensity { used: 0, max_restarts: 6, window_s: 60.0 },
            next_start_s: None,
            last_cause: None,
            wanted: true,
            last_lines: Vec::new(),
        }
    }

    #[test]
    fn a_service_that_waits_says_for_what() {
        let mut web = web(ServiceState::Waiting);
        web.last_cause = Some("started by `locald up`".to_owned());
        web.waiting_for = vec![Blocker {
            service: "db".to_owned(),
            condition: "healthy".to_owned(),
            state: ServiceState::Failed,
        }];
        insta::assert_snapshot!(why(&web, PLAIN), @r"
        web is waiting.
        Started by `locald up`.
        It waits for db to be healthy, which has failed now.
        ");
    }

    #[test]
    fn a_service_that_gave_up_says_how_often_why_and_what_to_do() {
        let mut web = web(ServiceState::Failed);
        web.reason = Some("exited with code 1".to_owned());
        web.restarts = 6;
        web.intensity.used = 7;
        let at = "2026-01-01T00:00:00.000Z".to_owned();
        let how = Exit { code: Some(1), signal: None, asked: false, at };
        web.exits = vec![PastExit { how, cause: "exited with code 1 after 0.1s".to_owned() }];
        web.last_lines = vec!["no such table".to_owned()];
        insta::assert_snapshot!(why(&web, PLAIN), @r"
        web has failed: exited with code 1
        It was restarted 6 times since somebody last started it; 7 failures within 1m 0s, and more than 6 are too many. `locald restart web`, or an edit of its configuration or watched files, clears that.
        Its last exits, the newest last:
          2026-01-01T00:00:00.000Z  exited with code 1 after 0.1s
        Its last lines:
          | no such table
        ");
    }

    #[test]
    fn a_service_in_backoff_says_when_it_comes_back() {
        let mut web = web(ServiceState::Backoff);
        (web.next_start_s, web.restarts, web.intensity.used) = (Some(2.6), 1, 2);
        insta::assert_snapshot!(why(&web, PLAIN), @r"
        web is in backoff.
        It starts again in 2.6s.
        It was restarted once since somebody last started it; 2 failures within 1m 0s, of which 6 are allowed.
        ");
    }

    #[test]
    fn a_task_that_failed_says_that_nobody_tries_it_again() {
        let mut migrate = web(ServiceState::Failed);
        migrate.reason = Some("exited with code 1".to_owned());
        migrate.last_cause = Some("started by a person".to_owned());
        migrate.intensity = Intensity { used: 0, max_restarts: 6, window_s: 60.0 };
        insta::assert_snapshot!(why(&migrate, PLAIN), @r"
        web has failed: exited with code 1
        Started by a person.
        It is not started again by itself: `locald restart web` does that.
        ");
    }

    #[test]
    fn a_service_that_may_not_fail_once_was_not_restarted_0_times() {
        let mut web = web(ServiceState::Failed);
        web.intensity = Intensity { used: 1, max_restarts: 0, window_s: 60.0 };
        insta::assert_snapshot!(why(&web, PLAIN), @r"
        web has failed.
        1 failure within 1m 0s, and more than 0 are too many. `locald restart web`, or an edit of its configuration or watched files, clears that.
        ");
    }

    #[test]
    fn what_happened_long_ago_does_not_count() {
        let mut web = web(ServiceState::Healthy);
        web.restarts = 2;
        insta::assert_snapshot!(why(&web, PLAIN), @r"
        web is healthy.
        It was restarted 2 times since somebody last started it; that was more than 1m 0s ago, and does not count any more.
        ");
    }

    #[test]
    fn a_service_that_nobody_wants_says_how_to_start_it() {
        let mut web = web(ServiceState::Stopped);
        web.wanted = false;
        insta::assert_snapshot!(why(&web, PLAIN), @r"
        web is stopped.
        Nobody wants it up: `locald start web` starts it.
        ");
    }
}
