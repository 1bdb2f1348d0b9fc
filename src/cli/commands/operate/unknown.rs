//! Names that no service has.

use crate::{
    cli::error::Error,
    core::{near::did_you_mean, plan::Plan},
};

/// Refuses names that the configuration does not have, before a daemon is asked.
pub fn refuse_unknown(plan: &Plan, services: &[String]) -> Result<(), Error> {
    match services.iter().find(|name| plan.service(name).is_none()) {
        None => Ok(()),
        Some(name) => {
            let names = plan.services.iter().map(|service| service.name.as_str());
            Err(no_such_service(&plan.project, name, names))
        }
    }
}

/// The error that a name which no service has is.
pub fn no_such_service<'a>(
    project: &str,
    name: &str,
    names: impl Iterator<Item = &'a str>,
) -> Error {
    let names: Vec<&str> = names.collect();
    let all = || format!("its services are {}", names.join(", "));
    let hint = did_you_mean(name, names.iter().copied()).unwrap_or_else(all);
    Error::usage(format!("{project} has no service `{name}`")).hinted(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_nearly_right_is_suggested() {
        let hint = |name| no_such_service("shop", name, ["web", "worker"].into_iter()).hints;
        assert_eq!(hint("wrker"), ["did you mean `worker`?"]);
        assert_eq!(hint("database"), ["its services are web, worker"]);
    }
}
