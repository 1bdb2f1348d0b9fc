//! What every command that talks to the daemon needs.

use std::{collections::BTreeMap, env, fs};

use super::{
    autostart,
    client::Client,
    error::Error,
    output::{self, Output},
};
use crate::{api::control::TerminalSize, os::paths::Places};

/// Where things are and where to write.
#[derive(Debug)]
pub struct Context {
    /// Standard output.
    pub out: Output,
    /// The daemon's files.
    pub places: Places,
}

impl Context {
    /// Looks at the process and its environment.
    pub fn of_process() -> Result<Self, Error> {
        let places = Places::find(|name| env::var_os(name))
            .map_err(|error| Error::no_daemon("cannot tell where the daemon is").because(error))?;
        Ok(Self { out: Output::of_process(), places })
    }

    /// The daemon, if there is one.
    pub async fn daemon_if_any(&self) -> Result<Option<Client>, Error> {
        Client::connect(&self.places.socket).await
    }

    /// The daemon, which must be there.
    pub async fn daemon(&self) -> Result<Client, Error> {
        self.daemon_if_any().await?.ok_or_else(|| self.no_daemon())
    }

    /// The error for want of a daemon.
    pub fn no_daemon(&self) -> Error {
        let error = Error::no_daemon("no daemon is running");
        // A heart that had to give up has left a word.
        let error = match fs::read_to_string(self.places.last_word()) {
            Ok(why) => error.because(why.trim_end()),
            Err(_) => error,
        };
        error.hinted("`locald up` starts it together with the project of this folder")
    }

    /// The daemon, started if need be.
    pub async fn daemon_or_start(&self) -> Result<Client, Error> {
        let (client, started) = autostart::connect_or_start(&self.places).await?;
        if started && self.out.terminal {
            output::note(&format!("started the daemon (pid {})", client.daemon().pid));
        }
        Ok(client)
    }

    /// The size of the person's terminal.
    pub fn terminal(&self) -> Option<TerminalSize> {
        let (cols, rows) = self.out.size()?;
        let (cols, rows) = (u16::try_from(cols).ok()?, u16::try_from(rows).ok()?);
        Some(TerminalSize { cols, rows })
    }
}

/// The environment of this process, without what is not UTF-8.
pub fn caller_environment() -> BTreeMap<String, String> {
    let mut env: BTreeMap<String, String> = env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    // After `-C`, the shell's idea of where we are is wrong.
    if let Some(pwd) = env.get_mut("PWD")
        && let Ok(here) = env::current_dir()
        && fs::canonicalize(&*pwd).ok() != fs::canonicalize(&here).ok()
        && let Ok(here) = here.into_os_string().into_string()
    {
        *pwd = here;
    }
    env
}
