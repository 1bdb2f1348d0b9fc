//! `locald admin`: what root does once for this machine, and the names in its hosts file.

use std::{collections::BTreeSet, env, fs};

use nix::unistd::{Uid, User, geteuid};

use crate::{
    api::status::{Project, ProjectState, Status},
    cli::{args, client::Query, context::Context, error::Error, output},
    os::{hosts_file, machine, shim},
};

/// Where stores keep roots that the shim has installed.
const ROOTS: [&str; 4] = [
    "/etc/pki/ca-trust/source/anchors",
    "/etc/ca-certificates/trust-source/anchors",
    "/etc/pki/trust/anchors",
    "/usr/local/share/ca-certificates",
];

/// Installs the shim for whoever runs this through sudo.
pub fn setup(args: &args::Setup) -> Result<(), Error> {
    let uid = whose(args.user.as_deref())?;
    let source = shim::Source::beside_us().map_err(Error::failed)?;
    let plan = shim::Plan { source, uid, domains: args.tlds.clone() };
    for domain in &plan.domains {
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !domain.chars().all(good) || domain.starts_with('-') || domain.ends_with('-') {
            return Err(Error::usage(format!("{domain:?} is no top-level domain")));
        }
    }
    for line in plan.lines() {
        output::note(&line);
    }
    instead();
    if args.dry_run {
        return Ok(());
    }
    root()?;
    output::agreed(args.yes)?;
    shim::setup(&plan).map_err(Error::failed)?;
    output::note("done: `locald server restart` has the daemon listen on ports 80 and 443");
    Ok(())
}

/// Less would do for some of it.
fn instead() {
    let from = machine::free_ports_from();
    if from <= 80 {
        output::note(&format!(
            "note: anybody may listen on ports from {from} on here (net.ipv4.ip_unprivileged_port_start): \
             the helper is for names and trust only"
        ));
        return;
    }
    output::note(
        "note: ports 80 and 443 alone can be had with less, without names and trust:\n  \
         sudo sysctl net.ipv4.ip_unprivileged_port_start=80   lets every program listen there\n  \
         sudo setcap cap_net_bind_service=+ep locald          lets locald, until it is replaced",
    );
}

/// Takes away all that `setup` and the shim have left.
pub fn uninstall(args: &args::Unsetup) -> Result<(), Error> {
    output::note("take names of locald out of /etc/hosts and its roots out of the system's store");
    output::note(&format!("remove {} and /etc/locald", shim::PATH));
    if args.dry_run {
        return Ok(());
    }
    root()?;
    output::agreed(args.yes)?;
    for uid in shim::users().map_err(Error::failed)? {
        // As that user: the shim serves each only what is their own.
        if let Err(why) = shim::as_user(uid, &["admin", "forget"]) {
            output::note(&format!("warning: what user {uid} left could not be removed: {why}"));
        }
    }
    for gone in shim::uninstall().map_err(Error::failed)? {
        output::note(&format!("removed {gone}"));
    }
    Ok(())
}

/// Has the hosts file name what runs.
pub async fn sync_hosts(context: &Context) -> Result<(), Error> {
    let mut names = BTreeSet::new();
    if let Some(mut client) = context.daemon_if_any().await? {
        names = hosts(&client.get::<Status>(&Query::new("/v1/status")).await?);
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let shim =
        shim::find().map_err(|why| Error::failed("cannot write /etc/hosts").because(Said(why)))?;
    shim.sync_hosts(&names).map_err(Error::failed)?;
    names.iter().try_for_each(|name| context.out.line(name))
}

/// The names of what runs, as the hosts file takes them.
pub fn hosts(status: &Status) -> BTreeSet<String> {
    let runs = |project: &&Project| project.state != ProjectState::Stopped;
    let projects = || status.projects.iter().filter(runs);
    let services = projects().flat_map(|project| &project.services);
    let names = services.filter_map(|service| host(service.url.as_deref()?));
    let domains = projects().map(|project| project.domain.clone());
    hosts_file::acceptable(&names.chain(domains).collect())
}

/// Takes out what the shim did for the user who runs this.
pub fn forget() -> Result<(), Error> {
    let shim = shim::find().map_err(Error::failed)?;
    shim.sync_hosts(&[]).map_err(Error::failed)?;
    let ours = format!("locald-{}-", geteuid());
    for folder in ROOTS {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let rest = name.strip_prefix(&ours).and_then(|rest| rest.split('.').next());
            if let Some(fingerprint) = rest {
                shim.uninstall_root(fingerprint).map_err(Error::failed)?;
            }
        }
    }
    Ok(())
}

/// What others said, as a cause.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Said(String);

fn host(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    scheme.starts_with("http").then_some(())?;
    rest.split(['/', ':']).next().map(str::to_owned)
}

fn root() -> Result<(), Error> {
    if geteuid().is_root() {
        return Ok(());
    }
    Err(Error::failed("this takes root")
        .hinted("run it with sudo, as in `sudo locald admin setup`"))
}

/// The user on whose behalf root acts.
fn whose(user: Option<&str>) -> Result<u32, Error> {
    let known = |name: &str| User::from_name(name).ok().flatten().map(|user| user.uid.as_raw());
    if let Some(user) = user {
        let uid = user.parse().ok().or_else(|| known(user));
        return uid.ok_or_else(|| Error::usage(format!("there is no user {user:?}")));
    }
    if !geteuid().is_root() {
        return Ok(Uid::current().as_raw());
    }
    let sudo = env::var("SUDO_UID").ok().and_then(|uid| uid.parse().ok());
    let doas = || env::var("DOAS_USER").ok().and_then(|user| known(&user));
    Ok(sudo.or_else(doas).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_urls() {
        assert_eq!(host("https://shop.localhost:8443/x").as_deref(), Some("shop.localhost"));
        assert_eq!(host("nothing"), None);
    }
}
