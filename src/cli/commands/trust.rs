//! `locald trust`: makes the CA, has stores trust it, and says which of them do.

mod report;

use std::{
    env,
    fs::File,
    io::{self, Read as _},
    os::fd::AsFd as _,
    path::Path,
};

use nix::unistd::geteuid;
use serde::{Deserialize, Serialize};

use self::report::Report;
use crate::{
    cli::{args, context::Context, error::Error, output, project::invalid},
    core::{certs::Realm, config::global::Global},
    os::{
        ca::{self, Authority, Root},
        clock,
        global_file::{self, Unusable},
        shim,
        trust::{Asked, Databases, Deed, Homes, State, Store, System, ask_root, place_by_hand},
    },
};

/// More than a certificate has.
const LARGEST: u64 = 64 << 10;

/// What the part that runs as root says on its standard output.
#[derive(Debug, Deserialize, Serialize)]
struct Done {
    error: Option<String>,
}

/// Runs the command.
pub async fn run(context: &Context, args: &args::Trust) -> Result<(), Error> {
    not_through_sudo()?;
    let dir = ca::dir(&context.places.data_dir);
    let file = ca::root_file(&dir);
    let root = if args.status || args.uninstall {
        ca::read_root(&dir).map_err(|error| Error::failed(error.to_string()))?
    } else {
        Some(root(context, &dir)?)
    };
    let Some(root) = root else {
        Report::none(&file).print(context.out, args.json)?;
        return if args.uninstall { Ok(()) } else { Err(Error::silent(1)) };
    };
    let homes = Homes::find(|name| env::var_os(name));
    let browsers = homes.as_ref().map(Databases::of);
    let deed = match args {
        args::Trust { status: true, .. } => None,
        args::Trust { uninstall: true, .. } => Some(Deed::Uninstall),
        _ => Some(Deed::Install),
    };
    let mut stores = vec![system(deed, &root, &file).await];
    if let Some(browsers) = &browsers {
        stores.extend(match deed {
            None => browsers.look(&root).await,
            Some(Deed::Install) => browsers.install(&root).await,
            Some(Deed::Uninstall) => browsers.uninstall(&root).await,
        });
    }
    let report = Report::of(&root, &file, stores);
    report.print(context.out, args.json)?;
    if deed.is_some() && context.out.terminal {
        output::note("\nprograms that are running notice it after a restart");
    }
    let good = if args.uninstall { report.is_gone() } else { report.is_trusted() };
    if good { Ok(()) } else { Err(Error::silent(1)) }
}

/// Runs `trust-system`: as root, with the certificate on standard input.
pub async fn as_root(deed: args::TrustDeed) -> Result<(), Error> {
    let error = act(deed).await.err();
    output::Output::of_process().json_line(&Done { error })
}

/// Root trusts nobody who asks: a certificate that could sign for names of others is refused.
async fn act(deed: args::TrustDeed) -> Result<(), String> {
    let mut pem = Vec::new();
    // Not through the buffer of `io::stdin`: nothing else reads it.
    let stdin = io::stdin().as_fd().try_clone_to_owned().map(File::from);
    let read = stdin.and_then(|stdin| stdin.take(LARGEST).read_to_end(&mut pem));
    read.map_err(|error| format!("cannot read the certificate: {error}"))?;
    let root = Root::from_pem(&pem).map_err(|why| format!("will not touch this root: {why}"))?;
    if let Some(domain) = root.domains().iter().find(|domain| domain.contains('.')) {
        return Err(format!("will not touch this root: {domain} is no top-level domain"));
    }
    let system = System::find(Path::new("/")).ok_or("this system has no store that is known")?;
    let store = match deed {
        args::TrustDeed::Install => system.install(&root).await,
        args::TrustDeed::Uninstall => system.uninstall(&root).await,
    };
    match store.state {
        State::Failed(why) => Err(why),
        _ => Ok(()),
    }
}

async fn system(deed: Option<Deed>, root: &Root, file: &Path) -> Store {
    let Some(system) = System::find(Path::new("/")) else {
        let why = format!("this system has no store that is known; {}", place_by_hand(file));
        let (name, path) = ("system".to_owned(), "/etc/ssl".into());
        return Store { name, path, state: State::Failed(why) };
    };
    let store = system.look(root);
    let wanted = match deed {
        None => return store,
        Some(Deed::Install) => State::Trusted,
        Some(Deed::Uninstall) => State::NotTrusted,
    };
    if store.state == wanted {
        return store;
    }
    match deed {
        Some(Deed::Install) if geteuid().is_root() => system.install(root).await,
        Some(Deed::Uninstall) if geteuid().is_root() => system.uninstall(root).await,
        _ => {
            let asked = deed.map_or(Ok(()), |deed| through_root(deed, root));
            let after = system.look(root);
            match asked {
                Err(why) if after.state != wanted => {
                    let why = format!("{why}; {}", place_by_hand(file));
                    Store { state: State::Failed(why), ..after }
                }
                _ => after,
            }
        }
    }
}

fn through_root(deed: Deed, root: &Root) -> Result<(), String> {
    if let Ok(shim) = shim::find() {
        let done = match deed {
            Deed::Install => shim.install_root(root.der()),
            Deed::Uninstall => shim.uninstall_root(&root.fingerprint().to_string()),
        };
        match done {
            Ok(()) => return Ok(()),
            Err(why) => output::note(&format!("the shim did not do it: {why}")),
        }
    }
    output::note("the store of the system takes root: asking for it");
    let out = match ask_root(deed, &root.pem()) {
        Asked::Ran(out) => out,
        Asked::Refused(why) => return Err(why),
    };
    let done: Done = serde_json::from_slice(&out)
        .map_err(|error| format!("cannot understand what was run as root: {error}"))?;
    done.error.map_or(Ok(()), Err)
}

/// The root, made if there is none.
fn root(context: &Context, dir: &Path) -> Result<Root, Error> {
    let realm = Realm::new(&global(&context.places.config_file)?.proxy.tlds);
    let authority = Authority::open_or_create(dir, &realm, clock::wall())
        .map_err(|error| Error::failed(error.to_string()))?;
    let root = authority.root().clone();
    for (domain, why) in realm.doubts() {
        output::note(&format!("warning: .{domain} is a bad choice: {why}"));
    }
    for domain in realm.domains().filter(|domain| !root.allows(domain)) {
        output::note(&format!(
            "warning: the CA was made before {domain} was configured and cannot sign for it; for a \
             new one: `locald trust --uninstall`, remove {}, `locald server restart`, `locald trust`",
            dir.display()
        ));
    }
    Ok(root)
}

/// The global configuration; its defaults if there is none.
fn global(path: &Path) -> Result<Global, Error> {
    global_file::read(path).map_err(|error| match error {
        Unusable::Invalid(diagnostics) => invalid(&diagnostics),
        Unusable::Unreadable(error) => {
            Error::config(format!("cannot read {}", path.display())).because(error)
        }
    })
}

/// With it, all of this would be about root's CA and root's browsers.
fn not_through_sudo() -> Result<(), Error> {
    let by = ["SUDO_UID", "DOAS_USER"].map(|name| env::var(name).ok());
    let other = by.iter().flatten().any(|user| !matches!(user.as_str(), "" | "0" | "root"));
    if geteuid().is_root() && other {
        return Err(Error::failed("`locald trust` is about your own CA and browsers, not root's")
            .hinted("run it without sudo: it asks for a password where it needs root"));
    }
    Ok(())
}
