//! Requests as lines.

use std::borrow::Cow;

use jiff::{Timestamp, tz::TimeZone};

use super::text::{Colour, Paint, clean};
use crate::api::requests::Request;

/// One request on one line, without the line end; its time as clocks in `zone` show it.
pub fn request(request: &Request, zone: &TimeZone, paint: Paint) -> String {
    let at = request.at.parse::<Timestamp>().map_or_else(
        |_| clean(&request.at),
        |at| Cow::Owned(at.to_zoned_datetime(zone.clone()).strftime("%H:%M:%S%.3f").to_string()),
    );
    let status = match request.status {
        0 => paint.with(Colour::Dim, "gone"),
        status => paint.with(status_colour(status), &status.to_string()),
    };
    format!(
        "{}  {}  {} {}  {status}  {}  {}",
        paint.with(Colour::Dim, &at),
        paint.with(Colour::Cyan, &clean(&request.service)),
        clean(&request.method),
        clean(&request.path),
        size(request.bytes),
        span(request.ms),
    )
}

fn status_colour(status: u16) -> Colour {
    match status {
        ..300 => Colour::Green,
        300..400 => Colour::Cyan,
        400..500 => Colour::Yellow,
        500.. => Colour::Red,
    }
}

/// `7 B`, `1.2 kB`, `38 MB`.
fn size(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "it is rounded to two figures anyway")]
    let mut size = bytes as f64;
    let mut unit = "B";
    for next in ["kB", "MB", "GB", "TB"] {
        if size < 999.5 {
            break;
        }
        (size, unit) = (size / 1000.0, next);
    }
    if unit == "B" || size >= 9.95 {
        format!("{size:.0} {unit}")
    } else {
        format!("{size:.1} {unit}")
    }
}

/// `0.4 ms`, `3 ms`, `1.2 s`.
fn span(ms: f64) -> String {
    match ms {
        ..0.95 => format!("{ms:.1} ms"),
        ..999.5 => format!("{ms:.0} ms"),
        _ => format!("{:.1} s", ms / 1000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_says_what_was_asked_and_answered() {
        let mut one = Request {
            at: "2026-01-01T12:00:01.123Z".to_owned(),
            project: "shop".to_owned(),
            service: "web".to_owned(),
            method: "GET".to_owned(),
            path: "/path\x1b[2J".to_owned(),
            status: 200,
            bytes: 1234,
            ms: 3.21,
        };
        let plain = Paint { colour: false };
        let zone = TimeZone::UTC;
        insta::assert_snapshot!(request(&one, &zone, plain), @"12:00:01.123  web  GET /path  200  1.2 kB  3 ms");
        let coloured = Paint { colour: true };
        one.status = 502;
        assert!(request(&one, &zone, coloured).contains("\x1b[31m502\x1b[0m"));
        (one.status, one.bytes, one.ms) = (0, 0, 1500.0);
        insta::assert_snapshot!(request(&one, &zone, plain), @"12:00:01.123  web  GET /path  gone  0 B  1.5 s");
    }

    #[test]
    fn sizes_are_short() {
        let said = [0, 999, 1_000, 9_940, 9_960, 999_499, 999_600, 5_000_000_000].map(size);
        assert_eq!(
            said,
            ["0 B", "999 B", "1.0 kB", "9.9 kB", "10 kB", "999 kB", "1.0 MB", "5.0 GB"]
        );
        assert_eq!(
            [0.04, 0.5, 2.0, 59.6, 1_234.0].map(span),
            ["0.0 ms", "0.5 ms", "2 ms", "60 ms", "1.2 s"]
        );
    }
}
