//! `locald tree`: the live supervision tree.

use std::path::Path;

use super::status::fit;
use crate::{
    api::{status::Status, tree::Node},
    cli::{
        args,
        client::{Following, Query},
        context::Context,
        error::Error,
        live::Live,
        project::Project,
        render::tree::tree,
    },
};

/// Runs the command.
pub async fn run(context: &Context, args: &args::Tree) -> Result<(), Error> {
    let project = Project::unless_all(args.all)?;
    let dir = project.as_ref().map(|project| &*project.dir);
    let query = query(dir, args.all);
    let mut client = context.daemon().await?;
    if !args.watch {
        let root: Node = client.get(&query).await?;
        return if args.json {
            context.out.json(&root)
        } else {
            let text = tree(&root, context.out.width(), context.out.paint);
            context.out.write(text.as_bytes())
        };
    }
    // The tree has no stream of its own: whatever changes it, changes the status.
    let watching = context.daemon().await?;
    let of_status = Query::new("/v1/watch").maybe_dir(dir);
    let mut changes = Following::<Status, _>::begin(watching, of_status, true).await?;
    let mut live = Live::new(context.out);
    while changes.next().await?.is_some() {
        while changes.buffered()?.is_some() {}
        let root: Node = client.get(&query).await?;
        if args.json {
            context.out.json_line(&root)?;
        } else if context.out.terminal {
            let (columns, rows) = live.room();
            let text = tree(&root, Some(columns), context.out.paint);
            live.draw("", fit(&text, columns, rows))?;
        } else {
            let text = tree(&root, None, context.out.paint);
            context.out.write(format!("{text}\n").as_bytes())?;
        }
    }
    Ok(())
}

/// The tree of this project inside its ancestors, or that of `all`.
pub fn query(dir: Option<&Path>, all: bool) -> Query {
    Query::new("/v1/tree").maybe_dir(dir).maybe("all", all.then_some("true"))
}
