//! Arguments of what shows how things are.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum, ValueHint};

use super::duration;
use crate::cli::complete::services;

/// Arguments of `status`.
#[derive(Args, Debug)]
pub struct Status {
    /// Shows every project.
    #[arg(long)]
    pub all: bool,
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
    /// Goes on showing what changes until Ctrl-C.
    #[arg(long)]
    pub watch: bool,
}

/// Arguments of `tree`.
#[derive(Args, Debug)]
pub struct Tree {
    /// Shows the infrastructure and every project.
    #[arg(long)]
    pub all: bool,
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
    /// Goes on showing what changes until Ctrl-C.
    #[arg(long)]
    pub watch: bool,
}

/// A service, shown as text or JSON.
#[derive(Args, Debug)]
pub struct Named {
    /// The service.
    #[arg(add = services())]
    pub service: String,
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
}

/// A service or the main one, shown as text or JSON.
#[derive(Args, Debug)]
pub struct MaybeNamed {
    /// The service; none: `web`, or the only one with a URL.
    #[arg(add = services())]
    pub service: Option<String>,
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `open`.
#[derive(Args, Debug)]
pub struct Open {
    /// The service; none: `web`, or the only one with a URL.
    #[arg(add = services())]
    pub service: Option<String>,
}

/// Arguments of `wait`.
#[derive(Args, Debug)]
pub struct Wait {
    /// The services; none: all that start by themselves.
    #[arg(value_name = "SERVICE", add = services())]
    pub services: Vec<String>,
    /// Gives up after this time.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub timeout: Option<Duration>,
}

/// Arguments of `graph`.
#[derive(Args, Debug)]
pub struct Graph {
    /// How to write it.
    #[arg(long, value_enum, default_value_t = GraphFormat::Text)]
    pub format: GraphFormat,
    /// Short for `--format json`.
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
}

/// How to write a graph.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum GraphFormat {
    /// For reading.
    Text,
    /// For Graphviz.
    Dot,
    /// For Markdown pages.
    Mermaid,
    /// For programs.
    Json,
}

/// Arguments of `check`.
#[derive(Args, Debug)]
pub struct Check {
    /// The project's folder.
    #[arg(value_hint = ValueHint::DirPath)]
    pub path: Option<PathBuf>,
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
}
