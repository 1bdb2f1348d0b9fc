//! A session with a server, by which SQL is run where there is no `psql`: the simple half of the protocol.

use std::{fmt, io, path::Path};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, sink},
    net::UnixStream,
};

use super::{INNER_PORT, wire};

/// No complaint is longer.
const MOST: u64 = 1 << 16;

/// A session; one command after another.
pub(super) struct Session<S> {
    stream: S,
    /// Takes what the server has to say beside its answers.
    notice: Box<dyn Fn(&str) + Send + Sync>,
}

/// Why SQL was not run.
#[derive(Debug)]
pub(super) enum Failure {
    /// The server says so.
    Refused(Complaint),
    /// It is gone, or what it says makes no sense.
    Broken(io::Error),
}

/// What a server says of an error.
#[derive(Debug, Default)]
pub(super) struct Complaint {
    /// The kind of error, five characters.
    pub(super) code: String,
    severity: String,
    message: String,
    detail: String,
    /// The character of the SQL where it is, from 1.
    pub(super) position: Option<usize>,
}

impl Session<UnixStream> {
    /// With the server whose socket is in that folder, as a user whom it believes.
    pub(super) async fn open(
        socket: &Path,
        user: &str,
        database: &str,
        notice: impl Fn(&str) + Send + Sync + 'static,
    ) -> Result<Self, Failure> {
        let stream = UnixStream::connect(socket.join(format!(".s.PGSQL.{INNER_PORT}"))).await?;
        Self::begin(stream, user, database, notice).await
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    async fn begin(
        mut stream: S,
        user: &str,
        database: &str,
        notice: impl Fn(&str) + Send + Sync + 'static,
    ) -> Result<Self, Failure> {
        let options = "-c client_min_messages=warning -c client_encoding=UTF8";
        let words = ["user", user, "database", database, "options", options];
        stream.write_all(&wire::hello(&words)).await?;
        let mut session = Self { stream, notice: Box::new(notice) };
        session.answer().await?;
        Ok(session)
    }

    /// Runs a text, as one transaction unless it says otherwise.
    pub(super) async fn run(&mut self, sql: &str) -> Result<(), Failure> {
        self.say(b'Q', sql).await?;
        self.answer().await
    }

    async fn say(&mut self, kind: u8, text: &str) -> io::Result<()> {
        let length = u32::try_from(text.len() + 5).map_err(io::Error::other)?;
        if text.contains('\0') {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the SQL has a NUL"));
        }
        self.stream.write_all(&[&[kind], &length.to_be_bytes()[..]].concat()).await?;
        self.stream.write_all(text.as_bytes()).await?;
        self.stream.write_all(&[0]).await
    }

    /// Hears it out, until it is ready for more.
    async fn answer(&mut self) -> Result<(), Failure> {
        let mut complaint = None;
        loop {
            let mut head = [0; 5];
            let read = self.stream.read_exact(&mut head).await;
            if let Err(error) = read {
                // What it said before it went says more.
                return Err(complaint.map_or(Failure::Broken(error), Failure::Refused));
            }
            let [kind, length @ ..] = head;
            let length = u64::from(u32::from_be_bytes(length));
            let odd = || Failure::Broken(io::ErrorKind::InvalidData.into());
            let length = length.checked_sub(4).ok_or_else(odd)?;
            if !b"ENRZ".contains(&kind) {
                // Rows, of which nobody wants to know, may be long.
                let mut rest = (&mut self.stream).take(length);
                if tokio::io::copy(&mut rest, &mut sink()).await? != length {
                    return Err(Failure::Broken(io::ErrorKind::UnexpectedEof.into()));
                }
                if kind == b'G' {
                    self.say(b'f', "its rows are not among what the server is sent").await?;
                }
                continue;
            }
            if length > MOST {
                return Err(odd());
            }
            let mut body = vec![0; usize::try_from(length).map_err(|_| odd())?];
            self.stream.read_exact(&mut body).await?;
            match kind {
                b'E' => complaint = complaint.or_else(|| Some(Complaint::read(&body))),
                b'N' => (self.notice)(&Complaint::read(&body).to_string()),
                b'R' if !body.starts_with(&[0; 4]) => return Err(odd()),
                b'Z' => return complaint.map_or(Ok(()), |it| Err(Failure::Refused(it))),
                _ => {}
            }
        }
    }
}

impl Complaint {
    fn read(body: &[u8]) -> Self {
        let field = |kind| wire::field(body, kind).unwrap_or_default().to_owned();
        Self {
            code: field(b'C'),
            severity: field(b'S'),
            message: field(b'M'),
            detail: field(b'D'),
            position: field(b'P').parse().ok(),
        }
    }

    /// Whether it is that something is there already.
    pub(super) fn is_there_already(&self) -> bool {
        // `duplicate_object`, `duplicate_database`, and `unique_violation` of two at once.
        ["42710", "42P04", "23505"].contains(&&*self.code)
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:  {}", self.severity, self.message)?;
        if self.detail.is_empty() { Ok(()) } else { write!(f, " ({})", self.detail) }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(complaint) => complaint.fmt(f),
            Self::Broken(error) => write!(f, "the connection to the database broke: {error}"),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READY: &[u8] = b"Z\0\0\0\x05I";

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
        [&[kind], &length[..], body].concat()
    }

    /// What becomes of a command that is answered so, and what the server has heard of it.
    async fn answered(bytes: &[u8]) -> (Result<(), Failure>, Vec<u8>) {
        let (ours, mut theirs) = tokio::io::duplex(1 << 20);
        let welcome = [&message(b'R', &[0; 4]), READY].concat();
        theirs.write_all(&welcome).await.unwrap();
        let mut session = Session::begin(ours, "me", "db", |_| {}).await.unwrap();
        theirs.write_all(bytes).await.unwrap();
        theirs.shutdown().await.unwrap();
        let done = session.run("SELECT 1").await;
        drop(session);
        let mut heard = Vec::new();
        theirs.read_to_end(&mut heard).await.unwrap();
        (done, heard)
    }

    #[tokio::test]
    async fn rows_are_passed_over_and_an_error_is_told_as_it_is() {
        let rows = [message(b'T', b"x"), message(b'D', &vec![0; 1 << 18]), READY.to_vec()].concat();
        let (done, heard) = answered(&rows).await;
        assert!(done.is_ok(), "{done:?}");
        assert!(heard.ends_with(b"Q\0\0\0\x0dSELECT 1\0"));
        let error = b"SERROR\0C42601\0Msyntax error\0DIt is wrong.\0P8\0\0";
        let (done, _) = answered(&[&message(b'E', error), READY].concat()).await;
        let failure = done.unwrap_err();
        assert_eq!(failure.to_string(), "ERROR:  syntax error (It is wrong.)");
        let Failure::Refused(complaint) = failure else { panic!("the server has refused it") };
        assert_eq!((complaint.position, complaint.is_there_already()), (Some(8), false));
        // It may say so and go.
        let (done, _) = answered(&message(b'E', error)).await;
        assert!(matches!(done, Err(Failure::Refused(_))), "{done:?}");
    }

    #[tokio::test]
    async fn rows_that_it_waits_for_are_not_to_come() {
        let (done, heard) = answered(&[&message(b'G', b"\0\0\0"), READY].concat()).await;
        assert!(done.is_ok(), "{done:?}");
        assert!(heard.windows(2).any(|two| two == b"f\0"), "{heard:?}");
    }

    #[tokio::test]
    async fn what_makes_no_sense_is_an_error() {
        for bytes in [&b""[..], b"Z", b"E\0\0\0\x03", b"E\xff\xff\xff\xff", b"D\0\0\0\x09xx"] {
            let (done, _) = answered(bytes).await;
            assert!(matches!(done, Err(Failure::Broken(_))), "{bytes:?}: {done:?}");
        }
    }
}
