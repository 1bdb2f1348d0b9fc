//! A GET by HTTP/2 without TLS, of which only the status counts.

use std::{pin::pin, time::Duration};

use h2::client::handshake;
use http::{Request, Version};
use tokio::{
    net::TcpStream,
    select,
    time::{Instant, timeout},
};

use super::http::{escaped, judged};

/// How long the server is given to take note of the end.
const FAREWELL: Duration = Duration::from_secs(1);

/// The same as [`super::http`], by prior knowledge.
pub async fn http2(
    port: u16,
    path: &str,
    host: &str,
    accept: &[u16],
    deadline: Duration,
) -> Result<(), String> {
    let began = Instant::now();
    let stream = super::tcp::connect(port, deadline).await?;
    let path = escaped(path);
    let left = deadline.saturating_sub(began.elapsed());
    match timeout(left, status(stream, &path, host)).await {
        Ok(status) => judged(&path, status, accept),
        Err(_) => Err(format!("GET {path}: {}", super::no_answer(deadline))),
    }
}

async fn status(stream: TcpStream, path: &str, host: &str) -> Result<u16, String> {
    let request = Request::get(format!("http://{host}{path}")).version(Version::HTTP_2);
    let request = request.header("user-agent", "locald").header("accept", "*/*").body(());
    let request = request.map_err(|error| format!("cannot be asked: {error}"))?;
    let (mut send, connection) = handshake(stream).await.map_err(|error| why(&error))?;
    let (answer, _) = send.send_request(request, true).map_err(|error| why(&error))?;
    let mut connection = Box::pin(connection);
    let mut answer = pin!(answer);
    let status = select! {
        biased;
        answer = &mut answer => answer.map_err(|error| why(&error))?.status().as_u16(),
        ended = &mut connection => return Err(match ended {
            // Who waits for the answer knows more of its end.
            Ok(()) => "was answered by closing".to_owned(),
            Err(error) => why(&error),
        }),
    };
    // Without anybody who could ask more, it says goodbye and ends.
    tokio::spawn(timeout(FAREWELL, connection));
    Ok(status)
}

fn why(error: &h2::Error) -> String {
    match error.get_io() {
        None if error.is_reset() => format!("was taken back: {error}"),
        None => "was not answered by HTTP/2".to_owned(),
        Some(io) if io.kind() == std::io::ErrorKind::BrokenPipe => {
            "was answered by closing".to_owned()
        }
        Some(io) => format!("failed: {io}"),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    const LONG: Duration = Duration::from_secs(10);

    async fn listener() -> (TcpListener, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        (listener, port)
    }

    #[tokio::test]
    async fn the_status_decides() {
        let (listener, port) = listener().await;
        let server = tokio::spawn(async move {
            for status in [204, 500, 418] {
                let (stream, _) = listener.accept().await.expect("a client");
                let mut connection = h2::server::handshake(stream).await.expect("HTTP/2");
                let (request, mut respond) =
                    connection.accept().await.expect("a request").expect("a request");
                assert_eq!(request.uri().path_and_query().expect("a path"), "/ready%20now?a=b");
                assert_eq!(request.uri().authority().expect("a host"), "shop.localhost:8443");
                let answer = http::Response::builder().status(status).body(());
                let answer = answer.expect("an answer");
                let mut body = respond.send_response(answer, false).expect("sent");
                body.send_data(Bytes::from_static(b"more than is asked for"), true).expect("sent");
                // It is left in peace.
                while let Some(next) = connection.accept().await {
                    next.expect("a proper end");
                }
            }
        });
        let ask = |accept| http2(port, "ready now?a=b", "shop.localhost:8443", accept, LONG);
        assert_eq!(ask(&[]).await, Ok(()));
        assert_eq!(ask(&[]).await, Err("GET /ready%20now?a=b answered 500".to_owned()));
        assert_eq!(ask(&[418]).await, Ok(()));
        server.await.expect("served");
    }

    #[tokio::test]
    async fn what_is_not_http2_is_called_so() {
        let (listener, port) = listener().await;
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a client");
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.expect("sent");
            // Whatever it is sent, it has said all.
            stream.read_to_end(&mut Vec::new()).await.ok();
        });
        let asked = http2(port, "/", "localhost", &[], LONG).await;
        assert_eq!(asked, Err("GET / was not answered by HTTP/2".to_owned()));
    }

    #[tokio::test]
    async fn silence_ends_at_the_deadline() {
        let (_listener, port) = listener().await;
        let asked = http2(port, "/", "localhost", &[], Duration::from_millis(50)).await;
        assert_eq!(asked, Err("GET /: no answer within 50 ms".to_owned()));
    }
}
