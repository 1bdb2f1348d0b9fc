//! `add` and `service add`: what they write, and what they leave alone.

use crate::support::Home;

#[test]
fn a_command_is_added_to_the_running_project_and_starts_by_itself() {
    let home = Home::new();
    let project = home.project_with(
        "shop",
        "# ours",
        "# the only one\n[services.first]\ntype = \"worker\"\ncommand = \"sleep 1000\" # long\n",
    );
    let before = project.read("locald.toml");
    project.up();
    let pid = project.service("first").pid();
    let add = ["add", "--type", "worker", "--name", "second", "--", "sleep", "2000"];
    project.locald(add).ok().says("added `second`").says("starts by itself");
    let after = project.read("locald.toml");
    let written = "\n[services.second]\ntype = \"worker\"\ncommand = \"sleep 2000\"\n";
    assert_eq!(after, format!("{before}{written}"));
    project.until("second runs", |project| project.states().contains("second=healthy"));
    assert_eq!(project.service("first").pid(), pid, "nobody else is concerned");

    project.locald(add).ok().says("already, as `second`");
    assert_eq!(project.read("locald.toml"), after, "the second time changes nothing");
    project
        .locald(["add", "--name", "first", "--", "true"])
        .fails(1)
        .and_clearly()
        .complains("is another one");
    assert_eq!(project.read("locald.toml"), after);
}

#[test]
fn without_a_project_one_is_made_that_works() {
    let home = Home::new();
    let folder = home.folder("My Shop");
    folder.locald(["add", "--type", "task", "--", "sh", "-c", "echo \"it runs\""]).ok();
    assert!(folder.read("locald.toml").starts_with("[project]\nname = \"my-shop\"\n"));
    folder.locald(["check"]).ok();
    folder.up();
    assert_eq!(folder.log("echo"), ["it runs"], "each word arrives as it was");
}

#[test]
fn a_file_with_errors_and_a_procfile_are_left_alone() {
    let home = Home::new();
    let wrong = home.project("wrong", "[services.w]\ncomand = \"x\"\n");
    let before = wrong.read("locald.toml");
    wrong.locald(["add", "--", "true"]).fails(4).complains("comand").complains("command");
    wrong.locald(["service", "add", "postgres", "db"]).fails(4).complains("comand");
    assert_eq!(wrong.read("locald.toml"), before);

    let procfile = home.folder("proc").with("Procfile", "web: true\n");
    procfile.locald(["add", "--", "true"]).fails(1).complains("Procfile").complains("init");
    procfile.locald(["add"]).fails(2);
    procfile.locald(["add", "--name", "No Name", "--", "true"]).fails(2).and_clearly();
    assert_eq!(home.processes(), [], "none of this needs a daemon");
}

#[test]
fn a_result_that_would_be_wrong_is_not_written() {
    let home = Home::new();
    let project = home.project("shop", "[services.w]\ntype = \"worker\"\ncommand = \"true\"\n");
    let before = project.read("locald.toml");
    project.locald(["add", "--", "echo ${services.nobody.port}"]).fails(4).complains("nobody");
    assert_eq!(project.read("locald.toml"), before);
}
