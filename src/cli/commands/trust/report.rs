//! What `locald trust` says about the CA and the stores.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use serde::Serialize;

use crate::{
    cli::{error::Error, output::Output},
    os::{
        ca::Root,
        clock,
        trust::{State, Store},
    },
};

/// `trust --json`.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    ca: Option<Ca>,
    /// Whether every store that is needed trusts it.
    trusted: bool,
    stores: Vec<Line>,
    #[serde(skip)]
    file: PathBuf,
}

#[derive(Debug, Serialize)]
struct Ca {
    path: PathBuf,
    name: String,
    /// SHA-256 in hexadecimal digits.
    fingerprint: String,
    domains: Vec<String>,
    not_after: String,
}

#[derive(Debug, Serialize)]
struct Line {
    store: String,
    path: PathBuf,
    /// `trusted`, `not-trusted`, `not-needed`, `failed`.
    state: &'static str,
    reason: Option<String>,
}

impl Report {
    /// There is no CA.
    pub(super) fn none(file: &Path) -> Self {
        Self { ca: None, trusted: false, stores: Vec::new(), file: file.to_owned() }
    }

    /// What was found.
    pub(super) fn of(root: &Root, file: &Path, stores: Vec<Store>) -> Self {
        let ca = Ca {
            path: file.to_owned(),
            name: root.common_name().to_owned(),
            fingerprint: root.fingerprint().to_string(),
            domains: root.domains().to_vec(),
            not_after: clock::rfc3339(root.validity().until),
        };
        let stores: Vec<Line> = stores.into_iter().map(line).collect();
        let trusted = stores.iter().all(|line| matches!(line.state, "trusted" | "not-needed"));
        Self { ca: Some(ca), trusted, stores, file: file.to_owned() }
    }

    /// Whether every store that is needed trusts it.
    pub(super) fn is_trusted(&self) -> bool {
        self.trusted
    }

    /// Whether no store trusts it.
    pub(super) fn is_gone(&self) -> bool {
        self.stores.iter().all(|line| matches!(line.state, "not-trusted" | "not-needed"))
    }

    /// Prints it.
    pub(super) fn print(&self, out: Output, json: bool) -> Result<(), Error> {
        if json { out.json(self) } else { out.write(self.text().as_bytes()) }
    }

    fn text(&self) -> String {
        let Some(ca) = &self.ca else {
            let file = self.file.display();
            return format!("there is no CA ({file}); `locald trust` makes one\n");
        };
        let mut text = format!(
            "{}\n  file         {}\n  fingerprint  {}\n  signs for    {}, until {}\n\n",
            ca.name,
            ca.path.display(),
            ca.fingerprint,
            ca.domains.join(", "),
            &ca.not_after[..10],
        );
        let width = self.stores.iter().map(|line| line.store.len()).max().unwrap_or_default();
        for Line { store, path, state, reason } in &self.stores {
            let state = state.replace('-', " ");
            let path = path.display();
            let _infallible = writeln!(text, "{store:width$}  {state:11}  {path}");
            if let Some(reason) = reason {
                let _infallible = writeln!(text, "{:width$}  {reason}", "");
            }
        }
        text
    }
}

fn line(Store { name, path, state }: Store) -> Line {
    let (state, reason) = match state {
        State::Trusted => ("trusted", None),
        State::NotTrusted => ("not-trusted", None),
        State::NotNeeded(why) => ("not-needed", Some(why)),
        State::Failed(why) => ("failed", Some(why)),
    };
    Line { store: name, path, state, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(states: &[State]) -> Report {
        let stores = states.iter().map(|state| {
            line(Store { name: "Firefox".into(), path: "/p".into(), state: state.clone() })
        });
        let stores: Vec<Line> = stores.collect();
        let trusted = stores.iter().all(|line| matches!(line.state, "trusted" | "not-needed"));
        Report { ca: None, trusted, stores, file: "/ca/root.pem".into() }
    }

    #[test]
    fn one_store_that_does_not_trust_is_enough_to_fail() {
        let absent = State::NotNeeded("no such browser".into());
        assert!(report(&[State::Trusted, absent.clone()]).is_trusted());
        assert!(!report(&[State::Trusted, State::NotTrusted]).is_trusted());
        assert!(!report(&[State::Failed("x".into()), State::Trusted]).is_trusted());
        assert!(report(&[State::NotTrusted, absent]).is_gone());
        assert!(!report(&[State::NotTrusted, State::Trusted]).is_gone());
        assert!(!report(&[State::NotTrusted, State::Failed("x".into())]).is_gone());
    }

    #[test]
    fn without_a_ca_it_says_how_to_get_one() {
        let text = Report::none(Path::new("/ca/root.pem")).text();
        assert_eq!(text, "there is no CA (/ca/root.pem); `locald trust` makes one\n");
    }
}
