//! `watch` over very many files, and where the system does not let us watch all of them.

use std::{fs, path::Path};

use serde_json::Value;

use crate::support::{Home, Project, eventually, kernel, skip, svc};

const FOLDERS: usize = 500;
const FILES: usize = 100;

fn service(name: &str, watch: &str) -> String {
    let command = svc(["listen", "forever"]);
    format!("[services.{name}]\n{command}\nwatch = {watch}\n")
}

/// The watches of each inotify descriptor of a process.
fn watches(pid: i32) -> Vec<usize> {
    let link = |fd: &fs::DirEntry| fs::read_link(fd.path()).unwrap_or_default();
    let fds = fs::read_dir(format!("/proc/{pid}/fd")).expect("it is ours").filter_map(Result::ok);
    let ours = fds.filter(|fd| link(fd) == Path::new("anon_inode:inotify"));
    let info = ours.map(|fd| {
        let name = fd.file_name().into_string().expect("a number");
        fs::read_to_string(format!("/proc/{pid}/fdinfo/{name}")).unwrap_or_default()
    });
    info.map(|text| text.matches("inotify wd:").count()).collect()
}

fn fill(project: &Project<'_>, folders: usize, files: usize) {
    for folder in 0..folders {
        let dir = project.path(&format!("src/d{}/e{folder}", folder % 10));
        fs::create_dir_all(&dir).expect("room");
        for file in 0..files {
            fs::write(dir.join(format!("f{file}.txt")), "").expect("room");
        }
    }
}

#[test]
fn fifty_thousand_files_cost_a_watch_per_folder_for_all_services_together() {
    let home = Home::new();
    let glob = "[\"**/*.txt\"]";
    let listen = svc(["listen", "forever"]);
    let small = format!("[services.web]\n{listen}\n[services.api]\n{listen}\n");
    let project = home.project("shop", &small);
    fill(&project, FOLDERS, FILES);
    project.up();
    let daemon = home.daemon_pid();
    let before = kernel::resident_kib(daemon);
    let whole = service("web", glob) + &service("api", glob);
    project.write("locald.toml", format!("[project]\nname = \"shop\"\n{whole}"));
    // The project, `src`, ten folders in that, and those with the files.
    let expected = 1 + 1 + 10 + FOLDERS;
    eventually("all folders are watched", || {
        (watches(daemon).iter().sum::<usize>() >= expected).then_some(())
    });
    assert_eq!(watches(daemon), [expected], "one descriptor, and each folder once");
    project.until("all is up", |status| status.states() == "web=healthy api=healthy");
    let pids = ["web", "api"].map(|name| project.service(name).pid());
    project.write(&format!("src/d9/e499/f{}.txt", FILES - 1), "saved");
    project.until_replaced("web", pids[0]);
    project.until_replaced("api", pids[1]);
    assert_eq!(watches(daemon), [expected]);
    let grown = kernel::resident_kib(daemon).saturating_sub(before);
    println!("50,000 files in {FOLDERS} folders: {grown} KiB more");
    assert!(grown < 32 << 10, "{grown} KiB for {FOLDERS} folders");
}

/// In a user namespace of its own the daemon has a limit of its own.
#[test]
fn a_limit_of_the_system_is_told_and_what_can_be_watched_is() {
    let home = Home::new();
    let limited = "echo 40 > /proc/sys/user/max_inotify_watches && exec \"$0\" \"$@\"";
    let within = |args: &[&str]| {
        let run = home.program("unshare").args(["--user", "--map-root-user", "sh", "-c", limited]);
        run.args(args)
    };
    if within(&["true"]).run().code() != 0 {
        return skip("no user namespaces for us, or no limits of their own");
    }
    let project = home.project("shop", &service("web", "[\"**/*.txt\"]"));
    fill(&project, 100, 1);
    let binary = home.binary().to_str().expect("a plain path");
    within(&[binary, "server", "start"]).ok();
    project.up();
    let error = |status: &Value| status["watch_error"].as_str().unwrap_or_default().to_owned();
    let status = project.until("it is told", |status| !error(&status.0).is_empty());
    let error = error(&status.0);
    for part in ["limit of watched folders", "user.max_inotify_watches = 40", ".gitignore"] {
        assert!(error.contains(part), "{error}");
    }
    project.locald(["status"]).ok().says("edits may go unnoticed");
    assert!(project.events().contains(&"- cannot-watch".to_owned()));
    // The service is none the worse for it, and its configuration is watched before anything else.
    let old = project.service("web").pid();
    let text = project.read("locald.toml") + "env = { MARK = \"1\" }\n";
    project.write("locald.toml", text);
    let old = project.until_replaced("web", old).pid();
    // With less to watch there is nothing to complain of.
    project.write(".gitignore", "/src/d[1-9]\n");
    project.until("it is content", |status| !status.0["watch_error"].is_string());
    project.write("src/d0/e90/f0.txt", "saved");
    project.until_replaced("web", old);
}
