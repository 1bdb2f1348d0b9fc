//! A folder of pages, served by locald itself.

use super::{Folder, Proposal};

pub(super) fn of(folder: &Folder) -> Vec<Proposal> {
    let roots = [("public/index.html", "public"), ("dist/index.html", "dist"), ("index.html", ".")];
    let root = roots.iter().find(|(page, _)| folder.has(page));
    root.map(|(page, root)| Proposal::web(*page).with("type", "site").with("path", root))
        .into_iter()
        .collect()
}
