//! What is where on the screen, whatever its size.

use ratatui::layout::{Rect, Size};

use super::{
    log::scroll::View,
    model::{Model, Pane},
};

/// From so many columns on, the tree is beside the table instead of in its place.
const WIDE: u16 = 130;
/// Names before lines are at most so wide.
const PREFIX: usize = 20;

/// The places of everything; what has no place has no rows.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Layout {
    /// The project, and the daemon.
    pub head: Rect,
    /// Services.
    pub table: Rect,
    /// The supervision tree.
    pub tree: Rect,
    /// What is above the log.
    pub title: Rect,
    /// The log.
    pub logs: Rect,
    /// What came of the last key, or the reason of what is selected.
    pub word: Rect,
    /// Keys, or what is typed.
    pub foot: Rect,
}

impl Layout {
    /// The layout of the model's screen.
    pub fn of(model: &Model) -> Self {
        let Size { width, height } = model.size;
        let mut rest = Rect::new(0, 0, width, height);
        let mut layout = Self::default();
        if height >= 3 {
            layout.foot = lower(&mut rest, 1);
        }
        if height >= 10 {
            layout.word = lower(&mut rest, 1);
        }
        if height >= 6 {
            layout.head = upper(&mut rest, 1);
        }
        let logs_only = model.zoom || (rest.height < 6 && model.focus == Pane::Logs);
        if !logs_only {
            let most = if rest.height < 6 { rest.height } else { rest.height * 11 / 20 };
            layout.split(upper(&mut rest, model.upper_rows().clamp(2, most.max(2))), model);
        }
        layout.title = upper(&mut rest, 1);
        layout.logs = rest;
        layout
    }

    fn split(&mut self, area: Rect, model: &Model) {
        if !model.tree_shown {
            self.table = area;
        } else if area.width < WIDE {
            self.tree = area;
        } else {
            self.table = Rect { width: area.width * 3 / 5, ..area };
            let left = self.table.width + 2;
            self.tree = Rect { x: left, width: area.width - left, ..area };
        }
    }

    /// Rows of the table without its headings.
    pub fn table_rows(&self) -> usize {
        usize::from(self.table.height.saturating_sub(1))
    }

    /// The panes that there are, in the order of Tab.
    pub fn panes(&self) -> Vec<Pane> {
        let all = [(Pane::Table, self.table), (Pane::Tree, self.tree), (Pane::Logs, self.logs)];
        let mut panes: Vec<Pane> =
            all.into_iter().filter(|(_, area)| area.height > 0).map(|(pane, _)| pane).collect();
        if !panes.contains(&Pane::Logs) {
            // It comes into sight when one goes there.
            panes.push(Pane::Logs);
        }
        panes
    }

    /// How the log is shown.
    pub fn view(&self, model: &Model) -> View {
        View {
            columns: usize::from(self.logs.width).saturating_sub(prefix(model)),
            rows: usize::from(self.logs.height),
            wrap: model.wrap,
        }
    }
}

/// The columns before each line: names, where lines of several services are shown.
pub fn prefix(model: &Model) -> usize {
    if !model.is_merged() {
        return 0;
    }
    let names = model.project().into_iter().flat_map(|project| &project.services);
    let widest = names.map(|service| service.name.len()).max().unwrap_or_default();
    let room = usize::from(model.size.width) / 3;
    widest.min(PREFIX).min(room) + 3
}

fn upper(rest: &mut Rect, rows: u16) -> Rect {
    let rows = rows.min(rest.height);
    let part = Rect { height: rows, ..*rest };
    *rest = Rect { y: rest.y + rows, height: rest.height - rows, ..*rest };
    part
}

fn lower(rest: &mut Rect, rows: u16) -> Rect {
    let rows = rows.min(rest.height);
    rest.height -= rows;
    Rect { y: rest.y + rest.height, height: rows, ..*rest }
}
