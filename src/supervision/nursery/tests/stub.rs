//! A supervisor, its stub children and the log of their lives.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, atomic::AtomicU32, atomic::Ordering},
    time::Duration,
};

use arc_swap::ArcSwap;
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent};
use tokio::sync::mpsc;

use crate::supervision::{
    address::{Address, address},
    budget::Limit,
    engine::{Input, Phase, Policy, Restart},
    graph::{Graph, Id},
    nursery::{Birth, ChildSpec, Herald, News, Nursery, Signal, StartFn, failure, spawn},
    plate::{ChildPlate, SupervisorPlate},
};

pub(super) const LIMIT: Limit = Limit {
    restarts: 3,
    within: Duration::from_mins(1),
    initial: Duration::from_millis(200),
    factor: 2.0,
    max: Duration::from_secs(5),
};

pub(super) const GRACE: Duration = Duration::from_secs(5);

/// What a stub does when it is born, or asked to end.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Nature {
    /// Its first so many births fail.
    pub(super) stillborn: u32,
    /// Its births panic rather than fail.
    pub(super) panics: bool,
    /// Its end takes for ever.
    pub(super) hangs: bool,
}

#[derive(Debug)]
pub(super) enum Do {
    Ready,
    Fail,
    Panic,
    Finish,
    Hello(RpcReplyPort<u64>),
    /// An answer that does not come.
    Silence(RpcReplyPort<u64>),
}

/// `+a` born, `*a` birth failed, `!a` failed, `.a` stops, `-a` stopped.
#[derive(Clone)]
pub(super) struct Log(mpsc::Sender<String>);

pub(super) struct LogBook(mpsc::Receiver<String>);

pub(super) fn log() -> (Log, LogBook) {
    let (sender, receiver) = mpsc::channel(10_000);
    (Log(sender), LogBook(receiver))
}

impl Log {
    fn put(&self, what: char, name: &Id) {
        self.0.try_send(format!("{what}{name}")).expect("somebody reads the log");
    }
}

impl LogBook {
    pub(super) fn take(&mut self) -> String {
        let mut lines = Vec::new();
        while let Ok(line) = self.0.try_recv() {
            lines.push(line);
        }
        lines.join(" ")
    }

    /// What happens within two seconds of quiet, and more.
    pub(super) async fn after(&mut self, time: Duration) -> String {
        tokio::time::sleep(time).await;
        self.take()
    }

    pub(super) async fn soon(&mut self) -> String {
        self.after(Duration::from_secs(2)).await
    }
}

struct Stub;

struct State {
    name: Id,
    life: u64,
    log: Log,
    nature: Nature,
    herald: Herald,
    asked: Vec<RpcReplyPort<u64>>,
}

impl Actor for Stub {
    type Msg = Do;
    type State = State;
    type Arguments = (State, bool);

    async fn pre_start(
        &self,
        me: ActorRef<Do>,
        (state, fails): Self::Arguments,
    ) -> Result<State, ActorProcessingErr> {
        if fails {
            state.log.put('*', &state.name);
            assert!(!state.nature.panics, "born to panic");
            return Err("cannot be born".into());
        }
        state.log.put('+', &state.name);
        me.send_after(Duration::from_millis(10), || Do::Ready);
        Ok(state)
    }

    async fn handle(
        &self,
        me: ActorRef<Do>,
        msg: Do,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match msg {
            Do::Ready => state.herald.ready(),
            Do::Fail => {
                state.log.put('!', &state.name);
                return Err("exit status 1".into());
            }
            Do::Panic => {
                state.log.put('!', &state.name);
                panic!("a bug in {}", state.name);
            }
            Do::Finish => me.stop(None),
            Do::Hello(reply) => drop(reply.send(state.life)),
            Do::Silence(reply) => state.asked.push(reply),
        }
        Ok(())
    }

    async fn post_stop(
        &self,
        _: ActorRef<Do>,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        state.log.put('.', &state.name);
        let time = if state.nature.hangs { GRACE * 100 } else { Duration::from_millis(50) };
        tokio::time::sleep(time).await;
        state.log.put('-', &state.name);
        Ok(())
    }
}

pub(super) fn stub(
    name: &str,
    restart: Restart,
    nature: Nature,
    log: &Log,
) -> (ChildSpec, Address<Do>) {
    let (mailroom, address) = address();
    let (mailroom, births) = (Arc::new(mailroom), Arc::new(AtomicU32::new(0)));
    let (name, log) = (Id::from(name), log.clone());
    let plate = ChildPlate::new(name.clone());
    let start: StartFn = Arc::new(move |Birth { life, supervisor, herald, .. }| {
        let fails = births.fetch_add(1, Ordering::Relaxed) < nature.stillborn;
        let (name, log, mailroom) = (name.clone(), log.clone(), mailroom.clone());
        Box::pin(async move {
            let state = State { name, life, log, nature, herald, asked: Vec::new() };
            let actor = spawn(supervisor, Stub, (state, fails)).await?;
            mailroom.publish(actor.clone());
            Ok(actor.get_cell())
        })
    });
    let policy = Policy { restart, oneshot: false, limit: LIMIT };
    (ChildSpec { start, policy, grace: GRACE, plate }, address)
}

/// A supervisor that does as it is told and keeps all news.
pub(super) struct Boss;

pub(super) enum Order {
    Signal(Signal),
    Step(Input),
    Reshape(Graph, HashMap<Id, ChildSpec>, BTreeSet<Id>),
}

pub(super) struct Crew {
    nursery: Nursery<Order>,
    news: Arc<ArcSwap<Vec<String>>>,
}

pub(super) struct BossArgs {
    graph: Graph,
    specs: HashMap<Id, ChildSpec>,
    plate: Arc<SupervisorPlate>,
    news: Arc<ArcSwap<Vec<String>>>,
}

impl From<Signal> for Order {
    fn from(signal: Signal) -> Self {
        Self::Signal(signal)
    }
}

impl Crew {
    fn keep(&self, news: &[News]) {
        let word = |item: &News| match item {
            News::Born(id, _) => format!("born {id}"),
            News::Told(id) => format!("told {id}"),
            News::Gone(id, _, None) => format!("gone {id}"),
            News::Gone(id, _, Some(_)) => format!("failed {id}"),
            News::Waits(id, delay) => format!("waits {id} {}", delay.as_millis()),
            News::GaveUp(id) => format!("gave up {id}"),
        };
        let mut all = self.news.load().to_vec();
        all.extend(news.iter().map(word));
        self.news.store(Arc::new(all));
    }
}

impl Actor for Boss {
    type Msg = Order;
    type State = Crew;
    type Arguments = BossArgs;

    async fn pre_start(
        &self,
        me: ActorRef<Order>,
        BossArgs { graph, specs, plate, news }: BossArgs,
    ) -> Result<Crew, ActorProcessingErr> {
        Ok(Crew { nursery: Nursery::new(&me, graph, specs, failure, plate), news })
    }

    async fn handle(
        &self,
        _: ActorRef<Order>,
        order: Order,
        crew: &mut Crew,
    ) -> Result<(), ActorProcessingErr> {
        let news = match order {
            Order::Signal(signal) => crew.nursery.signal(signal).await,
            Order::Step(input) => crew.nursery.advance(input).await,
            Order::Reshape(graph, specs, changed) => {
                crew.nursery.reshape(graph, specs, changed).await
            }
        };
        crew.keep(&news);
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<Order>,
        event: SupervisionEvent,
        crew: &mut Crew,
    ) -> Result<(), ActorProcessingErr> {
        let news = crew.nursery.event(event).await;
        crew.keep(&news);
        Ok(())
    }

    async fn post_stop(
        &self,
        _: ActorRef<Order>,
        crew: &mut Crew,
    ) -> Result<(), ActorProcessingErr> {
        crew.nursery.stop_all().await;
        Ok(())
    }
}

/// A boss, its children, and how to reach all of them.
pub(super) struct Team {
    pub(super) boss: ActorRef<Order>,
    pub(super) plate: Arc<SupervisorPlate>,
    pub(super) book: LogBook,
    pub(super) log: Log,
    addresses: HashMap<Id, Address<Do>>,
    news: Arc<ArcSwap<Vec<String>>>,
}

impl Team {
    /// Permanent children; nobody is started.
    pub(super) async fn new(graph: Graph, nature: impl Fn(&str) -> Nature) -> Self {
        let (log, book) = log();
        let mut specs = HashMap::new();
        let mut addresses = HashMap::new();
        for id in graph.ids() {
            let (spec, address) = stub(id, Restart::Permanent, nature(id), &log);
            specs.insert(id.clone(), spec);
            addresses.insert(id.clone(), address);
        }
        let plate = SupervisorPlate::new("rest_for_one");
        let news = Arc::<ArcSwap<Vec<String>>>::default();
        let args = BossArgs { graph, specs, plate: plate.clone(), news: news.clone() };
        #[expect(clippy::disallowed_methods, reason = "nobody is above it")]
        let (boss, _) = Actor::spawn(None, Boss, args).await.expect("it can be born");
        Self { boss, plate, book, log, addresses, news }
    }

    pub(super) async fn start(&mut self, names: &str) -> String {
        self.step(Input::Start(ids(names))).await
    }

    /// Has the engine hear this, and returns what has happened two seconds later.
    pub(super) async fn step(&mut self, input: Input) -> String {
        self.boss.cast(Order::Step(input)).expect("the boss lives");
        self.book.soon().await
    }

    pub(super) async fn tell(&mut self, name: &str, what: Do) -> String {
        assert!(self.addresses[name].cast(what), "{name} lives");
        self.book.soon().await
    }

    pub(super) fn cast(&self, name: &str, what: Do) -> bool {
        self.addresses[name].cast(what)
    }

    pub(super) fn address(&self, name: &str) -> Address<Do> {
        self.addresses[name].clone()
    }

    pub(super) async fn reshape(
        &mut self,
        graph: Graph,
        specs: HashMap<Id, ChildSpec>,
        changed: &str,
    ) -> String {
        let changed = ids(changed).into_iter().collect();
        self.boss.cast(Order::Reshape(graph, specs, changed)).expect("the boss lives");
        self.book.soon().await
    }

    pub(super) fn news(&self) -> String {
        self.news.swap(Arc::default()).join(", ")
    }

    pub(super) fn phase(&self, name: &str) -> Phase {
        self.standing(name, |standing| standing.phase)
    }

    pub(super) fn standing<R>(
        &self,
        name: &str,
        look: impl Fn(&crate::supervision::plate::Standing) -> R,
    ) -> R {
        let children = self.plate.children();
        let plate = children.iter().find(|plate| &**plate.name() == name).expect("it has a plate");
        look(&plate.standing().expect("it has a standing"))
    }

    pub(super) fn cell(&self, name: &str) -> Option<ActorCell> {
        self.standing(name, |standing| standing.cell.clone())
    }

    pub(super) async fn end(mut self) -> String {
        self.boss.stop(None);
        self.boss.get_cell().wait(Some(GRACE * 100)).await.expect("it ends");
        self.book.take()
    }
}

pub(super) fn ids(names: &str) -> Vec<Id> {
    names.split_whitespace().map(Id::from).collect()
}
