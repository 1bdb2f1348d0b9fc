//! `POST /v1/attach`: becomes a connection of frames (`core::attach`) between a client's terminal and a
//! service's, over all lives of the service.

use std::{io, path::PathBuf, sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf},
    sync::{OwnedSemaphorePermit, watch},
    time::timeout,
};

use super::{
    Desk,
    reply::{Asked, Refused, Reply},
};
use crate::{
    actors::{board::ServiceBoard, directory::Entry},
    api::{attach::PROTOCOL, error::Code},
    core::attach::{Frame as _, Frames, ToClient, ToService},
    os::logs::Terminal,
};

/// So much is read from a client, or sent to it, at once.
const PORTION: usize = 16 << 10;

/// A service that does not read what is typed keeps nobody waiting for longer.
const READ_WITHIN: Duration = Duration::from_secs(2);

const UNREAD: &str = "the service does not read what is typed; some of it is lost";

/// What a client asks for.
#[derive(Debug, Deserialize)]
pub(super) struct Question {
    dir: PathBuf,
    service: String,
    cols: Option<u16>,
    rows: Option<u16>,
}

type Stream = TokioIo<hyper::upgrade::Upgraded>;

/// A client, and what it is attached to.
struct Session {
    desk: Arc<Desk>,
    entry: Entry,
    board: Arc<ServiceBoard>,
    terminal: Arc<Terminal>,
    size: Option<(u16, u16)>,
}

pub(super) async fn attach(
    State(desk): State<Arc<Desk>>,
    Asked(question): Asked<Question>,
    mut request: Request<Body>,
) -> Reply<Response> {
    let Question { dir, service, cols, rows } = question;
    let entry = desk.entry(&dir)?;
    let board = entry.board.service(&service);
    let board = board.ok_or_else(|| Refused::no_such_service(&entry.board, &service))?;
    if entry.context.plan.load().service(&board.name).is_some_and(|service| !service.tty) {
        let text = format!("{service} has no terminal: its `tty` is false");
        return Err(Refused::new(Code::BadRequest, text)
            .hinted(format!("`locald logs -f {service}` shows what it writes")));
    }
    let sinks = desk.infra.logs.sinks(entry.board.name.clone(), vec![board.name.clone()]).await?;
    let Some(sink) = sinks.into_iter().next() else {
        return Err(Refused::new(Code::Failed, "it has no log"));
    };
    let Ok(place) = desk.attached.clone().try_acquire_owned() else {
        return Err(Refused::new(Code::Failed, "too many are attached already")
            .hinted("each attached terminal counts until it is detached"));
    };
    let size = cols.zip(rows).filter(|(cols, rows)| *cols > 0 && *rows > 0);
    let session = Session { desk, entry, board, terminal: sink.terminal(), size };
    let upgrading = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        match upgrading.await {
            Ok(stream) => session.talk(TokioIo::new(stream)).await,
            Err(error) => tracing::debug!(%error, "a client did not attach after all"),
        }
        drop(place);
    });
    let upgrade = [
        (header::CONNECTION, HeaderValue::from_static("upgrade")),
        (header::UPGRADE, HeaderValue::from_static(PROTOCOL)),
    ];
    Ok((StatusCode::SWITCHING_PROTOCOLS, upgrade).into_response())
}

impl Session {
    /// Until either side has had enough.
    async fn talk(self, stream: Stream) {
        let (from, mut to) = tokio::io::split(stream);
        let (notice, mut notices) = watch::channel(None);
        let outcome = tokio::select! {
            outcome = self.listen(from, &notice) => outcome,
            outcome = self.tell(&mut to, &mut notices) => outcome,
        };
        if let Err(error) = outcome {
            tracing::debug!(%error, "an attached client is gone");
        }
        // It may be gone.
        let _told = to.shutdown().await;
    }

    /// Passes on what the person does.
    async fn listen(
        &self,
        mut from: ReadHalf<Stream>,
        notice: &watch::Sender<Option<&'static str>>,
    ) -> io::Result<()> {
        let mut typist = None;
        if self.types(&mut typist)
            && let Some((cols, rows)) = self.size
        {
            self.resize(cols, rows);
        }
        let mut patience = READ_WITHIN;
        let mut frames = Frames::default();
        let mut buffer = vec![0; PORTION];
        loop {
            let count = from.read(&mut buffer).await?;
            if count == 0 {
                return Ok(());
            }
            frames.push(&buffer[..count]);
            while let Some(frame) = frames.take().map_err(io::Error::other)? {
                if !self.types(&mut typist) {
                    if matches!(frame, ToService::Keys(_)) {
                        notice
                            .send_replace(Some("somebody else types; your keys are not passed on"));
                    }
                    continue;
                }
                match frame {
                    ToService::Keys(keys) => {
                        // Or nobody would see that the client has gone, and nobody else could type.
                        let typing = timeout(patience, self.terminal.keys(&keys)).await;
                        patience = if typing.is_ok() { READ_WITHIN } else { Duration::ZERO };
                        match typing {
                            Ok(typed) => typed?,
                            Err(_) => drop(notice.send_replace(Some(UNREAD))),
                        }
                    }
                    ToService::Size(cols, rows) => self.resize(cols, rows),
                }
            }
        }
    }

    /// Whether the client may type; it may once nobody else does.
    fn types(&self, typist: &mut Option<OwnedSemaphorePermit>) -> bool {
        if typist.is_none() {
            *typist = self.terminal.typist();
        }
        typist.is_some()
    }

    fn resize(&self, cols: u16, rows: u16) {
        if cols > 0
            && rows > 0
            && let Err(error) = self.terminal.resize(cols, rows)
        {
            tracing::debug!(%error, "cannot resize a terminal");
        }
    }

    /// Shows what the terminal shows.
    async fn tell(
        &self,
        to: &mut WriteHalf<Stream>,
        notices: &mut watch::Receiver<Option<&'static str>>,
    ) -> io::Result<()> {
        let mut more = self.terminal.follow();
        let mut closing = self.desk.closing.subscribe();
        let mut projects = self.desk.infra.directory.watch();
        let mut position = None;
        let mut running = None;
        loop {
            more.mark_unchanged();
            projects.mark_unchanged();
            position = Some(self.show(to, position).await?);
            let now = self.terminal.size().is_some();
            if running.replace(now) != Some(now) && !now {
                let text = format!("{} is not running; attached for when it does", self.board.name);
                send(to, &ToClient::Notice(text)).await?;
            }
            if let Some(text) = self.is_over() {
                return send(to, &ToClient::End(text)).await;
            }
            let told = async { drop(closing.wait_for(|closing| *closing).await) };
            tokio::select! {
                _ = more.changed() => {}
                _ = projects.changed() => {}
                _ = notices.changed() => {
                    let text = *notices.borrow_and_update();
                    if let Some(text) = text {
                        send(to, &ToClient::Notice(text.to_owned())).await?;
                    }
                }
                () = told => {
                    return send(to, &ToClient::End("the daemon ends".to_owned())).await;
                }
            }
        }
    }

    /// Sends what is new since `position`; all that is kept for a start, or when something was missed.
    async fn show(&self, to: &mut WriteHalf<Stream>, position: Option<u64>) -> io::Result<u64> {
        let news = self.terminal.since(position.unwrap_or(0));
        if position.is_none() || news.gap {
            let (cols, rows) = self.terminal.size().or(self.size).unwrap_or((80, 24));
            send(to, &ToClient::Screen { cols, rows, shown: news.bytes }).await?;
        } else {
            for some in news.bytes.chunks(PORTION) {
                send(to, &ToClient::Output(some.to_vec())).await?;
            }
        }
        Ok(news.position)
    }

    /// Why there will be no more, if so.
    fn is_over(&self) -> Option<String> {
        let there = self.desk.infra.directory.get(&self.entry.board.dir);
        if there.is_none_or(|entry| !Arc::ptr_eq(&entry.board, &self.entry.board)) {
            return Some(format!("project {} is down", self.entry.board.name));
        }
        let service = self.entry.board.service(&self.board.name);
        service.is_none().then(|| format!("there is no service {} any more", self.board.name))
    }
}

async fn send(to: &mut WriteHalf<Stream>, message: &ToClient) -> io::Result<()> {
    to.write_all(&message.to_bytes()).await
}
