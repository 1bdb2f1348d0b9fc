//! `locald add` and `locald service add`: write one more service into `locald.toml`.

use std::path::{Path, PathBuf};

use crate::{
    api::status::Status,
    cli::{
        args::{Add, AddKind, ServiceAdd},
        client::Query,
        context::Context,
        error::Error,
        project::{Project, invalid, working_folder},
    },
    core::{
        diagnostic::SourceFile,
        edit::{self, Addition, EditError, Edited, Setting},
        id::{ProjectName, ServiceName, slug},
    },
    os::{
        file,
        project_file::{self, FILES, Unusable},
    },
};

/// The configuration to be changed, sound as it is.
#[derive(Debug)]
pub struct Draft {
    /// The project's folder.
    pub dir: PathBuf,
    /// The configuration file.
    pub file: PathBuf,
    /// What it says.
    pub text: String,
}

/// Runs `add`.
pub async fn run(context: &Context, args: &Add) -> Result<(), Error> {
    add(context, addition(args.name.as_deref(), args.kind, &args.command)?).await
}

/// The service that a command line describes.
pub fn addition(name: Option<&str>, kind: AddKind, command: &[String]) -> Result<Addition, Error> {
    let kind = match kind {
        AddKind::Exec => None,
        AddKind::Worker => Some("worker"),
        AddKind::Task => Some("task"),
    };
    let name = match name {
        Some(name) => parsed(name)?,
        None => edit::name_of(command).ok_or_else(|| {
            Error::usage("the command suggests no name").hinted("give one: --name NAME")
        })?,
    };
    let kind = kind.map(|kind| ("type", Setting::Text(kind.to_owned())));
    let command = ("command", edit::command(command));
    Ok(Addition { name, keys: kind.into_iter().chain([command]).collect() })
}

/// Runs `service add`.
pub async fn run_service(context: &Context, args: &ServiceAdd) -> Result<(), Error> {
    let kind = ("type", Setting::Text(args.kind.clone()));
    add(context, Addition { name: parsed(&args.name)?, keys: vec![kind] }).await
}

/// Adds the service to the project of the working folder, and says so.
pub async fn add(context: &Context, addition: Addition) -> Result<(), Error> {
    let draft = Draft::here()?;
    let edited = edit::with_service(&draft.text, &addition).map_err(|error| match error {
        EditError::Taken(_) => Error::failed(format!("cannot add `{}`", addition.name))
            .because(error)
            .hinted("give it another name, or edit locald.toml"),
        EditError::Invalid => Error::config(error.to_string()),
    })?;
    let text = match edited {
        Edited::There(name) => {
            return context
                .out
                .line(&format!("{} has it already, as `{name}`", draft.file.display()));
        }
        Edited::Changed(text) => text,
    };
    draft.replace(&text)?;
    context.out.line(&format!("added `{}` to {}", addition.name, draft.file.display()))?;
    let is_up = is_up(context, &draft.dir).await.unwrap_or(false);
    let next =
        if is_up { "the project is up: it starts by itself" } else { "`locald up` starts it" };
    context.out.line(next)
}

async fn is_up(context: &Context, dir: &Path) -> Result<bool, Error> {
    let Some(mut client) = context.daemon_if_any().await? else { return Ok(false) };
    let status: Status = client.get(&Query::new("/v1/status").dir(dir)).await?;
    Ok(!status.projects.is_empty())
}

impl Draft {
    fn here() -> Result<Self, Error> {
        let Some(project) = Project::here_if_any()? else { return Self::new() };
        if !project.file.ends_with(FILES[0]) {
            return Err(Error::failed("this project is a Procfile").hinted(
                "add a line `NAME: COMMAND` to it, or make a locald.toml of it: `locald init`",
            ));
        }
        project.plan()?;
        let source = project_file::source_of(project.file.clone());
        let text = source.ok_or_else(|| Error::config("locald.toml has just changed"))?.text;
        Ok(Self { dir: project.dir, file: project.file, text })
    }

    fn new() -> Result<Self, Error> {
        let dir = working_folder()?;
        let name = name_of_folder(&dir)?;
        Ok(Self { file: dir.join(FILES[0]), dir, text: edit::new_file(&name) })
    }

    /// Writes the new text, unless that would break the project.
    pub fn replace(&self, text: &str) -> Result<(), Error> {
        let source = SourceFile { path: self.file.clone(), text: text.to_owned() };
        match project_file::plan_of(&self.dir, source) {
            Ok(_) => {}
            Err(Unusable::Invalid(wrong)) => return Err(invalid(&wrong)),
            Err(error) => return Err(Error::config(error.to_string())),
        }
        file::rewrite(&self.file, text.as_bytes())
            .map_err(|error| Error::failed("cannot change locald.toml").because(error))
    }
}

/// The project's name that a folder's suggests.
pub fn name_of_folder(dir: &Path) -> Result<ProjectName, Error> {
    let folder = dir.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    slug(&folder).and_then(|name| ProjectName::parse(&name).ok()).ok_or_else(|| {
        Error::failed(format!("a project cannot be named after the folder {folder:?}"))
            .hinted("`locald init --name NAME` makes a locald.toml with another name")
    })
}

fn parsed(name: &str) -> Result<ServiceName, Error> {
    ServiceName::parse(name)
        .map_err(|error| Error::usage(format!("{name:?} is no name for a service")).because(error))
}
