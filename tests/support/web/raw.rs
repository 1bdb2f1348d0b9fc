//! What a web application should not do, or does with more than fits into memory.

use std::{
    io::{self, BufReader, Read as _, Write as _},
    net::TcpStream,
};

/// Answers a request of which only the head has been read. The connection ends with it.
pub(super) fn answer(
    path: &str,
    head: &str,
    mut reader: BufReader<TcpStream>,
    mut writer: TcpStream,
) -> io::Result<()> {
    let field = |name: &str| {
        let fields = head.lines().filter_map(|line| line.split_once(':'));
        let mut named = fields.filter(|(known, _)| known.eq_ignore_ascii_case(name));
        named.next().map(|(_, value)| value.trim())
    };
    match path.split_once('/').unwrap_or((path, "")) {
        // Never a word.
        ("silent", _) => io::copy(&mut reader, &mut io::sink()).map(drop),
        ("garbage", _) => writer.write_all(b"\x00\x01\x02 no HTTP at all\r\n\r\n"),
        ("truncated", _) => {
            writer.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nonly this")
        }
        ("unfinished", _) => writer
            .write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nonly this\r\n"),
        ("early", _) => {
            writer.write_all(
                b"HTTP/1.1 413 Content Too Large\r\ncontent-length: 8\r\n\
                  connection: close\r\n\r\ntoo much",
            )?;
            // It is polite enough to read on for a while, as servers do.
            io::copy(&mut reader.take(1 << 20), &mut io::sink()).map(drop)
        }
        // Answers and is gone: whoever sends on meets a closed door.
        ("slam", _) => writer.write_all(
            b"HTTP/1.1 413 Content Too Large\r\ncontent-length: 8\r\n\
              connection: close\r\n\r\ntoo much",
        ),
        // Sends back what it gets while it gets it.
        ("mirror", _) => {
            let length = field("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
            write!(writer, "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n")?;
            io::copy(&mut reader.take(length), &mut writer).map(drop)
        }
        ("take", _) => {
            let length = field("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
            let took = io::copy(&mut reader.take(length), &mut io::sink())?.to_string();
            let length = took.len();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
            writer.write_all((head + &took).as_bytes())
        }
        ("give", size) => {
            let size: u64 = size.parse().map_err(io::Error::other)?;
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {size}\r\n\r\n");
            writer.write_all(head.as_bytes())?;
            io::copy(&mut io::repeat(b'x').take(size), &mut writer).map(drop)
        }
        // Asks the proxy again for what it has been asked, as a dev server does that keeps the Host.
        ("loop", _) => {
            let port = field("host").and_then(|host| host.rsplit(':').next()?.parse().ok());
            let mut proxy = TcpStream::connect(("127.0.0.1", port.unwrap_or(80_u16)))?;
            proxy.write_all(head.replacen("\r\n", "\r\nConnection: close\r\n", 1).as_bytes())?;
            io::copy(&mut proxy, &mut writer).map(drop)
        }
        (other, _) => Err(io::Error::other(format!("no such path: {other}"))),
    }
}
