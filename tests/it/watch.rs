//! `watch`: saved files restart services, once, and nothing else does.

use std::fs;

use crate::support::{Home, Project, eventually, svc};

fn service(watch: &str) -> String {
    let command = svc(["append=born:web", "listen", "forever"]);
    format!("[services.web]\n{command}\nwatch = {watch}\n")
}

/// Up, and watched.
fn shop<'a>(home: &'a Home, services: &str, files: &[(&str, &str)]) -> Project<'a> {
    let project = home.project("shop", services);
    let project = files.iter().fold(project, |project, (name, text)| project.with(name, text));
    project.up();
    watched(&project);
    project
}

/// Waits until it is watched: the tree says how many folders are.
fn watched(project: &Project<'_>) {
    eventually("folders are watched", || {
        let tree = project.locald(["tree"]).ok().stdout;
        (folders(&tree) > 1).then_some(())
    });
}

fn folders(tree: &str) -> u64 {
    let words = tree.split("watches ").nth(1).and_then(|rest| rest.split(' ').next());
    words.and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn pid(project: &Project<'_>) -> i32 {
    project.service("web").pid()
}

#[test]
fn a_saved_file_restarts_the_service_and_another_one_does_not() {
    let home = Home::new();
    let files = [("src/a.py", "1"), ("src/deep/b.py", "1"), ("src/c.txt", "1")];
    let project = shop(&home, &service("[\"src/**/*.py\"]"), &files);
    let mut old = pid(&project);
    for file in ["src/a.py", "src/deep/b.py"] {
        // This one is none of its business.
        project.write("src/c.txt", "2");
        project.write(file, "2");
        old = project.until_replaced("web", old).pid();
    }
    assert_eq!(project.lines("born").len(), 3);
    let events = project.locald(["events", "--json"]).ok().stdout;
    assert!(events.contains("src/deep/b.py has changed"), "{events}");
}

#[test]
fn a_burst_is_one_restart() {
    let home = Home::new();
    let project = shop(&home, &service("[\"src/**\"]"), &[("src/a.py", "1")]);
    let old = pid(&project);
    for nth in 0..200 {
        project.write(&format!("src/m{nth}.py"), "x");
    }
    let next = project.until_replaced("web", old).pid();
    // What comes after it is another one, so nothing was left over.
    project.write("src/a.py", "2");
    project.until_replaced("web", next);
    assert_eq!(project.lines("born").len(), 3);
}

#[test]
fn what_git_ignores_is_ignored_without_a_repository_too() {
    let home = Home::new();
    let files = [
        (".gitignore", "build/\n*.log\n"),
        ("src/.gitignore", "/gen\n!gen/keep.py\n"),
        ("src/a.py", "1"),
        ("src/gen/x.py", "1"),
        ("src/build/x.py", "1"),
        ("src/node_modules/x.py", "1"),
    ];
    let project = shop(&home, &service("[\"src\"]"), &files);
    let old = pid(&project);
    for ignored in ["src/gen/x.py", "src/build/x.py", "src/node_modules/x.py", "src/a.log"] {
        project.write(ignored, "2");
    }
    // Two of its own, one behind the other: a restart by those would have come before.
    project.write("src/a.py", "2");
    let next = project.until_replaced("web", old).pid();
    project.write("src/a.py", "3");
    project.until_replaced("web", next);
    assert_eq!(project.lines("born").len(), 3);
    let tree = project.locald(["tree"]).ok().stdout;
    // The project and src; none that is ignored.
    assert_eq!(folders(&tree), 2, "{tree}");
}

#[test]
fn new_folders_and_their_files_are_seen() {
    let home = Home::new();
    let project = shop(&home, &service("[\"src/**/*.py\"]"), &[("src/a.py", "1")]);
    let old = pid(&project);
    // With its files in it before anybody can watch it.
    fs::create_dir_all(project.path("stage/new/deep")).unwrap();
    project.write("stage/new/deep/b.py", "1");
    fs::rename(project.path("stage/new"), project.path("src/new")).unwrap();
    let next = project.until_replaced("web", old).pid();
    project.write("src/new/deep/b.py", "2");
    project.until_replaced("web", next);
}

#[test]
fn a_folder_that_comes_later_is_watched_then() {
    let home = Home::new();
    let project = home.project("shop", &service("[\"later/on/*.py\"]"));
    project.up();
    let old = pid(&project);
    fs::create_dir_all(project.path("later/on")).unwrap();
    eventually("its folder is watched", || {
        let tree = project.locald(["tree"]).ok().stdout;
        (folders(&tree) >= 2).then_some(())
    });
    project.write("later/on/a.py", "1");
    project.until_replaced("web", old);
}

#[test]
fn a_given_up_service_is_revived_by_a_save() {
    let home = Home::new();
    let services = "[services.web]\ntype = \"worker\"\nmax_restarts = 0\nwatch = [\"src/*\"]\n\
                    command = \"test -e src/good && exec sleep 1000\"\n";
    let project = home.project("shop", services).with("src/a", "1");
    project.locald(["up"]).fails(1);
    watched(&project);
    assert_eq!(project.service("web").state(), "failed");
    project.write("src/good", "");
    project.until_state("web", "healthy");
}

#[test]
fn a_service_that_is_not_wanted_stays_down() {
    let home = Home::new();
    let both = service("[\"src/*\"]")
        + &service("[\"src/*\"]")
            .replace("services.web", "services.other")
            .replace("born:web", "born:other");
    let project = shop(&home, &both, &[("src/a", "1")]);
    project.locald(["stop", "web"]).ok();
    let other = project.service("other").pid();
    project.write("src/a", "2");
    project.until_replaced("other", other);
    assert_eq!(project.service("web").state(), "stopped");
}

#[test]
fn a_loop_of_its_own_making_is_stopped_and_told() {
    let home = Home::new();
    let command = svc(["append=src/seen:x", "append=born:web", "listen", "forever"]);
    let services = format!("[services.web]\n{command}\nwatch = [\"src\"]\n");
    let project = home.project("shop", &services).with("src/a", "1");
    project.up();
    let mut events = project.locald(["events", "-f", "--json"]).stream();
    watched(&project);
    project.write("src/a", "2");
    events.find_text("watch-stopped");
    let status = project.until("it is told", |status| {
        status.0["watch_error"].as_str().is_some_and(|why| why.contains(".gitignore"))
    });
    assert_eq!(status.service("web").state(), "healthy");
    assert_eq!(project.lines("born").len(), 7, "the first, and six by the loop");
    project.locald(["status"]).ok().says("its own watched files");
}
