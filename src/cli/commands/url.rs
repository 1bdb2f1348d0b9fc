//! `locald url`: the address of a service.

use serde::Serialize;

use crate::{
    api::status::{Project as Running, Service, Status},
    cli::{args, client::Query, context::Context, error::Error, project::Project},
    core::provision::Product,
};

#[derive(Debug, Serialize)]
struct Answer<'a> {
    service: &'a str,
    url: &'a str,
}

/// Runs the command.
pub async fn run(context: &Context, args: &args::MaybeNamed) -> Result<(), Error> {
    let (service, url) = find(context, args.service.as_deref()).await?;
    if args.json {
        context.out.json(&Answer { service: &service, url: &url })
    } else {
        context.out.line(&url)
    }
}

/// The service that is meant, and its URL.
pub async fn find(context: &Context, name: Option<&str>) -> Result<(String, String), Error> {
    let project = Project::here()?;
    let mut client = context.daemon().await?;
    let status: Status = client.get(&Query::new("/v1/status").dir(&project.dir)).await?;
    let running = status.projects.first().ok_or_else(|| not_running(&project))?;
    let service = choose(running, name)?;
    let url = service.url.clone().ok_or_else(|| {
        Error::failed(format!("service {} has no URL", service.name))
            .because("it has no port, or has not got one yet")
    })?;
    Ok((service.name.clone(), url))
}

/// The error that a project which is not up is.
pub fn not_running(project: &Project) -> Error {
    Error::failed(format!("the project in {} is not running", project.dir.display()))
        .hinted("`locald up` starts it")
}

/// The service of that name.
pub fn named<'a>(running: &'a Running, name: &str) -> Result<&'a Service, Error> {
    running.services.iter().find(|service| service.name == name).ok_or_else(|| {
        let names = running.services.iter().map(|service| service.name.as_str());
        super::operate::no_such_service(&running.name, name, names)
    })
}

fn choose<'a>(running: &'a Running, name: Option<&str>) -> Result<&'a Service, Error> {
    if let Some(name) = name {
        return named(running, name);
    }
    let is_provided = |s: &&Service| Product::ALL.iter().any(|it| it.as_str() == s.kind);
    let others = || running.services.iter().filter(move |s| !is_provided(s));
    let with_port = || others().filter(|s| s.url.is_some() || s.port.is_some());
    let web = with_port().find(|service| service.name == "web");
    match (web, with_port().collect::<Vec<_>>().as_slice()) {
        (Some(service), _) | (None, &[service]) => Ok(service),
        (None, []) => Err(Error::failed(format!("no service of {} has a URL", running.name))),
        (None, several) => {
            let names: Vec<&str> = several.iter().map(|service| service.name.as_str()).collect();
            Err(Error::usage(format!("{} has several services with a URL", running.name))
                .hinted(format!("name one of them: {}", names.join(", "))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        api::status::ServiceState,
        cli::samples::{project, service},
    };

    fn chosen(services: &[(&str, Option<u16>)], name: Option<&str>) -> Result<String, u8> {
        let services = services.iter().map(|&(name, port)| {
            let url = port.map(|port| format!("http://127.0.0.1:{port}"));
            Service { port, url, ..service(name, ServiceState::Healthy) }
        });
        let running = project(services.collect());
        choose(&running, name).map(|one| one.name.clone()).map_err(|error| error.kind.code())
    }

    #[test]
    fn without_a_name_web_or_the_only_one_with_a_port_is_meant() {
        assert_eq!(chosen(&[("api", Some(1)), ("web", Some(2))], None), Ok("web".to_owned()));
        assert_eq!(chosen(&[("api", Some(1)), ("web", None)], None), Ok("api".to_owned()));
        assert_eq!(chosen(&[("api", Some(1)), ("db", Some(2))], None), Err(2));
        assert_eq!(chosen(&[("worker", None)], None), Err(1));
        assert_eq!(chosen(&[("api", Some(1)), ("db", Some(2))], Some("db")), Ok("db".to_owned()));
        assert_eq!(chosen(&[("api", Some(1))], Some("db")), Err(2));
    }
}
