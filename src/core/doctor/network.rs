//! Ports, names, and who helps with them.

use super::{
    Check, RESTART, SETUP,
    facts::{Bind, Daemon, Door, Facts, Lookup, Shim},
};

/// Without it, what root alone may do is asked for through `sudo`, or left out.
pub(super) fn shim(facts: &Facts) -> Check {
    const ID: &str = "shim";
    let needless = facts.doors.iter().all(|door| door.state != Bind::Denied || door.is_ours());
    match &facts.shim {
        Shim::Fits(release) => {
            Check::ok(ID, format!("locald-shim {release} is setuid root and at your service"))
        }
        Shim::Absent if needless => {
            Check::info(ID, "the helper is not installed, and the ports do not need it")
        }
        Shim::Absent => {
            Check::warning(ID, "the helper that binds ports 80 and 443 is not installed", SETUP)
        }
        Shim::Unfit(why) => Check::warning(ID, why, SETUP),
        Shim::NotForUs => {
            Check::warning(ID, "the helper is installed, and you are not on its list", SETUP)
        }
    }
}

pub(super) fn door(door: &Door, facts: &Facts) -> Check {
    let Door { id, what, wanted, taken, state } = door;
    let runs = matches!(facts.daemon, Daemon::Runs { .. });
    let helped = matches!(facts.shim, Shim::Fits(_)) && [80, 443].contains(wanted);
    let instead = taken.map_or_else(
        || if runs { format!("there is no {what}") } else { format!("{what} goes elsewhere") },
        |port| format!("{what} is on {port}"),
    );
    match state {
        _ if *wanted == 0 => Check::ok(id, format!("{what} may be on any port")),
        _ if door.is_ours() => Check::ok(id, format!("the daemon has port {wanted}")),
        Bind::Held(Some((pid, command))) => Check::warning(
            id,
            format!("port {wanted} is held by `{command}` (pid {pid}): {instead}"),
            format!("kill {pid}"),
        ),
        Bind::Held(None) => Check::warning(
            id,
            format!("port {wanted} is held by another user's process: {instead}"),
            format!("sudo ss -ltnp 'sport = :{wanted}'"),
        ),
        Bind::Denied if !helped => {
            Check::warning(id, format!("only root may listen on port {wanted}: {instead}"), SETUP)
        }
        Bind::Free | Bind::Denied if runs => {
            Check::warning(id, format!("port {wanted} is free now, and {instead}"), RESTART)
        }
        Bind::Free => Check::ok(id, format!("port {wanted} is free")),
        Bind::Denied => Check::ok(id, format!("port {wanted} is free, through the helper")),
        Bind::Failed(why) => Check::warning(
            id,
            format!("cannot listen on port {wanted}: {why}"),
            format!("ss -ltn 'sport = :{wanted}'"),
        ),
    }
}

/// What Node, Python and Java ask.
pub(super) fn system_names(facts: &Facts) -> Check {
    const ID: &str = "names-system";
    let (names, helped) = (&facts.names, matches!(facts.shim, Shim::Fits(_)));
    let stray = names.running.iter().find(|(_, lookup)| *lookup != Lookup::Here);
    if let Some((name, lookup)) = stray {
        let what = match lookup {
            Lookup::Elsewhere(address) => {
                let what = format!("{name} leads to {address}, which is not this machine");
                return Check::warning(ID, what, format!("grep -n {name} /etc/hosts"));
            }
            Lookup::Late => format!("the system takes too long to look up {name}"),
            _ => format!("Node, Python and Java do not find {name}"),
        };
        return Check::warning(ID, what, if helped { "locald admin sync-hosts" } else { SETUP });
    }
    match &names.any {
        Lookup::Here => Check::ok(ID, "the system knows every name below localhost"),
        _ if !names.running.is_empty() => Check::ok(ID, "the system knows the names of what runs"),
        _ if helped => Check::ok(ID, "names of what runs are written to /etc/hosts"),
        _ => Check::warning(ID, "Node, Python and Java do not find names below localhost", SETUP),
    }
}

/// What browsers do without asking.
pub(super) fn browser_names(facts: &Facts) -> Check {
    const ID: &str = "names-browser";
    let others: Vec<&str> =
        facts.names.tlds.iter().map(String::as_str).filter(|tld| *tld != "localhost").collect();
    match (&others[..], &facts.shim) {
        ([], _) => Check::ok(ID, "browsers and curl know every name below localhost"),
        (_, Shim::Fits(_)) => {
            let all = others.join(", .");
            Check::ok(ID, format!("names below .{all} are written to /etc/hosts"))
        }
        ([first, ..], _) => {
            let what = format!("browsers ask the system for names below .{first}");
            Check::warning(ID, what, format!("{SETUP} --tld {first}"))
        }
    }
}

impl Door {
    fn is_ours(&self) -> bool {
        self.wanted == 0 || self.taken == Some(self.wanted)
    }
}
