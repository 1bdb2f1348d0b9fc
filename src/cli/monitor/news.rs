//! What the daemon tells, and what becomes of it.

use tokio::time::Instant;

use super::{
    ansi::Styled,
    deed::Deed,
    effect::{Effect, News},
    model::Model,
    popup::{Open, Popup},
    rows::{self, Row},
};
use crate::{api::status::Status, cli::render::text::clean};

impl Model {
    pub(super) fn news(&mut self, news: News, now: Instant) -> Vec<Effect> {
        match news {
            News::Lines(number, _) if number != self.logs_number => return Vec::new(),
            News::Lines(_, lines) => lines.iter().for_each(|line| self.log.push(line)),
            News::Status(status) => self.take_status(*status, now),
            News::Gone(why) => {
                if self.gone.as_ref() == Some(&why) {
                    return Vec::new();
                }
                self.gone = Some(why);
            }
            News::Tree(root) => {
                self.tree = rows::tree(&root);
                if let Some(target) = self.selected.clone() {
                    self.select(target);
                }
            }
            News::Why(why) => {
                if let Some(open) = &mut self.popup {
                    open.why(&why);
                }
            }
            News::Events(events) => {
                let only = self.here.as_ref().and(self.selected.as_ref());
                if let Some(open) = &mut self.popup {
                    open.events(&events, only);
                }
            }
            News::Done(deed, outcome) => self.take_outcome(&deed, outcome),
            News::Trouble(text) => self.complain(text),
        }
        self.stale = true;
        Vec::new()
    }

    fn take_status(&mut self, status: Status, now: Instant) {
        let at = self.selected_row();
        self.gone = None;
        self.status = Some((status, now));
        let rows = self.rows();
        let there = |row: &&Row<'_>| Some(row.target()) == self.selected;
        if rows.iter().any(|row| there(&row)) {
            return;
        }
        // What was selected is not there any more: the next one takes its place.
        let next = match at {
            Some(at) => rows.get(at).or_else(|| rows.last()),
            None => {
                rows.iter().find(|row| matches!(row, Row::Service(..))).or_else(|| rows.first())
            }
        };
        match next.map(Row::target) {
            Some(target) => self.select(target),
            None => self.selected = None,
        }
    }

    fn take_outcome(&mut self, deed: &Deed, outcome: Result<String, String>) {
        self.busy.retain(|busy| busy != deed);
        match outcome {
            Ok(text) => self.say(text),
            Err(text) => {
                let mut lines = text.lines();
                self.complain(clean(lines.next().unwrap_or_default()));
                if lines.next().is_some() && self.popup.is_none() && self.prompt.is_none() {
                    let lines = text.lines().map(Styled::of).collect();
                    let title = deed.under_way();
                    self.popup = Some(Open::new(Popup::Text(title, lines)));
                }
            }
        }
    }
}
