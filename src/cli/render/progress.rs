//! How an operation gets on: lines that say what changed, a block that shows what is not done yet,
//! and what came of it.

use std::fmt::Write as _;

use super::{
    status::why,
    text::{Colour, Paint, clean, cut, pad, span, state_colour, width},
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

/// The services that are not done yet, each with how long it has been in its state; at most `rows`
/// lines of at most `columns`.
pub fn block(
    busy: &[(&Service, f64)],
    (columns, rows): (usize, usize),
    paint: Paint,
) -> Vec<String> {
    let names = busy.iter().map(|(service, _)| width(&service.name)).max().unwrap_or(0);
    let fits = if busy.len() <= rows { busy.len() } else { rows.saturating_sub(1) };
    let mut lines = Vec::with_capacity(fits + 1);
    for (service, seconds) in &busy[..fits] {
        let name = pad(&service.name, names);
        let state = pad(&service.state.to_string(), "unhealthy".len());
        let rest = format!("  {:>6}  {}", span(*seconds), why(service));
        let rest = rest.trim_end();
        let head = width(&name) + 2 + state.len();
        if columns <= head {
            lines.push(cut(&format!("{name}  {state}"), columns).into_owned());
            continue;
        }
        let state = paint.with(state_colour(service.state), &state);
        let rest = paint.with(Colour::Dim, &cut(rest, columns - head));
        lines.push(format!("{name}  {state}{rest}"));
    }
    if fits < busy.len() && rows > 0 {
        lines.push(cut(&format!("… and {} more", busy.len() - fits), columns).into_owned());
    }
    lines
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
        (Some(url), _) => Some(clean(url).into_owned()),
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

    #[test]
    fn the_block_fits_the_terminal() {
        let (web, api) = (service("web", ServiceState::Starting), api());
        let busy = [(&web, 1.25), (&api, 61.0), (&web, 0.0)];
        insta::assert_snapshot!(block(&busy, (80, 3), PLAIN).join("\n"), @r"
        web  starting     1.2s
        api  waiting     1m 1s  waits for db, cache
        web  starting     0.0s
        ");
        insta::assert_snapshot!(block(&busy, (30, 2), PLAIN).join("\n"), @r"
        web  starting     1.2s
        … and 2 more
        ");
        for columns in 0..40 {
            for rows in 0..4 {
                let lines = block(&busy, (columns, rows), PLAIN);
                assert!(lines.len() <= rows);
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
