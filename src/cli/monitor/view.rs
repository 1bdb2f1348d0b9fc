//! Draws the model.

mod foot;
mod logs;
pub(super) mod over;
mod paint;
mod table;

use ratatui::{
    Frame,
    buffer::Buffer,
    layout::Rect,
    style::{Color, Modifier, Style},
    text::{Line, Span},
};
use tokio::time::Instant;

use self::paint::{colour, project_style};
use super::{ansi::Styled, layout::Layout, model::Model, model::Pane};
use crate::cli::render::text::{Colour, clean, cut, width};

/// Draws the model as it is `now`, with or without colours.
pub fn draw(frame: &mut Frame<'_>, model: &Model, now: Instant, colours: bool) {
    let layout = Layout::of(model);
    let cursor = {
        let buffer = frame.buffer_mut();
        head(buffer, layout.head, model);
        table::draw(buffer, layout.table, model, now);
        tree(buffer, layout.tree, model);
        logs::draw(buffer, &layout, model);
        let cursor = foot::draw(buffer, &layout, model);
        over::draw(buffer, model);
        if !colours {
            let plain = |style: Style| Style { fg: None, bg: None, ..style };
            for cell in &mut buffer.content {
                let style = plain(cell.style());
                cell.set_fg(Color::Reset).set_bg(Color::Reset).set_style(style);
            }
        }
        cursor
    };
    if let Some(at) = cursor {
        frame.set_cursor_position(at);
    }
}

/// The project and its state on the left, the daemon on the right.
fn head(buffer: &mut Buffer, area: Rect, model: &Model) {
    let bold = Style::default().add_modifier(Modifier::BOLD);
    let mut left = vec![Span::styled("locald", bold), Span::raw("  ")];
    match (&model.here, model.projects()) {
        (Some(_), [project, ..]) => {
            left.push(Span::styled(clean(&project.name).into_owned(), bold));
            left.push(Span::raw("  "));
            left.push(Span::styled(project.state.to_string(), project_style(project.state)));
            if let Some(error) = project.config_error.as_ref().or(project.watch_error.as_ref()) {
                let text = format!("  {}", clean(error.lines().next().unwrap_or_default()));
                left.push(Span::styled(text, colour(Colour::Red)));
            }
        }
        (Some(dir), []) => left.push(Span::raw(clean(&dir.to_string_lossy()).into_owned())),
        (None, projects) => {
            let noun = if projects.len() == 1 { "project" } else { "projects" };
            left.push(Span::raw(format!("{} {noun}", projects.len())));
        }
    }
    let right = match (&model.gone, &model.status) {
        (Some(_), _) => Span::styled("no daemon; trying again ", colour(Colour::Red)),
        (None, Some((status, _))) => {
            Span::styled(format!("daemon {} ", status.daemon.pid), colour(Colour::Dim))
        }
        (None, None) => Span::styled("… ", colour(Colour::Dim)),
    };
    let room = usize::from(area.width);
    let taken = width(&right.content);
    let mut line = fitted(left, room.saturating_sub(taken + 1));
    let used: usize = line.iter().map(|span| width(&span.content)).sum();
    if room > used + taken {
        line.push(Span::raw(" ".repeat(room - used - taken)));
        line.push(right);
    } else if model.gone.is_some() {
        line = fitted(vec![right], room);
    }
    put(buffer, area, 0, line);
}

fn tree(buffer: &mut Buffer, area: Rect, model: &Model) {
    let dim = colour(Colour::Dim);
    if model.tree.is_empty() {
        put(buffer, area, 0, vec![Span::styled("…", dim)]);
    }
    let rows = model.tree.iter().enumerate().skip(model.tree_top);
    for ((number, row), y) in rows.zip(0..area.height) {
        put(buffer, area, y, spans(&row.body));
        if number == model.tree_at {
            mark(buffer, row_of(area, y), model.focus == Pane::Tree);
        }
    }
}

/// Shows that a row is selected.
fn mark(buffer: &mut Buffer, area: Rect, focus: bool) {
    let look = if focus { Modifier::REVERSED } else { Modifier::BOLD | Modifier::UNDERLINED };
    buffer.set_style(area, Style::default().add_modifier(look));
}

/// A row of an area.
fn row_of(area: Rect, y: u16) -> Rect {
    Rect { y: area.y + y, height: 1, ..area }
}

/// Writes a line into an area, as far as there is room.
fn put(buffer: &mut Buffer, area: Rect, y: u16, line: Vec<Span<'_>>) {
    if y < area.height && area.width > 0 {
        buffer.set_line(area.x, area.y + y, &Line::from(line), area.width);
    }
}

/// The spans as far as they fit, with `…` where something was cut off.
fn fitted(spans: Vec<Span<'_>>, mut room: usize) -> Vec<Span<'_>> {
    let mut fit = Vec::new();
    for span in spans {
        let wide = width(&span.content);
        if wide > room {
            fit.push(Span::styled(cut(&span.content, room).into_owned(), span.style));
            break;
        }
        room -= wide;
        fit.push(span);
    }
    fit
}

/// All of a text with styles.
fn spans(styled: &Styled) -> Vec<Span<'_>> {
    let pieces = styled.pieces(0..styled.text.len());
    pieces.into_iter().map(|(text, style)| Span::styled(text, style)).collect()
}
