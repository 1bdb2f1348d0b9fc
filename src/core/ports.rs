//! Who has which port: sticky, collision-free, deterministic; whether a port is free now is the caller's to know.

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, HashSet},
    ops::RangeInclusive,
};

use super::id::{ProjectName, ServiceName};

/// The assigned ports of all projects, and the fixed ones, which no other service is ever assigned.
#[derive(Clone, Debug, Default)]
pub struct LeaseBook {
    /// See [`Self::seeded`].
    seed: u64,
    leases: BTreeMap<ProjectName, BTreeMap<ServiceName, u16>>,
    taken: HashSet<u16>,
    fixed: BTreeMap<ProjectName, HashSet<u16>>,
}

impl LeaseBook {
    /// An empty book whose search starts elsewhere than that of books with other seeds: daemons that
    /// run side by side on one machine cannot see each other's leases, only what is listening.
    pub fn seeded(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// Enters a lease of earlier days; false if another service has that port.
    pub fn remember(&mut self, project: &ProjectName, service: &ServiceName, port: u16) -> bool {
        if port == 0 || self.port_of(project, service) == Some(port) {
            return port != 0;
        }
        if !self.taken.insert(port) {
            return false;
        }
        self.enter(project, service, port);
        true
    }

    /// Replaces the fixed ports of a project.
    pub fn set_fixed(&mut self, project: &ProjectName, ports: impl IntoIterator<Item = u16>) {
        let ports: HashSet<u16> = ports.into_iter().collect();
        if ports.is_empty() {
            self.fixed.remove(project);
        } else {
            self.fixed.insert(project.clone(), ports);
        }
    }

    /// The project other than `project` that has this fixed port.
    pub fn fixed_by_another(&self, project: &ProjectName, port: u16) -> Option<&ProjectName> {
        let has = |(other, ports): &(&ProjectName, &HashSet<u16>)| {
            *other != project && ports.contains(&port)
        };
        self.fixed.iter().find(has).map(|(other, _)| other)
    }

    /// The port of a service to be started: its own again if that is free, else another one of
    /// `range`. None if the range is exhausted.
    pub fn lease(
        &mut self,
        project: &ProjectName,
        service: &ServiceName,
        range: RangeInclusive<u16>,
        exclude: &HashSet<u16>,
        mut is_free: impl FnMut(u16) -> bool,
    ) -> Option<u16> {
        let fixed: HashSet<u16> = self.fixed.values().flatten().copied().collect();
        let mut usable = |port| !fixed.contains(&port) && !exclude.contains(&port) && is_free(port);
        if let Some(port) = self.port_of(project, service)
            && usable(port)
        {
            return Some(port);
        }
        let start = preferred(self.seed, project, service, &range);
        let port = (start..=*range.end())
            .chain(*range.start()..start)
            .find(|port| *port != 0 && !self.taken.contains(port) && usable(*port))?;
        self.release(project, service);
        self.taken.insert(port);
        self.enter(project, service, port);
        Some(port)
    }

    /// The lease of a service.
    pub fn port_of(&self, project: &str, service: &str) -> Option<u16> {
        self.leases.get(project)?.get(service).copied()
    }

    /// Ends the lease of a service.
    pub fn release(&mut self, project: &ProjectName, service: &ServiceName) {
        let Some(leases) = self.leases.get_mut(project) else { return };
        if let Some(port) = leases.remove(service) {
            self.taken.remove(&port);
        }
        if leases.is_empty() {
            self.leases.remove(project);
        }
    }

    /// Forgets a project.
    pub fn release_project(&mut self, project: &ProjectName) {
        self.fixed.remove(project);
        for port in self.leases.remove(project).into_iter().flatten().map(|(_, port)| port) {
            self.taken.remove(&port);
        }
    }

    /// The project `from` is called `to` now; what `to` has already it keeps.
    pub fn rename_project(&mut self, from: &ProjectName, to: &ProjectName) {
        if let Some(ports) = self.fixed.remove(from) {
            self.fixed.entry(to.clone()).or_default().extend(ports);
        }
        for (service, port) in self.leases.remove(from).into_iter().flatten() {
            let own = self.leases.entry(to.clone()).or_default();
            if *own.entry(service).or_insert(port) != port {
                self.taken.remove(&port);
            }
        }
    }

    /// All leases, by project and service.
    pub fn leases(&self) -> impl Iterator<Item = (&ProjectName, &ServiceName, u16)> {
        self.leases.iter().flat_map(|(project, leases)| {
            leases.iter().map(move |(service, &port)| (project, service, port))
        })
    }

    fn enter(&mut self, project: &ProjectName, service: &ServiceName, port: u16) {
        let leases = self.leases.entry(project.clone()).or_default();
        if let Some(old) = leases.insert(service.clone(), port) {
            self.taken.remove(&old);
        }
    }
}

/// Where the search starts: the same for a service in every life of the daemon, so that even a
/// forgotten port mostly comes back.
fn preferred(seed: u64, project: &str, service: &str, range: &RangeInclusive<u16>) -> u16 {
    let bytes = project.bytes().chain([0]).chain(service.bytes());
    // FNV-1a; its low bits are good enough for a remainder.
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64 ^ seed, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let span = u64::from(range.end().saturating_sub(*range.start())) + 1;
    let offset = u16::try_from(hash % span).expect("a remainder of at most 65,536 fits");
    range.start() + offset
}
