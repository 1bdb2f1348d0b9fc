//! Makes way for the next daemon, to which the heart gives all that there is, as if this one had died.

use std::{convert::Infallible, path::PathBuf, process, time::Duration};

use tokio::{sync::watch, time::timeout};

use crate::{
    actors::ipc_gateway::{Desk, Tenure},
    os::keep,
    proxy::Engine,
};

/// How long clients may take to read their last answers.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// When it is asked for. What runs and what is known of it is the heart's already, whatever the moment;
/// only requests that were begun are this daemon's alone, and they have `limit`.
pub(super) async fn make_way(desk: &Desk, engine: &Engine, limit: Duration) -> Infallible {
    let program = asked(desk.tenure.subscribe()).await;
    tracing::info!(program = %program.display(), "making way");
    if !engine.make_way(limit).await {
        tracing::warn!("what has not ended in {limit:?} is broken off");
    }
    desk.tenure.send_replace(Tenure::Leaves);
    let mut open = desk.connections.subscribe();
    // Those who watch would do so for ever.
    let _late = timeout(LAST_WORDS, open.wait_for(|open| *open == 0)).await;
    desk.infra.events.left_to(&program);
    // Nothing is to be let go of: an actor that ends takes its service along.
    process::exit(keep::MAKES_WAY.into())
}

async fn asked(mut tenure: watch::Receiver<Tenure>) -> PathBuf {
    loop {
        if let Tenure::MakesWay(program) = &*tenure.borrow_and_update() {
            return program.clone();
        }
        if tenure.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
