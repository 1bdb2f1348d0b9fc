//! How an operation gets on: lines that say what changed, a block that shows how each service is, and
//! what came of it.

use std::fmt::Write as _;

use super::{
    status::why,
    text::{Colour, Paint, clean, cut, pad, span, state_colour, width, without_password},
};
use crate::api::{
    control::Failure,
    status::{Service, ServiceState},
};

/// What a change of a service is, on one line.
pub fn change(service: &Service, paint: Paint) -> String {
    let state = paint.with(state_colour(service.state), &service.state.to_string());
    let mut line = format!("{}: {state}", service.name);
    match service.state {
        ServiceState::Healthy => {
            if let Some(address) = address(service) {
                let _infallible = write!(line, " at {address}");
            }
        }
        ServiceState::Starting => {
            if let Some(pid) = service.pid {
                let _infallible = write!(line, " (pid {pid})");
            }
        }
        _ => {}
    }
    let why = why(service);
    if !why.is_empty() {
        let _infallible = write!(line, ": {why}");
    }
    line
}

/// A service in the block.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// As it is.
    pub service: &'a Service,
    /// Whether it still has a way to go.
    pub busy: bool,
    /// Seconds: in its state while it is busy, then what all of it took; none: it was there before.
    pub seconds: Option<f64>,
    /// What it wrote last, if it takes long.
    pub said: Option<&'a str>,
}

/// One line for each service; where they do not fit, for those that are not done yet, and how many
/// the others are. At most `rows` lines of at most `columns`.
pub fn block(all: &[Row<'_>], (columns, rows): (usize, usize), paint: Paint) -> Vec<String> {
    let done = all.iter().filter(|row| !row.busy).count();
    let fits = all.len() <= rows;
    let shown: Vec<&Row<'_>> = all.iter().filter(|row| fits || row.busy).collect();
    let room = if fits { shown.len() } else { rows.saturating_sub(1).min(shown.len()) };
    let names = shown.iter().map(|row| width(&row.service.name)).max().unwrap_or(0);
    let mut lines: Vec<String> =
        shown[..room].iter().map(|row| line(row, names, columns, paint)).collect();
    if !fits && rows > 0 {
        let more = shown.len() - room;
        let more = if more > 0 { format!("… and {more} more; ") } else { String::new() };
        lines.push(cut(&format!("{more}{done} of {} done", all.len()), columns).into_owned());
    }
    lines
}

fn line(row: &Row<'_>, names: usize, columns: usize, paint: Paint) -> String {
    let service = row.service;
    let name = pad(&service.name, names);
    let state = pad(&service.state.to_string(), "unhealthy".len());
    let head = width(&name) + 2 + state.len();
    if columns <= head {
        return cut(&format!("{name}  {state}"), columns).into_owned();
    }
    let why = if row.busy { why(service) } else { address(service).unwrap_or_default() };
    let said = row.said.map(|said| clean(said).trim().to_owned()).filter(|said| !said.is_empty());
    let said = said.map_or_else(String::new, |said| format!("  | {said}"));
    let seconds = row.seconds.map(span).unwrap_or_default();
    let rest = format!("  {seconds:>6}  {}{said}", clean(&why));
    let state = paint.with(state_colour(service.state), &state);
    let rest = paint.with(Colour::Dim, &cut(rest.trim_end(), columns - head));
    format!("{name}  {state}{rest}")
}

/// What is up now, with addresses.
pub fn summary<'a>(services: impl Iterator<Item = &'a Service>, paint: Paint) -> String {
    let services: Vec<&Service> = services.collect();
    let names = services.iter().map(|service| width(&service.name)).max().unwrap_or(0);
    services.iter().fold(String::new(), |mut out, service| {
        let state = pad(&service.state.to_string(), "completed".len());
        let state = paint.with(state_colour(service.state), &state);
        let line = format!(
            "  {}  {state}  {}",
            pad(&service.name, names),
            address(service).unwrap_or_default()
        );
        let _infallible = writeln!(out, "{}", line.trim_end());
        out
    })
}

/// Why a service is not where it should be, with its last lines.
pub fn failure(failure: &Failure, paint: Paint) -> String {
    let name = paint.with(Colour::Bold, &clean(&failure.service));
    let mut out = format!("{name}: {}\n", clean(&failure.reason));
    if !failure.last_lines.is_empty() {
        out.push_str(&super::text::quoted(&failure.last_lines));
    }
    out
}

fn address(service: &Service) -> Option<String> {
    match (&service.url, service.port) {
        (Some(url), _) => Some(clean(&without_password(url)).into_owned()),
        (None, Some(port)) => Some(format!("port {port}")),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::samples::service;

    const PLAIN: Paint = Paint { colour: false };

    fn web() -> Service {
        let url = Some("http://127.0.0.1:40123".to_owned());
        Service { url, port: Some(40123), ..service("web", ServiceState::Healthy) }
    }

    fn api() -> Service {
        let waiting_for = vec!["db".to_owned(), "cache".to_owned()];
        Service { waiting_for, ..service("api", ServiceState::Waiting) }
    }

    #[test]
    fn a_change_is_one_line() {
        assert_eq!(change(&web(), PLAIN), "web: healthy at http://127.0.0.1:40123");
        assert_eq!(change(&api(), PLAIN), "api: waiting: waits for db, cache");
        let db = Service { pid: Some(7), ..service("db", ServiceState::Starting) };
        assert_eq!(change(&db, PLAIN), "db: starting (pid 7)");
    }

    fn row<'a>(service: &'a Service, seconds: f64, said: Option<&'a str>) -> Row<'a> {
        let busy = !matches!(service.state, ServiceState::Healthy | ServiceState::Completed);
        Row { service, busy, seconds: Some(seconds), said }
    }

    #[test]
    fn there_is_a_line_for_each_service() {
        let (db, web, api) = (service("db", ServiceState::Starting), web(), api());
        let rows = [
            row(&db, 3.25, Some("\x1b[31mcreating\x1b[0m \u{202e}tables\x07 \n")),
            row(&web, 0.31, None),
            row(&api, 61.0, None),
            Row { seconds: None, ..row(&web, 0.0, None) },
        ];
        insta::assert_snapshot!(block(&rows, (80, 4), PLAIN).join("\n"), @r"
        db   starting     3.2s    | creating tables
        web  healthy      0.3s  http://127.0.0.1:40123
        api  waiting     1m 1s  waits for db, cache
        web  healthy            http://127.0.0.1:40123
        ");
    }

    #[test]
    fn the_block_fits_the_terminal() {
        let (web, api, done) = (service("web", ServiceState::Starting), api(), web());
        let (web, api) = (row(&web, 1.25, Some("日本語 日本語")), row(&api, 61.0, None));
        let rows = [row(&done, 0.1, None), web, api, web];
        insta::assert_snapshot!(block(&rows, (30, 3), PLAIN).join("\n"), @r"
        web  starting     1.2s    | …
        api  waiting     1m 1s  waits…
        … and 1 more; 1 of 4 done
        ");
        insta::assert_snapshot!(block(&[rows[0], web], (30, 1), PLAIN).join("\n"), @"… and 1 more; 1 of 2 done");
        for columns in 0..40 {
            for height in 0..5 {
                let lines = block(&rows, (columns, height), PLAIN);
                assert!(lines.len() <= height);
                assert!(lines.iter().all(|line| width(line) <= columns), "{columns}: {lines:?}");
            }
        }
    }

    #[test]
    fn the_end_is_summed_up() {
        let task = service("migrate", ServiceState::Completed);
        insta::assert_snapshot!(summary([&web(), &task].into_iter(), PLAIN), @r"
          web      healthy    http://127.0.0.1:40123
          migrate  completed
        ");
        let bad = Failure {
            service: "db".to_owned(),
            reason: "exited with code 1".to_owned(),
            last_lines: vec!["\x1b[31mno room".to_owned()],
        };
        insta::assert_snapshot!(failure(&bad, PLAIN), @r"
        db: exited with code 1
          | no room
        ");
    }
}
