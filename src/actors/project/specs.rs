//! A plan in the terms of supervision: child specifications and a graph.

use std::{collections::HashMap, iter, sync::Arc, time::Duration};

use crate::{
    actors::{
        board::{self, ServiceBoard, View},
        config_watcher::{self, ConfigWatcher},
        context::{ProjectContext, ServiceContext},
        notifier::{self, Notifier},
        service::{self, LONGEST_STOP, STOP_MARGIN, Service},
    },
    core::{
        id::ServiceName,
        plan::{self, Kind, Plan, ServicePlan, Strategy},
    },
    supervision::{
        address::Address,
        budget::Limit,
        engine::{Policy, Restart},
        graph::{Bond, Edge, Graph, GraphError, Id},
        nursery::{ChildSpec, StartFn, spawn},
        plate::ChildPlate,
    },
};

/// With these pauses nothing can fail so often.
const ASIDE: Limit = Limit {
    restarts: 1_000,
    within: Duration::from_mins(1),
    initial: Duration::from_millis(50),
    factor: 2.0,
    max: Duration::from_secs(1),
};

/// OTP's name of the project's strategy.
pub(super) fn strategy(plan: &Plan) -> &'static str {
    match plan.strategy {
        Strategy::OneForOne => "one_for_one",
        Strategy::RestForOne => "rest_for_one",
        Strategy::OneForAll => "one_for_all",
    }
}

/// Who needs whom.
pub(super) fn graph(plan: &Plan) -> Result<Graph, GraphError> {
    let ids: HashMap<&ServiceName, (Id, Kind)> = plan
        .services
        .iter()
        .map(|service| (&service.name, (Id::from(service.name.as_str()), service.kind)))
        .collect();
    let edges = plan.services.iter().flat_map(|service| {
        let from = &ids[&service.name].0;
        service.needs.iter().filter_map(|need| {
            let (to, kind) = ids.get(&need.on)?;
            let bond = match need.bond {
                plan::Bond::Loose => Bond::Loose,
                plan::Bond::Crash => Bond::Crash,
                plan::Bond::Always => Bond::Always,
            };
            let edge = Edge { needs: board::needs(need.condition, *kind), bond };
            Some((from.clone(), to.clone(), edge))
        })
    });
    let services = plan.services.iter().map(|service| ids[&service.name].0.clone());
    let asides = asides(plan);
    let graph = Graph::new(asides.clone().chain(services), edges)?;
    let graph = graph.one_for_all(plan.strategy == Strategy::OneForAll);
    Ok(asides.fold(graph, |graph, id| graph.aside(&id)))
}

/// How to supervise a service.
pub(super) fn spec(service: &ServicePlan, context: &Arc<ServiceContext>) -> ChildSpec {
    let plate = context.plate.clone();
    let context = context.clone();
    let start: StartFn = Arc::new(move |birth| {
        let args =
            service::Args { context: context.clone(), herald: birth.herald, plate: birth.plate };
        Box::pin(async move { Ok(spawn(birth.supervisor, Service, args).await?.get_cell()) })
    });
    ChildSpec { start, policy: policy(service), grace: LONGEST_STOP + STOP_MARGIN * 2, plate }
}

/// The line of a service in the tree.
pub(super) fn plate(board: &Arc<ServiceBoard>) -> Arc<ChildPlate> {
    let plate = ChildPlate::new(format!("service:{}", board.name));
    let shown = board.clone();
    plate.describe(move || board::service_detail(&shown));
    let shown = board.clone();
    plate.says(move || Some(shown.read(View::state).to_string()));
    plate
}

/// The name of the watcher among the children: no service can have it.
pub(super) fn watcher_id() -> Id {
    ":config-watcher".into()
}

/// The name of the notifier, likewise.
pub(super) fn notifier_id() -> Id {
    ":notifier".into()
}

/// Whether this child is no service.
pub(super) fn is_aside(id: &Id) -> bool {
    id.starts_with(':')
}

/// The children of a project that are no services.
pub(super) fn asides(plan: &Plan) -> impl Iterator<Item = Id> + Clone + use<> {
    let notifier = plan.tells_events().then(notifier_id);
    iter::once(watcher_id()).chain(notifier)
}

/// How to supervise the notifier: it is never given up on.
pub(super) fn notifier(context: &Arc<ProjectContext>) -> ChildSpec {
    let plate = ChildPlate::new("notifier");
    let context = context.clone();
    let start: StartFn = Arc::new(move |birth| {
        let args = notifier::Args { context: context.clone(), plate: birth.plate };
        Box::pin(async move { Ok(spawn(birth.supervisor, Notifier, args).await?.get_cell()) })
    });
    let policy = Policy { restart: Restart::Permanent, oneshot: false, limit: ASIDE };
    ChildSpec { start, policy, grace: STOP_MARGIN, plate }
}

/// How to supervise the watcher: it is never given up on.
pub(super) fn watcher(
    context: &Arc<ProjectContext>,
    address: &Address<super::Msg>,
    plate: Arc<ChildPlate>,
) -> ChildSpec {
    let (context, address) = (context.clone(), address.clone());
    let start: StartFn = Arc::new(move |birth| {
        let (context, address) = (context.clone(), address.clone());
        let args = config_watcher::Args { context, address, plate: birth.plate };
        Box::pin(async move { Ok(spawn(birth.supervisor, ConfigWatcher, args).await?.get_cell()) })
    });
    let policy = Policy { restart: Restart::Permanent, oneshot: false, limit: ASIDE };
    ChildSpec { start, policy, grace: STOP_MARGIN, plate }
}

fn policy(service: &ServicePlan) -> Policy {
    let restart = match service.restart {
        plan::Restart::Always => Restart::Permanent,
        plan::Restart::OnFailure => Restart::Transient,
        plan::Restart::Never => Restart::Temporary,
    };
    let plan::Limit { restarts, within, initial, factor, max } = service.limit;
    let limit = Limit { restarts, within, initial, factor, max };
    Policy { restart, oneshot: service.kind == Kind::Task, limit }
}
