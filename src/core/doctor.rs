//! Judges what was found on this machine: what works, what does not, and the one command that mends it.

pub mod facts;
mod limits;
mod network;
mod processes;
#[cfg(test)]
mod tests;
mod trust;

use serde::Serialize;

use self::facts::Facts;

/// How a check came out.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It works.
    Ok,
    /// Nothing is wrong, and something to know.
    Info,
    /// Something works less well than it could.
    Warning,
    /// Something that is needed does not work.
    Critical,
}

/// One check.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Check {
    /// Names it; never changes.
    pub id: &'static str,
    /// How it came out.
    pub status: Verdict,
    /// One sentence.
    pub message: String,
    /// One command that mends it; for every warning and whatever is critical.
    pub fix: Option<String>,
}

const SETUP: &str = "sudo locald admin setup";
const RESTART: &str = "locald server restart";
const UPGRADE: &str = "locald server upgrade";

/// Every check, always the same ones in the same order.
pub fn judge(facts: &Facts) -> Vec<Check> {
    let mut checks = vec![
        processes::daemon(&facts.daemon),
        processes::heart(&facts.daemon),
        processes::version(&facts.daemon, &facts.release),
        network::shim(facts),
    ];
    checks.extend(facts.doors.iter().map(|door| network::door(door, facts)));
    checks.extend([network::system_names(facts), network::browser_names(facts)]);
    checks.extend(trust::judge(facts));
    checks.extend(limits::judge(facts));
    checks.extend([
        processes::postgres(&facts.tools),
        processes::build_tools(&facts.tools),
        processes::global(facts.global.as_ref()),
        processes::project(&facts.project),
    ]);
    checks
}

impl Check {
    fn ok(id: &'static str, message: impl Into<String>) -> Self {
        Self { id, status: Verdict::Ok, message: message.into(), fix: None }
    }

    fn info(id: &'static str, message: impl Into<String>) -> Self {
        Self { status: Verdict::Info, ..Self::ok(id, message) }
    }

    fn warning(id: &'static str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { status: Verdict::Warning, fix: Some(fix.into()), ..Self::ok(id, message) }
    }

    /// For what keeps locald from working at all.
    pub fn critical(id: &'static str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { status: Verdict::Critical, ..Self::warning(id, message, fix) }
    }
}
