//! What lies over the panes until it is closed.

use std::collections::VecDeque;

use super::{ansi::Styled, deed::Deed, effect::One, model::Model, rows::Target};
use crate::{
    api::{event::Event, why::Why},
    cli::render::{self, text::Paint},
};

/// So many events are kept.
const EVENTS: usize = 1_000;

const PAINT: Paint = Paint { colour: true };

/// The keys, as the help tells them.
pub const HELP: &[(&str, &str)] = &[
    ("j k ↓ ↑", "go down or up"),
    ("PgDn PgUp", "the same, by pages"),
    ("Home End", "go to the first or last (also g G)"),
    ("Ctrl-d Ctrl-u", "scroll the log, wherever you are"),
    ("← →", "scroll the log sideways"),
    ("Tab", "go to the next pane"),
    ("Enter", "the log on the whole screen, and back"),
    ("", ""),
    ("s S", "start or stop the selected service"),
    ("r", "restart it"),
    ("u x R", "start, stop or restart the whole project"),
    ("a", "attach: your terminal becomes that of the service"),
    ("o", "open its URL in the browser"),
    ("w", "why it is in its state"),
    ("e", "what happened lately"),
    ("", ""),
    ("/", "search the log"),
    ("n N", "go to the next or previous line that was searched for"),
    ("&", "show only lines with a text; an empty one shows all"),
    ("f", "follow the log, or stay"),
    ("z", "break long lines, or cut them"),
    ("l", "logs of all services, or of the selected one"),
    ("t", "the supervision tree"),
    ("m", "take the mouse, or leave it to the terminal"),
    ("Ctrl-l", "draw everything anew"),
    ("Ctrl-z", "back to the shell; `fg` comes back"),
    ("Esc", "close, or clear search and filter"),
    ("q", "quit; services go on running"),
];

/// What it is.
#[derive(Clone, Debug)]
pub enum Popup {
    /// The keys.
    Help,
    /// Why a service is as it is; no lines: not known yet.
    Why(One, Vec<Styled>),
    /// What happened lately.
    Events(VecDeque<Styled>),
    /// Whether something is to be done.
    Confirm(Deed),
    /// What went wrong, in more than a line.
    Text(String, Vec<Styled>),
}

/// A popup, and how far it is scrolled.
#[derive(Clone, Debug)]
pub struct Open {
    /// What it is.
    pub what: Popup,
    /// The first line that is shown; more than there are: the last page.
    pub top: usize,
}

impl Open {
    /// From its first line on.
    pub fn new(what: Popup) -> Self {
        let top = if matches!(what, Popup::Events(_)) { usize::MAX } else { 0 };
        Self { what, top }
    }

    /// What stands above it.
    pub fn title(&self) -> String {
        match &self.what {
            Popup::Help => "keys".to_owned(),
            Popup::Why(one, _) => format!("why {}", one.service),
            Popup::Events(_) => "events".to_owned(),
            Popup::Confirm(_) => "sure?".to_owned(),
            Popup::Text(title, _) => title.clone(),
        }
    }

    /// Its lines.
    pub fn lines(&self) -> Vec<Styled> {
        match &self.what {
            Popup::Help => {
                let line = |(keys, what): &(&str, &str)| Styled::of(&format!("{keys:<14} {what}"));
                HELP.iter().map(line).collect()
            }
            Popup::Why(_, lines) if lines.is_empty() => vec![Styled::of("…")],
            Popup::Why(_, lines) | Popup::Text(_, lines) => lines.clone(),
            Popup::Events(lines) => lines.iter().cloned().collect(),
            Popup::Confirm(deed) => vec![Styled::of(&deed.question())],
        }
    }

    /// Takes the answer to why.
    pub fn why(&mut self, why: &Why) {
        if let Popup::Why(one, lines) = &mut self.what
            && one.service == why.service
        {
            *lines = render::why::why(why, PAINT).lines().map(Styled::of).collect();
        }
    }

    /// Takes events, of all projects or of one.
    pub fn events(&mut self, events: &[Event], only: Option<&Target>) {
        let Popup::Events(lines) = &mut self.what else { return };
        let of_ours = |event: &&Event| {
            only.is_none_or(|target| event.project.as_ref().is_none_or(|it| *it == target.project))
        };
        let new = events.iter().filter(of_ours);
        lines.extend(new.map(|event| Styled::of(&render::events::event(event, PAINT))));
        let many = lines.len().saturating_sub(EVENTS);
        lines.drain(..many);
    }
}

impl Model {
    /// Closes what lies over the panes.
    pub(super) fn close(&mut self) -> Vec<super::effect::Effect> {
        use super::effect::Effect;
        match self.popup.take().map(|open| open.what) {
            Some(Popup::Why(..)) => vec![Effect::Why(None)],
            Some(Popup::Events(_)) => vec![Effect::Events(false)],
            _ => Vec::new(),
        }
    }
}
