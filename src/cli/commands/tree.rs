//! `locald tree`: the live supervision tree.

use super::status::fit;
use crate::{
    api::{status::Status, tree::Node},
    cli::{
        args, client::Query, context::Context, error::Error, live::Live, project::Project,
        render::tree::tree,
    },
};

/// Runs the command.
pub async fn run(context: &Context, args: &args::Tree) -> Result<(), Error> {
    let project = if args.all { None } else { Project::here_if_any()? };
    let about = |path| match &project {
        Some(project) => Query::new(path).dir(&project.dir),
        None => Query::new(path),
    };
    let query = about("/v1/tree").maybe("all", args.all.then_some("true"));
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
    let mut changes = context.daemon().await?.watch::<Status>(&about("/v1/watch")).await?;
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
