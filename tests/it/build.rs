//! `build`: each service's, in its environment and folder.

use crate::support::Home;

const BUILT: &str = "type = \"worker\"\ncommand = \"sleep 1000\"\n";

#[test]
fn a_build_runs_where_the_service_does_and_starts_nothing() {
    let home = Home::new();
    let build = "workdir = \"front\"\nenv = { API = \"${services.api.port}\" }\n\
                 build = \"echo $PWD $API $LOCALD_SERVICE ${project.name} > built; echo said; echo warned >&2\"\n";
    let services = format!(
        "[services.web]\n{BUILT}{build}[services.api]\ncommand = \"sleep 1000\"\nport = 4777\n"
    );
    let project = home.project("shop", &services).with("front/x", "");
    let output = project.locald(["build", "web"]).ok();
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("said\n", "warned\n"));
    let dir = project.dir().canonicalize().expect("it is there");
    assert_eq!(project.read("front/built"), format!("{}/front 4777 web shop\n", dir.display()));
    assert_eq!(project.status().states(), "web=stopped api=stopped");
}

#[test]
fn all_builds_run_in_order_until_one_fails_whose_code_is_passed_on() {
    let home = Home::new();
    let build = |name: &str, more: &str| format!("[services.{name}]\n{BUILT}build = \"{more}\"\n");
    let services = [
        build("web", "echo web >> built") + "depends_on = [\"api\"]\n",
        build("api", "echo api >> built") + "depends_on = [\"db\"]\n",
        format!("[services.db]\n{BUILT}"),
        build("last", "echo last >> built") + "depends_on = [\"web\"]\n",
    ];
    let project = home.project("shop", &services.concat());
    project.locald(["build"]).ok().complains("building api: echo api");
    assert_eq!(project.lines("built"), ["api", "web", "last"]);
    project.locald(["build", "last", "api"]).ok();
    assert_eq!(project.lines("built")[3..], ["api", "last"]);
    // An edit counts from the next one on, and restarts nobody.
    project.up();
    let pid = project.service("web").pid();
    let text = project.read("locald.toml");
    project.write("locald.toml", text.replace("echo web >> built", "exit 42"));
    project.locald(["build"]).fails(42).complains("the build of web failed");
    assert_eq!(project.lines("built")[5..], ["api"]);
    project.write("locald.toml", text.replace("echo web >> built", "kill -9 $$$$"));
    project.locald(["build", "web"]).fails(137);
    assert_eq!(project.service("web").pid(), pid);
}

#[test]
fn what_cannot_be_built_is_said() {
    let home = Home::new();
    let project = home.project("shop", &format!("[services.web]\n{BUILT}"));
    project.locald(["build"]).fails(1).complains("no service of shop has a `build`");
    project.locald(["build", "web"]).fails(2).complains("web has no `build`");
    project.locald(["build", "nope"]).fails(2).complains("`nope`");
    let program = format!("[services.web]\n{BUILT}build = [\"./none\"]\n");
    let project = home.project("shop", &program);
    project.locald(["build"]).fails(127).complains("cannot run the build of web");
    let project = home.project("shop", "[services.db]\ntype = \"redis\"\nbuild = \"x\"\n");
    project.locald(["check"]).fails(4).complains("a redis has no `build`");
}
