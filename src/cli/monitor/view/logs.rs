//! The log pane: a line that says whose log it is, and the lines. Nothing stands beside them, so that
//! what is selected with the mouse is what was written.

use std::ops::Range;

use ratatui::{
    buffer::Buffer,
    style::{Color, Modifier, Style},
    text::Span,
};
use unicode_width::UnicodeWidthChar as _;

use super::{
    super::{
        layout::{self, Layout},
        log::scroll::Row,
        model::{Model, Pane},
    },
    fitted,
    paint::colour,
    put,
};
use crate::cli::render::text::{Colour, clean, cut, pad, width};

pub(super) fn draw(buffer: &mut Buffer, layout: &Layout, model: &Model) {
    put(buffer, layout.title, 0, title(model, usize::from(layout.title.width)));
    let prefix = layout::prefix(model);
    let view = layout.view(model);
    if model.log.is_empty() {
        let text = if model.log.filter().is_some() { "no line has that" } else { "nothing yet" };
        let text = if model.logs.is_some() { text } else { "" };
        put(buffer, layout.logs, 0, vec![Span::styled(text, colour(Colour::Dim))]);
    }
    for (row, y) in model.log.rows(view).iter().zip(0..layout.logs.height) {
        let mut line = Vec::new();
        if prefix > 0 {
            line.push(name(model, row, prefix));
        }
        let range = if model.wrap { row.bytes.clone() } else { scrolled(row, model.left) };
        line.extend(text(model, row, range));
        put(buffer, layout.logs, y, line);
    }
}

fn title(model: &Model, room: usize) -> Vec<Span<'static>> {
    let focus = if model.focus == Pane::Logs { Modifier::BOLD } else { Modifier::empty() };
    let style = Style::default().add_modifier(focus);
    let dim = colour(Colour::Dim);
    let whose = match &model.logs {
        None => "log".to_owned(),
        Some(logs) => match &logs.service {
            Some(service) => format!("log of {}", clean(service)),
            None => "log of all services".to_owned(),
        },
    };
    let mut line = vec![Span::styled("── ", dim), Span::styled(whose, style)];
    if !model.log.follows() {
        line.push(Span::styled("  stays; f follows", colour(Colour::Yellow)));
    }
    if let Some(filter) = model.log.filter() {
        line.push(Span::styled(format!("  only {}", filter.text), colour(Colour::Cyan)));
    }
    if let Some(search) = model.log.search() {
        line.push(Span::styled(format!("  /{}", search.text), colour(Colour::Cyan)));
    }
    line.push(Span::raw(" "));
    let used: usize = line.iter().map(|span| width(&span.content)).sum();
    line.push(Span::styled("─".repeat(room.saturating_sub(used)), dim));
    fitted(line, room)
}

/// Who wrote the line, in a colour of its own.
fn name(model: &Model, row: &Row<'_>, prefix: usize) -> Span<'static> {
    let service = &row.entry.service;
    let mut services = model.project().into_iter().flat_map(|project| &project.services);
    let nth = services.position(|known| known.name == *service).unwrap_or_default();
    let room = prefix.saturating_sub(3);
    let first = row.bytes.start == 0;
    let name = if first { cut(service, room).into_owned() } else { String::new() };
    Span::styled(format!("{} | ", pad(&name, room)), colour(Colour::Nth(nth)))
}

/// What is seen of a line that is not broken.
fn scrolled(row: &Row<'_>, left: usize) -> Range<usize> {
    let text = &row.entry.body.text;
    let mut used = 0;
    for (at, c) in text.char_indices() {
        if used >= left {
            return at..text.len();
        }
        used += c.width().unwrap_or(0);
    }
    text.len()..text.len()
}

/// A part of a line, with what was searched for marked.
fn text<'a>(model: &Model, row: &Row<'a>, range: Range<usize>) -> Vec<Span<'a>> {
    let entry = row.entry;
    let search = model.log.search();
    let marks = search.map_or_else(Vec::new, |search| search.places(&entry.body.text));
    let current = model.log.found() == Some(entry.number);
    let found = if current {
        Style::default().add_modifier(Modifier::REVERSED | Modifier::BOLD)
    } else {
        let look = Modifier::UNDERLINED | Modifier::BOLD;
        Style::default().fg(Color::Black).bg(Color::Yellow).add_modifier(look)
    };
    let mut line = Vec::new();
    let mut at = range.start;
    let mut add = |range: Range<usize>, mark: Option<Style>| {
        for (text, style) in entry.body.pieces(range) {
            line.push(Span::styled(text, mark.map_or(style, |mark| style.patch(mark))));
        }
    };
    for mark in marks {
        let (start, end) = (mark.start.max(range.start), mark.end.min(range.end));
        if start >= end || start < at {
            continue;
        }
        add(at..start, None);
        add(start..end, Some(found));
        at = end;
    }
    add(at..range.end, None);
    line
}
