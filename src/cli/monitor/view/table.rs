//! The services, in as many columns as there is room for.

use ratatui::{buffer::Buffer, layout::Rect, style::Style, text::Span};
use tokio::time::Instant;

use super::{
    super::{
        model::{Model, Pane},
        rows::Row,
    },
    mark,
    paint::{colour, project_style, service_style},
    put, row_of,
};
use crate::{
    api::status::Service,
    cli::render::{
        status::why,
        text::{Colour, clean, cut, pad, span, width, without_password},
    },
};

const COLUMNS: usize = 8;
const HEADINGS: [&str; COLUMNS] =
    ["SERVICE", "STATE", "RESTARTS", "UPTIME", "PORT", "PID", "URL", "WHY"];
const NUMBERS: [bool; COLUMNS] = [false, false, true, true, true, true, false, false];
const STATE: usize = 1;
const WHY: usize = 7;
/// What is left out first where there is no room for all.
const LEAST: [usize; 5] = [5, 6, 4, 3, 2];
/// A reason is cut to this before other columns are left out.
const REASON: usize = 24;
/// A name is not cut below this.
const NAME: usize = 12;

pub(super) fn draw(buffer: &mut Buffer, area: Rect, model: &Model, now: Instant) {
    if area.height == 0 {
        return;
    }
    let rows = model.rows();
    if rows.is_empty() {
        let text = match (&model.gone, &model.here) {
            (Some(why), _) => clean(why).into_owned(),
            (None, _) if model.status.is_none() => "…".to_owned(),
            (None, Some(_)) => "this project is not running; u starts it".to_owned(),
            (None, None) => "no project is running".to_owned(),
        };
        put(buffer, area, 0, vec![Span::raw(cut(&text, usize::from(area.width)).into_owned())]);
        return;
    }
    let passed = match (&model.status, &model.gone) {
        (Some((_, at)), None) => now.saturating_duration_since(*at).as_secs_f64(),
        _ => 0.0,
    };
    let indent = if model.here.is_none() { "  " } else { "" };
    let cells: Vec<Option<[String; COLUMNS]>> = rows
        .iter()
        .map(|row| match row {
            Row::Project(_) => None,
            Row::Service(_, service) => Some(cells(service, passed, indent)),
        })
        .collect();
    let widths = widths(&cells, usize::from(area.width));
    let heads = HEADINGS.map(str::to_owned);
    put(buffer, area, 0, line(&heads, &widths, |_| colour(Colour::Dim)));
    let shown = rows.iter().zip(&cells).enumerate().skip(model.table_top);
    for ((nth, (row, cells)), y) in shown.zip(1..area.height) {
        match (row, cells) {
            (Row::Service(_, service), Some(cells)) => {
                let style = |column| match column {
                    STATE | WHY => service_style(service.state),
                    _ => Style::default(),
                };
                put(buffer, area, y, line(cells, &widths, style));
            }
            (Row::Project(project), _) | (Row::Service(project, _), None) => {
                let place = format!("  {}", clean(&project.path.to_string_lossy()));
                let state = Span::styled(project.state.to_string(), project_style(project.state));
                let name = Span::styled(clean(&project.name).into_owned(), colour(Colour::Bold));
                let place = Span::styled(place, colour(Colour::Dim));
                put(buffer, area, y, vec![name, Span::raw("  "), state, place]);
            }
        }
        if model.selected_row() == Some(nth) {
            mark(buffer, row_of(area, y), model.focus == Pane::Table);
        }
    }
}

fn cells(service: &Service, passed: f64, indent: &str) -> [String; COLUMNS] {
    let dash = || "-".to_owned();
    [
        format!("{indent}{}", clean(&service.name)),
        service.state.to_string(),
        service.restarts.to_string(),
        service.uptime_s.map_or_else(dash, |uptime| whole(uptime + passed)),
        service.port.map_or_else(dash, |port| port.to_string()),
        service.pid.map_or_else(dash, |pid| pid.to_string()),
        service.url.as_deref().map_or_else(dash, |url| clean(&without_password(url)).into_owned()),
        why(service),
    ]
}

/// A time in whole seconds, since it is drawn once a second.
fn whole(seconds: f64) -> String {
    if seconds < 60.0 { format!("{}s", seconds.floor()) } else { span(seconds) }
}

/// The widths of the columns that there is room for; others have none.
fn widths(rows: &[Option<[String; COLUMNS]>], room: usize) -> [usize; COLUMNS] {
    let mut widths = HEADINGS.map(str::len);
    for row in rows.iter().flatten() {
        for (cell, most) in row.iter().zip(&mut widths) {
            *most = (*most).max(width(cell));
        }
    }
    if rows.iter().flatten().all(|row| row[WHY].is_empty()) {
        widths[WHY] = 0;
    }
    let total = |widths: &[usize; COLUMNS]| -> usize {
        let shown = widths.iter().filter(|width| **width > 0);
        shown.map(|width| width + 2).sum::<usize>().saturating_sub(2)
    };
    let reason = widths[WHY];
    widths[WHY] = reason.min(REASON);
    for column in LEAST {
        if total(&widths) > room {
            widths[column] = 0;
        }
    }
    if total(&widths) > room {
        let over = total(&widths) - room;
        widths[0] = widths[0].saturating_sub(over).max(NAME.min(widths[0]));
    }
    if total(&widths) > room {
        widths[WHY] = widths[WHY].saturating_sub(total(&widths) - room);
    }
    if widths[WHY] > 0 {
        let left = room.saturating_sub(total(&widths));
        widths[WHY] = (widths[WHY] + left).min(reason);
    }
    widths
}

fn line<'a>(
    cells: &[String; COLUMNS],
    widths: &[usize; COLUMNS],
    style: impl Fn(usize) -> Style,
) -> Vec<Span<'a>> {
    let mut line = Vec::new();
    for (column, cell) in cells.iter().enumerate().filter(|(column, _)| widths[*column] > 0) {
        let wide = widths[column];
        let cell = cut(cell, wide);
        let text = if NUMBERS[column] { format!("{cell:>wide$}") } else { pad(&cell, wide) };
        line.push(Span::styled(text, style(column)));
        line.push(Span::raw("  "));
    }
    line
}
