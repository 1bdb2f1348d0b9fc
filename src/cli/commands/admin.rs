//! `locald admin`: what root does once for this machine, and the names in its hosts file.

use std::{
    collections::BTreeSet,
    env, fs,
    io::{self, BufRead as _, IsTerminal as _},
    path::{Path, PathBuf},
};

use nix::unistd::{Uid, User, geteuid};

use crate::{
    api::status::Status,
    cli::{args, client::Query, context::Context, error::Error, output},
    os::shim,
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
    let source = shim_beside_us()?;
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
    if args.dry_run {
        return Ok(());
    }
    root()?;
    agreed(args.yes)?;
    shim::setup(&plan).map_err(Error::failed)?;
    output::note("done: `locald server restart` has the daemon listen on ports 80 and 443");
    Ok(())
}

/// Takes away all that `setup` and the shim have left.
pub fn uninstall(args: &args::Unsetup) -> Result<(), Error> {
    output::note("take names of locald out of /etc/hosts and its roots out of the system's store");
    output::note(&format!("remove {} and /etc/locald", shim::PATH));
    if args.dry_run {
        return Ok(());
    }
    root()?;
    agreed(args.yes)?;
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
        let status: Status = client.get(&Query::new("/v1/status")).await?;
        let services = status.projects.iter().flat_map(|project| &project.services);
        names.extend(services.filter_map(|service| host(service.url.as_deref()?)));
        names.extend(status.projects.iter().map(|project| project.domain.clone()));
    }
    let names: Vec<&str> = names.iter().map(String::as_str).filter(|it| fits(it)).collect();
    let shim =
        shim::find().map_err(|why| Error::failed("cannot write /etc/hosts").because(Said(why)))?;
    shim.sync_hosts(&names).map_err(Error::failed)?;
    names.iter().try_for_each(|name| context.out.line(name))
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
    let (_, rest) = url.split_once("://")?;
    rest.split(['/', ':']).next().map(str::to_owned)
}

/// Names as the shim takes them; underscores are not for the hosts file.
fn fits(name: &str) -> bool {
    name.contains('.') && !name.starts_with(|c: char| c.is_ascii_digit()) && !name.contains('_')
}

fn root() -> Result<(), Error> {
    if geteuid().is_root() {
        return Ok(());
    }
    Err(Error::failed("this takes root")
        .hinted("run it with sudo, as in `sudo locald admin setup`"))
}

fn agreed(yes: bool) -> Result<(), Error> {
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(Error::usage("there is no terminal to ask on").hinted("`--yes` says yes"));
    }
    output::to_stderr("Go ahead? [y/N] ");
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(|e| Error::failed("cannot ask").because(e))?;
    if matches!(line.trim(), "y" | "Y" | "yes") { Ok(()) } else { Err(Error::failed("not done")) }
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

fn shim_beside_us() -> Result<PathBuf, Error> {
    let us =
        env::current_exe().map_err(|e| Error::failed("cannot find this program").because(e))?;
    let beside = us.parent().unwrap_or_else(|| Path::new("/")).join("locald-shim");
    if beside.is_file() {
        return Ok(beside);
    }
    Err(Error::failed(format!("there is no {}", beside.display()))
        .hinted("it comes with locald: install `locald-shim` into the same folder"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_urls() {
        assert_eq!(host("https://shop.localhost:8443/x").as_deref(), Some("shop.localhost"));
        assert_eq!(host("nothing"), None);
        assert!(fits("shop.localhost") && !fits("a_b.localhost") && !fits("127.0.0.1"));
    }
}
