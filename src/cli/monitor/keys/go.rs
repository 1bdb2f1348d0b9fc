//! Going up and down, in whatever has the keys or is under the mouse.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

use super::super::{
    layout::Layout,
    model::{Model, Pane},
    rows::Row,
};

/// Columns that an arrow scrolls sideways, and rows that the wheel scrolls.
const SIDEWAYS: usize = 8;
const WHEEL: isize = 3;
/// Further than anything is long.
const FAR: isize = 1 << 40;

impl Model {
    /// Takes the keys that move.
    pub(super) fn moved(&mut self, key: KeyEvent) -> bool {
        let layout = Layout::of(self);
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let page = match self.focus {
            Pane::Table => layout.table_rows(),
            Pane::Tree => usize::from(layout.tree.height),
            Pane::Logs => usize::from(layout.logs.height),
        };
        let page = isize::try_from(page.saturating_sub(1).max(1)).unwrap_or(1);
        let half = isize::try_from(layout.logs.height / 2).unwrap_or(1).max(1);
        match key.code {
            KeyCode::Char('d') if control => self.go(Pane::Logs, half),
            KeyCode::Char('u') if control => self.go(Pane::Logs, -half),
            KeyCode::Char(_) if control => {}
            KeyCode::Char('j') | KeyCode::Down => self.go(self.focus, 1),
            KeyCode::Char('k') | KeyCode::Up => self.go(self.focus, -1),
            KeyCode::PageDown | KeyCode::Char(' ') => self.go(self.focus, page),
            KeyCode::PageUp => self.go(self.focus, -page),
            KeyCode::Home | KeyCode::Char('g') => self.go(self.focus, -FAR),
            KeyCode::End | KeyCode::Char('G') => self.go(self.focus, FAR),
            KeyCode::Left => self.left = self.left.saturating_sub(SIDEWAYS),
            KeyCode::Right if !self.wrap => self.left += SIDEWAYS,
            KeyCode::Right => self.say("long lines are broken; `z` cuts them instead"),
            KeyCode::Tab => self.next_pane(&layout, 1),
            KeyCode::BackTab => self.next_pane(&layout, layout.panes().len().saturating_sub(1)),
            _ => return false,
        }
        true
    }

    fn next_pane(&mut self, layout: &Layout, step: usize) {
        let panes = layout.panes();
        let at = panes.iter().position(|pane| *pane == self.focus).unwrap_or_default();
        self.focus = panes[(at + step) % panes.len()];
        // On a very small screen there is one pane at a time.
        if self.size.height < 9 && self.focus == Pane::Logs && panes.len() == 1 {
            self.focus = if self.tree_shown { Pane::Tree } else { Pane::Table };
        }
    }

    /// Goes down in a pane, or up where it is less than nothing.
    fn go(&mut self, pane: Pane, by: isize) {
        match pane {
            Pane::Table => {
                let rows = self.rows();
                let at = moved(self.selected_row().unwrap_or_default(), by, rows.len());
                if let Some(target) = rows.get(at).map(Row::target) {
                    self.select(target);
                }
            }
            Pane::Tree => {
                self.tree_at = moved(self.tree_at, by, self.tree.len());
                let rows = self.rows();
                let row = self.tree.get(self.tree_at);
                let target = row
                    .and_then(|row| rows.iter().map(Row::target).find(|target| row.is_of(target)));
                if let Some(target) = target {
                    self.selected = Some(target);
                }
            }
            Pane::Logs => {
                let view = Layout::of(self).view(self);
                match by {
                    FAR => self.log.follow(),
                    _ if by == -FAR => self.log.top(view),
                    _ if by < 0 => self.log.up(by.unsigned_abs(), view),
                    _ => self.log.down(by.unsigned_abs(), view),
                }
            }
        }
    }

    pub(super) fn mouse_event(&mut self, mouse: MouseEvent) -> Vec<super::Effect> {
        let layout = Layout::of(self);
        let at = Position::new(mouse.column, mouse.row);
        let within = |area: Rect| area.contains(at);
        let pane = if within(layout.table) {
            Pane::Table
        } else if within(layout.tree) {
            Pane::Tree
        } else {
            Pane::Logs
        };
        if self.popup.is_some() || self.prompt.is_some() {
            return Vec::new();
        }
        self.stale = true;
        match mouse.kind {
            MouseEventKind::ScrollUp => self.go(pane, -WHEEL),
            MouseEventKind::ScrollDown => self.go(pane, WHEEL),
            MouseEventKind::Down(MouseButton::Left) => self.click(pane, at, &layout),
            _ => {}
        }
        Vec::new()
    }

    fn click(&mut self, pane: Pane, at: Position, layout: &Layout) {
        self.focus = pane;
        let row = match pane {
            Pane::Table if at.y > layout.table.y => {
                self.table_top + usize::from(at.y - layout.table.y - 1)
            }
            Pane::Tree => self.tree_top + usize::from(at.y - layout.tree.y),
            Pane::Table | Pane::Logs => return,
        };
        let now = match pane {
            Pane::Tree => self.tree_at,
            _ => self.selected_row().unwrap_or_default(),
        };
        self.go(pane, row.cast_signed() - now.cast_signed());
    }
}

/// A place among so many, moved.
fn moved(at: usize, by: isize, all: usize) -> usize {
    at.saturating_add_signed(by).min(all.saturating_sub(1))
}
