//! `examples/hello` as README's first command runs it, by an ordinary user.

use std::{fs, path::Path};

use crate::support::{Home, http};

pub(crate) fn copy(from: &Path, project: &crate::support::Project<'_>, below: &str) {
    for entry in fs::read_dir(from).expect("the example is there") {
        let entry = entry.expect("it is there");
        let name = entry.file_name().into_string().expect("plain names");
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        if entry.file_type().expect("it is there").is_dir() {
            copy(&entry.path(), project, &path);
        } else {
            project.write(&path, fs::read(entry.path()).expect("it is readable"));
            let mode = entry.metadata().expect("it is there").permissions();
            fs::set_permissions(project.path(&path), mode).expect("it is ours");
        }
    }
}

#[test]
fn hello_runs_for_an_ordinary_user() {
    let home = Home::of_ordinary_user();
    let project = home.folder("hello");
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/hello"), &project, "");
    home.locald(["-C", "p/hello", "up"]).ok().says("hello is up");
    let status = project.status();
    assert_eq!(status.state(), "healthy");
    assert!(status.is("prepare", "completed"), "{}", status.states());
    for service in status.services() {
        let needs = service.depends_on().contains(&"prepare");
        assert!(needs || service.name() == "prepare", "{} needs the task", service.name());
    }
    let page = http::get(status.service("site").port(), "/");
    assert_eq!(page.status, 200);
    assert!(page.body.contains("Hello from hello"), "{}", page.body);
    let said = project.follow("worker").line().expect("the worker says something");
    assert!(said.contains("http://127.0.0.1:"), "{said}");
    home.locald(["-C", "p/hello", "down"]).ok();
}
