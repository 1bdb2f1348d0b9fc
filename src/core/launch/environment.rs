//! The environment of a service, layer by layer (SPEC §2).

use std::collections::BTreeMap;

use super::{LaunchError, Ports, Render, utf8};
use crate::core::{
    env_file,
    plan::{Env, EnvFiles, ServicePlan},
    provision::{Access, Provision},
};

type Variables = BTreeMap<String, String>;

/// Variables of one process alone: another one's, inherited, would be lies.
const OWN: [&str; 7] = [
    "PORT",
    "NOTIFY_SOCKET",
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
    "LOCALD_PROJECT",
    "LOCALD_SERVICE",
    "LOCALD_URL",
];

/// The root certificates of Node, besides its own.
const NODE_CA: &str = "NODE_EXTRA_CA_CERTS";

/// The environment of what belongs to no service.
pub(super) fn of_project(ports: &Ports<'_, '_>) -> Result<Variables, LaunchError> {
    let name = ports.plan.project.to_string();
    let injected = Variables::from([("LOCALD_PROJECT".to_owned(), name)]);
    let mut env = shared(ports, |_| true, &injected)?;
    env.extend(injected);
    Ok(env)
}

/// The whole environment. A template sees the layers below its own, and what locald injects.
pub(super) fn resolve(
    ports: &Ports<'_, '_>,
    service: &ServicePlan,
    port: Option<u16>,
) -> Result<Variables, LaunchError> {
    let injected = injected(ports, service, port)?;
    let shown = |name: &str| !service.hidden.iter().any(|hidden| &**hidden == name);
    let mut env = shared(ports, shown, &injected)?;
    service.env_files.iter().try_for_each(|path| read(ports, path, true, &mut env))?;
    overlay(ports, &service.env, |_| true, &injected, &mut env)?;
    env.extend(injected);
    if service.tty {
        env.entry("TERM".to_owned()).or_insert_with(|| "xterm-256color".to_owned());
    }
    Ok(env)
}

/// The layers of the caller and the project, of whose variables only those that are `shown`.
fn shared(
    ports: &Ports<'_, '_>,
    shown: impl Fn(&str) -> bool,
    injected: &Variables,
) -> Result<Variables, LaunchError> {
    let plan = ports.plan;
    let mut env = ports.around.caller_env.clone();
    env.retain(|name, _| !OWN.contains(&name.as_str()));
    if let Some(ca) = ports.around.ca {
        // Node trusts no store of the system. Whoever sets it elsewhere knows better.
        let ca = utf8(ca)?;
        env.entry(NODE_CA.to_owned()).or_insert_with(|| ca.to_owned());
    }
    match &plan.env_files {
        EnvFiles::Default => read(ports, ".env", false, &mut env)?,
        EnvFiles::Named(paths) => {
            paths.iter().try_for_each(|path| read(ports, path, true, &mut env))?;
        }
    }
    overlay(ports, &plan.env, shown, injected, &mut env)?;
    Ok(env)
}

fn injected(
    ports: &Ports<'_, '_>,
    service: &ServicePlan,
    port: Option<u16>,
) -> Result<Variables, LaunchError> {
    let socket = utf8(ports.around.notify_socket)?.to_owned();
    let mut variables = vec![
        ("NOTIFY_SOCKET", socket),
        ("LOCALD_PROJECT", ports.plan.project.to_string()),
        ("LOCALD_SERVICE", service.name.to_string()),
    ];
    if let Some(port) = port {
        variables.push(("PORT", port.to_string()));
        variables.push(("LOCALD_URL", ports.public_url(&service.name, port)?));
        let access = |of: &Provision, password: &str| of.client_env(Access { port, password });
        variables.extend(ports.provided(&service.name, access)?);
    }
    if let Some(watchdog) = service.watchdog {
        variables.push(("WATCHDOG_USEC", watchdog.as_micros().to_string()));
    }
    Ok(variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn read(
    ports: &Ports<'_, '_>,
    path: &str,
    required: bool,
    env: &mut Variables,
) -> Result<(), LaunchError> {
    let Some(text) = (ports.around.files)(path) else {
        let missing = || Err(LaunchError::MissingEnvFile { path: path.to_owned() });
        return if required { missing() } else { Ok(()) };
    };
    let variables = env_file::parse(text).map_err(|why| LaunchError::BadEnvFile {
        path: path.to_owned(),
        line: why.line,
        message: why.message,
    })?;
    env.extend(variables);
    Ok(())
}

fn overlay(
    ports: &Ports<'_, '_>,
    layer: &Env,
    shown: impl Fn(&str) -> bool,
    injected: &Variables,
    env: &mut Variables,
) -> Result<(), LaunchError> {
    let render = Render { ports, env, injected };
    let mut values = Vec::with_capacity(layer.len());
    for (name, template) in layer.iter().filter(|(name, _)| shown(name)) {
        let value = render.template(template, &format!("env.{name}"))?;
        values.push((name.to_string(), value));
    }
    env.extend(values);
    Ok(())
}
