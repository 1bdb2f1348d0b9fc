//! HTTP checks against servers that answer byte for byte.

use tokio::net::TcpListener;

use super::*;

static ENDLESS: [u8; 100_000] = [b'x'; 100_000];
const LONG: Duration = Duration::from_secs(10);

/// A server that gives one answer, byte for byte, and hands back what it was asked.
async fn server(answer: &'static [u8]) -> (u16, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a client");
        let mut asked = Vec::new();
        while !asked.ends_with(b"\r\n\r\n") {
            assert_ne!(stream.read_buf(&mut asked).await.expect("a request"), 0);
        }
        stream.write_all(answer).await.expect("it listens to the end");
        String::from_utf8(asked).expect("ASCII")
    });
    (port, asked)
}

#[track_caller]
fn ended(result: &Result<(), Unanswered>, expected: Result<(), &str>) {
    assert_eq!(*result, expected.map_err(|why| Unanswered::Failed(why.to_owned())));
}

async fn check(answer: &'static [u8], accept: &[u16], expected: Result<(), &str>) {
    let (port, _asked) = server(answer).await;
    let result = http(port, "/healthz", "shop.localhost", accept, LONG).await;
    ended(&result, expected);
}

#[tokio::test]
async fn the_status_decides() {
    check(b"HTTP/1.1 200 OK\r\n\r\n", &[], Ok(())).await;
    check(b"HTTP/1.0 302 Found\r\nLocation: /login\r\n\r\n", &[], Ok(())).await;
    check(b"HTTP/1.1 204\r\n\r\n", &[], Ok(())).await;
    check(b"HTTP/1.1 500 Oh\r\n\r\n", &[], Err("GET /healthz answered 500")).await;
    check(b"HTTP/1.1 404 No\r\n\r\n", &[], Err("GET /healthz answered 404")).await;
    check(b"HTTP/1.1 401 Who\r\n\r\n", &[200, 401], Ok(())).await;
    check(b"HTTP/1.1 204 Fine\r\n\r\n", &[200, 401], Err("GET /healthz answered 204")).await;
}

#[tokio::test]
async fn hints_before_the_answer_are_skipped() {
    let hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 503 Busy\r\n\r\n";
    check(hints, &[], Err("GET /healthz answered 503")).await;
    check(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", &[], Ok(())).await;
}

#[tokio::test]
async fn what_is_not_http_is_called_so() {
    let not = Err("GET /healthz was not answered by HTTP");
    check(b"SSH-2.0-OpenSSH_9.6\r\n", &[], not).await;
    check(b"HTTP/1.1 abc\r\n\r\n", &[], not).await;
    check(b"HTTP/1.1 2000 OK\r\n\r\n", &[], not).await;
    check(b"HTTP/1.1 200", &[], not).await;
    check(&ENDLESS, &[], not).await;
    check(b"", &[], Err("GET /healthz was answered by closing")).await;
}

#[tokio::test]
async fn a_server_of_http2_only_is_recognized() {
    let (port, _asked) = server(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await;
    assert_eq!(http(port, "/", "localhost", &[], LONG).await, Err(Unanswered::OnlyHttp2));
}

#[tokio::test]
async fn the_request_is_plain_and_asks_to_close() {
    let (port, asked) = server(b"HTTP/1.1 200 OK\r\n\r\n").await;
    let result = http(port, "ready now?a=ä", "shop.localhost:8443", &[], LONG).await;
    ended(&result, Ok(()));
    let asked = asked.await.expect("served");
    let mut lines = asked.lines();
    assert_eq!(lines.next(), Some("GET /ready%20now?a=%C3%A4 HTTP/1.1"));
    assert_eq!(lines.next(), Some("Host: shop.localhost:8443"));
    assert!(lines.any(|line| line == "Connection: close"), "{asked}");
}

#[tokio::test]
async fn a_large_answer_can_be_sent_to_its_end() {
    static LARGE: [u8; 50_000] = {
        let mut answer = [b'.'; 50_000];
        let head = b"HTTP/1.1 200 OK\r\n\r\n";
        let mut at = 0;
        while at < head.len() {
            answer[at] = head[at];
            at += 1;
        }
        answer
    };
    let (port, asked) = server(&LARGE).await;
    ended(&http(port, "/", "localhost", &[], LONG).await, Ok(()));
    asked.await.expect("no broken pipe for the server");
}

#[tokio::test]
async fn silence_ends_at_the_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let short = Duration::from_millis(50);
    let result = http(port, "/", "localhost", &[], short).await;
    ended(&result, Err("GET /: no answer within 50 ms"));
}

#[tokio::test]
async fn ipv6_alone_will_do() {
    let Ok(listener) = TcpListener::bind("[::1]:0").await else { return };
    let port = listener.local_addr().expect("bound").port();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a client");
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.expect("sent");
    });
    ended(&http(port, "/", "localhost", &[], LONG).await, Ok(()));
    server.await.expect("served");
}
