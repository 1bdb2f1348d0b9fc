//! Fills the holes of templates: ports, URLs, the project, variables.

use std::collections::BTreeMap;

use super::{LaunchError, Surroundings, utf8};
use crate::core::{
    id::ServiceName,
    interpolate::{ProjectField, Reference, ServiceField, Template},
    plan::{Plan, PortSpec, ServicePlan},
    provision::{Access, Provision},
};

/// The address that services are reached at.
const HOST: &str = "127.0.0.1";

/// Ports and URLs of the services of a plan.
pub(super) struct Ports<'a, 's> {
    pub(super) plan: &'a Plan,
    pub(super) around: &'a Surroundings<'s>,
}

/// Where templates find their values.
pub(super) struct Render<'a, 's> {
    pub(super) ports: &'a Ports<'a, 's>,
    pub(super) env: &'a BTreeMap<String, String>,
    /// Variables that win over those of `env`.
    pub(super) injected: &'a BTreeMap<String, String>,
}

impl Ports<'_, '_> {
    /// The port of a service, if it is of those that have one.
    pub(super) fn of(&self, service: &ServicePlan) -> Result<Option<u16>, LaunchError> {
        match service.port {
            PortSpec::None => Ok(None),
            PortSpec::Fixed(port) => Ok(Some(port)),
            PortSpec::Assigned => match (self.around.port_of)(&service.name) {
                Some(port) => Ok(Some(port)),
                None => Err(LaunchError::NoPort(service.name.clone())),
            },
        }
    }

    /// The URL of a service for people: the proxy's, or while there is none the direct one.
    pub(super) fn public_url(&self, name: &ServiceName, port: u16) -> Result<String, LaunchError> {
        match (self.around.public_url)(name) {
            Some(url) => Ok(url),
            None => self.direct_url(name, port),
        }
    }

    /// The URL of a service without any proxy, with all that is needed to get in.
    pub(super) fn direct_url(&self, name: &ServiceName, port: u16) -> Result<String, LaunchError> {
        if self.plan.service(name).is_none_or(|service| service.provision().is_none()) {
            return Ok(format!("http://{HOST}:{port}"));
        }
        self.provided(name, |of, password| of.url(Access { port, password }))
    }

    /// Something about a server that locald provides, made of what is asked of it and its password.
    pub(super) fn provided<T: Default>(
        &self,
        name: &ServiceName,
        make: impl FnOnce(&Provision, &str) -> T,
    ) -> Result<T, LaunchError> {
        let provision = self.plan.service(name).and_then(ServicePlan::provision);
        // That others have none has been checked with the configuration.
        let Some(provision) = provision else { return Ok(T::default()) };
        let password = (self.around.password_of)(name, provision.product);
        let known = password.map(|password| make(provision, &password));
        known.map_err(|why| LaunchError::NoPassword { service: name.clone(), why })
    }
}

impl Render<'_, '_> {
    /// The text of a template; `place` is the key it is the value of.
    pub(super) fn template(&self, template: &Template, place: &str) -> Result<String, LaunchError> {
        template.render(|reference| self.fill(reference, place))
    }

    /// The texts of some templates.
    pub(super) fn all(
        &self,
        templates: &[Template],
        place: &str,
    ) -> Result<Vec<String>, LaunchError> {
        templates.iter().map(|template| self.template(template, place)).collect()
    }

    fn fill(&self, reference: &Reference, place: &str) -> Result<String, LaunchError> {
        match reference {
            Reference::Service(name, field) => self.service(name, *field),
            Reference::Project(field) => {
                let plan = self.ports.plan;
                Ok(match field {
                    ProjectField::Name => plan.project.to_string(),
                    ProjectField::Dir => utf8(self.ports.around.dir)?.to_owned(),
                    ProjectField::Domain => plan.domain.clone(),
                })
            }
            Reference::Env(name, default) => {
                let value = self.injected.get(&**name).or_else(|| self.env.get(&**name));
                match (value, default) {
                    // As in a shell, `:-` also replaces what is empty.
                    (Some(value), default) if !value.is_empty() || default.is_none() => {
                        Ok(value.clone())
                    }
                    (_, Some(default)) => Ok(default.as_ref().to_owned()),
                    (_, None) => {
                        Err(LaunchError::Unset { name: name.to_string(), place: place.to_owned() })
                    }
                }
            }
        }
    }

    fn service(&self, name: &ServiceName, field: ServiceField) -> Result<String, LaunchError> {
        let service = self.ports.plan.service(name);
        let port = service.map_or(Ok(None), |service| self.ports.of(service))?;
        let port = port.ok_or_else(|| LaunchError::NoPort(name.clone()))?;
        Ok(match field {
            ServiceField::Port => port.to_string(),
            ServiceField::Host => HOST.to_owned(),
            ServiceField::Url => self.ports.direct_url(name, port)?,
            ServiceField::PublicUrl => self.ports.public_url(name, port)?,
            ServiceField::User => self.ports.provided(name, |of, _| of.user.clone())?,
            ServiceField::Password => self.ports.provided(name, |_, it| it.to_owned())?,
            ServiceField::Database => self.ports.provided(name, |of, _| of.database.clone())?,
        })
    }
}
