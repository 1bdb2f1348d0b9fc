//! The process behind `type = "site"`: a folder of static files on a loopback port.

mod confined;

use std::{
    env, fs,
    io::{self, Write as _},
    net::{Ipv4Addr, Ipv6Addr},
    os::unix::net::UnixDatagram,
    path::{self, Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use tokio::{
    net::TcpListener,
    runtime,
    signal::unix::{SignalKind, signal},
    sync::watch,
    time::{Instant, timeout},
};
use tower_http::services::ServeDir;

use confined::Confined;

/// Answers under way get this long after SIGTERM.
const GRACE: Duration = Duration::from_secs(2);
/// More than that of a `404.html` is not read into memory.
const PAGE: u64 = 1024 * 1024;
/// Of a longer path this much is logged.
const PATH: usize = 1000;
const PLAIN: &str = "<!doctype html>\n<title>404</title>\n<h1>Not found</h1>\n";

/// Serves `root` on the port, IPv4 and IPv6, until SIGTERM or SIGINT.
pub fn serve(root: PathBuf, port: u16) -> io::Result<()> {
    let root = path::absolute(root)?;
    if !fs::metadata(&root).map_err(|error| cannot("serve", &root, &error))?.is_dir() {
        return Err(cannot("serve", &root, &"it is not a folder"));
    }
    // File reads are this runtime's only blocking work: few threads, and those not for long.
    runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(4)
        .thread_keep_alive(Duration::from_secs(1))
        .build()?
        .block_on(run(root, port))
}

fn cannot(what: &str, path: &Path, why: &dyn std::fmt::Display) -> io::Error {
    io::Error::other(format!("cannot {what} {}: {why}", path.display()))
}

async fn run(root: PathBuf, port: u16) -> io::Result<()> {
    let (mut terminate, mut interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let listeners = listen(port).await?;
    let site = router(root.clone());
    let (stop, stopped) = watch::channel(false);
    let mut serving = Vec::new();
    for listener in listeners {
        let mut stopped = stopped.clone();
        let end = async move { drop(stopped.wait_for(|&stop| stop).await) };
        let server = axum::serve(listener, site.clone()).with_graceful_shutdown(end);
        serving.push(tokio::spawn(server.into_future()));
    }
    say(&format!("serving {} on http://127.0.0.1:{port}", root.display()));
    ready();
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    stop.send_replace(true);
    let ended = timeout(GRACE, async {
        for server in serving {
            drop(server.await);
        }
    });
    // Whoever still downloads has had its time.
    drop(ended.await);
    Ok(())
}

/// IPv6 is welcome where there is any; a port that is taken there is as bad as one taken here.
async fn listen(port: u16) -> io::Result<Vec<TcpListener>> {
    let v4 = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|error| taken(&format!("127.0.0.1:{port}"), &error))?;
    let mut listeners = vec![v4];
    match TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await {
        Ok(v6) => listeners.push(v6),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            return Err(taken(&format!("[::1]:{port}"), &error));
        }
        Err(_) => {}
    }
    Ok(listeners)
}

fn taken(address: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot listen on {address}: {error}"))
}

/// Tells whoever started us, if they want to know; they also see that the port is open.
fn ready() {
    if let Some(path) = env::var_os("NOTIFY_SOCKET") {
        let sent = UnixDatagram::unbound().and_then(|socket| socket.send_to(b"READY=1", path));
        drop(sent);
    }
}

/// One line to the log. That nobody reads it is no reason to stop serving.
fn say(line: &str) {
    drop(writeln!(io::stdout().lock(), "{line}"));
}

#[derive(Clone)]
struct Site {
    root: Arc<Path>,
    files: ServeDir<tower_http::services::fs::DefaultServeDirFallback, Confined>,
}

fn router(root: PathBuf) -> Router {
    let root: Arc<Path> = root.into();
    let files = ServeDir::with_backend(&root, Confined::to(Arc::clone(&root)));
    Router::new().fallback(answer).with_state(Site { root, files })
}

async fn answer(State(mut site): State<Site>, request: Request) -> Response {
    let began = Instant::now();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let mut response = match site.files.try_call(request).await {
        Ok(found) if found.status() == StatusCode::NOT_FOUND => missing(&site.root, &method).await,
        Ok(found) => found.map(Body::new),
        Err(error) if absent(&error) => missing(&site.root, &method).await,
        Err(error) => {
            say(&format!("cannot read {path}: {error}"));
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    };
    // The next look must see the next edit.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    let took = began.elapsed().as_secs_f64() * 1000.0;
    // What a client can make up must not make lines without end.
    let path = path.get(..PATH).unwrap_or(&path);
    say(&format!("{method} {path} {} {took:.1}ms", response.status().as_u16()));
    response
}

fn absent(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidFilename, InvalidInput, NotADirectory, NotFound, PermissionDenied};
    // Links in a circle have no kind of their own yet.
    error.raw_os_error() == Some(libc::ELOOP)
        || matches!(
            error.kind(),
            InvalidFilename | InvalidInput | NotADirectory | NotFound | PermissionDenied
        )
}

async fn missing(root: &Path, method: &Method) -> Response {
    let page = root.join("404.html");
    let page = match tokio::fs::metadata(&page).await {
        Ok(found) if found.is_file() && found.len() <= PAGE => tokio::fs::read(&page).await.ok(),
        _ => None,
    };
    let page = page.unwrap_or_else(|| PLAIN.into());
    let page = if method == Method::HEAD { Body::empty() } else { page.into() };
    (StatusCode::NOT_FOUND, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], page)
        .into_response()
}

#[cfg(test)]
mod tests;
