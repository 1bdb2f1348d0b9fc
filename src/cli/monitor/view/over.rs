//! What lies over the panes.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Modifier, Style},
    text::Span,
    widgets::{Clear, Widget as _},
};

use super::{
    super::{ansi::Styled, model::Model, wrap},
    fitted,
    paint::colour,
    put,
};
use crate::cli::render::text::{Colour, width};

/// Wider than this no popup is.
const WIDEST: u16 = 110;

/// The columns that a popup may take.
fn most(screen: u16) -> u16 {
    screen.saturating_sub(if screen > 60 { 8 } else { 0 }).min(WIDEST)
}

/// The first line of the last page of what lies over the panes.
pub(in super::super) fn last_top(model: &Model) -> usize {
    let Some(open) = &model.popup else { return 0 };
    let columns = usize::from(most(model.size.width).saturating_sub(4)).max(1);
    let rows: usize = open.lines().iter().map(|line| wrap::rows(&line.text, columns).len()).sum();
    rows.saturating_sub(usize::from(model.size.height.saturating_sub(2)))
}

pub(super) fn draw(buffer: &mut Buffer, model: &Model) {
    let Some(open) = &model.popup else { return };
    let screen = buffer.area;
    let most = most(screen.width);
    let columns = usize::from(most.saturating_sub(4)).max(1);
    let lines = open.lines();
    let rows: Vec<Vec<Span<'_>>> = lines.iter().flat_map(|line| broken(line, columns)).collect();
    let length = |row: &Vec<Span<'_>>| row.iter().map(|span| width(&span.content)).sum::<usize>();
    let title = open.title();
    let widest = rows.iter().map(length).max().unwrap_or_default().max(width(&title) + 4);
    let wide = u16::try_from(widest + 4).unwrap_or(u16::MAX).min(most);
    let high = u16::try_from(rows.len() + 2).unwrap_or(u16::MAX).min(screen.height);
    let area = Rect {
        x: screen.x + (screen.width - wide) / 2,
        y: screen.y + (screen.height - high) / 2,
        width: wide,
        height: high,
    };
    Clear.render(area, buffer);
    let shown = usize::from(high.saturating_sub(2));
    let last = rows.len().saturating_sub(shown);
    let top = open.top.min(last);
    edges(buffer, area, &title, (last > 0).then(|| format!("{}/{}", top + shown, rows.len())));
    let inner = Rect { x: area.x + 2, width: area.width.saturating_sub(4), ..area };
    for (row, y) in rows.into_iter().skip(top).take(shown).zip(1..) {
        put(buffer, inner, y, row);
    }
}

fn edges(buffer: &mut Buffer, area: Rect, title: &str, place: Option<String>) {
    let dim = colour(Colour::Dim);
    let bold = Style::default().add_modifier(Modifier::BOLD);
    let room = usize::from(area.width.saturating_sub(2));
    let bar = |text: &str| "─".repeat(room.saturating_sub(width(text)));
    let title = format!(" {title} ");
    let top = vec![
        Span::styled("┌", dim),
        Span::styled(title.clone(), bold),
        Span::styled(format!("{}┐", bar(&title)), dim),
    ];
    put(buffer, area, 0, fitted(top, room + 2));
    let place = place.map_or_else(String::new, |place| format!(" {place} "));
    let foot = format!("└{}{place}┘", bar(&place));
    for y in 1..area.height.saturating_sub(1) {
        put(buffer, area, y, vec![Span::styled("│", dim)]);
        let right = Rect { x: area.x + area.width.saturating_sub(1), width: 1, ..area };
        put(buffer, right, y, vec![Span::styled("│", dim)]);
    }
    put(buffer, area, area.height.saturating_sub(1), vec![Span::styled(foot, dim)]);
}

fn broken(line: &Styled, columns: usize) -> Vec<Vec<Span<'_>>> {
    let rows = wrap::rows(&line.text, columns).into_iter();
    let spans = |(text, style)| Span::styled(text, style);
    rows.map(|row| line.pieces(row).into_iter().map(spans).collect()).collect()
}
