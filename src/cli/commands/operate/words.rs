//! The last line of each service that takes long, asked for beside the operation.

use std::{collections::HashMap, path::PathBuf, sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{MissedTickBehavior, interval, timeout},
};

use crate::{
    api::log::Line,
    cli::{
        client::{Client, Query},
        error::Error,
        project::Project,
    },
    os::paths::Places,
};

/// How often they are asked for.
const PACE: Duration = Duration::from_millis(500);

/// How long an answer is waited for when everything else is over.
const PATIENCE: Duration = Duration::from_secs(2);

/// Of no more than these.
const MOST: usize = 40;

/// By service.
pub type LastLines = HashMap<String, String>;

/// Asks for as long as it is there.
#[derive(Debug)]
pub struct Words {
    wanted: watch::Sender<Vec<String>>,
    said: watch::Receiver<Arc<LastLines>>,
    task: JoinHandle<()>,
}

impl Words {
    /// Of services of this project. Nothing is asked while none is wanted.
    pub fn of(project: &Project, places: &Places) -> Self {
        let (wanted, names) = watch::channel(Vec::new());
        let (tell, said) = watch::channel(Arc::default());
        let ask = ask(places.socket.clone(), project.dir.clone(), names, tell);
        Self { wanted, said, task: tokio::spawn(ask) }
    }

    /// These are wanted from now on.
    pub fn want(&self, services: Vec<String>) {
        self.wanted.send_replace(services);
    }

    /// What is known.
    pub fn last(&self) -> Arc<LastLines> {
        self.said.borrow().clone()
    }
}

impl Drop for Words {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Without an answer there is nothing to show, which is no reason to say so.
async fn ask(
    socket: PathBuf,
    dir: PathBuf,
    names: watch::Receiver<Vec<String>>,
    tell: watch::Sender<Arc<LastLines>>,
) {
    let mut pace = interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        pace.tick().await;
        let mut wanted = names.borrow().clone();
        wanted.truncate(MOST);
        if wanted.is_empty() {
            continue;
        }
        let Ok(Some(mut client)) = Client::connect(&socket).await else { continue };
        if let Ok(tails) = tails(&mut client, &dir, &wanted, 1).await {
            let last = |(name, mut lines): (String, Vec<String>)| Some((name, lines.pop()?));
            tell.send_replace(Arc::new(tails.into_iter().filter_map(last).collect()));
        }
    }
}

/// The same, asked afresh; none where there is no answer.
pub async fn last_lines(
    places: &Places,
    dir: &std::path::Path,
    services: &[String],
    count: usize,
) -> HashMap<String, Vec<String>> {
    if services.is_empty() {
        return HashMap::new();
    }
    let asked = async {
        let mut client = Client::connect(&places.socket).await.ok()??;
        tails(&mut client, dir, services, count).await.ok()
    };
    timeout(PATIENCE, asked).await.ok().flatten().unwrap_or_default()
}

/// The last `count` lines of each of these services.
async fn tails(
    client: &mut Client,
    dir: &std::path::Path,
    services: &[String],
    count: usize,
) -> Result<HashMap<String, Vec<String>>, Error> {
    let query = Query::new("/v1/logs").dir(dir).with("lines", count.to_string());
    let query = services.iter().fold(query, |query, name| query.with("service", name));
    let mut stream = client.watch::<Line>(&query).await?;
    let mut tails: HashMap<String, Vec<String>> = HashMap::new();
    while let Some(line) = stream.next().await? {
        tails.entry(line.service).or_default().push(line.line);
    }
    Ok(tails)
}
