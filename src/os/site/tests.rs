//! The site server over real connections, and as a process.

use std::{
    ffi::{OsStr, OsString},
    os::unix::fs::symlink,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, unix::pipe},
};

use super::*;
use crate::os::{
    child::Ending,
    spawn::{Command, Output, spawn},
};

struct Served {
    folder: tempfile::TempDir,
    port: u16,
}

/// A site at `public` in a folder of its own.
async fn site(files: &[(&str, &str)]) -> Served {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("below the folder")).expect("made");
        fs::write(path, text).expect("written");
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let router = router(folder.path().join("public"));
    tokio::spawn(axum::serve(listener, router).into_future());
    Served { folder, port }
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Served {
    async fn ask(&self, request_line: &str, headers: &str) -> Answer {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.expect("connected");
        let request =
            format!("{request_line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("answered");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let status = head[9..12].parse().expect("a status");
        Answer { status, head: head.to_lowercase(), body: body.to_owned() }
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path}"), "").await
    }

    async fn shows(&self, path: &str, body: &str) {
        let answer = self.get(path).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, body), "{path}");
    }

    async fn hides(&self, path: &str) {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 404, "{path}: {}", answer.body);
        assert!(!answer.body.contains("secret"), "{path}");
    }
}

#[tokio::test]
async fn files_and_the_index_of_folders_are_served() {
    let site = site(&[
        ("public/index.html", "<h1>home</h1>"),
        ("public/docs/index.html", "docs"),
        ("public/a b.css", "body {}"),
    ])
    .await;
    let home = site.get("/").await;
    assert_eq!((home.status, home.body.as_str()), (200, "<h1>home</h1>"));
    assert!(home.head.contains("content-type: text/html"), "{}", home.head);
    assert!(home.head.contains("cache-control: no-cache"), "{}", home.head);
    site.shows("/docs/?q=1", "docs").await;
    site.shows("/a%20b.css", "body {}").await;
    let folder = site.get("/docs").await;
    assert_eq!(folder.status, 307);
    assert!(folder.head.contains("location: /docs/"), "{}", folder.head);
}

#[tokio::test]
async fn an_edit_is_seen_and_what_is_unchanged_is_not_sent_again() {
    let site = site(&[("public/app.js", "one")]).await;
    let first = site.get("/app.js").await;
    let tag = first.head.lines().find_map(|line| line.strip_prefix("etag: ")).expect("a tag");
    let again = site.ask("GET /app.js", &format!("If-None-Match: {tag}\r\n")).await;
    assert_eq!((again.status, again.body.as_str()), (304, ""));
    fs::write(site.folder.path().join("public/app.js"), "three").expect("written");
    let edited = site.ask("GET /app.js", &format!("If-None-Match: {tag}\r\n")).await;
    assert_eq!((edited.status, edited.body.as_str()), (200, "three"));
}

#[tokio::test]
async fn parts_of_a_file_and_heads_are_served_and_nothing_is_taken() {
    let site = site(&[("public/film.mp4", "0123456789")]).await;
    let part = site.ask("GET /film.mp4", "Range: bytes=2-4\r\n").await;
    assert_eq!((part.status, part.body.as_str()), (206, "234"));
    let head = site.ask("HEAD /film.mp4", "").await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert!(head.head.contains("content-length: 10"), "{}", head.head);
    assert_eq!(site.ask("POST /film.mp4", "Content-Length: 0\r\n").await.status, 405);
    assert_eq!(site.ask("DELETE /film.mp4", "").await.status, 405);
}

#[tokio::test]
async fn what_is_missing_gets_the_sites_own_page_if_it_has_one() {
    let site = site(&[("public/index.html", "home")]).await;
    let plain = site.get("/nothing").await;
    assert_eq!((plain.status, plain.body.as_str()), (404, PLAIN));
    fs::write(site.folder.path().join("public/404.html"), "lost?").expect("written");
    let own = site.get("/no/thing").await;
    assert_eq!((own.status, own.body.as_str()), (404, "lost?"));
    assert!(own.head.contains("content-type: text/html"), "{}", own.head);
    let head = site.ask("HEAD /nothing", "").await;
    assert_eq!((head.status, head.body.as_str()), (404, ""));
}

#[tokio::test]
async fn hidden_files_do_not_exist_but_well_known_ones_do() {
    let site = site(&[
        ("public/.env", "secret"),
        ("public/.git/config", "secret"),
        ("public/a/.hidden/b.txt", "secret"),
        ("public/.well-known/security.txt", "mail us"),
    ])
    .await;
    for path in
        ["/.env", "/%2eenv", "/.git/config", "/.git/", "/a/.hidden/b.txt", "/a/%2Ehidden/b.txt"]
    {
        site.hides(path).await;
    }
    site.shows("/.well-known/security.txt", "mail us").await;
}

#[tokio::test]
async fn nothing_outside_of_the_folder_is_served() {
    let site = site(&[("public/in.txt", "fine"), ("secret.txt", "secret")]).await;
    for path in [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/a/../../secret.txt",
        "//etc/passwd",
        "/%2fetc/passwd",
        "/in.txt%00",
        "/in.txt/x",
        &format!("/{}", "x".repeat(5000)),
    ] {
        site.hides(path).await;
    }
}

#[tokio::test]
async fn links_are_followed_as_long_as_they_stay_inside() {
    let site = site(&[
        ("public/real/in.txt", "fine"),
        ("public/.env", "secret"),
        ("secret.txt", "secret"),
        ("next/in.txt", "new build"),
    ])
    .await;
    let public = site.folder.path().join("public");
    symlink("real/in.txt", public.join("relative")).expect("linked");
    symlink(public.join("real"), public.join("absolute")).expect("linked");
    symlink("../secret.txt", public.join("out")).expect("linked");
    symlink("..", public.join("up")).expect("linked");
    symlink(".env", public.join("env")).expect("linked");
    symlink("loop", public.join("loop")).expect("linked");
    site.shows("/relative", "fine").await;
    site.shows("/absolute/in.txt", "fine").await;
    for path in ["/out", "/up/secret.txt", "/env", "/loop"] {
        site.hides(path).await;
    }
    fs::remove_dir_all(&public).expect("removed");
    site.hides("/real/in.txt").await;
    symlink("next", &public).expect("linked");
    site.shows("/in.txt", "new build").await;
}

#[tokio::test]
async fn a_pipe_is_no_file() {
    let site = site(&[("public/in.txt", "fine")]).await;
    let pipe = site.folder.path().join("public/pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("made");
    site.hides("/pipe").await;
}

#[test]
fn a_missing_folder_is_an_error_with_its_name() {
    let error = serve("/nowhere/public".into(), 0).expect_err("not there").to_string();
    assert!(error.starts_with("cannot serve /nowhere/public: No such file"), "{error}");
    let error = serve("/dev/null".into(), 0).expect_err("not a folder").to_string();
    assert_eq!(error, "cannot serve /dev/null: it is not a folder");
}

/// Not a test by itself: the body of the process that the next test starts.
#[test]
fn as_a_process() {
    if let Some(root) = env::var_os("LOCALD_TEST_SITE") {
        let port = env::var("PORT").expect("given").parse().expect("a number");
        serve(root.into(), port).expect("served");
    }
}

#[tokio::test]
async fn a_process_tells_that_it_is_ready_and_ends_in_peace() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("index.html"), "home").expect("written");
    let notify = crate::os::notify_socket::NotifySocket::bind(&folder.path().join(".notify"))
        .expect("bound");
    let free = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = free.local_addr().expect("bound").port();
    drop(free);
    let variable = |name: &str, value: &OsStr| (OsString::from(name), value.to_owned());
    let spawned = spawn(&Command {
        argv: vec![
            env::current_exe().expect("this test").into(),
            "--exact".into(),
            "os::site::tests::as_a_process".into(),
            "--nocapture".into(),
        ],
        env: vec![
            variable("LOCALD_TEST_SITE", folder.path().as_os_str()),
            variable("PORT", port.to_string().as_ref()),
            variable("NOTIFY_SOCKET", notify.path().as_os_str()),
        ],
        dir: folder.path().to_owned(),
        output: Output::Pipes,
        marker: None,
    })
    .expect("started");
    let child = spawned.child;
    let said = timeout(Duration::from_secs(20), notify.recv()).await;
    let said = said.expect("in time").expect("received");
    assert_eq!(said.notes, [crate::core::notify::Note::Ready]);
    assert_eq!(said.pid, child.pid());
    // A browser keeps its connection open: it must not hold up the end.
    let mut idle = TcpStream::connect(("127.0.0.1", port)).await.expect("listening");
    idle.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("sent");
    let mut answer = [0; 12];
    idle.read_exact(&mut answer).await.expect("answered");
    assert_eq!(&answer, b"HTTP/1.1 200");
    child.signal_group(nix::sys::signal::SIGTERM);
    let ending = timeout(Duration::from_secs(20), child.exited()).await.expect("in time");
    assert_eq!(ending, Ending::Code(0));
    let mut output = String::new();
    let mut pipe = pipe::Receiver::from_owned_fd(spawned.out).expect("a pipe");
    pipe.read_to_string(&mut output).await.expect("read");
    assert!(output.contains(&format!("on http://127.0.0.1:{port}\n")), "{output}");
    let line = output.lines().find(|line| line.starts_with("GET / 200 ")).expect("a line");
    assert!(line.ends_with("ms"), "{line}");
}
