//! Arguments of the commands that locald itself runs.

use std::{ffi::OsString, path::PathBuf};

use clap::Args;

/// Arguments of `site-server`.
#[derive(Args, Debug)]
pub struct SiteServer {
    /// The folder to serve.
    #[arg(long)]
    pub root: PathBuf,
    /// The port to listen on.
    #[arg(long)]
    pub port: u16,
}

/// Arguments of `run-as`.
#[derive(Args, Debug)]
pub struct RunAs {
    /// The user.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// The program and its arguments.
    #[arg(last = true, required = true, value_name = "CMD")]
    pub command: Vec<OsString>,
}
