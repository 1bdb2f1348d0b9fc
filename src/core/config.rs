//! `locald.toml` and `Procfile`: text → [`Config`], or all that is wrong with it.

mod check;
mod domain;
mod draft;
pub mod global;
mod keys;
mod names;
mod parse;
mod place;
mod procfile;
mod reader;
mod schema;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use names::{Named, names_in_procfile, names_in_toml};
pub use place::{Part, place_of};
pub use procfile::parse_procfile;
pub use schema::json_schema;

use self::reader::Reader;
use super::{
    diagnostic::{Diagnostic, SourceFile},
    id::{ProjectName, ServiceName},
    plan::{
        Env, EnvFiles, Kind, Limit, Need, PortSpec, Probe, Protocol, Restart, Run, StopSignal,
        Strategy, TlsFiles,
    },
};

/// The largest configuration file; whoever reads one need not read further.
pub const MAX_BYTES: usize = 1 << 20;

/// A valid configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    pub(in crate::core) project: Project,
    /// In the order of the file.
    pub(in crate::core) services: Vec<Service>,
}

#[derive(Clone, Debug, PartialEq)]
pub(in crate::core) struct Project {
    pub(in crate::core) name: ProjectName,
    pub(in crate::core) domain: String,
    pub(in crate::core) strategy: Strategy,
    pub(in crate::core) max_restarts: u32,
    pub(in crate::core) restart_window: Duration,
    pub(in crate::core) env: Env,
    pub(in crate::core) env_files: EnvFiles,
    pub(in crate::core) on_event: Option<Run>,
}

#[derive(Clone, Debug, PartialEq)]
pub(in crate::core) struct Service {
    pub(in crate::core) name: ServiceName,
    pub(in crate::core) kind: Kind,
    pub(in crate::core) run: Run,
    pub(in crate::core) build: Option<Run>,
    pub(in crate::core) workdir: Option<String>,
    pub(in crate::core) port: PortSpec,
    /// Those of `depends_on`, then those that `${…}` implies.
    pub(in crate::core) needs: Vec<Need>,
    pub(in crate::core) env: Env,
    pub(in crate::core) env_files: Vec<String>,
    pub(in crate::core) check: HealthCheck,
    pub(in crate::core) restart: Restart,
    pub(in crate::core) backoff: Backoff,
    pub(in crate::core) max_restarts: Option<u32>,
    pub(in crate::core) restart_window: Option<Duration>,
    pub(in crate::core) stop_signal: StopSignal,
    pub(in crate::core) stop_timeout: Duration,
    pub(in crate::core) tty: bool,
    pub(in crate::core) watchdog: Option<Duration>,
    pub(in crate::core) essential: bool,
    pub(in crate::core) protocol: Protocol,
    pub(in crate::core) tls: Option<TlsFiles>,
    pub(in crate::core) autostart: bool,
    pub(in crate::core) domain: Option<String>,
    pub(in crate::core) routes: Vec<String>,
    pub(in crate::core) watch: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub(in crate::core) struct HealthCheck {
    pub(in crate::core) probe: Probe,
    pub(in crate::core) interval: Duration,
    pub(in crate::core) timeout: Duration,
    pub(in crate::core) retries: u32,
    pub(in crate::core) start_period: Duration,
    pub(in crate::core) on_failure_restart: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::core) struct Backoff {
    pub(in crate::core) initial: Duration,
    pub(in crate::core) factor: f64,
    pub(in crate::core) max: Duration,
}

/// Reads a `locald.toml`; `dir_name` is the folder's name, for the name to suggest.
pub fn parse_toml(source: &SourceFile, dir_name: &str) -> Result<Config, Vec<Diagnostic>> {
    let tree = parse::tree(&source.text).map_err(|wrong| vec![wrong])?;
    let mut reader = Reader::new(&source.text);
    let draft = parse::draft(&mut reader, &tree, source, dir_name);
    let config = check::check(&mut reader, draft);
    let mut found = reader.found;
    if found.is_empty() {
        return Ok(config);
    }
    found.sort_by_key(Diagnostic::offset);
    Err(found)
}

/// That a file has more than [`MAX_BYTES`].
pub fn too_large(bytes: u64) -> Diagnostic {
    let message = format!("the file has {bytes} bytes; at most {MAX_BYTES} are read");
    Diagnostic::at(0..0, message)
}

/// That a file is not text: the readable text (bad bytes replaced) with the place of the first one.
pub fn not_utf8(bytes: &[u8], valid_up_to: usize) -> (String, Diagnostic) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let at = valid_up_to.min(text.len());
    let end = text[at..].chars().next().map_or(at, |c| at + c.len_utf8());
    let byte = bytes.get(valid_up_to).copied().unwrap_or_default();
    (text, Diagnostic::at(at..end, format!("the file is not UTF-8: byte 0x{byte:02x} is not text")))
}

impl Default for HealthCheck {
    fn default() -> Self {
        Self {
            probe: Probe::Implicit,
            interval: Duration::from_secs(1),
            timeout: Duration::from_secs(1),
            retries: 3,
            start_period: Duration::from_mins(1),
            on_failure_restart: false,
        }
    }
}

impl Default for Backoff {
    fn default() -> Self {
        let Limit { initial, factor, max, .. } = Limit::default();
        Self { initial, factor, max }
    }
}
