//! Two projects that want the same: an error with the places of both.

use std::path::{Path, PathBuf};

use super::{Desk, reply::Refused};
use crate::{
    actors::projects::Clash,
    api::error::{Code, Place},
    core::{config::Part, id::ServiceName, routes::Owner, shell::quote},
    os::project_file,
};

/// Where something is said: in which folder, and of what.
struct Spot {
    dir: PathBuf,
    name: bool,
    service: Option<ServiceName>,
}

impl Desk {
    /// The error for a project in `dir` that clashes with another.
    pub(super) async fn clashing(&self, dir: &Path, clash: Clash) -> Refused {
        let (ours, theirs) = self.spots(dir, &clash);
        let refused = Refused::new(Code::InvalidConfig, clash.to_string());
        let ends = theirs.as_ref().filter(|theirs| theirs.dir != dir).map(|theirs| {
            format!("`locald -C {} down` ends it", quote(&theirs.dir.to_string_lossy()))
        });
        let places = tokio::task::spawn_blocking(move || {
            (ours.place(), theirs.and_then(|theirs| theirs.place()))
        });
        // Without the places it is still said what clashes.
        let Ok((ours, theirs)) = places.await else { return refused };
        let there = theirs.map(|Place { file, line, column, .. }| {
            format!("the other is at {}:{line}:{column}", file.display())
        });
        let hints: Vec<String> = there.into_iter().chain(ends).collect();
        let refused = if hints.is_empty() { refused } else { refused.hinted(hints.join("; ")) };
        refused.at(ours)
    }

    fn spots(&self, dir: &Path, clash: &Clash) -> (Spot, Option<Spot>) {
        let spot = |dir: &Path, service| Spot { dir: dir.to_owned(), name: false, service };
        let clash = match clash {
            Clash::Routes(clash) => clash,
            Clash::Name { dir: other, .. } => {
                let named = |dir: &Path| Spot { name: true, ..spot(dir, None) };
                return (named(dir), Some(named(other)));
            }
        };
        let projects = self.infra.directory.all();
        let dir_of = |owner: &Owner| {
            let other = projects.iter().find(|(_, entry)| entry.board.name == owner.project);
            other.map_or(dir, |(dir, _)| dir).to_owned()
        };
        let second = clash.second();
        let first = clash.first().map(|first| spot(&dir_of(first), first.service.clone()));
        (spot(dir, second.service.clone()), first)
    }
}

impl Spot {
    fn place(&self) -> Option<Place> {
        let part = match &self.service {
            _ if self.name => Part::Name,
            Some(service) => Part::Service(service),
            None => Part::Domain,
        };
        let (source, bytes) = project_file::place_of(&self.dir, part)?;
        let (line, column) = source.line_column(bytes.start);
        Some(Place { file: source.path, line, column, bytes })
    }
}
