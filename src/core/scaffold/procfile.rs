//! A Procfile: `web` serves, `release` comes before it, the others work.

use super::{Folder, Proposal};
use crate::core::id::slug;

pub(super) fn of(folder: &Folder) -> Vec<Proposal> {
    let files = ["Procfile", "Procfile.dev"];
    let Some((file, text)) = files.iter().find_map(|it| Some((it, folder.text(it)?))) else {
        return Vec::new();
    };
    let entries: Vec<(&str, &str)> = text.lines().filter_map(entry).collect();
    let releases = entries.iter().any(|(name, _)| *name == "release");
    entries.iter().filter_map(|(name, command)| proposal(file, name, command, releases)).collect()
}

fn entry(line: &str) -> Option<(&str, &str)> {
    let (name, command) = line.split_once(':')?;
    let (name, command) = (name.trim(), command.trim());
    (!name.is_empty() && !name.starts_with('#') && !command.is_empty()).then_some((name, command))
}

fn proposal(file: &str, name: &str, command: &str, releases: bool) -> Option<Proposal> {
    let proposal = Proposal::new(&slug(name)?, format!("`{name}` of {file}"));
    let proposal = match name {
        "web" => proposal,
        "release" => proposal.with("type", "task"),
        _ => proposal.with("type", "worker"),
    };
    // In a Procfile this is the shell's; in `locald.toml` two dollars are one.
    let proposal = proposal.with("command", &command.replace("$$", "$$$$"));
    let waits = releases && name != "release";
    Some(if waits { proposal.needing("release") } else { proposal })
}
