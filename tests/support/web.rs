//! The test service as a web application: HTTP/1.1 by hand, so that every byte of it is known.

mod raw;

use std::{
    fs,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
};

/// What is asked.
struct Request {
    method: String,
    path: String,
    /// As it came, request line included.
    head: String,
    body: Vec<u8>,
}

/// Answers on one connection until its end.
pub(crate) fn converse(name: &str, stream: TcpStream) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    while let Some(request) = read(&mut reader, &mut writer)? {
        if let Some(path) = request.path.strip_prefix("/raw/") {
            return raw::answer(path, &request.head, reader, writer);
        }
        match request.path.as_str() {
            "/hangup" => return Ok(()),
            "/sse" => {
                let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
                writer.write_all(format!("{head}data: first\n\n").as_bytes())?;
                // It stays open until the reader has gone.
                return reader.read(&mut [0]).map(drop);
            }
            "/ws" => return echo(&request, reader, writer),
            "/trailers" => writer.write_all(
                b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n\
                  5\r\nhello\r\n0\r\nx-sum: 5\r\n\r\n",
            )?,
            "/not-modified" => writer.write_all(
                b"HTTP/1.1 304 Not Modified\r\netag: \"a\"\r\ncontent-length: 99\r\n\r\n",
            )?,
            "/mine" => answer(&mut writer, &request, 502, "the app's own 502")?,
            "/head" => answer(&mut writer, &request, 200, &request.head)?,
            "/length" => answer(&mut writer, &request, 200, &request.body.len().to_string())?,
            "/record" => {
                let mut file = fs::OpenOptions::new().create(true).append(true).open("posts")?;
                file.write_all(&[&request.body[..], b"\n"].concat())?;
                answer(&mut writer, &request, 200, "recorded")?;
            }
            path => {
                if let Some(gate) = path.strip_prefix("/gate/") {
                    // Told before, so that a test knows when to open it.
                    let mut file =
                        fs::OpenOptions::new().create(true).append(true).open("gates")?;
                    file.write_all(format!("{gate}\n").as_bytes())?;
                    fs::read(gate)?;
                }
                answer(&mut writer, &request, 200, &format!("{name} {path}"))?;
            }
        }
    }
    Ok(())
}

fn read(reader: &mut BufReader<TcpStream>, writer: &mut TcpStream) -> io::Result<Option<Request>> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Ok(None);
        }
    }
    let mut words = head.split(' ').map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    if path.starts_with("/raw/") {
        return Ok(Some(Request { method, path, head, body: Vec::new() }));
    }
    let field = |wanted: &str| {
        let line = head.lines().filter_map(|line| line.split_once(':'));
        let mut found = line.filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.next().map(|(_, value)| value.trim().to_ascii_lowercase())
    };
    if field("expect").as_deref() == Some("100-continue") {
        writer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let mut body = Vec::new();
    if field("transfer-encoding").as_deref() == Some("chunked") {
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let size = u64::from_str_radix(line.trim(), 16).map_err(io::Error::other)?;
            reader.take(size).read_to_end(&mut body)?;
            reader.read_line(&mut line)?;
            if size == 0 {
                break;
            }
        }
    } else if let Some(length) = field("content-length") {
        reader.take(length.parse().map_err(io::Error::other)?).read_to_end(&mut body)?;
    }
    Ok(Some(Request { method, path, head, body }))
}

fn answer(writer: &mut TcpStream, request: &Request, status: u16, body: &str) -> io::Result<()> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} Whatever\r\nconnection: keep-alive\r\nx-hop: 1\r\nset-cookie: a=1\r\n\
         set-cookie: b=2\r\ncontent-length: {length}\r\n\r\n"
    );
    let body = if request.method == "HEAD" { "" } else { body };
    writer.write_all((head + body).as_bytes())
}

/// A WebSocket only in its handshake: then every byte comes back, whatever it means.
fn echo(
    request: &Request,
    mut reader: BufReader<TcpStream>,
    mut writer: TcpStream,
) -> io::Result<()> {
    let fields = request.head.lines().filter_map(|line| line.split_once(": "));
    let mut keys = fields.filter(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-key"));
    let Some((_, key)) = keys.next() else { return answer(&mut writer, request, 400, "no key") };
    let accept = accept(key);
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
         sec-websocket-accept: {accept}\r\n\r\n"
    );
    writer.write_all(head.as_bytes())?;
    io::copy(&mut reader, &mut writer).map(drop)
}

/// What RFC 6455 wants said to a key.
fn accept(key: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let text = format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    let hash =
        aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
    let mut accept = String::new();
    for group in hash.as_ref().chunks(3) {
        let bits = group.iter().fold(0, |bits, &byte| bits << 8 | usize::from(byte))
            << (8 * (3 - group.len()));
        for place in 0..4 {
            let digit = ALPHABET[(bits >> (18 - 6 * place)) & 63];
            accept.push(if place > group.len() { '=' } else { char::from(digit) });
        }
    }
    accept
}
