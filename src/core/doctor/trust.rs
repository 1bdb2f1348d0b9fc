//! The CA, and who trusts it.

use super::{
    Check,
    facts::{Ca, Facts, Store, Trust},
    processes::install,
};

/// A root is replaced while there is time.
const SOON: u64 = 30;
/// Stores by the ids of their checks.
const STORES: [(&str, &str); 3] =
    [("trust-system", "system"), ("trust-chromium", "Chromium"), ("trust-firefox", "Firefox")];

pub(super) fn judge(facts: &Facts) -> impl Iterator<Item = Check> + '_ {
    std::iter::once(ca(&facts.ca)).chain(STORES.map(|(id, name)| store(id, name, facts)))
}

fn ca(ca: &Ca) -> Check {
    const ID: &str = "ca";
    match ca {
        Ca::Absent => Check::info(ID, "there is no CA yet; `locald trust` or `up` makes one"),
        Ca::Bad { why, fix } => Check::critical(ID, why, fix),
        Ca::Good { missing, afresh, .. } if !missing.is_empty() => Check::warning(
            ID,
            format!("the CA does not sign for .{}, which is configured", missing.join(", .")),
            afresh,
        ),
        Ca::Good { days, afresh, .. } if *days < SOON => {
            Check::warning(ID, format!("the CA is good for {days} more days only"), afresh)
        }
        Ca::Good { days, domains, .. } => Check::ok(
            ID,
            format!("the CA signs for {} and is good for {days} days", domains.join(", ")),
        ),
    }
}

/// A browser has a store for each profile: the worst counts.
fn store(id: &'static str, name: &str, facts: &Facts) -> Check {
    let of_name = facts.stores.iter().filter(|store| store.name == name);
    let worst = of_name.map(|store| one(id, store, facts)).max_by_key(|check| check.status);
    worst.unwrap_or_else(|| match facts.ca {
        Ca::Good { .. } => Check::info(id, format!("{name} was not found")),
        _ => Check::info(id, "there is nothing to trust yet"),
    })
}

fn one(id: &'static str, Store { name, trust }: &Store, facts: &Facts) -> Check {
    let name = if name == "system" { "the system" } else { name };
    match trust {
        Trust::Yes => Check::ok(id, format!("{name} trusts the CA")),
        Trust::No => Check::warning(id, format!("{name} does not trust the CA"), "locald trust"),
        Trust::NotNeeded(why) => Check::info(id, why),
        Trust::Unknown(why) if why.starts_with("certutil is missing") => {
            let package = match facts.tools.installer {
                Some("apt-get") => "libnss3-tools",
                Some("pacman") => "nss",
                Some("zypper") => "mozilla-nss-tools",
                _ => "nss-tools",
            };
            let what = format!("{name} cannot be asked: certutil is missing");
            Check::warning(id, what, install(facts.tools.installer, package))
        }
        Trust::Unknown(why) => Check::warning(id, format!("{name}: {why}"), "locald trust"),
    }
}
