//! One life of a service: its process and its probe share their fate. It decides nothing about
//! restarts; however it ends, the project does.

use std::{collections::HashMap, sync::Arc, time::Duration};

use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};
use tokio::time::Instant;

use super::{context::ServiceContext, probe, process};
use crate::{
    os::child::Ending,
    supervision::{
        budget::Limit,
        engine::{Policy, Restart},
        graph::{Bond, Edge, Graph, Id, Needs},
        nursery::{ChildSpec, Herald, News, Nursery, Signal, StartFn, failure, spawn},
        plate::{ChildPlate, SupervisorPlate},
    },
};

/// The longest that a service may put off its end with `stop_timeout` and `EXTEND_TIMEOUT_USEC=`.
pub const LONGEST_STOP: Duration = Duration::from_mins(50);

/// What a stop takes at worst beyond that: what survives SIGKILL, or forks as fast as it is killed,
/// is hunted, then named.
pub const STOP_MARGIN: Duration = Duration::from_mins(1);

/// How long a probe may take to end: it only drops what it waits for.
const PROBE_STOP: Duration = Duration::from_secs(5);

/// The actor.
pub struct Service;

/// What it is told. Rate: a few per life.
#[derive(Debug)]
pub enum Msg {
    /// See [`Signal`].
    Signal(Signal),
}

/// What it is given.
pub struct Args {
    /// The service.
    pub context: Arc<ServiceContext>,
    /// How to tell the project that it is ready.
    pub herald: Herald,
    /// Its line in the tree.
    pub plate: Arc<ChildPlate>,
}

/// How a life ended by itself.
#[derive(Clone, Debug, thiserror::Error)]
pub enum End {
    /// The process exited, at that moment.
    #[error("{0}")]
    Exited(Ending, Instant),
    /// The probe has given up on it.
    #[error("{0}")]
    Unfit(String),
    /// It never ran.
    #[error("{0}")]
    Unlaunched(String),
}

/// Its state.
pub struct Group {
    nursery: Nursery<Msg>,
    /// Why the first of them ended.
    cause: Option<ActorProcessingErr>,
}

impl Actor for Service {
    type Msg = Msg;
    type State = Group;
    type Arguments = Args;

    async fn pre_start(
        &self,
        myself: ActorRef<Msg>,
        Args { context, herald, plate }: Args,
    ) -> Result<Group, ActorProcessingErr> {
        let board = SupervisorPlate::new("one_for_all");
        plate.supervises(board.clone());
        let needs = Edge { needs: Needs::Ready, bond: Bond::Crash };
        let ids: [Id; 2] = ["process".into(), "probe".into()];
        let edge = (ids[1].clone(), ids[0].clone(), needs);
        let graph = Graph::new(ids.clone(), [edge])?;
        let specs = children(ids, &context, &herald);
        let nursery = Nursery::new(&myself, graph, specs, failure, board);
        Ok(Group { nursery, cause: None })
    }

    async fn post_start(
        &self,
        _: ActorRef<Msg>,
        group: &mut Group,
    ) -> Result<(), ActorProcessingErr> {
        let news = group.nursery.start_all().await;
        group.share_fate(news).await
    }

    async fn handle(
        &self,
        _: ActorRef<Msg>,
        Msg::Signal(signal): Msg,
        group: &mut Group,
    ) -> Result<(), ActorProcessingErr> {
        let news = group.nursery.signal(signal).await;
        group.share_fate(news).await
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<Msg>,
        event: SupervisionEvent,
        group: &mut Group,
    ) -> Result<(), ActorProcessingErr> {
        let news = group.nursery.event(event).await;
        group.share_fate(news).await
    }

    async fn post_stop(
        &self,
        _: ActorRef<Msg>,
        group: &mut Group,
    ) -> Result<(), ActorProcessingErr> {
        group.nursery.stop_all().await;
        Ok(())
    }
}

impl From<Signal> for Msg {
    fn from(signal: Signal) -> Self {
        Self::Signal(signal)
    }
}

impl Group {
    async fn share_fate(&mut self, news: Vec<News>) -> Result<(), ActorProcessingErr> {
        for item in news {
            match item {
                News::Gone(_, _, Some(error)) => _ = self.cause.get_or_insert(error),
                News::GaveUp(_) => {
                    self.nursery.stop_all().await;
                    let unknown = || End::Unfit("ended without a reason".to_owned()).into();
                    return Err(self.cause.take().unwrap_or_else(unknown));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn children(
    [process_id, probe_id]: [Id; 2],
    context: &Arc<ServiceContext>,
    herald: &Herald,
) -> HashMap<Id, ChildSpec> {
    // Any end of either is the end of both.
    let policy = Policy { restart: Restart::Permanent, oneshot: false, limit: Limit::NONE };
    // A stop has limits of its own; this one is for a bug in them.
    let grace = LONGEST_STOP + STOP_MARGIN;
    let process_plate = ChildPlate::new(process_id.clone());
    let shown = context.clone();
    process_plate.describe(move || super::board::process_detail(&shown.board));
    let (of_process, of_probe, herald) = (context.clone(), context.clone(), herald.clone());
    let process: StartFn = Arc::new(move |birth| {
        let args = process::Args { context: of_process.clone(), herald: birth.herald };
        Box::pin(
            async move { Ok(spawn(birth.supervisor, process::Process, args).await?.get_cell()) },
        )
    });
    let probe: StartFn = Arc::new(move |birth| {
        let args =
            probe::Args { context: of_probe.clone(), service: herald.clone(), plate: birth.plate };
        Box::pin(async move { Ok(spawn(birth.supervisor, probe::Probe, args).await?.get_cell()) })
    });
    let probe_plate = ChildPlate::new(probe_id.clone());
    HashMap::from([
        (process_id, ChildSpec { start: process, policy, grace, plate: process_plate }),
        (probe_id, ChildSpec { start: probe, policy, grace: PROBE_STOP, plate: probe_plate }),
    ])
}
