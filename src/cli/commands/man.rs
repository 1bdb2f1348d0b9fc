//! `locald man`: the manual pages, made from what the command line takes.

use std::{fs, path::Path};

use clap::Command;
use clap_mangen::Man;

use crate::{
    cli::{args, error::Error, output::Output, render::man},
    os::file,
};

/// Runs the command: the page of locald, or a file for it and one for each command.
pub fn run(dir: Option<&Path>) -> Result<(), Error> {
    let mut all = args::command().disable_help_subcommand(true);
    all.build();
    let Some(dir) = dir else { return Output::of_process().write(&page(&all)?) };
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| {
        Error::failed(format!("cannot write the pages to {}", dir.display())).because(error)
    };
    fs::create_dir_all(dir).map_err(|error| failed(error.into()))?;
    let mut todo = vec![&all];
    while let Some(command) = todo.pop() {
        let name = Man::new(command.clone()).get_filename();
        file::rewrite(&dir.join(name), &page(command)?).map_err(|error| failed(error.into()))?;
        todo.extend(command.get_subcommands().filter(|below| !below.is_hide_set()));
    }
    Ok(())
}

fn page(command: &Command) -> Result<Vec<u8>, Error> {
    man::page(command).map_err(|error| Error::failed("cannot write a page").because(error))
}
