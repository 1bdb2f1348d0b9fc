//! `GET /v1/graph?dir=…`: the dependency graph that is in effect (SPEC §4).

use serde::{Deserialize, Serialize};

use crate::core::plan::Plan;

/// The graph: also `graph --format json`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Graph {
    /// The services, in the order of the file.
    pub nodes: Vec<String>,
    /// Who needs whom.
    pub edges: Vec<Edge>,
}

/// A dependency.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Edge {
    /// The service that needs.
    pub from: String,
    /// The service that is needed.
    pub to: String,
    /// When it is good enough to start.
    pub condition: String,
    /// When losing it matters.
    pub bond: String,
}

impl Graph {
    /// The graph of a project.
    pub fn of(plan: &Plan) -> Self {
        let edges = plan.services.iter().flat_map(|service| {
            service.needs.iter().map(|need| Edge {
                from: service.name.to_string(),
                to: need.on.to_string(),
                condition: need.condition.to_string(),
                bond: need.bond.to_string(),
            })
        });
        Self {
            nodes: plan.services.iter().map(|service| service.name.to_string()).collect(),
            edges: edges.collect(),
        }
    }
}
