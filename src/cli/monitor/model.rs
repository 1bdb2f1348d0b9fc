//! The state of the monitor.

use std::{mem, path::PathBuf};

use ratatui::layout::Size;
use tokio::time::Instant;

use super::{
    deed::Deed,
    effect::{Effect, Input, Logs},
    layout::Layout,
    log::Log,
    popup::Open,
    prompt::Prompt,
    rows::{self, Row, Target, TreeRow},
};
use crate::api::status::{Project, Service, Status};

/// A part of the screen that takes keys.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Pane {
    /// The services.
    Table,
    /// The tree.
    Tree,
    /// The log.
    Logs,
}

/// Something said to the person, until the next key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Word {
    /// What.
    pub text: String,
    /// Whether it is bad news.
    pub trouble: bool,
}

/// All that the screen depends on.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own on the screen")]
pub struct Model {
    /// The folder of the one project that is shown; none: all projects.
    pub here: Option<PathBuf>,
    /// The size of the screen.
    pub size: Size,
    /// How things were when the daemon last told, and when that was.
    pub status: Option<(Status, Instant)>,
    /// Why the daemon is not there.
    pub gone: Option<String>,
    /// What is selected.
    pub selected: Option<Target>,
    /// The first row of the table that is shown.
    pub table_top: usize,
    /// The tree, as far as it is known.
    pub tree: Vec<TreeRow>,
    /// Whether it is shown.
    pub tree_shown: bool,
    /// The row of it that is selected, and the first that is shown.
    pub tree_at: usize,
    /// The first row of it that is shown.
    pub tree_top: usize,
    /// Who takes keys.
    pub focus: Pane,
    /// The log.
    pub log: Log,
    /// Whose log it is, and under which number it was asked for.
    pub logs: Option<Logs>,
    /// The number under which it was asked for.
    pub logs_number: u64,
    /// Whether lines of all services of the project are shown.
    pub merged: bool,
    /// Whether long lines are broken.
    pub wrap: bool,
    /// So many columns of the log are out of sight to the left.
    pub left: usize,
    /// Whether the log has the whole screen.
    pub zoom: bool,
    /// What lies over the panes.
    pub popup: Option<Open>,
    /// What is being typed.
    pub prompt: Option<Prompt>,
    /// What is to be said.
    pub word: Option<Word>,
    /// What is under way.
    pub busy: Vec<Deed>,
    /// Whether the mouse is ours.
    pub mouse: bool,
    /// Whether the screen no longer shows all this.
    pub(super) stale: bool,
}

impl Model {
    /// Before anything is known, for the project in `here` or for all.
    pub fn new(here: Option<PathBuf>, size: Size) -> Self {
        Self {
            here,
            size,
            status: None,
            gone: None,
            selected: None,
            table_top: 0,
            tree: Vec::new(),
            tree_shown: false,
            tree_at: 0,
            tree_top: 0,
            focus: Pane::Table,
            log: Log::default(),
            logs: None,
            logs_number: 0,
            merged: false,
            wrap: true,
            left: 0,
            zoom: false,
            popup: None,
            prompt: None,
            word: None,
            busy: Vec::new(),
            mouse: false,
            stale: true,
        }
    }

    /// Takes what has happened, and says what is to be done.
    pub fn update(&mut self, input: Input, now: Instant) -> Vec<Effect> {
        let mut effects = match input {
            Input::Terminal(event) => self.terminal(event),
            Input::Size(size) => {
                self.stale |= self.size != size;
                self.size = size;
                Vec::new()
            }
            Input::News(news) => self.news(news, now),
            Input::Second => {
                self.stale |= self.has_clock();
                Vec::new()
            }
        };
        self.settle();
        effects.extend(self.wanted_logs());
        effects
    }

    /// Whether something has changed since this was last asked.
    pub fn take_stale(&mut self) -> bool {
        mem::take(&mut self.stale)
    }

    /// Whether something has changed that is not drawn yet.
    pub fn is_stale(&self) -> bool {
        self.stale
    }

    /// What is on the screen counts no more.
    pub fn spoil(&mut self) {
        self.stale = true;
    }

    /// Whether time alone changes the picture.
    pub fn has_clock(&self) -> bool {
        let mut services = self.projects().iter().flat_map(|project| &project.services);
        self.gone.is_none() && services.any(|service| service.uptime_s.is_some())
    }

    /// What is known of projects.
    pub fn projects(&self) -> &[Project] {
        self.status.as_ref().map_or(&[], |(status, _)| &status.projects)
    }

    /// The rows of the table.
    pub fn rows(&self) -> Vec<Row<'_>> {
        let several = self.here.is_none();
        self.status.as_ref().map_or_else(Vec::new, |(status, _)| rows::table(status, several))
    }

    /// The rows that table and tree would like to have.
    pub fn upper_rows(&self) -> u16 {
        let table = self.rows().len() + 1;
        let rows = if self.tree_shown { table.max(self.tree.len()) } else { table };
        u16::try_from(rows).unwrap_or(u16::MAX)
    }

    /// The row of the table that is selected.
    pub fn selected_row(&self) -> Option<usize> {
        let target = self.selected.as_ref()?;
        self.rows().iter().position(|row| row.target() == *target)
    }

    /// The project of what is selected.
    pub fn project(&self) -> Option<&Project> {
        let target = self.selected.as_ref()?;
        self.projects().iter().find(|project| project.path == target.dir)
    }

    /// The service that is selected.
    pub fn service(&self) -> Option<&Service> {
        let name = self.selected.as_ref()?.service.as_ref()?;
        self.project()?.services.iter().find(|service| service.name == *name)
    }

    /// Whether the log has lines of several services.
    pub fn is_merged(&self) -> bool {
        self.logs.as_ref().is_some_and(|logs| logs.service.is_none())
    }

    /// Selects something.
    pub(super) fn select(&mut self, target: Target) {
        let at = self.tree.iter().position(|row| row.is_of(&target));
        let there = self.tree.get(self.tree_at).is_some_and(|row| row.is_of(&target));
        if let (Some(at), false) = (at, there) {
            self.tree_at = at;
        }
        self.selected = Some(target);
    }

    /// Says something.
    pub(super) fn say(&mut self, text: impl Into<String>) {
        self.word = Some(Word { text: text.into(), trouble: false });
    }

    /// Says that something is wrong.
    pub(super) fn complain(&mut self, text: impl Into<String>) {
        self.word = Some(Word { text: text.into(), trouble: true });
    }

    /// Has what is selected in sight, and keys go where something is seen.
    fn settle(&mut self) {
        self.tree_at = self.tree_at.min(self.tree.len().saturating_sub(1));
        let layout = Layout::of(self);
        if !layout.panes().contains(&self.focus) {
            self.focus = layout.panes().first().copied().unwrap_or(Pane::Logs);
        }
        let at = self.selected_row().unwrap_or_default();
        self.table_top = in_sight(self.table_top, at, layout.table_rows(), self.rows().len());
        let rows = usize::from(layout.tree.height);
        self.tree_top = in_sight(self.tree_top, self.tree_at, rows, self.tree.len());
    }

    /// Asks for other logs if others are to be shown.
    fn wanted_logs(&mut self) -> Option<Effect> {
        let target = self.selected.as_ref()?;
        let service = target.service.clone().filter(|_| !self.merged);
        let wanted = Logs { dir: target.dir.clone(), service };
        if self.logs.as_ref() == Some(&wanted) {
            return None;
        }
        self.logs = Some(wanted.clone());
        self.logs_number += 1;
        self.log.clear();
        self.left = 0;
        Some(Effect::Logs(self.logs_number, wanted))
    }
}

/// The first of so many `rows` of `all`, moved from `top` no further than needed to show `at`.
fn in_sight(top: usize, at: usize, rows: usize, all: usize) -> usize {
    let top = top.min(all.saturating_sub(rows));
    top.min(at).max((at + 1).saturating_sub(rows.max(1)))
}
