//! The supervisor of one project: its services are its children, its strategy is their graph.

mod adopt;
mod changes;
mod command;
mod compare;
mod load;
mod reasons;
mod specs;

use std::{collections::HashMap, sync::Arc};

use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent};
use tokio::time::Instant;

pub use self::{
    adopt::Heir,
    command::{Command, Refusal, Target, Ticket, Verb},
};
use super::{
    context::{Caller, ProjectContext, ServiceContext},
    infra::PATIENCE,
    service::End,
};
use crate::{
    core::{id::ServiceName, plan::Plan},
    os::child::Ending,
    supervision::{
        address::{Address, CallError, address},
        engine::{Exit, Input},
        graph::{Graph, Id},
        nursery::{Nursery, Signal},
        plate::{ChildPlate, SupervisorPlate},
    },
};

/// The actor.
pub struct Project;

/// What it is told.
pub enum Msg {
    /// This is the configuration. One per `up`, and per start of the actor.
    Load(Arc<Plan>, RpcReplyPort<Result<(), String>>),
    /// The file on disk says this now. One per burst of edits.
    Edited(Arc<Plan>),
    /// Files that these services have watched have changed. At most one per 100 ms.
    Touched(Vec<Touched>),
    /// Somebody wants something of some services. One per command of a person.
    Command(Command, RpcReplyPort<Result<Ticket, Refusal>>),
    /// These were up before this daemon was. One per project and daemon.
    Adopt(Vec<Heir>, Caller, RpcReplyPort<()>),
    /// See [`Signal`]. A few per life of a service.
    Signal(Signal),
}

/// A service whose watched files have changed.
#[derive(Debug)]
pub struct Touched {
    /// Which.
    pub service: ServiceName,
    /// One of the files.
    pub file: String,
    /// When the last of them did, at the latest.
    pub at: Instant,
}

/// What it is given.
pub struct Args {
    /// The project; outlives the actor, so that its next life goes on where this one was.
    pub context: Arc<ProjectContext>,
    /// Its line in the tree.
    pub plate: Arc<ChildPlate>,
}

/// Its state.
pub struct Team {
    context: Arc<ProjectContext>,
    nursery: Nursery<Msg>,
    services: HashMap<ServiceName, Arc<ServiceContext>>,
    /// What is born now has lived before.
    adopting: bool,
    /// Its own, for its watcher.
    address: Address<Msg>,
    /// What the tree shows of its children.
    plate: Arc<SupervisorPlate>,
    /// What the tree shows of its watcher.
    watcher: Arc<ChildPlate>,
}

impl Actor for Project {
    type Msg = Msg;
    type State = Team;
    type Arguments = Args;

    async fn pre_start(
        &self,
        myself: ActorRef<Msg>,
        Args { context, plate }: Args,
    ) -> Result<Team, ActorProcessingErr> {
        let strategy = specs::strategy(&context.plan.load());
        let board = SupervisorPlate::new(strategy);
        plate.supervises(board.clone());
        let nursery = Nursery::new(&myself, Graph::default(), HashMap::new(), judge, board.clone());
        let (mailroom, address) = address();
        mailroom.publish(myself);
        let watcher = ChildPlate::new("config-watcher");
        Ok(Team {
            context,
            nursery,
            services: HashMap::new(),
            adopting: false,
            address,
            plate: board,
            watcher,
        })
    }

    /// A first life has nothing to go on with, unless the project has just got its name; a later one
    /// does, from the boards.
    async fn post_start(
        &self,
        _: ActorRef<Msg>,
        team: &mut Team,
    ) -> Result<(), ActorProcessingErr> {
        if let Some(heirs) = team.context.inherits.load_full() {
            team.edited(team.context.plan.load_full(), &heirs).await;
            team.context.inherits.store(None);
            return Ok(());
        }
        let wanted = team.wanted();
        if team.context.board.services().is_empty() {
            return Ok(());
        }
        let plan = team.context.plan.load_full();
        team.load(plan).await?;
        team.give_reason(&wanted, "started again, since the project's actor had failed");
        let news = team.nursery.advance(Input::Start(wanted)).await;
        team.take_in(news).await;
        Ok(())
    }

    async fn handle(
        &self,
        _: ActorRef<Msg>,
        msg: Msg,
        team: &mut Team,
    ) -> Result<(), ActorProcessingErr> {
        match msg {
            // An asker that is gone has no use for the answer.
            Msg::Load(plan, reply) => drop(reply.send(team.load(plan).await.map(drop))),
            Msg::Edited(plan) => team.edited(plan, &[]).await,
            Msg::Touched(services) => team.touched(services).await,
            Msg::Command(command, reply) => drop(reply.send(team.command(command).await)),
            Msg::Adopt(heirs, caller, reply) => {
                team.caller(Some(caller));
                team.adopt(heirs).await;
                let _gone = reply.send(());
            }
            Msg::Signal(signal) => {
                let news = team.nursery.signal(signal).await;
                team.take_in(news).await;
            }
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<Msg>,
        event: SupervisionEvent,
        team: &mut Team,
    ) -> Result<(), ActorProcessingErr> {
        let news = team.nursery.event(event).await;
        team.take_in(news).await;
        Ok(())
    }

    /// Stops the services, dependents first. What was wanted stays written down.
    async fn post_stop(&self, _: ActorRef<Msg>, team: &mut Team) -> Result<(), ActorProcessingErr> {
        team.going_down();
        team.nursery.stop_all().await;
        team.down();
        Ok(())
    }
}

impl From<Signal> for Msg {
    fn from(signal: Signal) -> Self {
        Self::Signal(signal)
    }
}

impl Address<Msg> {
    /// Puts a configuration into effect; the inner error is for people.
    pub async fn load(&self, plan: Arc<Plan>) -> Result<Result<(), String>, CallError> {
        self.call(|reply| Msg::Load(plan, reply), PATIENCE).await
    }

    /// Takes up what ran before this daemon did.
    pub async fn adopt(&self, heirs: Vec<Heir>, caller: Caller) -> Result<(), CallError> {
        self.call(|reply| Msg::Adopt(heirs, caller, reply), PATIENCE).await
    }

    /// Puts a configuration into effect that has been edited.
    pub fn edited(&self, plan: Arc<Plan>) {
        self.cast(Msg::Edited(plan));
    }

    /// Watched files of these services have changed.
    pub fn touched(&self, services: Vec<Touched>) {
        self.cast(Msg::Touched(services));
    }

    /// Has a command carried out; its outcome is to be seen on the boards.
    pub async fn command(&self, command: Command) -> Result<Result<Ticket, Refusal>, CallError> {
        self.call(|reply| Msg::Command(command, reply), PATIENCE).await
    }
}

impl Team {
    /// The services that somebody wants, by the boards.
    fn wanted(&self) -> Vec<Id> {
        let services = self.context.board.services();
        let wanted = services.iter().filter(|board| board.read(|view| view.wanted));
        wanted.map(|board| board.name.as_str().into()).collect()
    }

    fn caller(&self, caller: Option<Caller>) {
        if let Some(caller) = caller {
            self.context.caller.store(Arc::new(caller));
        }
    }
}

/// OTP's `normal` is a process that exited 0. A backoff counts from the death of the process, not
/// from the end of the cleaning up behind it.
fn judge(error: &ActorProcessingErr) -> (Exit, Option<Instant>) {
    match error.downcast_ref::<End>() {
        Some(End::Exited(Ending::Code(0), at)) => (Exit::Success, Some(*at)),
        Some(End::Exited(_, at)) => (Exit::Failure, Some(*at)),
        _ => (Exit::Failure, None),
    }
}
