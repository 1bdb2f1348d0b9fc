use insta::assert_snapshot;

use super::{draw, source};
use crate::core::{
    config::parse_procfile,
    plan::{Kind, Plan, PortSpec},
};

#[test]
fn web_is_a_server_and_the_rest_are_workers() {
    let text = "# comment\n\nweb: bin/rails s -p $PORT\r\nworker-1:sidekiq -q a:b # x\n";
    let plan = Plan::of(&parse_procfile(&source(text), "My Shop").unwrap());
    assert_eq!((plan.project.as_str(), plan.domain.as_str()), ("my-shop", "my-shop.localhost"));
    let seen: Vec<_> = plan.services.iter().map(|s| (s.name.as_str(), s.kind, s.port)).collect();
    let expected =
        [("web", Kind::Exec, PortSpec::Assigned), ("worker-1", Kind::Worker, PortSpec::None)];
    assert_eq!(seen, expected);
    let holes = |text: &str| parse_procfile(&source(text), "/").map(|c| Plan::of(&c).project);
    assert_eq!(holes("web: echo ${services.x.port} $$").unwrap().as_str(), "app");
    assert_eq!(holes("web: x").unwrap().as_str(), "app");
}

#[test]
fn errors_point_at_the_line() {
    let text = "web: x\nwhat\n  Web: y\nweb: z\nempty:  \n";
    let found = parse_procfile(&source(text), "x").unwrap_err();
    assert_snapshot!(draw(text, &found), @r#"
    expected `NAME: COMMAND`
      what
      ^^^^
    `Web` is not a name of a process: a name consists of a-z, 0-9, `-` and `_`, not `W` (an upper-case letter)
        Web: y
        ^^^
      help: try `web`
    there are two of `web`
      web: z
      ^^^
      web: x
      ^^^ first here
    `empty` has no command
      empty:
      ^^^^^^
    "#);
    let found = parse_procfile(&source("# nothing\n"), "x").unwrap_err();
    assert_snapshot!(draw("# nothing\n", &found), @r#"
    the Procfile names no process
      # nothing
      ^
      help: add `web: COMMAND`
    "#);
}
