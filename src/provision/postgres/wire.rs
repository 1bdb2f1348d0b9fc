//! The first words of the protocol of Postgres: enough to tell a server that is ready from one that
//! starts up, recovers or shuts down.

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::provision::Unready;

/// Version 3.0 of the protocol.
const PROTOCOL: i32 = 0x0003_0000;
/// `cannot_connect_now`: not yet, or no longer.
const NOT_NOW: &str = "57P03";
/// No first answer is longer.
const MOST: usize = 1 << 16;

/// Says who we are; any answer but "not now" is that of a server which takes connections, also that
/// it wants a password.
pub(super) async fn greet(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> Result<(), Unready> {
    const FOREIGN: Result<(), Unready> = Err(Unready::Foreign("PostgreSQL"));
    let words = ["user", "postgres", "database", "postgres", "application_name", "locald"];
    stream.write_all(&hello(&words)).await?;
    let mut head = [0; 5];
    stream.read_exact(&mut head).await?;
    let [kind, length @ ..] = head;
    let length = usize::try_from(i32::from_be_bytes(length)).unwrap_or(usize::MAX);
    let length = length.checked_sub(4).filter(|length| *length <= MOST);
    let Some(length) = length else { return FOREIGN };
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    match kind {
        b'R' if body.starts_with(&[0; 4]) => {
            // It has let us in and goes on talking: to leave in the middle would be in its log.
            stream.write_all(b"X\0\0\0\x04").await?;
            let _said = stream.take(MOST as u64).read_to_end(&mut body).await;
            Ok(())
        }
        b'R' | b'v' => Ok(()),
        b'E' => match field(&body, b'C') {
            Some(NOT_NOW) => {
                Err(Unready::Busy(field(&body, b'M').unwrap_or("it is not ready yet").to_owned()))
            }
            Some(_) => Ok(()),
            None => FOREIGN,
        },
        _ => FOREIGN,
    }
}

/// The first message: names and values.
pub(super) fn hello(words: &[&str]) -> Vec<u8> {
    let mut body = PROTOCOL.to_be_bytes().to_vec();
    for word in words.iter().chain([&""]) {
        body.extend_from_slice(word.as_bytes());
        body.push(0);
    }
    let length = i32::try_from(body.len() + 4).expect("these are few words");
    [&length.to_be_bytes()[..], &body].concat()
}

/// A field of an error message.
pub(super) fn field(body: &[u8], wanted: u8) -> Option<&str> {
    let mut fields = body.split(|byte| *byte == 0);
    let field = fields.find_map(|field| field.strip_prefix(&[wanted]))?;
    std::str::from_utf8(field).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn answer(bytes: &[u8]) -> Result<(), Unready> {
        let (ours, mut theirs) = tokio::io::duplex(1 << 17);
        theirs.write_all(bytes).await.unwrap();
        theirs.shutdown().await.unwrap();
        let outcome = greet(ours).await;
        let mut heard = vec![0; 8];
        theirs.read_exact(&mut heard).await.unwrap();
        assert_eq!(heard[4..], [0, 3, 0, 0], "a startup message of version 3.0");
        outcome
    }

    fn error(code: &str, text: &str) -> Vec<u8> {
        let body = format!("SFATAL\0VFATAL\0C{code}\0M{text}\0\0");
        let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
        [b"E", &length[..], body.as_bytes()].concat()
    }

    #[tokio::test]
    async fn a_server_that_asks_for_a_password_is_ready() {
        assert_eq!(answer(b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0").await, Ok(()));
        assert_eq!(answer(&error("28000", "no entry")).await, Ok(()));
        assert_eq!(answer(&error("53300", "too many clients already")).await, Ok(()));
    }

    #[tokio::test]
    async fn one_that_starts_is_not_and_says_why() {
        let starting = "the database system is starting up";
        assert_eq!(
            answer(&error("57P03", starting)).await,
            Err(Unready::Busy(starting.to_owned()))
        );
    }

    #[tokio::test]
    async fn other_things_are_no_server() {
        for bytes in
            [&b""[..], b"R", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"E\0\0\0\x04", b"R\0\0\0\0"]
        {
            assert!(answer(bytes).await.is_err(), "{bytes:?}");
        }
    }
}
