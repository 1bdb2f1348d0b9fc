//! What comes into the machine and what it wants done.

use std::path::PathBuf;

use ratatui::layout::Size;

use super::deed::Deed;
use crate::api::{event::Event, log::Line, status::Status, tree::Node, why::Why};

/// Something that has happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// The person did something.
    Terminal(crossterm::event::Event),
    /// The terminal has this size.
    Size(Size),
    /// The daemon told something.
    News(News),
    /// A second has passed.
    Second,
}

/// What the daemon told, or did not.
#[derive(Clone, Debug)]
pub enum News {
    /// How things are.
    Status(Box<Status>),
    /// The daemon cannot be reached, and why.
    Gone(String),
    /// The tree.
    Tree(Box<Node>),
    /// Lines of the logs that were asked for under this number.
    Lines(u64, Vec<Line>),
    /// Why a service is as it is.
    Why(Box<Why>),
    /// That something happened.
    Events(Vec<Event>),
    /// What came of a deed: what to say, or what went wrong.
    Done(Deed, Result<String, String>),
    /// Something beside the daemon went wrong.
    Trouble(String),
}

/// Something to be done outside.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Effect {
    /// End.
    Quit,
    /// Give the terminal back to the shell until it brings us back.
    Suspend,
    /// Tell these logs under this number, and no others any more.
    Logs(u64, Logs),
    /// Tell the tree, or do not any more.
    Tree(bool),
    /// Tell what happens, or do not any more.
    Events(bool),
    /// Tell why this service is as it is; none: nothing any more.
    Why(Option<One>),
    /// Do this to services.
    Do(Deed),
    /// Connect the terminal with that of a service.
    Attach(One),
    /// Open this in a browser.
    Open(String),
    /// Take the mouse, or leave it to the terminal.
    Mouse(bool),
    /// Draw everything anew.
    Redraw,
}

/// A service of a project.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct One {
    /// The project's folder.
    pub dir: PathBuf,
    /// The service.
    pub service: String,
}

/// Logs of a project: of one service, or of all.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Logs {
    /// The project's folder.
    pub dir: PathBuf,
    /// The service; none: all.
    pub service: Option<String>,
}
