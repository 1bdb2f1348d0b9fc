//! Leases ports: sticky, never one port to two services.

use std::{collections::HashSet, ops::RangeInclusive, sync::Arc};

use arc_swap::ArcSwap;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};

use super::{infra::PATIENCE, state_store};
use crate::{
    core::{
        id::{ProjectName, ServiceName},
        plan::PortSpec,
        ports::LeaseBook,
        state::Lease,
    },
    os::ports,
    supervision::{
        address::{Address, CallError},
        plate::ChildPlate,
    },
};

/// The actor.
#[derive(Clone, Copy)]
pub struct PortAllocator;

/// A port for each service that has one; the error names who has it already.
pub type Leased = Result<Vec<(ServiceName, u16)>, String>;

/// What it is told.
#[derive(Debug)]
pub enum Msg {
    /// The ports of all services of a project. One per plan.
    Lease(ProjectName, Vec<(ServiceName, PortSpec)>, RpcReplyPort<Leased>),
    /// Another port for a service, whose own is taken. At most one per start.
    Replace(ProjectName, ServiceName, RpcReplyPort<Option<u16>>),
    /// A project has another name. One per such an edit.
    Rename(ProjectName, ProjectName),
    /// A project is gone. One per `down`.
    Release(ProjectName),
}

/// What it is given.
pub struct Args {
    /// All leases; outlives the actor, which alone writes it.
    pub book: Arc<ArcSwap<LeaseBook>>,
    /// What may be assigned.
    pub range: RangeInclusive<u16>,
    /// Who stores the leases.
    pub state_store: Address<state_store::Msg>,
    /// Its line in the tree.
    pub plate: Arc<ChildPlate>,
}

/// Its state.
pub struct Allocator {
    book: Arc<ArcSwap<LeaseBook>>,
    range: RangeInclusive<u16>,
    state_store: Address<state_store::Msg>,
}

impl Actor for PortAllocator {
    type Msg = Msg;
    type State = Allocator;
    type Arguments = Args;

    async fn pre_start(
        &self,
        _: ActorRef<Msg>,
        Args { book, range, state_store, plate }: Args,
    ) -> Result<Allocator, ActorProcessingErr> {
        let (shown, from) = (book.clone(), range.clone());
        plate.describe(move || {
            let leases = shown.load().leases().count();
            Some(format!("{leases} leases in {}–{}", from.start(), from.end()))
        });
        Ok(Allocator { book, range, state_store })
    }

    async fn handle(
        &self,
        _: ActorRef<Msg>,
        msg: Msg,
        allocator: &mut Allocator,
    ) -> Result<(), ActorProcessingErr> {
        let mut book = LeaseBook::clone(&allocator.book.load());
        // Whoever asked and is gone has no use for the answer.
        match msg {
            Msg::Lease(project, wants, reply) => {
                let _gone = reply.send(allocator.lease(&mut book, &project, &wants));
            }
            Msg::Replace(project, service, reply) => {
                let port = lease(&mut book, &project, &service, &allocator.range);
                let _gone = reply.send(port);
            }
            Msg::Rename(from, to) => book.rename_project(&from, &to),
            Msg::Release(project) => book.release_project(&project),
        }
        allocator.publish(book);
        Ok(())
    }
}

impl Address<Msg> {
    /// The ports of all services of a project that have one.
    pub async fn lease(
        &self,
        project: ProjectName,
        wants: Vec<(ServiceName, PortSpec)>,
    ) -> Result<Leased, CallError> {
        self.call(|reply| Msg::Lease(project, wants, reply), PATIENCE).await
    }

    /// Another port for a service whose own is taken.
    pub async fn replace(
        &self,
        project: ProjectName,
        service: ServiceName,
    ) -> Result<Option<u16>, CallError> {
        self.call(|reply| Msg::Replace(project, service, reply), PATIENCE).await
    }

    /// A project has another name, and keeps its ports.
    pub fn rename(&self, from: ProjectName, to: ProjectName) {
        self.cast(Msg::Rename(from, to));
    }

    /// Forgets the ports of a project.
    pub fn release(&self, project: ProjectName) {
        self.cast(Msg::Release(project));
    }
}

impl Allocator {
    fn lease(
        &self,
        book: &mut LeaseBook,
        project: &ProjectName,
        wants: &[(ServiceName, PortSpec)],
    ) -> Leased {
        let fixed =
            |spec: PortSpec| if let PortSpec::Fixed(port) = spec { Some(port) } else { None };
        for (service, spec) in wants {
            let Some(port) = fixed(*spec) else { continue };
            if let Some(other) = book.fixed_by_another(project, port) {
                return Err(format!(
                    "service {service} of project {project} has the fixed port {port}, \
                     which project {other} has too"
                ));
            }
        }
        book.set_fixed(project, wants.iter().filter_map(|(_, spec)| fixed(*spec)));
        let mut ports = Vec::new();
        for (service, spec) in wants {
            match spec {
                PortSpec::None => book.release(project, service),
                PortSpec::Fixed(port) => {
                    book.release(project, service);
                    ports.push((service.clone(), *port));
                }
                PortSpec::Assigned => {
                    // Whether it is free is asked when the service starts: now it may run.
                    let port = match book.port_of(project, service) {
                        Some(port) => port,
                        None => lease(book, project, service, &self.range).ok_or_else(|| {
                            let (from, to) = (self.range.start(), self.range.end());
                            format!("cannot assign a port to {service}: {from}–{to} are taken")
                        })?,
                    };
                    ports.push((service.clone(), port));
                }
            }
        }
        Ok(ports)
    }

    fn publish(&self, book: LeaseBook) {
        let lease = |(project, service, port): (&ProjectName, &ServiceName, u16)| Lease {
            project: project.clone(),
            service: service.clone(),
            port,
        };
        self.state_store.leases(book.leases().map(lease).collect());
        self.book.store(Arc::new(book));
    }
}

fn lease(
    book: &mut LeaseBook,
    project: &ProjectName,
    service: &ServiceName,
    range: &RangeInclusive<u16>,
) -> Option<u16> {
    book.lease(project, service, range.clone(), &HashSet::new(), ports::is_free)
}
