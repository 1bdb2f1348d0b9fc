//! The table of `locald status`.

use std::fmt::Write as _;

use super::text::{
    self, Colour, Paint, clean, cut, pad, project_colour, state_colour, width, without_password,
};
use crate::api::status::{Project, Service, Status};

const HEADINGS: [&str; 8] = ["SERVICE", "STATE", "PID", "PORT", "URL", "RESTARTS", "UPTIME", "WHY"];
/// Right-aligned columns: numbers.
const NUMBERS: [bool; 8] = [false, false, true, true, false, true, true, false];
const STATE: usize = 1;
const WHY: usize = 7;

/// Every project with its services; cut to `columns` if there is such a limit.
pub fn status(status: &Status, columns: Option<usize>, paint: Paint) -> String {
    let mut out = String::new();
    if status.projects.is_empty() {
        out.push_str("no project is running; `locald up` starts one\n");
    }
    for (nth, one) in status.projects.iter().enumerate() {
        if nth > 0 {
            out.push('\n');
        }
        project(&mut out, one, columns, paint);
    }
    out
}

fn project(out: &mut String, project: &Project, columns: Option<usize>, paint: Paint) {
    let state = project.state.to_string();
    let place = format!("  {}", clean(&project.path.to_string_lossy()));
    let room = columns.map(|all| all.saturating_sub(width(&project.name) + 2 + state.len()));
    let place = cut(&place, room.unwrap_or(usize::MAX));
    let _infallible = writeln!(
        out,
        "{}  {}{}",
        paint.with(Colour::Bold, &project.name),
        paint.with(project_colour(project.state), &state),
        paint.with(Colour::Dim, &place)
    );
    if let Some(error) = &project.config_error {
        let _infallible = writeln!(
            out,
            "{} the file has errors; what runs is the configuration before them:",
            paint.error("error:")
        );
        for line in error.lines() {
            let _infallible = writeln!(out, "  {}", clean(line));
        }
    }
    if let Some(error) = &project.watch_error {
        let label = paint.error("warning:");
        let _infallible = writeln!(out, "{label} edits may go unnoticed: {}", clean(error));
    }
    table(out, &project.services, columns, paint);
}

fn table(out: &mut String, services: &[Service], columns: Option<usize>, paint: Paint) {
    let rows: Vec<[String; 8]> = services.iter().map(cells).collect();
    let mut widths = HEADINGS.map(str::len);
    for row in &rows {
        for (cell, most) in row.iter().zip(&mut widths) {
            *most = (*most).max(width(cell));
        }
    }
    // What matters most is not to be what is cut off: it gets a line of its own where it must.
    let whole: usize = widths.iter().map(|width| width + 2).sum();
    let below = columns.is_some_and(|columns| whole - 2 > columns && widths[WHY] > "WHY".len());
    let shown = if below { WHY } else { WHY + 1 };
    let headings = HEADINGS.map(str::to_owned);
    out.push_str(&line(&headings[..shown], &widths, columns, |_, cell| {
        paint.with(Colour::Dim, cell)
    }));
    for (row, service) in rows.iter().zip(services) {
        out.push_str(&line(&row[..shown], &widths, columns, |column, cell| match column {
            STATE => paint.with(state_colour(service.state), cell),
            _ => cell.to_owned(),
        }));
        if below && !row[WHY].is_empty() {
            let why = format!("  {}", row[WHY]);
            let why = cut(&why, columns.unwrap_or(usize::MAX));
            let _infallible = writeln!(out, "{}", paint.with(state_colour(service.state), &why));
        }
    }
}

fn line(
    cells: &[String],
    widths: &[usize; 8],
    columns: Option<usize>,
    paint: impl Fn(usize, &str) -> String,
) -> String {
    let mut line = String::new();
    let mut left = columns.unwrap_or(usize::MAX);
    for (column, cell) in cells.iter().enumerate() {
        let cell = match (NUMBERS[column], column == WHY) {
            (_, true) => cell.clone(),
            (true, _) => format!("{cell:>most$}", most = widths[column]),
            (false, _) => pad(cell, widths[column]),
        };
        let cell = cut(&cell, left);
        left = left.saturating_sub(width(&cell) + 2);
        line.push_str(&paint(column, &cell));
        if left == 0 || column + 1 == cells.len() {
            break;
        }
        line.push_str("  ");
    }
    line.truncate(line.trim_end().len());
    line.push('\n');
    line
}

fn cells(service: &Service) -> [String; 8] {
    let dash = || "-".to_owned();
    [
        service.name.clone(),
        service.state.to_string(),
        service.pid.map_or_else(dash, |pid| pid.to_string()),
        service.port.map_or_else(dash, |port| port.to_string()),
        service.url.as_deref().map_or_else(dash, |url| clean(&without_password(url)).into_owned()),
        service.restarts.to_string(),
        service.uptime_s.map_or_else(dash, text::span),
        why(service),
    ]
}

/// One line on what a service waits for or suffers from; empty when there is nothing to say.
pub fn why(service: &Service) -> String {
    match &service.reason {
        Some(reason) => clean(reason).into_owned(),
        None if service.waiting_for.is_empty() => String::new(),
        None => format!("waits for {}", service.waiting_for.join(", ")),
    }
}

#[cfg(test)]
mod tests;
