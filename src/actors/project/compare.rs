//! What a new configuration changes for the services that there are.

use std::collections::BTreeSet;

use super::Team;
use crate::{
    actors::{
        context::ServiceContext,
        process::{self, EnvTexts},
    },
    core::{
        launch::Launch,
        plan::{Plan, ServicePlan},
    },
    supervision::{engine::Phase, graph::Id},
};

/// What a configuration changes.
#[derive(Debug, Default)]
pub(super) struct Differences {
    /// The services that are not, or do not run, as they should: they restart if they are wanted.
    pub(super) changed: BTreeSet<Id>,
    /// The services that were not there before.
    new: Vec<String>,
    /// The services that are not there any more.
    gone: Vec<String>,
    /// Why it is not known how some services should run: those go on as they are.
    wrong: BTreeSet<String>,
}

impl Team {
    /// What `plan`, which is in effect now, changes.
    pub(super) fn differences(&self, before: &Plan, plan: &Plan) -> Differences {
        let mut found = Differences::default();
        let mut texts = EnvTexts::default();
        for service in &plan.services {
            let known = before.service(&service.name);
            if known.is_none() {
                found.new.push(service.name.to_string());
            }
            match self.is_changed(&mut texts, known, service) {
                Ok(false) => {}
                Ok(true) => drop(found.changed.insert(service.name.as_str().into())),
                Err(why) => drop(found.wrong.insert(why)),
            }
        }
        let gone = before.services.iter().filter(|old| plan.service(&old.name).is_none());
        found.gone = gone.map(|service| service.name.to_string()).collect();
        found
    }

    /// Whether a running service would be launched otherwise than it was, or one that does not run
    /// is not as it was: an edit clears the counters of one that has given up.
    fn is_changed(
        &self,
        texts: &mut EnvTexts,
        before: Option<&ServicePlan>,
        service: &ServicePlan,
    ) -> Result<bool, String> {
        let context = &self.services[&service.name];
        let phase = self.nursery.engine().phase(&service.name.as_str().into());
        if let Some(running) = context.running.load_full() {
            // One that is on its way down comes back under the plan that is in effect then.
            if matches!(phase, Phase::Stopping { .. }) {
                return Ok(false);
            }
            let launch = self.launch(texts, context)?;
            return Ok(running.pty != service.tty || differs(launch, &running.launch));
        }
        if before != Some(service) {
            return Ok(true);
        }
        if !matches!(phase, Phase::GaveUp | Phase::Backoff) {
            return Ok(false);
        }
        // An earlier daemon has tried it: all there is to compare is its plan, which is the same.
        let Some(tried) = context.tried.load_full() else { return Ok(false) };
        // What it lacks is told where it fails.
        let Ok(launch) = self.launch(texts, context) else { return Ok(false) };
        Ok(differs(launch, &tried.launch))
    }

    /// What would be launched now, for the client that it was launched for.
    fn launch(&self, texts: &mut EnvTexts, context: &ServiceContext) -> Result<Launch, String> {
        let tried = context.tried.load();
        let caller =
            tried.as_ref().map_or_else(|| self.context.caller.load_full(), |t| t.caller.clone());
        let ports = self.context.ports.load();
        process::resolve_with(texts, &self.context, &context.name, &ports, &caller.env)
    }

    /// Shows whether all of the configuration is in effect.
    pub(super) fn judge(&self, differences: &Differences) {
        if differences.wrong.is_empty() {
            return self.context.accept();
        }
        let wrong: Vec<&str> = differences.wrong.iter().map(String::as_str).collect();
        self.context.refuse(&wrong.join("\n"));
    }

    /// Says what a new configuration does.
    pub(super) fn tell_differences(&self, differences: &Differences) {
        let engine = self.nursery.engine();
        if engine.plans() == 0 {
            return;
        }
        let restarts = differences.changed.iter().filter(|id| engine.wanted(id));
        let restarts: Vec<Id> = restarts.cloned().collect();
        self.give_reason(&restarts, "restarted by an edit of its configuration");
        let restarts: Vec<String> = restarts.iter().map(ToString::to_string).collect();
        let parts =
            [("restarts", &restarts), ("new", &differences.new), ("gone", &differences.gone)];
        let some = parts.iter().filter(|(_, names)| !names.is_empty());
        let words: Vec<String> =
            some.map(|(word, names)| format!("{word}: {}", names.join(", "))).collect();
        let words = if words.is_empty() { "restarts nothing".to_owned() } else { words.join("; ") };
        self.context.event("reloaded", Some(words));
    }
}

/// Whether a service would be launched otherwise. Its own URL does not count: it changes its scheme
/// when the CA comes to be trusted, which is no reason to restart anything.
fn differs(mut launch: Launch, before: &Launch) -> bool {
    const URL: &str = "LOCALD_URL";
    if let (Some(new), Some(old)) = (launch.env.get_mut(URL), before.env.get(URL)) {
        new.clone_from(old);
    }
    launch != *before
}
