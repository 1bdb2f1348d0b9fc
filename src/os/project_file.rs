//! A project's configuration file: found, read within bounds, checked.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    ops::Range,
    path::{Path, PathBuf},
};

use super::own_leaf::OwnLeaf;
use crate::core::{
    config::{self, MAX_BYTES, Part},
    diagnostic::{Diagnostic, Diagnostics, SourceFile},
    id::ServiceName,
    launch::env_files_of,
    plan::{Plan, Written},
    routes::{ProjectRoutes, Table},
    state::Configuration,
};

/// The files that make a folder a project; the first that is there counts.
pub const FILES: [&str; 2] = ["locald.toml", "Procfile"];

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// The folder itself is not there.
    #[error(
        "there is no folder {} any more: where it was moved to, `locald up` goes on with the project",
        .0.display()
    )]
    Gone(PathBuf),
    /// Neither file is there.
    #[error("there is no locald.toml in {}", .0.display())]
    Missing(PathBuf),
    /// It cannot be read.
    #[error("cannot read {}: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It can be read, and is wrong.
    #[error("{0}")]
    Invalid(Diagnostics),
}

/// The configuration file in `dir`. Whatever is called so is meant so, also when it cannot be read.
pub fn find(dir: &Path) -> Option<PathBuf> {
    FILES.iter().map(|name| dir.join(name)).find(|file| file.symlink_metadata().is_ok())
}

/// Whether it is certain that there is no such folder.
pub fn is_gone(dir: &Path) -> bool {
    matches!(dir.symlink_metadata(), Err(error) if error.kind() == io::ErrorKind::NotFound)
}

/// What the configuration file in `dir` says.
pub fn plan(dir: &Path) -> Result<Plan, Unusable> {
    let missing = || if is_gone(dir) { Unusable::Gone } else { Unusable::Missing };
    let file = find(dir).ok_or_else(|| missing()(dir.to_owned()))?;
    plan_of(dir, source(file)?)
}

/// What `configuration` of `dir` says, which was in effect before: whatever has become of the files
/// that it names.
pub fn plan_before(dir: &Path, configuration: Configuration) -> Result<Plan, Unusable> {
    let Configuration { file, text } = configuration;
    parsed(dir, SourceFile { path: dir.join(file), text }).map(|(plan, _)| plan)
}

/// What `source`, the configuration of `dir`, says.
pub fn plan_of(dir: &Path, source: SourceFile) -> Result<Plan, Unusable> {
    let (plan, source) = parsed(dir, source)?;
    let mut wrong = missing_env_files(dir, &source, &plan);
    wrong.extend(clashing_routes(&source, &plan));
    wrong.extend(unusable_certificates(dir, &source, &plan));
    if wrong.is_empty() {
        Ok(plan)
    } else {
        Err(Unusable::Invalid(Diagnostics { source, list: wrong }))
    }
}

fn parsed(dir: &Path, source: SourceFile) -> Result<(Plan, SourceFile), Unusable> {
    let name = dir.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let parse =
        if source.path.ends_with(FILES[0]) { config::parse_toml } else { config::parse_procfile };
    match parse(&source, &name) {
        Ok(config) => {
            let file = source.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let mut plan = Plan::of(&config);
            plan.written = Written(Some(Configuration { file, text: source.text.clone() }));
            Ok((plan, source))
        }
        Err(list) => Err(Unusable::Invalid(Diagnostics { source, list })),
    }
}

/// Where a part of the configuration in `dir` stands; its first character, if the part comes from elsewhere.
pub fn place_of(dir: &Path, part: Part<'_>) -> Option<(SourceFile, Range<usize>)> {
    let source = source(find(dir)?).ok()?;
    let name = dir.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let range = config::place_of(&source, &name, part).unwrap_or(0..0);
    Some((source, range))
}

/// The text of a configuration file.
pub fn source_of(path: PathBuf) -> Option<SourceFile> {
    source(path).ok()
}

fn source(path: PathBuf) -> Result<SourceFile, Unusable> {
    let bytes = match read(&path) {
        Ok(bytes) => bytes,
        Err(source) => return Err(Unusable::Unreadable { path, source }),
    };
    if bytes.len() > MAX_BYTES {
        let bytes = fs::metadata(&path).map_or(bytes.len() as u64, |found| found.len());
        let list = vec![config::too_large(bytes)];
        let source = SourceFile { path, text: String::new() };
        return Err(Unusable::Invalid(Diagnostics { source, list }));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(SourceFile { path, text }),
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let (text, diagnostic) = config::not_utf8(error.as_bytes(), valid);
            let source = SourceFile { path, text };
            Err(Unusable::Invalid(Diagnostics { source, list: vec![diagnostic] }))
        }
    }
}

/// The file's bytes, or the first of too many.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    // A pipe or a device would keep us waiting.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Env files that are named and are not there. Where they are named is found by their text: the plan
/// does not say.
fn missing_env_files(dir: &Path, source: &SourceFile, plan: &Plan) -> Vec<Diagnostic> {
    let mut named: Vec<String> = plan
        .services
        .iter()
        .flat_map(|service| env_files_of(plan, service))
        .filter(|file| file.required && !dir.join(&file.path).exists())
        .map(|file| file.path)
        .collect();
    named.sort();
    named.dedup();
    let missing = |path: String| {
        let place = source.text.find(&path).map_or(0..0, |at| at..at + path.len());
        Diagnostic::at(place, format!("env file `{path}` does not exist"))
            .help("create it, or take it out of `env_file`")
    };
    named.into_iter().map(missing).collect()
}

/// Certificates that services bring and that no browser would take for their names.
fn unusable_certificates(dir: &Path, source: &SourceFile, plan: &Plan) -> Vec<Diagnostic> {
    let routes = ProjectRoutes::of(plan, |_| ());
    let unusable = |(service, host): (&ServiceName, String)| {
        let files = plan.service(service)?.tls.as_ref()?;
        let own = OwnLeaf::new(dir.join(&files.cert), dir.join(&files.key));
        let why = own.check(&host).err()?;
        let at = source.text.find(&files.cert).map_or(0..0, |at| at..at + files.cert.len());
        Some(Diagnostic::at(at, format!("`tls` of {service} cannot be used: {why}")))
    };
    routes.hosts().filter_map(unusable).collect()
}

/// Two services that want to answer for the same host or path.
fn clashing_routes(source: &SourceFile, plan: &Plan) -> Option<Diagnostic> {
    let clash = Table::build([ProjectRoutes::of(plan, |_| ())]).err()?;
    let last = plan.services.iter().rev().flat_map(|s| s.routes.iter().chain(&s.domain));
    let place =
        last.filter_map(|text| source.text.rfind(text.as_str()).map(|at| at..at + text.len()));
    Some(Diagnostic::at(place.max_by_key(|place| place.start).unwrap_or(0..0), clash.to_string()))
}
