//! `locald graph`: the dependency graph of the configuration.

use crate::{
    api::graph::Graph,
    cli::{
        args::{self, GraphFormat},
        error::Error,
        output::Output,
        project::Project,
    },
};

/// Runs the command.
pub fn run(args: &args::Graph) -> Result<(), Error> {
    let out = Output::of_process();
    let graph = Graph::of(&*Project::here()?.plan()?);
    match args.format {
        _ if args.json => out.json(&graph),
        GraphFormat::Json => out.json(&graph),
        GraphFormat::Text => out.write(graph.text().as_bytes()),
        GraphFormat::Dot => out.write(graph.dot().as_bytes()),
        GraphFormat::Mermaid => out.write(graph.mermaid().as_bytes()),
    }
}
