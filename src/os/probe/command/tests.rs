//! Checks by real commands.

use tokio::{net::unix::pipe, time};

use super::*;

const LONG: Duration = Duration::from_secs(20);

async fn sh(script: &str, timeout: Duration) -> Result<(), String> {
    let env = BTreeMap::from([
        ("PATH".to_owned(), "/usr/bin:/bin".to_owned()),
        ("PORT".to_owned(), "4000".to_owned()),
    ]);
    let argv = ["sh", "-c", script].map(str::to_owned);
    command(&argv, &env, Path::new("/tmp"), timeout).await
}

fn because(reason: &str) -> Result<(), String> {
    Err(reason.to_owned())
}

#[tokio::test]
async fn the_exit_code_counts_where_the_service_runs() {
    assert_eq!(sh("test $PORT = 4000 && test $PWD = /tmp", LONG).await, Ok(()));
    assert_eq!(sh("exit 3", LONG).await, because("exited 3"));
    assert_eq!(sh("kill -9 $$", LONG).await, because("ended by SIGKILL"));
}

#[tokio::test]
async fn the_last_words_are_the_reason() {
    let script = "echo connecting; printf 'connection to server failed\\n\\n'; exit 1";
    assert_eq!(sh(script, LONG).await, because("exited 1: connection to server failed"));
    let script = "echo no; printf '\\033[31mrefused' >&2; exit 2";
    assert_eq!(sh(script, LONG).await, because("exited 2: [31mrefused"));
    let script = "head -c 3000000 /dev/zero | tr '\\0' x; echo; echo end; exit 1";
    assert_eq!(sh(script, LONG).await, because("exited 1: end"), "much output holds nobody up");
}

#[tokio::test]
async fn what_cannot_be_run_says_so() {
    let argv = ["no-such-check".to_owned()];
    let result = command(&argv, &BTreeMap::new(), Path::new("/"), LONG).await;
    assert_eq!(result, because("no such program: no-such-check"));
}

#[tokio::test]
async fn at_the_deadline_all_of_it_is_killed() {
    let folder = tempfile::tempdir().expect("a folder");
    let fifo = folder.path().join("alive");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).expect("made");
    // Open for reading first, so that nobody waits for the other; ends when the last writer has.
    let mut alive = pipe::OpenOptions::new().open_receiver(&fifo).expect("opened");
    let script = format!(
        "trap '' TERM; exec 3>{}; (trap '' TERM; sleep 100) & echo stuck; sleep 100",
        fifo.display()
    );
    let short = Duration::from_millis(300);
    let result = sh(&script, short).await;
    assert_eq!(result, because("did not end within 300 ms: stuck"));
    let mut nothing = Vec::new();
    let ended = tokio::io::AsyncReadExt::read_to_end(&mut alive, &mut nothing);
    time::timeout(LONG, ended).await.expect("nobody holds it open").expect("read");
}

#[tokio::test]
async fn who_stays_behind_after_the_answer_is_killed_too() {
    let before = time::Instant::now();
    assert_eq!(sh("sleep 100 & exit 0", LONG).await, Ok(()));
    assert!(before.elapsed() < LONG, "the open pipe holds nobody up");
}
