//! What the command line takes.

use clap::CommandFactory as _;

use super::*;

#[test]
fn the_definition_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn run_keeps_the_boundaries_of_arguments() {
    let cli = Cli::try_parse_from(["locald", "run", "web", "--", "sh", "-c", "a b", "--", "-C"])
        .expect("a command after -- is taken as it is");
    let Command::Run(run) = cli.command else { panic!("not run") };
    assert_eq!(run.command, ["sh", "-c", "a b", "--", "-C"]);
    assert!(cli.directory.is_none());
}

#[test]
fn a_bad_timeout_is_bad_usage() {
    let error = Cli::try_parse_from(["locald", "up", "--timeout", "soon"]).expect_err("no time");
    assert_eq!(error.exit_code(), 2);
}

/// Every command with its name, but those that nobody is to know.
fn each(command: &clap::Command, check: &mut impl FnMut(&clap::Command)) {
    check(command);
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        each(below, check);
    }
}

#[test]
fn every_text_is_a_sentence() {
    let is_sentence = |text: &str| {
        text.starts_with(|c: char| c.is_uppercase() || !c.is_alphabetic())
            && text.ends_with('.')
            && !text.contains("  ")
    };
    each(&command(), &mut |command| {
        let name = command.get_name();
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        assert!(is_sentence(&about), "{name}: {about:?}");
        let long = command.get_long_about().map(ToString::to_string);
        assert!(
            long.as_deref().is_none_or(|long| long.trim_end().ends_with('.')),
            "{name}: {long:?}"
        );
        for argument in command.get_arguments() {
            let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
            let own = !["help", "version"].contains(&argument.get_id().as_str());
            assert!(!own || is_sentence(&help), "{name} {}: {help:?}", argument.get_id());
        }
    });
}

#[test]
fn every_command_that_takes_something_has_an_example() {
    each(&command(), &mut |command| {
        let takes = |argument: &&clap::Arg| !argument.is_hide_set() && !argument.is_global_set();
        if command.has_subcommands() || command.get_arguments().filter(takes).count() == 0 {
            return;
        }
        let name = command.get_name();
        let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let (head, lines) = examples.split_once('\n').unwrap_or_default();
        assert!(["Example:", "Examples:"].contains(&head), "{name}: {examples:?}");
        for line in lines.lines() {
            assert!(line.starts_with("  ") && line.contains("locald"), "{name}: {line:?}");
        }
    });
}
