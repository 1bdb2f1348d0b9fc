//! One request, from its head to the end of its answer.

use std::{future::poll_fn, rc::Rc, sync::Arc, task::Poll, time::SystemTime};

use bytes::Bytes;
use tokio::time::Instant;

use super::{
    answer::{Answer, send},
    dial::{self, Backend, Refused},
    exchange::{Outcome, exchange},
    fields::Known,
    forwarded::Origin,
    head::{Refusal, RequestHead, ResponseHead, Upgrade},
    hold::{Held, hold},
    pages,
    settings::redirect_location,
    side::Client,
    worker::{Busy, Worker},
};
use crate::{
    core::routes::{Found, HostName},
    os::{
        clock,
        traffic::{Phase, State, Target},
    },
};

/// A request that has come through us so often is in a loop.
const MOST_HOPS: u32 = 5;

/// How a request ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Ending {
    /// The answer has been sent to its end.
    Complete,
    /// The answer has been broken off: nobody may take it for complete.
    Aborted,
}

/// What has been sent to the client.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    pub(super) status: u16,
    pub(super) bytes: u64,
    pub(super) ending: Ending,
}

/// A request and what is needed to answer it.
pub(super) struct Job<'a, C> {
    pub(super) client: &'a mut C,
    pub(super) request: &'a mut RequestHead,
    pub(super) response: &'a mut ResponseHead,
    pub(super) origin: &'a Origin,
    pub(super) worker: &'a Rc<Worker>,
    pub(super) since: Instant,
    /// What has been taken of the request's body and is to be sent once more.
    pub(super) again: Bytes,
    /// Holds up the end of the proxy until it is dropped.
    pub(super) busy: Option<Busy>,
}

/// Answers a request.
pub(super) async fn serve<C: Client>(
    client: &mut C,
    request: &mut RequestHead,
    response: &mut ResponseHead,
    origin: &Origin,
    worker: &Rc<Worker>,
    busy: Busy,
) -> Ending {
    let (at, since) = (clock::wall(), Instant::now());
    let mut job = Job {
        client,
        request,
        response,
        origin,
        worker,
        since,
        again: Bytes::new(),
        busy: Some(busy),
    };
    if let Some(answer) = job.refused() {
        return job.answer(answer).await.ending;
    }
    let routes = worker.sources.routes.load();
    let target = match routes.find(&job.request.host, &job.request.path) {
        Found::Target(target) => target.clone(),
        Found::Dashboard => {
            drop(routes);
            return job.dashboard().await.ending;
        }
        Found::NoService(project) => {
            let page = pages::no_service(job.request, project);
            drop(routes);
            return job.answer(page).await.ending;
        }
        Found::Nothing => {
            let ours = worker.sources.leaves.realm().leaf_for(Some(job.request.host.as_str()));
            let known = ours.is_some() && !origin.is_stranger().await;
            let page = pages::unknown_host(job.request, known.then_some(&**routes), origin);
            drop(routes);
            return job.answer(page).await.ending;
        }
    };
    drop(routes);
    let tunnel = (job.request.upgrade != Upgrade::None).then(|| worker.tunnel());
    let sent = match tunnel {
        Some(None) => job.answer(pages::too_many_tunnels(job.request)).await,
        Some(Some(_)) | None => job.serve_from(&target).await,
    };
    drop(tunnel);
    job.log(&target, at, sent);
    sent.ending
}

impl<C: Client> Job<'_, C> {
    /// What is wrong with a request before anybody looks at where it goes.
    fn refused(&self) -> Option<Answer> {
        let request = &*self.request;
        let settings = self.worker.sources.settings.load();
        if self.origin.certified.is_some_and(|certified| !covers(&certified, &request.host)) {
            let why = "this connection is for another host";
            return Some(Answer::refusal(Refusal { status: 421, why }));
        }
        if request.hops >= MOST_HOPS {
            return Some(pages::in_a_loop(request));
        }
        let redirect = settings.redirect_to_https
            && !self.origin.tls
            && request.upgrade == Upgrade::None
            && !request.is_grpc()
            && request.fields.first(Known::Watch).is_none()
            && self.worker.sources.leaves.realm().leaf_for(Some(request.host.as_str())).is_some();
        redirect.then(|| Answer::redirect(redirect_location(request, settings.https_port)))
    }

    async fn serve_from(&mut self, target: &Arc<Target>) -> Sent {
        if self.request.fields.first(Known::Watch).is_some() {
            let page = pages::watched(self, target).await;
            return self.answer(page).await;
        }
        // That a connection which had waited is closed says nothing of the service: that does not count.
        let (mut waited, mut repeated) = (true, false);
        let mut refused_since = None;
        loop {
            let phase = target.now();
            if phase.state != State::Up {
                let held = hold(self, target).await;
                match held {
                    Held::Up => continue,
                    Held::Gone => return Sent { status: 0, bytes: 0, ending: Ending::Aborted },
                    Held::Answer(page) => return self.answer(page).await,
                }
            }
            let backend = match self.connect(target, phase, &mut waited).await {
                Ok(backend) => backend,
                Err(refused) => {
                    let since = *refused_since.get_or_insert_with(Instant::now);
                    if dial::may_come_back(&refused, since, target, phase).await {
                        continue;
                    }
                    return self.refused_by(target, &refused).await;
                }
            };
            match exchange(self, backend, target, phase, waited || !repeated).await {
                Outcome::Sent(sent) => return sent,
                Outcome::Again if waited => waited = false,
                Outcome::ByHttp2 => {}
                Outcome::Again => {
                    // A service on its way out closes what it has accepted: its next life is the
                    // one to ask.
                    dial::another_phase(target, phase).await;
                    repeated = true;
                }
                Outcome::Failed(why, status) => {
                    let page = pages::bad_gateway(self, target, status, &why).await;
                    return self.answer(page).await;
                }
            }
        }
    }

    /// A connection to the service: one that waits, if that will do, or a new one. Tells which.
    async fn connect(
        &mut self,
        target: &Arc<Target>,
        phase: Phase,
        waited: &mut bool,
    ) -> Result<Backend, Refused> {
        let may_wait = std::mem::take(waited);
        if dial::wants_http2(self.worker, target, phase, self.request).await? {
            return dial::shared(self.worker, target, phase).await;
        }
        let careful = !self.request.is_repeatable();
        let waiting = self.worker.with_pool(|pool| pool.take(target, phase, careful));
        match waiting {
            Some(upstream) if may_wait => {
                *waited = true;
                Ok(Backend::Http1(upstream))
            }
            _ => dial::dial(self.worker, phase.port).await.map(Backend::http1),
        }
    }

    async fn refused_by(&mut self, target: &Arc<Target>, refused: &Refused) -> Sent {
        let page = match refused {
            Refused::Ourselves => pages::in_a_loop(self.request),
            Refused::Exhausted => pages::exhausted(self.request),
            Refused::Late => pages::bad_gateway(self, target, 504, &refused.to_string()).await,
            Refused::NotHttp2(_) | Refused::Failed(_) => {
                pages::bad_gateway(self, target, 502, &refused.to_string()).await
            }
        };
        self.answer(page).await
    }

    /// Sends an answer of our own.
    pub(super) async fn answer(&mut self, answer: Answer) -> Sent {
        let status = answer.status;
        match send(self.client, self.request, answer).await {
            Ok(bytes) => Sent { status, bytes, ending: Ending::Complete },
            Err(_) => Sent { status, bytes: 0, ending: Ending::Aborted },
        }
    }

    fn log(&self, target: &Target, at: SystemTime, sent: Sent) {
        let question = (&*self.request.method, &*self.request.path);
        target.requests.add(at, question, (sent.status, sent.bytes), self.since.elapsed());
    }
}

/// Whether the certificate for a host is good for another; that for this machine has its addresses.
fn covers(certified: &HostName, host: &HostName) -> bool {
    certified == host
        || (certified.as_str() == "localhost" && matches!(host.as_str(), "127.0.0.1" | "[::1]"))
}

/// Waits until the client has gone.
pub(super) async fn gone(client: &mut impl Client) {
    poll_fn(|cx| match client.poll_gone(cx) {
        Poll::Ready(()) => Poll::Ready(()),
        Poll::Pending => Poll::Pending,
    })
    .await;
}
