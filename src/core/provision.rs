//! Servers that locald provides itself: what a configuration asks of one, and how it is reached.

use std::fmt::{self, Write as _};

/// A kind of server.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Product {
    /// A database server.
    Postgres,
    /// A store of keys and values: Redis, or Valkey.
    Redis,
}

/// What is asked of a server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Provision {
    /// Which kind.
    pub product: Product,
    /// The version that it must have, or begin with.
    pub version: Option<Version>,
    /// The database that is made in it.
    pub database: String,
    /// Who owns that.
    pub user: String,
    /// Extensions of the database.
    pub extensions: Vec<String>,
    /// Files that are run in it, once, relative to the project.
    pub init: Vec<String>,
    /// Settings of the server.
    pub settings: Vec<(String, String)>,
}

/// A version as far as it is known or asked for: `16`, `16.3`.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Version(Vec<u32>);

/// What clients need to get in.
#[derive(Clone, Copy, Debug)]
pub struct Access<'a> {
    /// The port on the loopback address.
    pub port: u16,
    /// The password.
    pub password: &'a str,
}

/// The address that servers are reached at.
const HOST: &str = "127.0.0.1";

impl Product {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::Postgres, Self::Redis];

    /// The word in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Redis => "redis",
        }
    }

    /// What it is called.
    pub fn title(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::Redis => "Redis",
        }
    }

    /// Who owns what is in it, unless the configuration says otherwise.
    pub fn user(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Redis => "default",
        }
    }

    /// What is in it, unless the configuration says otherwise.
    pub fn database(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Redis => "0",
        }
    }

    /// The variable that its own tools read the password from.
    pub fn password_variable(self) -> &'static str {
        match self {
            Self::Postgres => "PGPASSWORD",
            Self::Redis => "REDISCLI_AUTH",
        }
    }

    /// Settings that are not the configuration's: with them locald could not find or guard it.
    pub fn reserved(self) -> &'static [&'static str] {
        match self {
            Self::Postgres => &[
                "port",
                "data_directory",
                "config_file",
                "hba_file",
                "ident_file",
                "external_pid_file",
                "listen_addresses",
                "unix_socket_directories",
                "logging_collector",
                "log_destination",
            ],
            Self::Redis => &[
                "port",
                "dir",
                "bind",
                "daemonize",
                "supervised",
                "pidfile",
                "logfile",
                "unixsocket",
                "requirepass",
                "protected-mode",
            ],
        }
    }
}

impl Provision {
    /// With nothing asked for.
    pub fn of(product: Product) -> Self {
        Self {
            product,
            version: None,
            database: product.database().to_owned(),
            user: product.user().to_owned(),
            extensions: Vec::new(),
            init: Vec::new(),
            settings: Vec::new(),
        }
    }

    /// How clients get in, as one word.
    pub fn url(&self, access: Access<'_>) -> String {
        let Access { port, password } = access;
        let scheme = self.product.as_str();
        let (user, database) = (escaped(&self.user), escaped(&self.database));
        format!("{scheme}://{user}:{}@{HOST}:{port}/{database}", escaped(password))
    }

    /// The variables that its own tools read, so that `locald run db -- psql` needs no arguments.
    pub fn client_env(&self, access: Access<'_>) -> Vec<(&'static str, String)> {
        let (url, port) = (self.url(access), access.port.to_string());
        let password = access.password.to_owned();
        match self.product {
            Product::Postgres => vec![
                ("PGHOST", HOST.to_owned()),
                ("PGPORT", port),
                ("PGUSER", self.user.clone()),
                (self.product.password_variable(), password),
                ("PGDATABASE", self.database.clone()),
                ("DATABASE_URL", url),
            ],
            Product::Redis => {
                vec![(self.product.password_variable(), password), ("REDIS_URL", url)]
            }
        }
    }
}

impl Version {
    /// Reads `16`, `16.3` or `7.0.15`; at most four numbers.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let parts: Vec<&str> = text.split('.').collect();
        if parts.len() > 4 || !parts.iter().all(|part| plain(part)) {
            return None;
        }
        parts.iter().map(|part| part.parse().ok()).collect::<Option<_>>().map(Self)
    }

    /// The first version in what a program says of itself: "postgres (…) 16.3 (Debian 16.3-1)",
    /// "Redis server v=7.0.15 sha=…", "postgres (…) 17beta1".
    pub fn find(text: &str) -> Option<Self> {
        let starts = text.char_indices().filter(|&(at, c)| {
            let before = text[..at].chars().next_back();
            c.is_ascii_digit() && before.is_none_or(|b| b.is_whitespace() || b == '=' || b == 'v')
        });
        starts.into_iter().find_map(|(at, _)| {
            let end = text[at..].find(|c: char| !c.is_ascii_digit() && c != '.');
            let word = &text[at..end.map_or(text.len(), |end| at + end)];
            Self::parse(word.trim_end_matches('.'))
        })
    }

    /// Whether it is what `asked` asks for: `16.3` is `16`.
    pub fn satisfies(&self, asked: &Self) -> bool {
        self.0.starts_with(&asked.0)
    }

    /// The number that data depends on.
    pub fn major(&self) -> u32 {
        self.0.first().copied().unwrap_or_default()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.0.iter().map(u32::to_string).collect();
        f.pad(&parts.join("."))
    }
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// For a part of a URL.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _infallible = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap()
    }

    #[test]
    fn versions_are_found_in_what_programs_say() {
        let found = |text| Version::find(text).map(|found| found.to_string());
        let debian = "postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)";
        assert_eq!(found(debian).as_deref(), Some("15.13"));
        assert_eq!(found("postgres (PostgreSQL) 17beta1").as_deref(), Some("17"));
        assert_eq!(found("Redis server v=7.0.15 sha=00000000:0").as_deref(), Some("7.0.15"));
        assert_eq!(found("Valkey server v=8.1.1 sha=0").as_deref(), Some("8.1.1"));
        assert_eq!(found("no such thing"), None);
    }

    #[test]
    fn the_newest_is_the_largest_and_a_prefix_is_enough() {
        assert!(version("16.10") > version("16.9") && version("17") > version("16.10"));
        assert!(version("16.3").satisfies(&version("16")));
        assert!(!version("16.3").satisfies(&version("16.2")));
        assert!(!version("9").satisfies(&version("9.6")));
        for bad in ["", "x", "16.", ".5", "16-rc1", "1.2.3.4.5", "99999999999"] {
            assert_eq!(Version::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_url_is_one_word_whatever_names_contain() {
        let mut provision = Provision::of(Product::Postgres);
        let access = Access { port: 5433, password: "s3cret" };
        assert_eq!(provision.url(access), "postgres://postgres:s3cret@127.0.0.1:5433/postgres");
        provision.user = "a b@c".to_owned();
        provision.database = "ä/ö".to_owned();
        let url = provision.url(access);
        assert_eq!(url, "postgres://a%20b%40c:s3cret@127.0.0.1:5433/%C3%A4%2F%C3%B6");
        let redis = Provision::of(Product::Redis);
        assert_eq!(redis.url(access), "redis://default:s3cret@127.0.0.1:5433/0");
    }
}
