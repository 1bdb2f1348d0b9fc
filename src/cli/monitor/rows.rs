//! The rows of the table and of the tree, and what is selected by them.

use std::path::PathBuf;

use super::{ansi::Styled, effect::One};
use crate::{
    api::{
        status::{Project, Service, Status},
        tree::Node,
    },
    cli::render::{self, text::Paint},
};

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub enum Row<'a> {
    /// A project, where there are several.
    Project(&'a Project),
    /// A service.
    Service(&'a Project, &'a Service),
}

/// What is selected.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Target {
    /// The project's folder.
    pub dir: PathBuf,
    /// Its name.
    pub project: String,
    /// The service; none: the project as a whole.
    pub service: Option<String>,
}

/// A row of the tree.
#[derive(Clone, Debug)]
pub struct TreeRow {
    /// What it says.
    pub body: Styled,
    /// The project and the service that it belongs to.
    owner: (Option<String>, Option<String>),
}

impl Target {
    /// The service, if it is one.
    pub fn one(&self) -> Option<One> {
        Some(One { dir: self.dir.clone(), service: self.service.clone()? })
    }
}

impl Row<'_> {
    /// What selecting it selects.
    pub fn target(&self) -> Target {
        let (project, service) = match self {
            Self::Project(project) => (project, None),
            Self::Service(project, service) => (project, Some(service.name.clone())),
        };
        Target { dir: project.path.clone(), project: project.name.clone(), service }
    }
}

impl TreeRow {
    /// Whether it belongs to what is selected.
    pub fn is_of(&self, target: &Target) -> bool {
        self.owner.0.as_ref() == Some(&target.project) && self.owner.1 == target.service
    }
}

/// The rows of the table. Projects have rows of their own if there may be several.
pub fn table(status: &Status, several: bool) -> Vec<Row<'_>> {
    let of_project = |project| {
        let head = several.then_some(Row::Project(project));
        let services = project.services.iter().map(move |service| Row::Service(project, service));
        head.into_iter().chain(services)
    };
    status.projects.iter().flat_map(of_project).collect()
}

/// The rows of the tree.
pub fn tree(root: &Node) -> Vec<TreeRow> {
    let text = render::tree::tree(root, None, Paint { colour: true });
    let mut owners = Vec::new();
    // In the order in which they are drawn.
    let mut todo = vec![(root, (None, None))];
    while let Some((node, above)) = todo.pop() {
        let owner = match node.name.split_once(':') {
            Some(("project", name)) => (Some(name.to_owned()), None),
            Some(("service", name)) => (above.0, Some(name.to_owned())),
            _ => above,
        };
        todo.extend(node.children.iter().rev().map(|child| (child, owner.clone())));
        owners.push(owner);
    }
    let body = |line| Styled::of(line);
    text.lines().map(body).zip(owners).map(|(body, owner)| TreeRow { body, owner }).collect()
}
