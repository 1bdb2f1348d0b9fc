//! Completes the words of a command line that a shell is asked to complete: commands and flags from
//! their definition, services from the project's file. No daemon is asked, none is started, and
//! nothing is ever said but candidates.

use std::{
    env,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap_complete::{
    CompleteEnv,
    engine::{ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter as _},
    env::Shells,
};

use super::{args, error::Error};
use crate::{
    core::config::{Named, names_in_procfile, names_in_toml},
    os::project_file,
};

/// With this in the environment, candidates are what is asked for.
const ASKS: &str = "LOCALD_COMPLETE";

/// Answers a shell; none if none asks.
pub fn answer() -> Option<ExitCode> {
    env::var_os(ASKS)?;
    let flags = wants_flags(env::args_os().collect());
    let command = || if flags { args::command() } else { without_flags(args::command()) };
    let answered = CompleteEnv::with_factory(command)
        .var(ASKS)
        .try_complete(env::args_os(), env::current_dir().ok().as_deref());
    match answered {
        Ok(true) => Some(ExitCode::SUCCESS),
        Ok(false) => None,
        Err(_) => Some(ExitCode::FAILURE),
    }
}

/// Whether the word that is completed has begun as a flag.
fn wants_flags(words: Vec<OsString>) -> bool {
    let line: Vec<OsString> = words.into_iter().skip_while(|word| word != "--").skip(1).collect();
    // By this bash and zsh tell which word it is; for others it is the last.
    let index = env::var("_CLAP_COMPLETE_INDEX").ok().and_then(|text| text.parse().ok());
    let word = index.map_or_else(|| line.last(), |index: usize| line.get(index));
    word.is_some_and(|word| word.as_encoded_bytes().starts_with(b"-"))
}

/// Flags are not offered for nothing beside what there is to name.
fn without_flags(command: clap::Command) -> clap::Command {
    command
        .disable_help_flag(true)
        .disable_version_flag(true)
        .mut_args(|argument| if argument.is_positional() { argument } else { argument.hide(true) })
        .mut_subcommands(without_flags)
}

/// In a folder of functions zsh reads the script when it wants an answer already.
const ZSH_AT_ONCE: &[u8] =
    b"[[ \"${funcstack[1]}\" != _locald ]] || _clap_dynamic_completer_locald \"$@\"\n";

/// What a shell is to read, so that it asks.
pub fn script(shell: &str) -> Result<Vec<u8>, Error> {
    let shells = Shells::builtins();
    let completer = shells
        .completer(shell)
        .ok_or_else(|| Error::usage(format!("there are no completions for {shell}")))?;
    let mut script = Vec::new();
    completer
        .write_registration(ASKS, "locald", "locald", "locald", &mut script)
        .map_err(|error| Error::failed("cannot write the completions").because(error))?;
    if shell == "zsh" {
        script.extend_from_slice(ZSH_AT_ONCE);
    }
    Ok(script)
}

/// Completes the services of the project.
pub fn services() -> ArgValueCompleter {
    ArgValueCompleter::new(|word: &OsStr| candidates(word, |_| true))
}

/// Completes those that locald provides.
pub fn provided() -> ArgValueCompleter {
    ArgValueCompleter::new(|word: &OsStr| {
        candidates(word, |it| matches!(it.kind.as_deref(), Some("postgres" | "redis")))
    })
}

/// Completes services and folders.
pub fn services_or_folders() -> ArgValueCompleter {
    ArgValueCompleter::new(|word: &OsStr| {
        let mut found = candidates(word, |_| true);
        found.extend(PathCompleter::dir().complete(word));
        found
    })
}

fn candidates(word: &OsStr, is: impl Fn(&Named) -> bool) -> Vec<CompletionCandidate> {
    let Some(word) = word.to_str() else { return Vec::new() };
    let mut found = project().unwrap_or_default();
    found.retain(|named| named.name.starts_with(word) && is(named));
    found.sort_by(|one, other| one.name.as_str().cmp(other.name.as_str()));
    found.into_iter().map(|named| CompletionCandidate::new(named.name.as_str())).collect()
}

/// The services of the project that the command would be about.
fn project() -> Option<Vec<Named>> {
    let dir = env::current_dir().ok()?.join(folder(env::args_os()).unwrap_or_default());
    let dir = dir.canonicalize().ok()?;
    let file = dir.ancestors().find_map(project_file::find)?;
    let is_procfile = file.file_name() == Some(OsStr::new("Procfile"));
    let text = project_file::source_of(file)?.text;
    Some(if is_procfile { names_in_procfile(&text) } else { names_in_toml(&text) })
}

/// The folder behind `-C` in the command line that is being completed, which follows `--`.
fn folder(words: impl Iterator<Item = OsString>) -> Option<PathBuf> {
    let mut words = words.skip_while(|word| word != "--").skip(1);
    while let Some(word) = words.next() {
        if word == "-C" {
            return words.next().map(PathBuf::from);
        }
        if let Some(joined) = word.to_str().and_then(|word| word.strip_prefix("-C")) {
            return Some(Path::new(joined).to_owned());
        }
        if word == "--" {
            return None;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_found_where_it_is_given() {
        let folder = |line: &str| folder(line.split(' ').map(OsString::from));
        assert_eq!(folder("locald -- locald -C shop start "), Some("shop".into()));
        assert_eq!(folder("locald -- locald start -Cshop "), Some("shop".into()));
        assert_eq!(folder("locald -- locald run web -- ls -C shop"), None);
        assert_eq!(folder("locald -C shop"), None);
    }
}
