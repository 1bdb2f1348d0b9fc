//! The test service as a gRPC server: HTTP/2 without TLS, and nothing else.

use bytes::Bytes;
use h2::{RecvStream, server::SendResponse};
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use tokio::net::{TcpListener, TcpStream};

/// Serves until the end of the process.
pub(crate) fn serve(port: u16) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("our port");
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(converse(stream));
        }
    });
}

async fn converse(stream: TcpStream) {
    let mut connection = match h2::server::handshake(stream).await {
        Ok(connection) => connection,
        // As servers of gRPC do, so that a test sees whom it was bothered by.
        Err(error) if error.reason().is_some() => return println!("bogus greeting: {error}"),
        // A probe that only connects is none of our business.
        Err(_) => return,
    };
    while let Some(Ok((request, respond))) = connection.accept().await {
        tokio::spawn(async move {
            // Who asked may be gone at any time.
            drop(answer(request, respond).await);
        });
    }
}

/// Sends each message back as it comes, and the status behind them.
async fn answer(
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
) -> Result<(), h2::Error> {
    if request.method() == Method::GET {
        println!("asked {}", request.uri().path());
    }
    let te = request.headers().get("te").cloned();
    let mut response = Response::new(());
    let fields = response.headers_mut();
    fields.insert("content-type", HeaderValue::from_static("application/grpc"));
    fields.insert("x-te", te.unwrap_or_else(|| HeaderValue::from_static("none")));
    let mut send = respond.send_response(response, false)?;
    let mut body = request.into_body();
    while let Some(data) = body.data().await {
        let data = data?;
        body.flow_control().release_capacity(data.len())?;
        send.send_data(data, false)?;
    }
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    send.send_trailers(trailers)
}
