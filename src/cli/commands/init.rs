//! `locald init`: a `locald.toml` for what is in the folder.

use std::io::{self, IsTerminal as _};

use super::add::{Draft, name_of_folder};
use crate::{
    cli::{
        args::Init,
        error::Error,
        output::{self, Output},
        project::working_folder,
    },
    core::{id::ProjectName, scaffold},
    os::{project_file::FILES, scaffold::look},
};

/// Runs the command.
pub fn run(args: &Init) -> Result<(), Error> {
    let out = Output::of_process();
    let dir = working_folder()?;
    let file = dir.join(FILES[0]);
    if file.symlink_metadata().is_ok() {
        return Err(Error::failed(format!("{} is there already", file.display()))
            .hinted("`locald add -- CMD` adds a service to it"));
    }
    let name = match &args.name {
        Some(name) => ProjectName::parse(name).map_err(|error| {
            Error::usage(format!("{name:?} is no name for a project")).because(error)
        })?,
        None => name_of_folder(&dir)?,
    };
    let folders = look(&dir).map_err(|error| Error::failed("cannot look around").because(error))?;
    let text = scaffold::text(&name, &scaffold::propose(&folders));
    out.write(text.as_bytes())?;
    if !args.yes && !wants_it()? {
        return Err(Error::failed("nothing was written"));
    }
    let draft = Draft { dir, file, text: String::new() };
    draft.replace(&text)?;
    output::note(&format!("\nwrote {}; `locald up` starts it", draft.file.display()));
    Ok(())
}

/// Asks the person at the terminal. Without one, `--yes` has to be said.
fn wants_it() -> Result<bool, Error> {
    if !io::stdin().is_terminal() {
        return Err(Error::usage("there is nobody to ask")
            .hinted("`locald init --yes` writes it to locald.toml"));
    }
    output::is_yes("\nWrite this to locald.toml? [Y/n] ", true)
}
