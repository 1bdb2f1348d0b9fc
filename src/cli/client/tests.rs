//! The client against daemons that answer whatever they like.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixListener,
};

use super::*;
use crate::{api::log::Line, cli::render::text::Paint, cli::report};

const VERSION: &str = r#"{"version":"0.1.0","protocol":1,"pid":7}"#;

/// A daemon that answers the n-th request with the n-th of `answers`, byte for byte, then hangs up.
struct Fake {
    _dir: tempfile::TempDir,
    socket: PathBuf,
}

fn fake(answers: Vec<Vec<u8>>) -> Fake {
    fakes(vec![answers])
}

/// The same, once for each connection; then nobody listens any more.
fn fakes(lives: Vec<Vec<Vec<u8>>>) -> Fake {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let socket = dir.path().join("s");
    let listener = UnixListener::bind(&socket).expect("a short path");
    tokio::spawn(async move {
        for answers in lives {
            let (peer, _) = listener.accept().await.expect("somebody connects");
            live(peer, answers).await;
        }
    });
    Fake { _dir: dir, socket }
}

async fn live(mut peer: UnixStream, answers: Vec<Vec<u8>>) {
    for answer in answers {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let Ok(byte) = peer.read_u8().await else { return };
            request.push(byte);
        }
        if peer.write_all(&answer).await.is_err() {
            return;
        }
    }
}

fn ok(body: &str) -> Vec<u8> {
    answer("200 OK", body)
}

fn answer(status: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn said(error: &Error) -> String {
    report::text(error, Paint { colour: false })
}

async fn connected(answers: Vec<Vec<u8>>) -> (Fake, Client) {
    let fake = fake([vec![ok(VERSION)], answers].concat());
    let client = Client::connect(&fake.socket).await.expect("it is a daemon").expect("it is there");
    (fake, client)
}

#[tokio::test]
async fn no_daemon_is_no_error() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let client = Client::connect(&dir.path().join("s")).await.expect("nothing is wrong");
    assert!(client.is_none());
}

#[tokio::test]
async fn a_socket_that_nobody_listens_on_is_no_daemon() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let socket = dir.path().join("s");
    drop(UnixListener::bind(&socket).expect("a short path"));
    assert!(Client::connect(&socket).await.expect("nothing is wrong").is_none());
}

#[tokio::test]
async fn another_protocol_is_named_with_what_to_do() {
    let fake = fake(vec![ok(r#"{"version":"9.0","protocol":99,"pid":7,"new":[]}"#)]);
    let error = Client::connect(&fake.socket).await.expect_err("not our language");
    assert_eq!(error.kind.code(), 3);
    insta::assert_snapshot!(said(&error), @r"
    error: the daemon (locald 9.0, pid 7) speaks protocol 99, this locald speaks 1
    help: `locald server upgrade` replaces it without stopping services; so does `locald server restart`, which restarts them
    ");
}

#[tokio::test]
async fn garbage_is_said_to_be_garbage() {
    for garbage in ["\0\x01\x02 who are you\r\n\r\n", "SSH-2.0-OpenSSH_9.6\r\n"] {
        let fake = fake(vec![garbage.as_bytes().to_vec()]);
        let error = Client::connect(&fake.socket).await.expect_err("garbage");
        assert_eq!(error.kind.code(), 3);
        assert!(said(&error).contains("makes no sense"), "{}", said(&error));
    }
    let fake = fake(vec![ok("<html>")]);
    let error = Client::connect(&fake.socket).await.expect_err("garbage");
    assert!(said(&error).contains("makes no sense"), "{}", said(&error));
}

#[tokio::test]
async fn half_an_answer_is_said_to_be_half() {
    let mut half = ok(VERSION);
    half.truncate(half.len() - 5);
    for part in [half, b"HTTP/1.1 200".to_vec(), Vec::new()] {
        let fake = fakes(vec![vec![part]; LIVES]);
        let error = Client::connect(&fake.socket).await.expect_err("half");
        assert_eq!(error.kind.code(), 3);
        assert!(said(&error).contains("went away"), "{}", said(&error));
    }
}

#[tokio::test]
async fn a_daemon_that_dies_before_it_says_who_it_is_is_followed_by_the_next() {
    for last in [b"HTTP/1.1 200".to_vec(), Vec::new()] {
        let fake = fakes(vec![vec![last.clone()], vec![], vec![ok(VERSION)]]);
        let client = Client::connect(&fake.socket).await.expect("the next one answers");
        assert_eq!(client.expect("it is there").daemon().pid, 7);
        let fake = fakes(vec![vec![last]]);
        assert!(Client::connect(&fake.socket).await.expect("nothing is wrong").is_none());
    }
}

#[tokio::test]
async fn what_a_dying_daemon_did_not_say_the_next_one_does() {
    let fake = fakes(vec![vec![ok(VERSION)], vec![ok(VERSION), ok("[1]")]]);
    let mut client = Client::connect(&fake.socket).await.expect("a daemon").expect("it is there");
    let one: Vec<u32> = client.get(&Query::new("/v1/a")).await.expect("an answer");
    assert_eq!(one, [1]);
    let two: Result<Vec<u32>, Error> = client.get(&Query::new("/v1/b")).await;
    assert!(said(&two.expect_err("nobody is there")).contains("went away"));
}

#[tokio::test]
async fn one_connection_serves_many_questions() {
    let (_fake, mut client) = connected(vec![ok("[1]"), ok("[2,3]")]).await;
    let one: Vec<u32> = client.get(&Query::new("/v1/a")).await.expect("an answer");
    let two: Vec<u32> = client.get(&Query::new("/v1/b")).await.expect("an answer");
    assert_eq!((one, two), (vec![1], vec![2, 3]));
}

#[tokio::test]
async fn a_refusal_keeps_its_words_and_its_exit_code() {
    let body = r#"{"error":{"code":"invalid_config","message":"bad","help":"mend it"}}"#;
    let (_fake, mut client) = connected(vec![answer("422 Unprocessable Entity", body)]).await;
    let error = client.get::<u32>(&Query::new("/v1/status")).await.expect_err("refused");
    assert_eq!(error.kind.code(), 4);
    assert_eq!(said(&error), "error: bad\nhelp: mend it\n");
}

fn chunked(chunks: &[&str]) -> Vec<u8> {
    let mut bytes = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for chunk in chunks {
        bytes.extend(format!("{:x}\r\n{chunk}\r\n", chunk.len()).bytes());
    }
    bytes
}

const LINE: &str = r#"{"at":"t","project":"p","service":"s","stream":"out","line":"hi"}"#;

#[tokio::test]
async fn a_stream_is_read_item_by_item_to_its_end() {
    let (start, end) = LINE.split_at(20);
    let whole = [LINE, "\n", LINE, "\n"].concat();
    let bytes = [chunked(&[&whole, start, end, "\n"]), b"0\r\n\r\n".to_vec()].concat();
    let (_fake, mut client) = connected(vec![bytes]).await;
    let mut stream = client.watch::<Line>(&Query::new("/v1/logs")).await.expect("a stream");
    for _ in 0..3 {
        let line = stream.next().await.expect("an item").expect("not the end");
        assert_eq!(line.line, "hi");
    }
    assert!(stream.next().await.expect("a clean end").is_none());
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_no_clean_end() {
    let broken = [chunked(&[LINE, "\n"]), chunked(&[LINE]), chunked(&["{\"at\""])];
    for bytes in broken {
        let (_fake, mut client) = connected(vec![bytes]).await;
        let mut stream = client.watch::<Line>(&Query::new("/v1/logs")).await.expect("a stream");
        let error = loop {
            match stream.next().await {
                Ok(item) => assert!(item.is_some(), "a broken stream has no end"),
                Err(error) => break error,
            }
        };
        assert!(said(&error).contains("went away"), "{}", said(&error));
    }
}

#[tokio::test]
async fn an_endless_line_is_refused_before_it_fills_the_memory() {
    let bytes = chunked(&["x".repeat(ndjson::LONGEST + 2).as_str()]);
    let (_fake, mut client) = connected(vec![bytes]).await;
    let mut stream = client.watch::<Line>(&Query::new("/v1/logs")).await.expect("a stream");
    let error = stream.next().await.expect_err("too long");
    assert!(said(&error).contains("longer than"), "{}", said(&error));
}
