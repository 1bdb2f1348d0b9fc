//! Looks at the daemon, the machine and the files. Starts nothing and changes nothing.

use std::{env, ffi::OsString, path::Path};

use crate::{
    api::status::Status,
    cli::{
        client::{Client, Query},
        commands::admin,
        error::Error,
        project::{Checked, Project},
    },
    core::{
        certs::Realm,
        config::global::Global,
        diagnostic::Diagnostics,
        doctor::facts::{self, Ca, Daemon, Door, Facts, Names, Store, Tools, Trust, Wrong},
        provision::Product,
    },
    os::{
        ca::{self, Authority, Root},
        clock,
        global_file::{self, Unusable},
        machine,
        paths::Places,
        shim,
        trust::{Databases, Homes, State, System},
    },
    provision,
};

/// All of it.
pub(super) async fn all(places: &Places) -> Facts {
    let (daemon, status) = daemon(places).await;
    let (global, wrong) = global(&places.config_file);
    let ca_dir = ca::dir(&places.data_dir);
    let (ca, root) = authority(&ca_dir, &global);
    let (project, programs) = project();
    let written = [&places.state_dir, &places.data_dir];
    Facts {
        release: env!("CARGO_PKG_VERSION").to_owned(),
        shim: shim::look(),
        doors: doors(&global, status.as_ref()),
        names: names(&global, status.as_ref()),
        stores: match &root {
            Some(root) => stores(root).await,
            None => Vec::new(),
        },
        ca,
        inotify: machine::watching(),
        descriptors: machine::descriptors(),
        disks: written.iter().filter_map(|path| machine::disk(path)).collect(),
        folders: written
            .into_iter()
            .chain([&places.log_dir, &ca_dir])
            .filter_map(|path| machine::folder(path))
            .collect(),
        cgroup: machine::cgroup(),
        tools: tools(programs, places),
        daemon,
        global: wrong,
        project,
    }
}

async fn daemon(places: &Places) -> (Daemon, Option<Status>) {
    let asked = async {
        let Some(mut client) = Client::connect(&places.socket).await? else { return Ok(None) };
        client.get::<Status>(&Query::new("/v1/status")).await.map(Some)
    };
    match asked.await {
        Ok(Some(status)) => {
            let daemon = &status.daemon;
            let (pid, release, heart) = (daemon.pid, daemon.version.clone(), daemon.heart);
            (Daemon::Runs { pid, release, heart }, Some(status))
        }
        Ok(None) => (Daemon::Absent, None),
        Err(error) => (Daemon::Unusable(sentence(&error)), None),
    }
}

/// An error with its cause.
fn sentence(error: &Error) -> String {
    let cause = error.source.as_ref().map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("{error}{cause}")
}

fn global(path: &Path) -> (Global, Option<Wrong>) {
    let wrong = |why| (Global::default(), Some(Wrong { path: path.to_owned(), why }));
    match global_file::read(path) {
        Ok(global) => (global, None),
        Err(Unusable::Invalid(diagnostics)) => wrong(first(&diagnostics)),
        Err(error) => wrong(error.to_string()),
    }
}

/// The first error of a file, and how many more there are.
fn first(diagnostics: &Diagnostics) -> String {
    let Some(one) = diagnostics.list.first() else { return String::new() };
    let (line, _) = diagnostics.source.line_column(one.offset());
    let more = match diagnostics.list.len() - 1 {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    format!("line {line}: {}{more}", one.message)
}

fn doors(global: &Global, status: Option<&Status>) -> [Door; 2] {
    let door = |id, what, variable: &str, configured: u16, taken: Option<u16>| {
        let set = env::var(variable).ok().and_then(|port| port.parse().ok());
        let wanted = set.unwrap_or(configured);
        Door { id, what, wanted, taken, state: machine::door(wanted) }
    };
    let daemon = status.map(|status| &status.daemon);
    let http = daemon.and_then(|daemon| Some(daemon.http?.port()));
    let https = daemon.and_then(|daemon| Some(daemon.https?.port()));
    [
        door("port-http", "HTTP", "LOCALD_HTTP_PORT", global.proxy.http_port, http),
        door("port-https", "HTTPS", "LOCALD_HTTPS_PORT", global.proxy.https_port, https),
    ]
}

fn names(global: &Global, status: Option<&Status>) -> Names {
    let running = status.map(admin::hosts).unwrap_or_default();
    let asked = std::iter::once(machine::ANY.to_owned()).chain(running).collect();
    let mut found = machine::look_up(asked);
    let (_, any) = found.remove(0);
    Names { any, running: found, tlds: global.proxy.tlds.clone() }
}

fn authority(dir: &Path, global: &Global) -> (Ca, Option<Root>) {
    let now = clock::wall();
    let root = match Authority::open(dir, now) {
        Ok(Some(authority)) => authority.root().clone(),
        Ok(None) => return (Ca::Absent, None),
        Err(error) => {
            let (why, fix) = error.remedy(dir);
            return (Ca::Bad { why, fix }, ca::read_root(dir).ok().flatten());
        }
    };
    let left = root.validity().until.duration_since(now).unwrap_or_default();
    let realm = Realm::new(&global.proxy.tlds);
    let missing = realm.domains().filter(|domain| !root.allows(domain));
    let good = Ca::Good {
        domains: root.domains().to_vec(),
        days: left.as_secs() / 86_400,
        missing: missing.map(str::to_owned).collect(),
        afresh: ca::afresh_command(dir),
    };
    (good, Some(root))
}

async fn stores(root: &Root) -> Vec<Store> {
    let mut found = Vec::new();
    match System::find(Path::new("/")) {
        Some(system) => found.push(system.look(root)),
        None => return Vec::new(),
    }
    if let Some(homes) = Homes::find(|name| env::var_os(name)) {
        found.extend(Databases::of(&homes).look(root).await);
    }
    let store = |store: crate::os::trust::Store| Store {
        name: store.name,
        trust: match store.state {
            State::Trusted => Trust::Yes,
            State::NotTrusted => Trust::No,
            State::NotNeeded(why) => Trust::NotNeeded(why),
            State::Failed(why) => Trust::Unknown(why),
        },
    };
    found.into_iter().map(store).collect()
}

/// The project of this folder, and the programs that its commands name.
fn project() -> (facts::Project, Vec<String>) {
    let bad =
        |path: &Path, why| (facts::Project::Bad(Wrong { path: path.to_owned(), why }), Vec::new());
    let Ok(Some(project)) = Project::here_if_any() else {
        return (facts::Project::None, Vec::new());
    };
    match project.check() {
        Ok(Checked::Good(plan)) => {
            let programs = plan.services.iter().filter_map(|service| service.program());
            let programs = programs.map(str::to_owned).collect();
            let (name, services) = (plan.project.to_string(), plan.services.len());
            (facts::Project::Good { name, services }, programs)
        }
        Ok(Checked::Bad(diagnostics)) => bad(&project.file, first(&diagnostics)),
        Err(error) => bad(&project.file, sentence(&error)),
    }
}

fn tools(programs: Vec<String>, places: &Places) -> Tools {
    let path: OsString = env::var_os("PATH").unwrap_or_default();
    let variable = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let mut postgres = provision::installed(Product::Postgres, &places.data_dir, variable);
    postgres.sort();
    let missing = machine::missing(programs, &path);
    Tools { postgres, missing, ..machine::tools(&path) }
}
