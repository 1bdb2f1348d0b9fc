//! Puts a configuration into effect: ports, sinks, boards, then the new shape of the supervision.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, atomic::AtomicBool},
};

use arc_swap::ArcSwapOption;

use super::{Team, Touched, compare::Differences, specs};
use crate::{
    actors::{
        board::{Needed, ServiceBoard, View},
        context::ServiceContext,
    },
    core::{
        id::ServiceName,
        plan::{Plan, ServicePlan},
        routes::ProjectRoutes,
    },
    os::logs::Sink,
    supervision::{
        engine::Input,
        graph::{Graph, Id},
    },
};

impl Team {
    /// Makes `plan` the configuration, also of what has been edited besides its file. What that
    /// does not change is not touched, to the pid; what is new starts, if anything of the project
    /// is to run. On an error, which is for people, nothing has changed. Answers whether anything has.
    pub(super) async fn load(&mut self, plan: Arc<Plan>) -> Result<bool, String> {
        let before = self.context.plan.load_full();
        let first = self.services.is_empty();
        if first || before != plan {
            let graph = specs::graph(&plan).map_err(|error| error.to_string())?;
            let up = self.services.values().any(|s| s.board.read(|view| view.wanted));
            self.prepare(&plan).await?;
            let differences = self.differences(&before, &plan);
            self.tell_differences(&differences);
            let newcomers = if up { self.newcomers(&before, &plan) } else { Vec::new() };
            self.plate.restarts_by(specs::strategy(&plan));
            self.reshape(&plan, graph, differences).await;
            if !newcomers.is_empty() {
                self.start(newcomers).await;
            }
        } else {
            let differences = self.differences(&before, &plan);
            if differences.changed.is_empty() {
                self.judge(&differences);
                return Ok(false);
            }
            let graph = specs::graph(&plan).map_err(|error| error.to_string())?;
            self.tell_differences(&differences);
            self.reshape(&plan, graph, differences).await;
        }
        Ok(true)
    }

    /// The same after an edit; services to start besides. What is wrong is shown.
    pub(super) async fn edited(&mut self, plan: Arc<Plan>, wanted: &[ServiceName]) {
        let changed = match self.load(plan).await {
            Ok(changed) => changed,
            Err(why) => return self.context.refuse(&why),
        };
        let ids: Vec<Id> = wanted.iter().map(|name| name.as_str().into()).collect();
        if !ids.is_empty() {
            self.start(ids).await;
        } else if !changed {
            return;
        }
        self.remember();
    }

    /// Restarts those of these services that are to run, also one that has been given up on; not one
    /// that was born since, with all that has changed.
    pub(super) async fn touched(&mut self, services: Vec<Touched>) {
        for Touched { service: name, file, at } in services {
            let id = Id::from(name.as_str());
            let Some(service) = self.services.get(&name) else { continue };
            let is_new = service.tried.load().as_ref().is_some_and(|tried| tried.at > at);
            if !self.nursery.engine().wanted(&id) || is_new {
                continue;
            }
            service.event("files-changed", Some(format!("{file} has changed")));
            let ids = vec![id];
            self.give_reason(&ids, &format!("restarted, since {file} has changed"));
            let news = self.nursery.advance(Input::Restart(ids.clone())).await;
            self.take_in(news).await;
            self.drop_reasons(&ids);
        }
        self.remember();
    }

    /// Gets what the services of a plan need, and makes it the one in effect.
    async fn prepare(&mut self, plan: &Arc<Plan>) -> Result<(), String> {
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
        self.context.plan.store(plan.clone());
        self.context.ports.store(Arc::new(ports.into_iter().collect()));
        self.context.board.domain.store(Arc::new(plan.domain.clone()));
        self.services = services;
        self.publish(plan);
        Ok(())
    }

    async fn reshape(&mut self, plan: &Plan, graph: Graph, differences: Differences) {
        self.judge(&differences);
        let changed: BTreeSet<Id> = differences.changed;
        let services = plan
            .services
            .iter()
            .map(|s| (Id::from(s.name.as_str()), specs::spec(s, &self.services[&s.name])));
        let watcher = specs::watcher_id();
        let spec = specs::watcher(&self.context, &self.address, self.watcher.clone());
        let notifier = (specs::notifier_id(), specs::notifier(&self.context));
        let asides = [(watcher, spec)].into_iter().chain(plan.tells_events().then_some(notifier));
        let specs = services.chain(asides).collect();
        let news = self.nursery.reshape(graph, specs, changed).await;
        self.take_in(news).await;
        let unwanted = |id: &Id| !self.nursery.engine().wanted(id);
        let new: Vec<Id> = specs::asides(plan).filter(unwanted).collect();
        if !new.is_empty() {
            self.start(new).await;
        }
    }

    async fn start(&mut self, ids: Vec<Id>) {
        self.give_reason(&ids, "started by an edit of the configuration");
        let news = self.nursery.advance(Input::Start(ids.clone())).await;
        self.take_in(news).await;
        self.drop_reasons(&ids);
        self.show_newcomers(&ids);
    }

    /// Whom an edit starts in a project that is up: services that are in the file only now and start
    /// with the project, and those that one which is to run needs only now.
    fn newcomers(&self, before: &Plan, plan: &Plan) -> Vec<Id> {
        let wanted = |name: &ServiceName| {
            self.services.get(name).is_some_and(|known| known.board.read(|view| view.wanted))
        };
        let mut newcomers = Vec::new();
        for service in &plan.services {
            let name = &service.name;
            match before.service(name) {
                None if service.autostart => newcomers.push(name.as_str().into()),
                Some(known) if wanted(name) => {
                    let is_new = |on: &ServiceName| known.needs.iter().all(|old| old.on != *on);
                    let needs = service.needs.iter().map(|need| &need.on);
                    let newly = needs.filter(|on| is_new(on) && !wanted(on));
                    newcomers.extend(newly.map(|on| Id::from(on.as_str())));
                }
                _ => {}
            }
        }
        newcomers
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
        let plate = specs::plate(&board);
        Ok(Arc::new(ServiceContext {
            project: project.clone(),
            name: service.name.clone(),
            board,
            sink,
            notify_path,
            running: ArcSwapOption::empty(),
            inherited: ArcSwapOption::empty(),
            tried: ArcSwapOption::empty(),
            reset: AtomicBool::new(false),
            plate,
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
}
