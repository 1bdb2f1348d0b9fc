//! What is said in place of a service that cannot answer: a page for people, problem+json for the rest.

mod html;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    answer::Answer, forward::Job, forwarded::Origin, head::RequestHead, reason::reason,
    settings::Story, side::Client,
};
use crate::{
    core::{id::ProjectName, routes::Table},
    os::traffic::{State, Target},
};
use html::Page;

/// Nobody has this host. The projects are listed for hosts of ours only: a name of somebody else's
/// that was made to lead here learns nothing.
pub(super) fn unknown_host(
    request: &RequestHead,
    known: Option<&Table<Arc<Target>>>,
    origin: &Origin,
) -> Answer {
    let title = format!("No project has the name {}", request.host);
    let port = origin.url_port(request.port);
    let url = |domain: &str| format!("{}://{domain}{port}/", origin.scheme());
    let list = known.map(Table::domains).unwrap_or_default();
    let links = list.iter().map(|(project, domain)| (project.to_string(), url(domain)));
    let page = Page { links: links.collect(), ..Page::new(404, title) };
    let page = match known {
        Some(_) if list.is_empty() => page.say("No project is up."),
        Some(_) => page.say("These are up:"),
        None => page,
    };
    let facts = match known {
        Some(_) => {
            json!({ "projects": list.iter().map(|(_, domain)| url(domain)).collect::<Vec<_>>() })
        }
        None => json!({}),
    };
    page.answer(request, &facts)
}

/// A project that has nothing for this host or path.
pub(super) fn no_service(request: &RequestHead, project: &ProjectName) -> Answer {
    Page::new(404, format!("{project} has no service here"))
        .say("A project's domain leads to its service `web`, or to the only one that has a port.")
        .command("locald status".to_owned())
        .answer(request, &json!({ "project": project.as_str() }))
}

/// The request comes from itself.
pub(super) fn in_a_loop(request: &RequestHead) -> Answer {
    Page::new(508, format!("A request to {} leads back to itself", request.host))
        .say("A dev server that proxies to another service has probably kept the Host of the request, \
              which leads back to it. Set `changeOrigin: true` in its proxy options, or give it the \
              service's own URL.")
        .answer(request, &json!({}))
}

/// We have no descriptors.
pub(super) fn exhausted(request: &RequestHead) -> Answer {
    Page::new(503, "The proxy has too many connections".to_owned())
        .say("It has no file descriptor left for this one. Try again in a moment, or raise `ulimit -n`.")
        .answer(request, &json!({}))
        .with("Retry-After", "1".to_owned())
}

/// There are as many tunnels as there may be.
pub(super) fn too_many_tunnels(request: &RequestHead) -> Answer {
    Page::new(503, "The proxy has too many tunnels".to_owned())
        .say("Close some pages that have a WebSocket open, or raise `ulimit -n`.")
        .answer(request, &json!({}))
        .with("Retry-After", "5".to_owned())
}

/// The proxy is about to end, and so is the service.
pub(super) fn ending(request: &RequestHead) -> Answer {
    Page::new(503, "locald is stopping".to_owned())
        .answer(request, &json!({}))
        .with("Retry-After", "2".to_owned())
}

/// The service was asked and did not answer.
pub(super) async fn bad_gateway<C: Client>(
    job: &Job<'_, C>,
    target: &Arc<Target>,
    status: u16,
    why: &str,
) -> Answer {
    let title = format!("{} does not answer", name(target));
    told(job, target, Page::new(status, title).say(why)).await
}

/// The service does not run.
pub(super) async fn down<C: Client>(job: &Job<'_, C>, target: &Arc<Target>) -> Answer {
    let title = format!("{} does not run", name(target));
    let page = Page { watch: true, ..Page::new(503, title) };
    told(job, target, page.command(format!("locald start {}", target.service))).await
}

/// The service starts, and a person is told so.
pub(super) async fn splash<C: Client>(job: &Job<'_, C>, target: &Arc<Target>) -> Answer {
    let title = format!("{} is starting", name(target));
    let page = Page { watch: true, coming: true, ..Page::new(503, title) };
    told(job, target, page).await.with("Retry-After", "2".to_owned())
}

/// The service has not come up in time.
pub(super) async fn held_too_long<C: Client>(job: &Job<'_, C>, target: &Arc<Target>) -> Answer {
    let title = format!("{} has not come up yet", name(target));
    let waited = format!("The request has waited {} s for it.", job.since.elapsed().as_secs());
    let page = Page { watch: true, coming: true, ..Page::new(503, title) };
    told(job, target, page.say(waited)).await.with("Retry-After", "5".to_owned())
}

/// What our pages ask for while they wait: how it stands. It never comes from the service.
pub(super) async fn watched<C: Client>(job: &Job<'_, C>, target: &Arc<Target>) -> Answer {
    let story = story(job, target).await;
    let mut facts = facts(target, &story);
    facts["phase"] = json!(match target.now().state {
        State::Up => "up",
        State::Coming => "coming",
        State::Down => "down",
    });
    Answer::problem(200, &facts)
}

/// How the service stands; what it wrote is for its own user.
async fn story<C: Client>(job: &Job<'_, C>, target: &Arc<Target>) -> Story {
    let mut story = job.worker.sources.narrator.tell(target).await;
    if !story.log.is_empty() && job.origin.is_stranger().await {
        story.log.clear();
    }
    story
}

async fn told<C: Client>(job: &Job<'_, C>, target: &Arc<Target>, page: Page) -> Answer {
    let story = story(job, target).await;
    let facts = facts(target, &story);
    let page = page.command(format!("locald why {}", target.service));
    let page = page.command(format!("locald logs {}", target.service));
    Page { story: Some(story), ..page }.answer(job.request, &facts)
}

fn name(target: &Target) -> String {
    format!("{}/{}", target.project, target.service)
}

fn facts(target: &Target, story: &Story) -> Value {
    json!({
        "project": target.project.as_str(),
        "service": target.service.as_str(),
        "state": story.state,
        "why": story.why,
        "last_exit": story.last_exit,
        "log": story.log,
    })
}

impl Page {
    fn answer(self, request: &RequestHead, facts: &Value) -> Answer {
        if request.prefers_html() && !request.is_grpc() {
            return Answer::html(self.status, self.html());
        }
        let mut body = json!({
            "title": reason(self.status),
            "status": self.status,
            "detail": self.detail(),
        });
        if let (Some(body), Some(facts)) = (body.as_object_mut(), facts.as_object()) {
            body.extend(facts.clone());
        }
        Answer::problem(self.status, &body)
    }
}
