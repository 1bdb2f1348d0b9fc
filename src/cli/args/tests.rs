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

#[test]
fn every_text_is_a_sentence() {
    fn check(command: &clap::Command) {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        assert!(about.is_empty() || !about.ends_with(' '), "{}: {about}", command.get_name());
        for argument in command.get_arguments() {
            let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
            let own = !["help", "version"].contains(&argument.get_id().as_str());
            assert!(!own || !help.is_empty(), "{} {}", command.get_name(), argument.get_id());
        }
        command.get_subcommands().for_each(check);
    }
    check(&Cli::command());
}
