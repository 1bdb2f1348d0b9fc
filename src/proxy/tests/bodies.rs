//! Bodies: their framing, their ends, what comes before them.

use std::time::Duration;

use tokio::{io::AsyncWriteExt as _, net::TcpStream, time::sleep};

use super::world::{Peer, World, within};

const GET: &str = "GET / HTTP/1.1\r\nHost: app.localhost\r\n\r\n";

#[tokio::test]
async fn framing_is_exact() {
    let ok = "HTTP/1.1 200 OK\r\n";
    for (method, answer, expected) in [
        (
            "GET",
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
            format!("{ok}Content-Length: 3\r\n\r\nabc"),
        ),
        (
            "HEAD",
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n",
            format!("{ok}Content-Length: 3\r\n\r\n"),
        ),
        ("HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", format!("{ok}\r\n")),
        (
            "GET",
            "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 204 No Content\r\n\r\n".into(),
        ),
        (
            "GET",
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\nETag: x\r\n\r\n",
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\nETag: x\r\n\r\n".into(),
        ),
        (
            "GET",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
            format!("{ok}Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"),
        ),
        (
            "GET",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nab\r\n0\r\nX-Sum: 7\r\nContent-Length: 1\r\nHost: x\r\n\r\n",
            format!(
                "{ok}Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX-Sum: 7\r\n\r\n"
            ),
        ),
    ] {
        let world = World::answering(answer).await;
        let mut client = world.client().await;
        // Twice: whatever is too little or too much shows in the second.
        for _ in 0..2 {
            client.send(format!("{method} / HTTP/1.1\r\nHost: app.localhost\r\n\r\n")).await;
            assert_eq!(client.exactly(expected.len()).await, expected, "{method} {answer:?}");
        }
    }
}

#[tokio::test]
async fn a_body_without_an_end_of_its_own_gets_one() {
    let world = World::with(|mut peer| async move {
        peer.head().await;
        peer.send("HTTP/1.1 200 OK\r\n\r\nabc").await;
    })
    .await;
    let mut client = world.client().await;
    for _ in 0..2 {
        client.send(GET).await;
        let expected = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
        assert_eq!(client.exactly(expected.len()).await, expected);
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_not_taken_for_complete() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nnonsense\r\n",
    ] {
        let world = World::with(move |mut peer| async move {
            peer.head().await;
            peer.send(answer).await;
        })
        .await;
        for version in ["1.1", "1.0"] {
            let mut client = world.client().await;
            client.send(format!("GET / HTTP/{version}\r\nHost: app.localhost\r\n\r\n")).await;
            let error = client.broken().await;
            assert!(error.is_some(), "{version} {answer:?}");
        }
    }
}

#[tokio::test]
async fn trailers_go_up() {
    let world = World::with(|mut peer| async move {
        let head = peer.head().await;
        let body = peer.until("0\r\n").await + &peer.head().await;
        let seen = format!("{}{body}", head.contains("\r\nTransfer-Encoding: chunked\r\n"));
        peer.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{seen}", seen.len())).await;
    })
    .await;
    let answer = "true3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n";
    let mut client = world.client().await;
    client.send("POST / HTTP/1.1\r\nHost: app.localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\nHost: evil\r\n\r\n").await;
    client.head().await;
    assert_eq!(client.exactly(answer.len()).await, answer);
}

#[tokio::test]
async fn the_service_decides_whether_a_client_continues() {
    let world = World::with(|mut peer| async move {
        let head = peer.head().await;
        assert!(head.contains("Expect: 100-continue"), "{head}");
        if head.starts_with("POST /no ") {
            peer.send("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n").await;
            peer.rest().await;
            return;
        }
        peer.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
            .await;
        let body = peer.exactly(3).await;
        peer.send(format!("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{body}")).await;
    })
    .await;
    let post = |path| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: app.localhost\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"
        )
    };
    let mut client = world.client().await;
    client.send(post("/yes")).await;
    assert_eq!(client.head().await, "HTTP/1.1 100 Continue\r\n\r\n");
    assert_eq!(client.head().await, "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n");
    client.send("abc").await;
    assert!(client.head().await.starts_with("HTTP/1.1 200 OK\r\n"));
    assert_eq!(client.exactly(3).await, "abc");
    let mut client = world.client().await;
    client.send(post("/no")).await;
    let answer = client.rest().await;
    assert!(
        answer.starts_with("HTTP/1.1 417 ") && answer.contains("Connection: close"),
        "{answer}"
    );
}

#[tokio::test]
async fn an_early_answer_reaches_a_client_that_still_sends() {
    let world = World::with(|mut peer| async move {
        peer.head().await;
        peer.send(
            "HTTP/1.1 413 Content Too Large\r\nContent-Length: 5\r\nConnection: close\r\n\r\nlarge",
        )
        .await;
    })
    .await;
    let mut client = world.client().await;
    client
        .send("POST / HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 100000000\r\n\r\n")
        .await;
    let (mut reader, mut writer) = client.stream.into_split();
    let upload = tokio::spawn(async move {
        let piece = vec![0; 64 * 1024];
        for _ in 0..1500 {
            if writer.write_all(&piece).await.is_err() {
                return;
            }
        }
    });
    let mut answer = Vec::new();
    let read = tokio::io::AsyncReadExt::read_to_end(&mut reader, &mut answer);
    within(read).await.ok();
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.ends_with("large"), "{answer}");
    within(upload).await.expect("it ends");
}

#[tokio::test]
async fn a_client_that_has_closed_its_half_gets_its_answer() {
    let world = World::with(|mut peer| async move {
        peer.head().await;
        sleep(Duration::from_millis(50)).await;
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    })
    .await;
    let mut client = world.client().await;
    client.send(GET).await;
    client.stream.shutdown().await.expect("half closed");
    assert!(client.rest().await.ends_with("\r\n\r\nok"));
}

#[tokio::test]
async fn nothing_is_held_back() {
    let world = World::with(|mut peer| async move {
        peer.head().await;
        peer.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n").await;
        for n in 0..20 {
            peer.send(format!("9\r\ndata: {n:02}\n\r\n")).await;
            assert_eq!(peer.exactly(1).await, "");
        }
    });
    let world = within(world).await;
    let mut client = world.client().await;
    client.send(GET).await;
    client.head().await;
    // The service says the next thing only when the connection has ended.
    assert!(client.until("data: 00\n").await.ends_with("data: 00\n"));
}

/// So much goes each way while memory stays as it is.
const LARGE: usize = 256 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_bodies_need_no_memory() {
    let world = World::with(|peer: Peer| async move {
        let mut peer = peer;
        peer.head().await;
        peer.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {LARGE}\r\n\r\n")).await;
        let mut stream = peer.stream;
        let (mut reader, mut writer) = stream.split();
        tokio::io::copy(&mut reader, &mut writer).await.ok();
    })
    .await;
    let stream = TcpStream::connect(world.http).await.expect("it listens");
    let (mut reader, mut writer) = stream.into_split();
    let head = format!("POST / HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: {LARGE}\r\n\r\n");
    writer.write_all(head.as_bytes()).await.expect("sent");
    let before = resident();
    let upload = tokio::spawn(async move {
        let piece = vec![b'x'; 1 << 20];
        for _ in 0..LARGE >> 20 {
            writer.write_all(&piece).await.expect("sent");
        }
        writer
    });
    let (mut buffer, mut seen, mut most) = (vec![0; 1 << 20], 0, before);
    while seen < LARGE {
        let count =
            within(tokio::io::AsyncReadExt::read(&mut reader, &mut buffer)).await.expect("read");
        assert!(count > 0, "it ended at {seen}");
        seen += count;
        most = most.max(resident());
    }
    drop(upload.await);
    assert!(most < before + (24 << 20), "{} MiB more", (most - before) >> 20);
}

fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").expect("statm");
    pages.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).expect("a number") * 4096
}
