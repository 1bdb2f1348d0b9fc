//! Keeps the names of what runs in `/etc/hosts`, for programs that ask the system: through the shim, if there is one.

use std::{collections::BTreeSet, fs, sync::Arc, time::Duration};

use locald_shim::{hosts, request};
use nix::unistd::geteuid;
use tokio::{
    sync::{Semaphore, watch},
    task::spawn_blocking,
    time::{sleep, timeout},
};

use super::shim;

const HOSTS: &str = "/etc/hosts";
/// Where root says which domains besides `localhost` may be there.
const DOMAINS: &str = "/etc/locald/allowed-tlds";
/// Between two attempts, when one has failed.
const PAUSE: Duration = Duration::from_secs(30);
/// More than the shim gives itself.
const PATIENCE: Duration = Duration::from_secs(15);

/// What is to be in the file, and who writes it.
#[derive(Debug)]
pub struct Keeper {
    wanted: watch::Sender<BTreeSet<String>>,
    /// One writer at a time.
    pen: Arc<Semaphore>,
    /// A daemon on ports of nobody's choice has names of nobody's choice.
    enabled: bool,
}

impl Keeper {
    /// Nothing is written before it is asked for, and never unless `enabled`.
    pub fn new(enabled: bool) -> Self {
        Self { wanted: watch::Sender::default(), pen: Arc::new(Semaphore::new(1)), enabled }
    }

    /// These are the names now. Returns at once; of many changes the last one counts.
    pub fn keep(&self, names: BTreeSet<String>) {
        self.wanted.send_if_modified(|wanted| {
            let new = *wanted != names;
            *wanted = names;
            new
        });
    }

    /// Writes whatever is wanted, for as long as it is polled. `tell` hears what has been written, and of each
    /// failure once.
    pub async fn run(&self, tell: impl Fn(String)) {
        let (mut wanted, mut told) = (self.wanted.subscribe(), None);
        loop {
            let names = wanted.borrow_and_update().clone();
            let failed = match self.write(names).await {
                Ok(news) => {
                    news.into_iter().for_each(&tell);
                    false
                }
                Err(why) => {
                    if told.as_ref() != Some(&why) {
                        tell(why.clone());
                        told = Some(why);
                    }
                    true
                }
            };
            tokio::select! {
                // The sender is ours.
                _ = wanted.changed() => {}
                () = sleep(PAUSE), if failed => {}
            }
        }
    }

    /// Nothing runs any more. Waits until the names are gone, unless that takes too long.
    pub async fn clear(&self) -> Result<(), String> {
        let cleared = timeout(PATIENCE, self.write(BTreeSet::new())).await;
        cleared.unwrap_or_else(|_| Err("the shim takes too long".to_owned())).map(drop)
    }

    /// What has been written, if it was not there already.
    async fn write(&self, names: BTreeSet<String>) -> Result<Option<String>, String> {
        if !self.enabled {
            return Ok(None);
        }
        // Goes along, so that nobody overtakes a write whose caller is gone.
        let pen = self.pen.clone().acquire_owned().await;
        let written = spawn_blocking(move || {
            let _pen = pen;
            write(&names)
        });
        written.await.unwrap_or_else(|error| Err(error.to_string()))
    }
}

/// Has the shim write names, unless they are there already. Without a shim there is nobody who could.
fn write(names: &BTreeSet<String>) -> Result<Option<String>, String> {
    let names = acceptable(names);
    let is_there = fs::read(HOSTS).is_ok_and(|file| {
        hosts::rewrite(&file, geteuid().as_raw(), &names).is_ok_and(|it| it == file)
    });
    if is_there {
        return Ok(None);
    }
    let Ok(shim) = shim::find() else { return Ok(None) };
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    shim.sync_hosts(&names).map_err(|why| format!("cannot write names to {HOSTS}: {why}"))?;
    let what = if names.is_empty() { "no names".to_owned() } else { names.join(", ") };
    Ok(Some(format!("{what} in {HOSTS}")))
}

/// Those that the shim takes: below domains that root allows, and not too many.
pub fn acceptable(names: &BTreeSet<String>) -> BTreeSet<String> {
    let domains = fs::read(DOMAINS).unwrap_or_default();
    let domains = request::tlds(&domains).unwrap_or_else(|_| vec!["localhost".to_owned()]);
    let fits =
        |name: &&String| request::names(name.as_bytes(), &domains).is_ok_and(|it| it.len() == 1);
    names.iter().filter(fits).take(request::MOST_NAMES).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_shim_takes_is_asked_for() {
        let names = ["shop.localhost", "a_b.localhost", "127.0.0.1", "bank.com", "localhost", ""];
        let names = names.into_iter().map(str::to_owned).collect();
        assert_eq!(acceptable(&names), BTreeSet::from(["shop.localhost".to_owned()]));
        let many = (0..600).map(|number| format!("a{number}.localhost")).collect();
        assert_eq!(acceptable(&many).len(), request::MOST_NAMES);
    }
}
