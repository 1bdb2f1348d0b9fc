//! The supervisor of all projects: `one_for_one`, dynamic, and nothing escalates from here.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use arc_swap::{ArcSwap, ArcSwapOption};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent};

use super::{
    board::{ProjectBoard, ServiceBoard},
    context::{Caller, ProjectContext},
    directory::Entry,
    infra::{Infra, PATIENCE},
    project::{self, Project},
};
use crate::{
    core::{
        id::{ProjectName, ServiceName},
        memory,
        plan::{Plan, ServicePlan},
        routes::{self, ProjectRoutes, Table},
    },
    os::{keep, lent::Lent},
    supervision::{
        address::{Address, CallError, address},
        budget::Limit,
        engine::{Input, Policy, Restart},
        graph::{Graph, Id},
        nursery::{ChildSpec, News, Nursery, Signal, StartFn, failure, spawn},
        plate::{ChildPlate, SupervisorPlate},
    },
};

/// Longer than any project takes to stop: its services have their own limits.
const GRACE: Duration = Duration::from_hours(1);

/// A bug in a project's actor that strikes again and again is given up on.
const LIMIT: Limit = Limit {
    restarts: 5,
    within: Duration::from_mins(1),
    initial: Duration::from_millis(50),
    factor: 4.0,
    max: Duration::from_secs(5),
};

/// The actor.
#[derive(Clone, Copy)]
pub struct Projects;

/// What it is told.
pub enum Msg {
    /// The project in this folder, made if there is none yet. One per `up`.
    Open(PathBuf, Arc<Plan>, RpcReplyPort<Result<Entry, Clash>>),
    /// The configuration in this folder has been edited. One per burst of edits.
    Edited(PathBuf, Arc<Plan>),
    /// Ends a project and forgets it; answers when it is gone. One per `down`.
    Close(PathBuf, RpcReplyPort<()>),
    /// See [`Signal`].
    Signal(Signal),
}

/// What it is given.
pub struct Args {
    /// What the projects are given.
    pub infra: Infra,
    /// Its line in the tree.
    pub plate: Arc<ChildPlate>,
}

/// Why a project cannot be opened.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Clash {
    /// Projects go by their names.
    #[error("project {name} in {} is already up: two projects cannot have the same name", .dir.display())]
    Name {
        /// The name of both.
        name: ProjectName,
        /// Where the other one is.
        dir: PathBuf,
    },
    /// Hosts and paths lead to one service each.
    #[error(transparent)]
    Routes(routes::Clash),
}

/// Its state.
pub struct Branch {
    infra: Infra,
    nursery: Nursery<Msg>,
    specs: HashMap<Id, ChildSpec>,
    /// Projects on their way down that go on under other names.
    renamed: HashMap<Id, Arc<ProjectBoard>>,
    /// Who waits for the end of a project.
    closing: HashMap<Id, Vec<RpcReplyPort<()>>>,
}

impl Actor for Projects {
    type Msg = Msg;
    type State = Branch;
    type Arguments = Args;

    async fn pre_start(
        &self,
        myself: ActorRef<Msg>,
        Args { infra, plate }: Args,
    ) -> Result<Branch, ActorProcessingErr> {
        let board = SupervisorPlate::new("one_for_one");
        plate.supervises(board.clone());
        let shown = infra.directory.clone();
        plate.describe(move || Some(format!("{} projects", shown.all().len())));
        let nursery = Nursery::new(&myself, Graph::default(), HashMap::new(), failure, board);
        Ok(Branch {
            infra,
            nursery,
            specs: HashMap::new(),
            renamed: HashMap::new(),
            closing: HashMap::new(),
        })
    }

    /// A later life takes up the projects that it finds in the directory.
    async fn post_start(
        &self,
        _: ActorRef<Msg>,
        branch: &mut Branch,
    ) -> Result<(), ActorProcessingErr> {
        let known = branch.infra.directory.all();
        for (dir, entry) in known.iter() {
            branch.open(dir.clone(), &entry.context.plan.load_full()).await?;
        }
        Ok(())
    }

    async fn handle(
        &self,
        _: ActorRef<Msg>,
        msg: Msg,
        branch: &mut Branch,
    ) -> Result<(), ActorProcessingErr> {
        match msg {
            // An asker that is gone has no use for the answer.
            Msg::Open(dir, plan, reply) => drop(reply.send(branch.open(dir, &plan).await)),
            Msg::Edited(dir, plan) => branch.edited(dir, plan).await,
            Msg::Close(dir, reply) => branch.close(dir, reply).await,
            Msg::Signal(signal) => {
                let news = branch.nursery.signal(signal).await;
                branch.take_in(news);
            }
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<Msg>,
        event: SupervisionEvent,
        branch: &mut Branch,
    ) -> Result<(), ActorProcessingErr> {
        let news = branch.nursery.event(event).await;
        branch.take_in(news);
        Ok(())
    }

    async fn post_stop(
        &self,
        _: ActorRef<Msg>,
        branch: &mut Branch,
    ) -> Result<(), ActorProcessingErr> {
        branch.nursery.stop_all().await;
        Ok(())
    }
}

impl From<Signal> for Msg {
    fn from(signal: Signal) -> Self {
        Self::Signal(signal)
    }
}

impl Address<Msg> {
    /// The project in this folder, made if there is none yet.
    pub async fn open(
        &self,
        dir: PathBuf,
        plan: Arc<Plan>,
    ) -> Result<Result<Entry, Clash>, CallError> {
        self.call(|reply| Msg::Open(dir, plan, reply), PATIENCE).await
    }

    /// The configuration in this folder has been edited.
    pub fn edited(&self, dir: PathBuf, plan: Arc<Plan>) {
        self.cast(Msg::Edited(dir, plan));
    }

    /// Ends a project and forgets it; returns when it is gone.
    pub async fn close(&self, dir: PathBuf) -> Result<(), CallError> {
        self.call(|reply| Msg::Close(dir, reply), GRACE).await
    }
}

impl Branch {
    async fn open(&mut self, dir: PathBuf, plan: &Arc<Plan>) -> Result<Entry, Clash> {
        let mut entries = BTreeMap::clone(&self.infra.directory.all());
        if let Some(clash) = clash(&entries, &dir, plan) {
            return Err(clash);
        }
        let id: Id = plan.project.as_str().into();
        // A folder whose project has changed its name is another project.
        let same = entries.get(&dir).filter(|entry| entry.board.name == plan.project).cloned();
        if let Some(entry) = &same
            && self.specs.contains_key(&id)
        {
            self.start(id).await;
            return Ok(entry.clone());
        }
        let mut predecessor = None;
        if let Some(old) = entries.remove(&dir).filter(|old| old.board.name != plan.project) {
            self.rename(&old.board, &plan.project);
            predecessor = Some(old);
        }
        let context = same.map_or_else(|| self.context(&dir, plan), |entry| entry.context);
        if let Some(old) = predecessor {
            // Its actor is born when the old one's is gone, and goes on where that was.
            context.caller.store(old.context.caller.load_full());
            context.inherits.store(Some(Arc::new(wanted_of(&old, plan))));
        }
        let (spec, entry) = child(context);
        self.specs.insert(id.clone(), spec);
        entries.insert(dir, entry.clone());
        self.infra.directory.publish(entries);
        self.reshape().await;
        self.start(id).await;
        Ok(entry)
    }

    /// Puts an edited configuration into effect, if there is still such a project. What makes it
    /// impossible is shown by the project.
    async fn edited(&mut self, dir: PathBuf, plan: Arc<Plan>) {
        let Some(before) = self.infra.directory.get(&dir) else { return };
        let opened = match self.open(dir, &plan).await {
            Ok(opened) => opened,
            Err(clash) => return before.context.refuse(&clash.to_string()),
        };
        if opened.board.name == before.board.name {
            opened.address.edited(plan);
        }
    }

    async fn close(&mut self, dir: PathBuf, reply: RpcReplyPort<()>) {
        let mut entries = BTreeMap::clone(&self.infra.directory.all());
        let Some(entry) = entries.remove(&dir) else {
            let _gone = reply.send(());
            return;
        };
        let id: Id = entry.board.name.as_str().into();
        self.specs.remove(&id);
        if self.nursery.engine().phase(&id).is_alive() {
            self.closing.entry(id).or_default().push(reply);
        } else {
            let _gone = reply.send(());
        }
        self.reshape().await;
        self.infra.directory.publish(entries);
        let project = &entry.board.name;
        self.infra.state_store.forget(dir);
        self.infra.ports.release(project.clone());
        self.infra.logs.forget(project.clone());
        forget_minds(&entry.board);
        let text = "it is stopped and forgotten";
        self.infra.events.record(Some(project), None, "down", Some(text.to_owned()));
    }

    /// The new one starts when the old one is down, on the same ports.
    fn rename(&mut self, board: &Arc<ProjectBoard>, new: &ProjectName) {
        let old = &board.name;
        self.renamed.insert(old.as_str().into(), board.clone());
        self.specs.remove(old.as_str());
        self.infra.ports.rename(old.clone(), new.clone());
        self.infra.logs.forget(old.clone());
        let (is_now, was) = (format!("it is called {new} now"), format!("it was called {old}"));
        self.infra.events.record(Some(old), None, "renamed", Some(is_now));
        self.infra.events.record(Some(new), None, "renamed", Some(was));
    }

    fn context(&self, dir: &std::path::Path, plan: &Arc<Plan>) -> Arc<ProjectContext> {
        let board = ProjectBoard::new(plan.project.clone(), dir.to_owned(), plan.domain.clone());
        Arc::new(ProjectContext {
            board: Arc::new(board),
            plan: ArcSwap::new(plan.clone()),
            ports: ArcSwap::default(),
            caller: ArcSwap::from_pointee(Caller::default()),
            inherits: ArcSwapOption::empty(),
            sight: Lent::default(),
            outbox: Lent::default(),
            infra: self.infra.clone(),
        })
    }

    async fn reshape(&mut self) {
        let ids: BTreeSet<Id> = self.specs.keys().cloned().collect();
        let graph = Graph::loose(ids);
        let news = self.nursery.reshape(graph, self.specs.clone(), BTreeSet::new()).await;
        self.take_in(news);
    }

    async fn start(&mut self, id: Id) {
        let news = self.nursery.advance(Input::Start(vec![id])).await;
        self.take_in(news);
    }

    fn take_in(&mut self, news: Vec<News>) {
        for item in news {
            match item {
                News::Gone(id, _, error) => {
                    if let Some(board) = self.renamed.remove(&id) {
                        forget_minds(&board);
                    }
                    for reply in self.closing.remove(&id).unwrap_or_default() {
                        let _gone = reply.send(());
                    }
                    if let Some(error) = error {
                        let text = format!("the project's actor failed: {error}");
                        self.infra.events.record(Some(&id), None, "project-failed", Some(text));
                    }
                }
                News::GaveUp(id) => {
                    let text = "the project's actor fails again and again; `locald up` tries anew";
                    self.infra.events.record(Some(&id), None, "gave-up", Some(text.to_owned()));
                }
                _ => {}
            }
        }
    }
}

/// What the heart was told of a project's services is of no use to another daemon.
fn forget_minds(board: &ProjectBoard) {
    let Some(line) = keep::line() else { return };
    for service in &*board.services() {
        line.drop(&memory::mind_name(&board.name, &service.name));
    }
}

/// The services of a plan that are to run because they, or the likes of them, ran before it.
fn wanted_of(before: &Entry, plan: &Plan) -> Vec<ServiceName> {
    let was_wanted = |board: &Arc<ServiceBoard>| board.read(|view| view.wanted);
    if !before.board.services().iter().any(was_wanted) {
        return Vec::new();
    }
    let is_wanted = |service: &&ServicePlan| match before.board.service(&service.name) {
        Some(board) => was_wanted(&board),
        None => service.autostart,
    };
    plan.services.iter().filter(is_wanted).map(|service| service.name.clone()).collect()
}

fn child(context: Arc<ProjectContext>) -> (ChildSpec, Entry) {
    let (mailroom, address) = address();
    let entry = Entry { board: context.board.clone(), context: context.clone(), address };
    let plate = ChildPlate::new(format!("project:{}", context.board.name));
    let shown = context.board.clone();
    plate.describe(move || Some(shown.dir.display().to_string()));
    let shown = context.board.clone();
    plate.says(move || Some(shown.state().to_string()));
    let mailroom = Arc::new(mailroom);
    let start: StartFn = Arc::new(move |birth| {
        let args = project::Args { context: context.clone(), plate: birth.plate };
        let mailroom = mailroom.clone();
        Box::pin(async move {
            let actor = spawn(birth.supervisor, Project, args).await?;
            mailroom.publish(actor.clone());
            Ok(actor.get_cell())
        })
    });
    let policy = Policy { restart: Restart::Permanent, oneshot: false, limit: LIMIT };
    (ChildSpec { start, policy, grace: GRACE, plate }, entry)
}

/// What speaks against this plan beside the projects that are there.
fn clash(entries: &BTreeMap<PathBuf, Entry>, dir: &std::path::Path, plan: &Plan) -> Option<Clash> {
    let others: Vec<&Entry> = entries.values().filter(|entry| entry.board.dir != dir).collect();
    if let Some(other) = others.iter().find(|other| other.board.name == plan.project) {
        let (name, dir) = (plan.project.clone(), other.board.dir.clone());
        return Some(Clash::Name { name, dir });
    }
    let routes = others.iter().map(|other| ProjectRoutes::of(&other.context.plan.load(), |_| ()));
    let all = routes.chain(std::iter::once(ProjectRoutes::of(plan, |_| ())));
    Table::build(all).err().map(Clash::Routes)
}
