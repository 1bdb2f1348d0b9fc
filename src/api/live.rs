//! `GET /v1/live`: all that somebody who looks on wants to know, one [`News`] per line. What has changed since the
//! last line of its kind comes as soon as the reader is ready for it, and no sooner: who reads slowly misses
//! steps, and never the latest.
//!
//! Query: `after` (events with a higher number come first; none: the latest).

use serde::{Deserialize, Serialize};

use super::{event::Event, graph::Graph, status::Status, tree::Node};

/// Something that has changed, as it is now.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum News {
    /// All projects and services.
    Status(Status),
    /// The whole supervision tree.
    Tree(Node),
    /// The dependency graph of each project.
    Graphs(Vec<ProjectGraph>),
    /// What has happened, the newest last.
    Events(Vec<Event>),
    /// What services use: at first a minute of samples, then the latest. Somebody looks on while there are
    /// any, once a second.
    Usage(Vec<Usage>),
}

/// The dependency graph of a project.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ProjectGraph {
    /// Its name.
    pub project: String,
    /// Its graph.
    pub graph: Graph,
}

/// What a service uses.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Usage {
    /// The project's name.
    pub project: String,
    /// The service's name.
    pub service: String,
    /// Percent of one processor, the newest last.
    pub cpu: Vec<f64>,
    /// Bytes in memory, likewise.
    pub memory: Vec<u64>,
}
