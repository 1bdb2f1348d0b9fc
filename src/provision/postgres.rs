//! Postgres: `initdb`, users, databases, extensions and SQL files, by a server that only we can reach.

mod files;
mod furnish;
mod session;
mod wire;

use std::{
    ffi::OsString,
    fs, io,
    net::{Ipv4Addr, Ipv6Addr, TcpListener},
    path::Path,
};

use tokio::net::TcpStream;

use super::{
    Job, Prepared, Server, Unready,
    find::Search,
    record::Record,
    step::{self, By},
};
use crate::core::provision::Version;

/// The kind.
pub(super) struct Postgres;

/// Who owns everything in a new server.
const SUPERUSER: &str = "postgres";
/// The port in the name of the socket of a server that only we can reach.
const INNER_PORT: &str = "5432";

/// Whether the server on that port takes connections.
pub(super) async fn answers(port: u16) -> Result<(), Unready> {
    wire::greet(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?).await
}

impl Server for Postgres {
    fn search(&self) -> Search {
        Search {
            programs: &["postgres"],
            beside: &["initdb"],
            variable: "LOCALD_POSTGRES_DIR",
            folders: &[
                "/usr/lib/postgresql/*/bin",
                "/usr/lib/postgresql*/bin",
                "/usr/libexec/postgresql*",
                "/usr/pgsql-*/bin",
                "/opt/homebrew/opt/postgresql*/bin",
                "/usr/local/opt/postgresql*/bin",
                "/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
            ],
            is_fetched: true,
            install: "Debian, Ubuntu: apt install postgresql; Fedora: dnf install \
                      postgresql-server; brew install postgresql",
        }
    }

    fn made_by(&self, data: &Path) -> Option<Version> {
        Version::parse(fs::read_to_string(data.join("PG_VERSION")).ok()?.trim())
    }

    fn reads(&self, data: &Version, server: &Version) -> bool {
        data.major() == server.major()
    }

    async fn create(&self, job: &Job<'_>, at: &Path) -> Result<(), String> {
        files::check(job)?;
        (job.request.tell)("initialising the database");
        let secret = job.place.secret_file("new-password", job.password)?;
        let initdb = |locale: &str| {
            let mut argv = vec![job.found.program("initdb").into_os_string(), "-D".into()];
            argv.push(at.into());
            argv.extend(["-U", SUPERUSER, "-E", "UTF8"].map(OsString::from));
            argv.push(format!("--locale={locale}").into());
            argv.extend(["--auth-local=trust", "--auth-host=scram-sha-256"].map(OsString::from));
            argv.extend(["--pwfile".into(), secret.clone().into()]);
            if job.found.version.major() >= 14 {
                argv.push("--no-instructions".into());
            }
            step::run(job, By::Owner, argv, &[], job.place.ground())
        };
        // Some systems lack the better one.
        let mut made = initdb("C.UTF-8").await;
        if made.as_ref().is_err_and(|why| why.contains("locale")) {
            made = initdb("C").await;
        }
        let removed = fs::remove_file(&secret);
        made?;
        removed.map_err(|error| format!("cannot remove {}: {error}", secret.display()))
    }

    async fn furnish(&self, job: &Job<'_>, at: &Path, record: &mut Record) -> Result<(), String> {
        remove_stale_lock(job, at)?;
        furnish::furnish(job, at, record).await
    }

    fn argv(&self, server: &Prepared, port: u16) -> Vec<OsString> {
        let data = server.place.data();
        let mut addresses = Ipv4Addr::LOCALHOST.to_string();
        if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok() {
            addresses.push_str(",::1");
        }
        let run = server.place.run().unwrap_or_default();
        let own = [
            ("listen_addresses", addresses.into()),
            ("port", port.to_string().into()),
            ("unix_socket_directories", run.into_os_string()),
            ("cluster_name", server.name.clone().into()),
        ];
        argv(&server.found.server, &data, own, &server.provision.settings)
    }
}

/// The command of a server, whose settings win over ours.
fn argv<const N: usize>(
    program: &Path,
    data: &Path,
    own: [(&str, OsString); N],
    settings: &[(String, String)],
) -> Vec<OsString> {
    let mut argv = vec![program.as_os_str().to_owned(), "-D".into(), data.into()];
    let mut set = |name: &str, value: OsString| {
        let mut setting = OsString::from(name);
        setting.push("=");
        setting.push(value);
        argv.extend(["-c".into(), setting]);
    };
    set("logging_collector", "off".into());
    set("log_destination", "stderr".into());
    set("log_line_prefix", "[%p] ".into());
    for (name, value) in own {
        set(name, value);
    }
    for (name, value) in settings {
        set(name, value.into());
    }
    argv
}

/// `postmaster.pid` is left by a server that was killed. Its number may be somebody else's by now,
/// whom a new server would take for the old one and refuse to start. That nobody works in this folder
/// has been seen to.
fn remove_stale_lock(job: &Job<'_>, data: &Path) -> Result<(), String> {
    let lock = data.join("postmaster.pid");
    match fs::remove_file(&lock) {
        Ok(()) => {
            job.request.sink.note("the last server was killed; it recovers by its own log");
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(format!("cannot remove {}: {error}", lock.display())),
    }
}
