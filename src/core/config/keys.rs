//! Every key of `locald.toml`, once: the parser refuses what is not here, the JSON Schema is made from it.

use crate::core::plan::Kind;

/// A key of a table.
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) doc: &'static str,
    pub(super) shape: Shape,
    /// The types of service that have it; empty: all of them.
    pub(super) kinds: &'static [Kind],
    /// Whether the table makes no sense without it.
    pub(super) required: bool,
}

/// What may stand behind a key.
pub(super) enum Shape {
    Text,
    Pattern(&'static str),
    Flag,
    Whole(i64, i64),
    Number(f64, f64),
    Duration,
    Size,
    /// Exactly this flag.
    Just(bool),
    OneOf(&'static [&'static str]),
    List(&'static Self),
    Table(&'static [Key]),
    /// A table whose keys are the user's, with a pattern for them.
    Map(&'static str, &'static Self),
    Either(&'static [Self]),
}

pub(super) const NAME: &str = "^[a-z0-9][a-z0-9_-]{0,62}$";
pub(super) const VERSION: &str = "^[0-9]+(\\.[0-9]+){0,3}$";
const SETTING: &str = "^[A-Za-z_][A-Za-z0-9_.-]*$";
const VARIABLE: &str = "^[^=\\u0000]+$";
const DOMAIN: &str = "^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$";

const RUNS: &[Kind] = &[Kind::Exec, Kind::Worker, Kind::Task];
const ASKED: &[Kind] = &[Kind::Exec];
const LASTS: &[Kind] = &[Kind::Exec, Kind::Worker, Kind::Site];
const OWN: &[Kind] = &[Kind::Exec, Kind::Worker, Kind::Task, Kind::Site];
const PROVIDED: &[Kind] = &[Kind::Postgres, Kind::Redis];

const TEXTS: Shape = Shape::Either(&[Shape::Text, Shape::List(&Shape::Text)]);
const ENV: Shape = Shape::Map(VARIABLE, &Shape::Text);
const SETTING_VALUE: Shape = Shape::Either(&[
    Shape::Text,
    Shape::Flag,
    Shape::Whole(i64::MIN, i64::MAX),
    Shape::Number(f64::MIN, f64::MAX),
]);
const COUNT: Shape = Shape::Whole(0, 1_000_000);
const CODE: Shape = Shape::Whole(100, 599);

pub(super) const STRATEGIES: &[&str] = &["one_for_one", "rest_for_one", "one_for_all"];
pub(super) const TYPES: &[&str] = &["exec", "worker", "task", "site", "postgres", "redis"];
pub(super) const RESTARTS: &[&str] = &["always", "on-failure", "never"];
pub(super) const CONDITIONS: &[&str] = &["healthy", "started", "completed"];
pub(super) const BONDS: &[&str] = &["loose", "crash", "always"];
pub(super) const CHECKS: &[&str] = &["http", "tcp", "command", "notify"];
pub(super) const ON_FAILURE: &[&str] = &["none", "restart"];
pub(super) const PROTOCOLS: &[&str] = &["http", "h2c"];
pub(super) const REDIRECTS: &[&str] = &["auto", "always", "never"];

/// The file.
pub(super) const ROOT: &[Key] = &[
    required("project", "The project as a whole.", Shape::Table(PROJECT)),
    key("services", "What is run, by name.", Shape::Map(NAME, &Shape::Table(SERVICE))),
];

/// `[project]`.
pub(super) const PROJECT: &[Key] = &[
    required("name", "The project's name; required.", Shape::Pattern(NAME)),
    key("domain", "The project's domain; default: NAME.localhost.", Shape::Pattern(DOMAIN)),
    key(
        "strategy",
        "What the crash of a service means for those that depend on it; default: rest_for_one.",
        Shape::OneOf(STRATEGIES),
    ),
    key(
        "max_restarts",
        "More restarts than this within restart_window give up; default: 6.",
        COUNT,
    ),
    key("restart_window", "The window of max_restarts; default: 60s.", Shape::Duration),
    key("env", "Environment variables for every service.", ENV),
    key("env_file", "Files of environment variables; default: .env if there is one.", TEXTS),
    key(
        "on_event",
        "A command that gets an event as JSON when a service gives up, is unhealthy or recovers.",
        TEXTS,
    ),
];

/// `[services.NAME]`.
pub(super) const SERVICE: &[Key] = &[
    key(
        "type",
        "exec (default), worker (no port), task (runs to completion), site (static files), postgres, redis.",
        Shape::OneOf(TYPES),
    ),
    of(RUNS, "command", "A string is run by `sh -c`, an array directly.", TEXTS),
    of(OWN, "build", "A command that builds it, for `locald build`.", TEXTS),
    of(&[Kind::Site], "path", "The folder of a site, relative to the project.", Shape::Text),
    of(
        PROVIDED,
        "version",
        "The version of the server, or how it begins.",
        Shape::Pattern(VERSION),
    ),
    of(&[Kind::Postgres], "database", "The database; default: postgres.", Shape::Text),
    of(&[Kind::Postgres], "user", "Who owns the database; default: postgres.", Shape::Text),
    of(&[Kind::Postgres], "extensions", "Extensions of the database.", Shape::List(&Shape::Text)),
    of(&[Kind::Postgres], "init", "SQL files that are run once, in the new database.", TEXTS),
    of(
        PROVIDED,
        "settings",
        "Settings of the server, as in its own configuration file.",
        Shape::Map(SETTING, &SETTING_VALUE),
    ),
    of(RUNS, "workdir", "The folder to run in, relative to the project.", Shape::Text),
    key(
        "port",
        "A fixed port; omitted: assigned; false: none.",
        Shape::Either(&[Shape::Whole(1, 65_535), Shape::Just(false)]),
    ),
    key("env", "Environment variables.", ENV),
    key("env_file", "Files of environment variables.", TEXTS),
    key(
        "depends_on",
        "The services that it needs.",
        Shape::List(&Shape::Either(&[Shape::Pattern(NAME), Shape::Table(DEPENDENCY)])),
    ),
    of(
        LASTS,
        "health_check",
        "How to see that it is ready; a string is a command.",
        Shape::Either(&[Shape::Text, Shape::Table(HEALTH_CHECK)]),
    ),
    key(
        "restart",
        "When it is started again after its end; default: always, for tasks: never.",
        Shape::OneOf(RESTARTS),
    ),
    key("backoff", "The pauses between restarts.", Shape::Table(BACKOFF)),
    key("max_restarts", "Overrides the project's.", COUNT),
    key("restart_window", "Overrides the project's.", Shape::Duration),
    key(
        "stop_signal",
        "The signal that asks it to stop; default: SIGTERM.",
        Shape::OneOf(&crate::core::plan::STOP_SIGNALS),
    ),
    key(
        "stop_timeout",
        "How long it may take to stop before it is killed; default: 5s.",
        Shape::Duration,
    ),
    key("watch", "Patterns of files whose change restarts it.", Shape::List(&Shape::Text)),
    key("tty", "Whether it gets a terminal (default) or pipes.", Shape::Flag),
    of(
        &[Kind::Exec, Kind::Worker],
        "watchdog",
        "The longest pause between two WATCHDOG=1.",
        Shape::Duration,
    ),
    of(OWN, "domain", "Its own domain.", Shape::Pattern(DOMAIN)),
    of(OWN, "routes", "Paths of the project's domain that lead to it.", Shape::List(&Shape::Text)),
    of(
        &[Kind::Exec, Kind::Site],
        "tls",
        "A certificate of its own for its names, instead of one that locald signs.",
        Shape::Table(TLS),
    ),
    of(
        ASKED,
        "protocol",
        "What the proxy speaks with it: http, or h2c (HTTP/2 without TLS); default: found out.",
        Shape::OneOf(PROTOCOLS),
    ),
    key("essential", "Whether the project stops when it gives up; default: false.", Shape::Flag),
    key("autostart", "Whether it starts with the project; default: true.", Shape::Flag),
];

/// An entry of `depends_on` that is a table.
pub(super) const DEPENDENCY: &[Key] = &[
    required("service", "The service that is needed; required.", Shape::Pattern(NAME)),
    key(
        "condition",
        "When it is good enough to start; default: healthy, for tasks: completed.",
        Shape::OneOf(CONDITIONS),
    ),
    key("bond", "When losing it matters; default: by the project's strategy.", Shape::OneOf(BONDS)),
];

/// `health_check`.
pub(super) const HEALTH_CHECK: &[Key] = &[
    key("type", "What is checked; default: by the other keys.", Shape::OneOf(CHECKS)),
    key("path", "The path of a request.", Shape::Pattern("^/")),
    key("command", "A command that exits 0.", TEXTS),
    key(
        "status",
        "The codes that are good; default: 200 to 399.",
        Shape::Either(&[CODE, Shape::List(&CODE)]),
    ),
    key("interval", "The pause between two checks; default: 1s.", Shape::Duration),
    key("timeout", "How long a check may take; default: 1s.", Shape::Duration),
    key(
        "retries",
        "So many failures in a row make it unhealthy; default: 3.",
        Shape::Whole(1, 1_000_000),
    ),
    key("start_period", "How long a start may take; default: 60s.", Shape::Duration),
    key(
        "on_failure",
        "Whether an unhealthy service is restarted; default: none.",
        Shape::OneOf(ON_FAILURE),
    ),
];

/// `tls`.
pub(super) const TLS: &[Key] = &[
    required("cert", "The certificate and what it is signed by, in PEM.", Shape::Text),
    required("key", "Its private key, in PEM.", Shape::Text),
];

/// `backoff`.
pub(super) const BACKOFF: &[Key] = &[
    key("initial", "The first pause; default: 10ms.", Shape::Duration),
    key("factor", "How much longer each next pause is; default: 4.", Shape::Number(1.0, 1000.0)),
    key("max", "The longest pause; default: 10s.", Shape::Duration),
];

/// The global `config.toml`.
pub(super) const GLOBAL: &[Key] = &[
    key("proxy", "The proxy.", Shape::Table(PROXY)),
    key("logs", "The logs of services.", Shape::Table(LOGS)),
];

/// `[proxy]`.
pub(super) const PROXY: &[Key] = &[
    key("http_port", "The port of HTTP; 0: any.", Shape::Whole(0, 65_535)),
    key("https_port", "The port of HTTPS; 0: any.", Shape::Whole(0, 65_535)),
    key(
        "fallback_ports",
        "Those for want of the right ones.",
        Shape::List(&Shape::Whole(0, 65_535)),
    ),
    key("redirect_https", "Whether HTTP leads to HTTPS.", Shape::OneOf(REDIRECTS)),
    key("hold", "How long a request waits for a service.", Shape::Duration),
    key("tlds", "The top-level domains of projects.", Shape::List(&Shape::Text)),
];

/// `[logs]`.
pub(super) const LOGS: &[Key] = &[
    key("max_size", "The size of a file.", Shape::Size),
    key("keep", "Rotated files of a service.", Shape::Whole(0, 1000)),
];

const fn key(name: &'static str, doc: &'static str, shape: Shape) -> Key {
    Key { name, doc, shape, kinds: &[], required: false }
}

const fn required(name: &'static str, doc: &'static str, shape: Shape) -> Key {
    Key { name, doc, shape, kinds: &[], required: true }
}

const fn of(kinds: &'static [Kind], name: &'static str, doc: &'static str, shape: Shape) -> Key {
    Key { name, doc, shape, kinds, required: false }
}
