//! Puts a configuration into effect: ports, sinks, boards, then the new shape of the supervision.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use arc_swap::ArcSwapOption;

use super::{Team, specs};
use crate::{
    actors::{
        board::{Needed, ServiceBoard, View},
        context::ServiceContext,
        process,
    },
    core::{
        id::ServiceName,
        launch::Launch,
        plan::{Plan, ServicePlan},
        routes::ProjectRoutes,
    },
    os::logs::Sink,
    supervision::graph::Id,
};

impl Team {
    /// Makes `plan` the configuration. What it does not change is not touched, to the pid. On an
    /// error, which is for people, nothing has changed.
    pub(super) async fn load(&mut self, plan: Arc<Plan>) -> Result<(), String> {
        if !self.services.is_empty() && **self.context.plan.load() == *plan {
            return Ok(());
        }
        let graph = specs::graph(&plan).map_err(|error| error.to_string())?;
        let names: Vec<ServiceName> = plan.services.iter().map(|s| s.name.clone()).collect();
        let infra = &self.context.infra;
        let project = &self.context.board.name;
        let wants = plan.services.iter().map(|s| (s.name.clone(), s.port)).collect();
        let ports =
            infra.ports.lease(project.clone(), wants).await.map_err(|e| e.to_string())??;
        let sinks = infra.logs.sinks(project.clone(), names).await.map_err(|e| e.to_string())?;
        let mut services = HashMap::new();
        for (service, sink) in plan.services.iter().zip(sinks) {
            services.insert(service.name.clone(), self.service(service, sink)?);
        }
        let before = self.context.plan.swap(plan.clone());
        self.context.ports.store(Arc::new(ports.into_iter().collect()));
        self.context.board.domain.store(Arc::new(plan.domain.clone()));
        self.services = services;
        self.publish(&plan);
        let changed = self.changed(&before, &plan);
        let specs = plan
            .services
            .iter()
            .map(|s| (Id::from(s.name.as_str()), specs::spec(s, &self.services[&s.name])))
            .collect();
        let news = self.nursery.reshape(graph, specs, changed).await;
        self.take_in(news).await;
        Ok(())
    }

    fn service(&self, service: &ServicePlan, sink: Sink) -> Result<Arc<ServiceContext>, String> {
        if let Some(known) = self.services.get(&service.name) {
            return Ok(known.clone());
        }
        let project = &self.context;
        let notify_path = project
            .infra
            .places
            .notify_socket(&project.board.name, &service.name)
            .map_err(|error| error.to_string())?;
        let board = project
            .board
            .service(&service.name)
            .unwrap_or_else(|| project.board.board_for(service.name.clone(), View::new(service)));
        Ok(Arc::new(ServiceContext {
            project: project.clone(),
            name: service.name.clone(),
            board,
            sink,
            notify_path,
            running: ArcSwapOption::empty(),
        }))
    }

    /// Lists the services on the project's board, in the order of the file.
    fn publish(&self, plan: &Plan) {
        let ports = self.context.ports.load();
        let board = |name: &ServiceName| self.services[name].board.clone();
        let hosts = ProjectRoutes::of(plan, |_| ());
        let hosts: HashMap<&ServiceName, String> = hosts.hosts().collect();
        let mut list: Vec<Arc<ServiceBoard>> = Vec::with_capacity(plan.services.len());
        for service in &plan.services {
            let board = board(&service.name);
            board.update(|view| {
                view.kind = service.kind;
                view.port = ports.get(&service.name).copied();
                view.limit = service.limit;
                view.essential = service.essential;
                view.protocol = service.protocol;
            });
            board.host.store(Arc::new(hosts.get(&service.name).cloned()));
            list.push(board);
        }
        for service in &plan.services {
            let needs = service.needs.iter().filter(|need| self.services.contains_key(&need.on));
            let needed = |need: &crate::core::plan::Need| Needed {
                board: board(&need.on),
                condition: need.condition,
            };
            board(&service.name).set_needs(needs.map(needed).collect());
        }
        self.context.board.list(list);
    }

    /// The running services that would be launched otherwise than they were, and those that do not
    /// run and are not as they were: an edit clears the counters of one that has given up.
    fn changed(&self, before: &Plan, plan: &Plan) -> BTreeSet<Id> {
        let ports = self.context.ports.load_full();
        let caller = self.context.caller.load_full();
        let changed = |service: &&ServicePlan| {
            let context = &self.services[&service.name];
            let Some(running) = context.running.load_full() else {
                return before.service(&service.name) != Some(service);
            };
            let terminal = running.pty != service.tty;
            let launch = process::resolve(&self.context, &service.name, &ports, &caller.env);
            terminal || launch.is_ok_and(|launch| differs(launch, &running.launch))
        };
        plan.services.iter().filter(changed).map(|s| Id::from(s.name.as_str())).collect()
    }
}

/// Whether a service would be launched otherwise. Its own URL does not count: it changes its scheme
/// when the CA comes to be trusted, which is no reason to restart anything.
fn differs(mut launch: Launch, running: &Launch) -> bool {
    const URL: &str = "LOCALD_URL";
    if let (Some(new), Some(old)) = (launch.env.get_mut(URL), running.env.get(URL)) {
        new.clone_from(old);
    }
    launch != *running
}
