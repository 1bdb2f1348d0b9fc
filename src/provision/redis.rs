//! Redis, or its successor Valkey: whatever it is told is on the disk before it says so.

use std::{
    ffi::OsString,
    net::{Ipv4Addr, Ipv6Addr, TcpListener},
    path::Path,
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};

use super::{Job, Prepared, Server, Unready, find::Search, record::Record};
use crate::core::provision::{Access, Version};

/// The kind.
pub(super) struct Redis;

/// The file with the password, which no argument is to tell.
const SECRET: &str = "secret.conf";
/// No answer to `PING` is longer.
const MOST: u64 = 1 << 10;

/// Whether the server on that port has its data in memory and takes commands.
pub(super) async fn answers(access: Access<'_>) -> Result<(), Unready> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, access.port)).await?;
    let words = format!("AUTH {}\r\nPING\r\n", access.password);
    stream.write_all(words.as_bytes()).await?;
    let mut lines = BufReader::new(stream.take(MOST)).lines();
    let mut last = String::new();
    for _ in 0..2 {
        last = lines.next_line().await?.unwrap_or_default();
    }
    match last.strip_prefix('-') {
        _ if last == "+PONG" => Ok(()),
        Some(error) => Err(Unready::Busy(error.to_owned())),
        None => Err(Unready::Foreign("Redis")),
    }
}

impl Server for Redis {
    fn search(&self) -> Search {
        Search {
            programs: &["valkey-server", "redis-server"],
            beside: &[],
            variable: "LOCALD_REDIS_DIR",
            folders: &[
                "/usr/bin",
                "/usr/sbin",
                "/usr/local/bin",
                "/opt/homebrew/opt/valkey*/bin",
                "/opt/homebrew/opt/redis*/bin",
                "/home/linuxbrew/.linuxbrew/opt/valkey*/bin",
                "/home/linuxbrew/.linuxbrew/opt/redis*/bin",
            ],
            is_fetched: false,
            install: "Debian, Ubuntu: apt install redis-server; Fedora: dnf install valkey; brew \
                      install redis",
        }
    }

    fn made_by(&self, data: &Path) -> Option<Version> {
        Version::parse(&Record::read(data).ok()?.version)
    }

    /// A newer one reads what an older one wrote.
    fn reads(&self, data: &Version, server: &Version) -> bool {
        data.major() <= server.major()
    }

    async fn create(&self, _: &Job<'_>, _: &Path) -> Result<(), String> {
        // It makes its files itself.
        Ok(())
    }

    async fn furnish(&self, job: &Job<'_>, at: &Path, record: &mut Record) -> Result<(), String> {
        job.place.secret_file(SECRET, &format!("requirepass {}\n", job.password))?;
        let version = job.found.version.to_string();
        if record.version != version {
            record.version = version;
            record.write(at)?;
        }
        Ok(())
    }

    fn argv(&self, server: &Prepared, port: u16) -> Vec<OsString> {
        let place = &server.place;
        let mut argv = vec![server.found.server.clone().into_os_string()];
        argv.push(place.ground().join(SECRET).into());
        argv.extend(["--port".into(), port.to_string().into(), "--bind".into()]);
        argv.push(Ipv4Addr::LOCALHOST.to_string().into());
        if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok() {
            argv.push(Ipv6Addr::LOCALHOST.to_string().into());
        }
        argv.extend(["--dir".into(), place.data().into()]);
        if let Some(run) = place.run() {
            argv.extend(["--unixsocket".into(), run.join("redis.sock").into()]);
        }
        argv.extend(
            ["--daemonize", "no", "--supervised", "no", "--appendonly", "yes"].map(Into::into),
        );
        for (name, value) in &server.provision.settings {
            argv.extend([format!("--{name}").into(), value.into()]);
        }
        argv
    }
}

#[cfg(test)]
mod tests {
    use tokio::{io::AsyncReadExt as _, net::TcpListener};

    use super::*;

    /// What is thought of a server that answers this to a password and a `PING`.
    async fn thought_of(answer: &'static str) -> Result<(), Unready> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = [0; 64];
            let count = stream.read(&mut asked).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8_lossy(&asked[..count]).into_owned()
        };
        let (thought, asked) = tokio::join!(answers(Access { port, password: "secret" }), server);
        assert_eq!(asked, "AUTH secret\r\nPING\r\n");
        thought
    }

    #[tokio::test]
    async fn only_one_that_takes_commands_is_ready() {
        assert_eq!(thought_of("+OK\r\n+PONG\r\n").await, Ok(()));
        let busy = |words: &str| Err(Unready::Busy(words.to_owned()));
        let loading = "LOADING Redis is loading the dataset in memory";
        let answer = "+OK\r\n-LOADING Redis is loading the dataset in memory\r\n";
        assert_eq!(thought_of(answer).await, busy(loading));
        let other = "-WRONGPASS invalid\r\n-NOAUTH Authentication required.\r\n";
        assert_eq!(thought_of(other).await, busy("NOAUTH Authentication required."));
        for foreign in ["HTTP/1.1 400 Bad Request\r\n\r\n", "+OK\r\n", "+PONG\r\n"] {
            assert_eq!(thought_of(foreign).await, Err(Unready::Foreign("Redis")), "{foreign:?}");
        }
    }
}
