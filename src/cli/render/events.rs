//! Events as lines.

use super::text::{Colour, Paint, clean};
use crate::api::event::Event;

/// One event on one line, without the line end.
pub fn event(event: &Event, paint: Paint) -> String {
    let at = paint.with(Colour::Dim, &clean(&event.at));
    let who = match (&event.project, &event.service) {
        (Some(project), Some(service)) => format!("{}/{}", clean(project), clean(service)),
        (Some(one), None) | (None, Some(one)) => clean(one).into_owned(),
        (None, None) => "locald".to_owned(),
    };
    let mut line = format!("{at}  {}  {}", paint.with(Colour::Cyan, &who), clean(&event.event));
    if let Some(detail) = &event.detail {
        line.push_str("  ");
        line.push_str(&clean(detail));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_says_when_who_and_what() {
        let mut one = Event {
            seq: 7,
            at: "2026-01-01T00:00:00.000Z".to_owned(),
            project: Some("shop".to_owned()),
            service: Some("web".to_owned()),
            event: "exited".to_owned(),
            detail: Some("with code 1".to_owned()),
        };
        let plain = Paint { colour: false };
        insta::assert_snapshot!(event(&one, plain), @"2026-01-01T00:00:00.000Z  shop/web  exited  with code 1");
        (one.project, one.service, one.detail) = (None, None, None);
        insta::assert_snapshot!(event(&one, plain), @"2026-01-01T00:00:00.000Z  locald  exited");
    }
}
