//! Arguments of the commands that write `locald.toml`.

use clap::{Args, ValueEnum};

/// Arguments of `init`.
#[derive(Args, Debug)]
pub struct Init {
    /// The name of the project (default: the folder's).
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Writes without asking.
    #[arg(short, long)]
    pub yes: bool,
}

/// Arguments of `add`.
#[derive(Args, Debug)]
pub struct Add {
    /// The name of the service (default: what the command runs, as `dev` for `npm run dev`).
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// What kind of service it is.
    #[arg(long = "type", value_enum, default_value_t = AddKind::Exec)]
    pub kind: AddKind,
    /// The command: one argument is a line for the shell, several are a program and its arguments.
    #[arg(last = true, required = true, value_name = "CMD")]
    pub command: Vec<String>,
}

/// Arguments of `try`.
#[derive(Args, Debug)]
pub struct Try {
    /// The name it gets (default: what the command runs, as `dev` for `npm run dev`).
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// What kind of service it is.
    #[arg(long = "type", value_enum, default_value_t = AddKind::Exec)]
    pub kind: AddKind,
    /// The command: one argument is a line for the shell, several are a program and its arguments.
    #[arg(last = true, required = true, value_name = "CMD")]
    pub command: Vec<String>,
}

/// The kinds of service that run a command.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum AddKind {
    /// Listens on the port that locald gives it.
    Exec,
    /// Has no port.
    Worker,
    /// Runs to its end once.
    Task,
}

/// Arguments of `service add`.
#[derive(Args, Debug)]
pub struct ServiceAdd {
    /// What to provision.
    #[arg(value_name = "TYPE", value_parser = ["postgres", "redis"])]
    pub kind: String,
    /// The name of the service.
    pub name: String,
}
