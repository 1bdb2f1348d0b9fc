//! A plan in the terms of supervision: child specifications and a graph.

use std::{collections::HashMap, sync::Arc};

use crate::{
    actors::{
        board::{self, View},
        context::ServiceContext,
        service::{self, LONGEST_STOP, STOP_MARGIN, Service},
    },
    core::{
        id::ServiceName,
        plan::{self, Kind, Plan, ServicePlan, Strategy},
    },
    supervision::{
        budget::Limit,
        engine::{Policy, Restart},
        graph::{Bond, Edge, Graph, GraphError, Id},
        nursery::{ChildSpec, StartFn, spawn},
        plate::ChildPlate,
    },
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
    let nodes = plan.services.iter().map(|service| ids[&service.name].0.clone());
    Ok(Graph::new(nodes, edges)?.one_for_all(plan.strategy == Strategy::OneForAll))
}

/// How to supervise a service.
pub(super) fn spec(service: &ServicePlan, context: &Arc<ServiceContext>) -> ChildSpec {
    let plate = ChildPlate::new(format!("service:{}", service.name));
    let shown = context.board.clone();
    plate.describe(move || board::service_detail(&shown));
    let shown = context.board.clone();
    plate.says(move || Some(shown.read(View::state).to_string()));
    let context = context.clone();
    let start: StartFn = Arc::new(move |birth| {
        let args =
            service::Args { context: context.clone(), herald: birth.herald, plate: birth.plate };
        Box::pin(async move { Ok(spawn(birth.supervisor, Service, args).await?.get_cell()) })
    });
    ChildSpec { start, policy: policy(service), grace: LONGEST_STOP + STOP_MARGIN * 2, plate }
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
