//! Rust: `cargo run`, as a server if it uses a library for servers.

use toml_edit::DocumentMut;

use super::{Folder, Proposal};

const SERVERS: [&str; 9] =
    ["actix-web", "axum", "hyper", "poem", "rocket", "salvo", "tide", "tonic", "warp"];

pub(super) fn of(folder: &Folder) -> Vec<Proposal> {
    let Some(manifest) = folder.text("Cargo.toml").and_then(|it| it.parse::<DocumentMut>().ok())
    else {
        return Vec::new();
    };
    let has_program = folder.has("src/main.rs") || manifest.contains_key("bin");
    let Some(name) = manifest.get("package").and_then(|it| it.get("name")?.as_str()) else {
        return Vec::new();
    };
    let needs = manifest.get("dependencies").and_then(|it| it.as_table_like());
    let server =
        SERVERS.iter().find(|server| needs.is_some_and(|needs| needs.contains_key(server)));
    match server {
        _ if !has_program => Vec::new(),
        Some(server) => vec![
            Proposal::web(format!(
                "`{name}`, which uses {server}; it is expected to listen on PORT"
            ))
            .with("command", "cargo run")
            .with_toml("watch", "[\"src/**/*.rs\", \"Cargo.toml\"]"),
        ],
        None => vec![
            Proposal::new(
                &crate::core::id::slug(name).unwrap_or_else(|| "main".to_owned()),
                format!("`{name}` does not look as if it listened"),
            )
            .with("type", "worker")
            .with("command", "cargo run"),
        ],
    }
}
