//! Node, Bun and Deno: the script that starts a development server, by the project's package manager.

use serde_json::Value;

use super::{Folder, Proposal};

/// Scripts that start a server, the best first.
const SCRIPTS: [&str; 5] = ["dev", "start:dev", "start", "serve", "preview"];

/// Servers that do not look at `PORT`, by the package that brings them.
const DEAF: [&str; 6] =
    ["vite", "astro", "@angular/cli", "@sveltejs/kit", "@vue/cli-service", "parcel"];

pub(super) fn of(folder: &Folder) -> Vec<Proposal> {
    deno(folder).or_else(|| package(folder)).into_iter().collect()
}

fn deno(folder: &Folder) -> Option<Proposal> {
    let (file, text) =
        ["deno.json", "deno.jsonc"].iter().find_map(|it| Some((it, folder.text(it)?)))?;
    // Comments are allowed in it, and a task is recognised without understanding all of it.
    let script = SCRIPTS.iter().find(|script| text.contains(&format!("\"{script}\"")))?;
    let web = Proposal::web(format!("the task `{script}` of {file}; have it listen on PORT"));
    Some(web.with("command", &format!("deno task {script}")))
}

fn package(folder: &Folder) -> Option<Proposal> {
    let package: Value = serde_json::from_str(folder.text("package.json")?).ok()?;
    let script = SCRIPTS.iter().find(|script| package["scripts"][**script].is_string())?;
    let manager = manager(folder, &package);
    let has = |name: &&&str| {
        ["dependencies", "devDependencies"].iter().any(|kind| package[*kind][**name].is_string())
    };
    let web = Proposal::web(format!("the script `{script}` of package.json"));
    let run = format!("{manager} run {script}");
    let Some(deaf) = DEAF.iter().find(has) else {
        return Some(web.note("It is expected to listen on PORT.").with("command", &run));
    };
    // Only npm wants to be told where the script's own arguments begin.
    let ours = if manager == "npm" { " --" } else { "" };
    let web = web.note(format!("{deaf} does not look at PORT, so it is told the port."));
    Some(web.with("command", &format!("{run}{ours} --port $PORT")))
}

/// The package manager: what `packageManager` says, else whose lock file is there.
fn manager(folder: &Folder, package: &Value) -> &'static str {
    let said = package["packageManager"].as_str().unwrap_or_default();
    let locks = [
        ("pnpm", "pnpm-lock.yaml"),
        ("yarn", "yarn.lock"),
        ("bun", "bun.lock"),
        ("bun", "bun.lockb"),
    ];
    let named = locks.iter().find(|(name, _)| said.starts_with(name));
    let locked = || locks.iter().find(|(_, lock)| folder.has(lock));
    named.or_else(locked).map_or("npm", |(name, _)| name)
}
