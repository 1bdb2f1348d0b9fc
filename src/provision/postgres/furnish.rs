//! What is to be in a database: made by a server that listens only in a folder of ours.

use std::{path::Path, time::Duration};

use nix::sys::signal::Signal;
use tokio::{net::UnixStream, time::sleep};

use super::{
    INNER_PORT, Job, Record, SUPERUSER, argv, files,
    session::{Failure, Session},
    wire,
};
use crate::provision::{
    place,
    step::{By, Step},
};

/// From one attempt to reach the server to the next.
const PAUSE: Duration = Duration::from_millis(20);
/// How long it may take to end, which is when it writes everything down.
const STOP: Duration = Duration::from_mins(5);

/// That no password gets into the log, whatever the settings are.
const QUIET: [&str; 3] = [
    "SET log_statement = none",
    "SET log_min_duration_statement = -1",
    "SET log_min_error_statement = panic",
];

/// Makes what is asked for and is not there by the record.
pub(super) async fn furnish(job: &Job<'_>, at: &Path, record: &mut Record) -> Result<(), String> {
    let asked = Asked::of(job, record);
    let version = job.found.version.to_string();
    if asked.is_nothing() {
        if record.version != version {
            record.version = version;
            record.write(at)?;
        }
        return Ok(());
    }
    let Some(socket) = job.place.run() else {
        return Err(format!(
            "the folder {} is too long a path for a socket, by which the database is prepared: set \
             LOCALD_HOME or XDG_DATA_HOME to a shorter one",
            job.place.ground().display()
        ));
    };
    job.place.refresh()?;
    let server = start(job, at, &socket)?;
    let made = make(job, at, &socket, &server, &asked, record).await;
    let stopped = stop(job, server).await;
    made.and(stopped)?;
    record.version = version;
    record.write(at)
}

/// What is not there yet.
struct Asked {
    /// Whether the password is another one than before, or never was set.
    password: Option<String>,
    user: bool,
    database: bool,
    extensions: Vec<String>,
    files: Vec<(String, std::path::PathBuf)>,
}

impl Asked {
    fn of(job: &Job<'_>, record: &Record) -> Self {
        let provision = job.request.provision;
        let (user, database) = (&provision.user, &provision.database);
        let has = |list: &[String], name: &String| name == SUPERUSER || list.contains(name);
        let known = |extension: &String| {
            record.extensions.iter().any(|(of, name)| of == database && name == extension)
        };
        let digest = place::digest_of(job.password);
        // `initdb` has set it when there is no record.
        let fresh = record.password.is_empty() && record.version.is_empty();
        Self {
            password: (record.password != digest && !fresh).then_some(digest),
            user: !has(&record.users, user),
            database: !has(&record.databases, database),
            extensions: provision.extensions.iter().filter(|name| !known(name)).cloned().collect(),
            files: files::open(job, record)
                .into_iter()
                .map(|(name, it)| (name.to_owned(), it))
                .collect(),
        }
    }

    fn is_nothing(&self) -> bool {
        self.password.is_none()
            && !self.user
            && !self.database
            && self.extensions.is_empty()
            && self.files.is_empty()
    }
}

fn start(job: &Job<'_>, at: &Path, socket: &Path) -> Result<Step, String> {
    let own = [
        ("listen_addresses", "".into()),
        ("port", INNER_PORT.into()),
        ("unix_socket_directories", socket.into()),
        ("log_min_messages", "warning".into()),
    ];
    let settings = &job.request.provision.settings;
    let argv = argv(&job.found.server, at, own, settings);
    Step::start(job, By::Owner, argv, &[], job.place.ground())
}

async fn stop(job: &Job<'_>, server: Step) -> Result<(), String> {
    server.child.signal_group(Signal::SIGINT);
    let ending = tokio::time::timeout(STOP, server.child.exited()).await;
    let ending =
        ending.map_err(|_| "the database did not stop after it was prepared".to_owned())?;
    server.end(job, ending).await
}

async fn make(
    job: &Job<'_>,
    at: &Path,
    socket: &Path,
    server: &Step,
    asked: &Asked,
    record: &mut Record,
) -> Result<(), String> {
    tokio::select! {
        // What it says then is in the end of the step.
        _ = server.child.exited() => return Ok(()),
        () = ready(socket) => {}
    }
    let provision = job.request.provision;
    let open = |user, database| {
        let sink = job.request.sink.clone();
        Session::open(socket, user, database, move |notice: &str| sink.note(notice))
    };
    let told = |failure: Failure| failure.to_string();
    let accounts = accounts(job, asked);
    if !accounts.is_empty() {
        let mut session = open(SUPERUSER, SUPERUSER).await.map_err(told)?;
        for sql in QUIET.into_iter().map(str::to_owned).chain(accounts) {
            match session.run(&sql).await {
                Err(Failure::Refused(complaint)) if complaint.is_there_already() => {}
                done => done.map_err(told)?,
            }
        }
        record.password.clone_from(&place::digest_of(job.password));
        add(&mut record.users, &provision.user);
        add(&mut record.databases, &provision.database);
        record.write(at)?;
    }
    for name in &asked.extensions {
        (job.request.tell)(&format!("making extension {name}"));
        let sql = format!("CREATE EXTENSION IF NOT EXISTS {} CASCADE", identifier(name));
        let mut session = open(SUPERUSER, &provision.database).await.map_err(told)?;
        session.run(&sql).await.map_err(told)?;
        record.extensions.push((provision.database.clone(), name.clone()));
        record.write(at)?;
    }
    for (name, path) in &asked.files {
        (job.request.tell)(&format!("running {name}"));
        if let Some(psql) = files::psql(job) {
            files::run_by(&psql, job, socket, path).await?;
        } else {
            let session = open(&provision.user, &provision.database).await.map_err(told)?;
            files::run_in(session, name, path).await?;
        }
        record.init.push(name.clone());
        record.write(at)?;
    }
    Ok(())
}

fn add(list: &mut Vec<String>, name: &str) {
    if !list.iter().any(|known| known == name) {
        list.push(name.to_owned());
    }
}

async fn ready(socket: &Path) {
    let path = socket.join(format!(".s.PGSQL.{INNER_PORT}"));
    loop {
        if let Ok(stream) = UnixStream::connect(&path).await
            && wire::greet(stream).await.is_ok()
        {
            return;
        }
        sleep(PAUSE).await;
    }
}

/// The user and the database. Everything that is made is the user's, who may do all: this is a database
/// to develop with.
fn accounts(job: &Job<'_>, asked: &Asked) -> Vec<String> {
    let provision = job.request.provision;
    let (user, database) = (identifier(&provision.user), identifier(&provision.database));
    let password = literal(job.password);
    let mut sql = Vec::new();
    if asked.user {
        sql.push(format!("CREATE ROLE {user}"));
        sql.push(format!("ALTER ROLE {user} LOGIN SUPERUSER PASSWORD {password}"));
    }
    if asked.password.is_some() {
        for name in [&identifier(SUPERUSER), &user] {
            sql.push(format!("ALTER ROLE {name} PASSWORD {password}"));
        }
    }
    if asked.database {
        sql.push(format!("CREATE DATABASE {database} OWNER {user}"));
    }
    sql
}

/// A name in SQL.
fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text in SQL.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_texts_cannot_end_themselves() {
        assert_eq!(identifier("a\"; DROP"), "\"a\"\"; DROP\"");
        assert_eq!(literal("o'clock"), "'o''clock'");
    }
}
