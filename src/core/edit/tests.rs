//! What an addition leaves alone, and where it goes.

use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::core::{config::parse_toml, diagnostic::SourceFile};

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

fn adding(name: &str, line: &str) -> Addition {
    let name = ServiceName::parse(name).expect("a name");
    Addition { name, keys: vec![("command", command(&words(line)))] }
}

fn added(text: &str, name: &str, line: &str) -> String {
    match with_service(text, &adding(name, line)).expect("a sound file") {
        Edited::Changed(text) => text,
        Edited::There(name) => panic!("{name} is the same"),
    }
}

#[test]
fn it_goes_behind_the_other_services_and_nothing_else_changes() {
    let text = "# ours\n[project]\nname='shop' # single\n\n[services.web]   # first\n  command = \"x\"\n\
                env = { A  = \"1\" }\n\n[services.db]\ncommand = \"y\"\n\n# the end\n";
    let new = added(text, "api", "npm run dev");
    let before = text.strip_suffix("\n# the end\n").expect("it ends so");
    assert_eq!(new, format!("{before}\n[services.api]\ncommand = \"npm run dev\"\n\n# the end\n"));
}

#[test]
fn services_as_inline_tables_or_dotted_keys_stay_so() {
    let inline = "services = { web = { command = \"x\" } }\n[project]\nname = \"p\"\n";
    let expected = "services = { web = { command = \"x\" }, api = { command = \"y z\" } }\n";
    assert!(added(inline, "api", "y z").starts_with(expected), "{}", added(inline, "api", "y z"));
    let dotted = "project.name = \"p\"\nservices.web.command = \"x\"\n";
    let new = added(dotted, "api", "y z");
    assert!(new.starts_with(dotted), "{new}");
    assert_eq!(names(&new), ["web", "api"]);
}

#[test]
fn the_same_command_is_there_already_another_under_that_name_is_not() {
    let text = added(&new_file(&ProjectName::parse("p").expect("a name")), "api", "npm run dev");
    let again = with_service(&text, &adding("other", "npm run dev"));
    assert_eq!(again, Ok(Edited::There(ServiceName::parse("api").expect("a name"))));
    let taken = with_service(&text, &adding("api", "npm run build"));
    assert!(matches!(taken, Err(EditError::Taken(_))), "{taken:?}");
    assert_eq!(with_service("a b", &adding("api", "x")), Err(EditError::Invalid));
    assert_eq!(with_service("services = 1", &adding("api", "x")), Err(EditError::Invalid));
}

#[test]
fn a_task_is_not_the_service_that_runs_the_same() {
    let text = added(&new_file(&ProjectName::parse("p").expect("a name")), "api", "make all");
    let mut task = adding("other", "make all");
    task.keys.insert(0, ("type", Setting::Text("task".to_owned())));
    assert!(matches!(with_service(&text, &task), Ok(Edited::Changed(_))));
}

#[test]
fn lines_end_as_the_others_do() {
    let new = added("[project]\r\nname = \"p\"\r\n", "api", "x y");
    assert_eq!(new, "[project]\r\nname = \"p\"\r\n\r\n[services.api]\r\ncommand = \"x y\"\r\n");
}

#[test]
fn a_file_without_a_last_line_end_gets_one() {
    let new = added("[project]\nname = \"p\"", "api", "x y");
    assert_eq!(new, "[project]\nname = \"p\"\n\n[services.api]\ncommand = \"x y\"\n");
}

#[test]
fn what_a_shell_would_change_is_kept_word_by_word() {
    let list = |all: &[&str]| Setting::List(all.iter().map(|&word| word.to_owned()).collect());
    let of = |all: &[&str]| command(&all.iter().map(|&it| it.to_owned()).collect::<Vec<_>>());
    assert_eq!(of(&["npm", "run", "dev"]), Setting::Text("npm run dev".to_owned()));
    assert_eq!(of(&["a && b $PORT"]), Setting::Text("a && b $PORT".to_owned()));
    for odd in [&["echo", "a b"][..], &["echo", "$HOME"], &["echo", ""], &["A=1", "b"], &["x", "~"]]
    {
        assert_eq!(of(odd), list(odd));
    }
}

#[test]
fn the_name_is_what_is_run_not_how() {
    for (line, name) in [
        ("npm run dev", "dev"),
        ("python3 src/app.py --port 1", "app"),
        ("python -m http.server", "http-server"),
        ("/usr/bin/node server.mjs", "server"),
        ("cargo run", "web"),
        ("cargo run --release", "web"),
        ("./bin/Rails server", "rails"),
        ("RACK_ENV=x puma", "puma"),
        ("---", "web"),
    ] {
        assert_eq!(name_of(&words(line)).expect("a name").as_str(), name, "{line}");
    }
}

fn names(text: &str) -> Vec<String> {
    let source = SourceFile { path: PathBuf::from("locald.toml"), text: text.to_owned() };
    let config = parse_toml(&source, "p").expect("a sound file");
    config.services.iter().map(|service| service.name.to_string()).collect()
}

proptest! {
    /// Whatever the words are, they are read back as they were, and nothing before them has changed.
    #[test]
    fn words_survive(all in prop::collection::vec("\\PC{1,12}", 2..5)) {
        let file = new_file(&ProjectName::parse("p").expect("a name"));
        let addition = Addition {
            name: ServiceName::parse("api").expect("a name"),
            keys: vec![("command", command(&all))],
        };
        let Ok(Edited::Changed(text)) = with_service(&file, &addition) else {
            panic!("nothing was there");
        };
        prop_assert!(text.starts_with(&file));
        prop_assert_eq!(
            with_service(&text, &addition),
            Ok(Edited::There(addition.name.clone()))
        );
    }
}
