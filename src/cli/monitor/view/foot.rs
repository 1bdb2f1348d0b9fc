//! The last lines: what there is to say, and keys or what is typed.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::{Modifier, Style},
    text::Span,
};

use super::{
    super::{layout::Layout, model::Model},
    fitted,
    paint::{colour, service_style},
    put,
};
use crate::cli::render::{
    status::why,
    text::{Colour, clean, width, without_password},
};

/// The keys that are always shown, as far as there is room.
const KEYS: &[(&str, &str)] = &[
    ("q", "quit"),
    ("?", "help"),
    ("s", "start"),
    ("S", "stop"),
    ("r", "restart"),
    ("/", "search"),
    ("w", "why"),
    ("a", "attach"),
    ("o", "open"),
    ("t", "tree"),
    ("l", "all logs"),
    ("e", "events"),
    ("&", "filter"),
    ("f", "follow"),
    ("Tab", "pane"),
    ("Enter", "large log"),
    ("m", "mouse"),
];

/// Draws them; gives the place of the cursor if something is typed.
pub(super) fn draw(buffer: &mut Buffer, layout: &Layout, model: &Model) -> Option<Position> {
    let said = word(model);
    put(buffer, layout.word, 0, fitted(said.clone(), usize::from(layout.word.width)));
    if let Some(prompt) = &model.prompt {
        return Some(typed(buffer, layout.foot, prompt.mark(), &prompt.text));
    }
    let foot = layout.foot;
    let room = usize::from(foot.width);
    // Where there is no line for it, a word is more urgent than the keys.
    let urgent = model.word.is_some() || model.gone.is_some() || !model.busy.is_empty();
    if layout.word.height == 0 && urgent {
        put(buffer, foot, 0, fitted(said, room));
    } else {
        put(buffer, foot, 0, keys(room));
    }
    None
}

fn word(model: &Model) -> Vec<Span<'static>> {
    if let Some(word) = &model.word {
        let style = if word.trouble { colour(Colour::Red) } else { Style::default() };
        return vec![Span::styled(clean(&word.text).into_owned(), style)];
    }
    if let Some(why) = &model.gone {
        let text = format!("{}; trying again", clean(why));
        return vec![Span::styled(text, colour(Colour::Red))];
    }
    if let Some(deed) = model.busy.last() {
        return vec![Span::styled(deed.under_way(), colour(Colour::Yellow))];
    }
    let Some(service) = model.service() else { return Vec::new() };
    let name = Span::styled(format!("{}: ", clean(&service.name)), colour(Colour::Bold));
    let reason = why(service);
    if !reason.is_empty() {
        return vec![name, Span::styled(reason, service_style(service.state))];
    }
    // The table may have no room for it.
    let url = service.url.as_deref().map(without_password);
    url.map_or_else(Vec::new, |url| vec![name, Span::raw(clean(&url).into_owned())])
}

fn typed(buffer: &mut Buffer, foot: Rect, mark: &str, text: &str) -> Position {
    // The end of a long line is what is looked at.
    let room = usize::from(foot.width).saturating_sub(width(mark) + 1);
    let mut from = 0;
    while width(&text[from..]) > room {
        from += text[from..].chars().next().map_or(1, char::len_utf8);
    }
    let end = width(mark) + width(&text[from..]);
    let bold = Style::default().add_modifier(Modifier::BOLD);
    let line = vec![Span::styled(mark.to_owned(), bold), Span::raw(text[from..].to_owned())];
    put(buffer, foot, 0, line);
    let end = u16::try_from(end).unwrap_or(u16::MAX).min(foot.width.saturating_sub(1));
    Position::new(foot.x + end, foot.y)
}

fn keys(room: usize) -> Vec<Span<'static>> {
    let bold = Style::default().add_modifier(Modifier::BOLD);
    let mut line = Vec::new();
    let mut used = 0;
    for (key, what) in KEYS {
        let wide = key.len() + 1 + what.len();
        if used + wide > room {
            break;
        }
        used += wide + 2;
        line.push(Span::styled(*key, bold));
        line.push(Span::styled(format!(" {what}  "), colour(Colour::Dim)));
    }
    line
}
