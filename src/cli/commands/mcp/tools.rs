//! The tools: their names, what an agent is told of them, and what they do.

use std::sync::Arc;

use rmcp::{
    model::{self, JsonObject, ToolAnnotations},
    schemars::JsonSchema,
};

use super::{
    answer::Answer,
    arguments::{
        self, Events, Logs, Named, Nothing, Requests, Restart, Scope, Services, Start, Wait,
    },
    operate, read,
};
use crate::cli::{commands::operate::Verb, context::Context, error::Error};

/// What an agent may call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Tool {
    Status,
    Logs,
    Why,
    Events,
    Requests,
    Tree,
    Graph,
    Check,
    Wait,
    Up,
    Start,
    Restart,
    Stop,
}

impl Tool {
    pub(super) const ALL: [Self; 13] = [
        Self::Status,
        Self::Logs,
        Self::Why,
        Self::Events,
        Self::Requests,
        Self::Tree,
        Self::Graph,
        Self::Check,
        Self::Wait,
        Self::Up,
        Self::Start,
        Self::Restart,
        Self::Stop,
    ];

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tool| tool.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Logs => "logs",
            Self::Why => "why",
            Self::Events => "events",
            Self::Requests => "requests",
            Self::Tree => "tree",
            Self::Graph => "graph",
            Self::Check => "check",
            Self::Wait => "wait",
            Self::Up => "up",
            Self::Start => "start",
            Self::Restart => "restart",
            Self::Stop => "stop",
        }
    }

    /// What it does with these arguments.
    pub(super) async fn call(
        self,
        context: &Arc<Context>,
        arguments: JsonObject,
    ) -> Result<Answer, Error> {
        let given = arguments;
        match self {
            Self::Status => read::status(context, &arguments::take(given)?).await,
            Self::Logs => read::logs(context, &arguments::take(given)?).await,
            Self::Why => read::why(context, &arguments::take(given)?).await,
            Self::Events => read::events(context, &arguments::take(given)?).await,
            Self::Requests => read::requests(context, &arguments::take(given)?).await,
            Self::Tree => read::tree(context, &arguments::take(given)?).await,
            Self::Graph => arguments::take(given).and_then(|Nothing {}| read::graph()),
            Self::Check => arguments::take(given).and_then(|Nothing {}| read::check()),
            Self::Wait => operate::wait(context, arguments::take(given)?).await,
            Self::Up => operate::up(context, &arguments::take(given)?).await,
            Self::Start => {
                operate::start(context, Verb::Start, &arguments::take(given)?, false).await
            }
            Self::Restart => {
                let Restart { services, cascade, timeout, no_wait } = arguments::take(given)?;
                let start = Start { services, timeout, no_wait };
                operate::start(context, Verb::Restart, &start, cascade).await
            }
            Self::Stop => operate::stop(context, &arguments::take(given)?).await,
        }
    }

    /// What an agent is told of it.
    pub(super) fn definition(self) -> model::Tool {
        match self {
            Self::Status => self.reads::<Scope>(
                "The services of the project: state, process, port, URL, restarts, last exit, and the \
                 reason for anything that is not healthy.",
            ),
            Self::Logs => self.reads::<Logs>(
                "What services wrote, the newest last. Long lines are cut; `left_out` counts older lines \
                 for which there was no room.",
            ),
            Self::Why => self.reads::<Named>(
                "Why a service is in its state: what it waits for, how its last processes ended, how often \
                 it was restarted, who started or stopped it last, and its last lines.",
            ),
            Self::Events => self.reads::<Events>(
                "What happened to the services, the newest last: starts, exits, restarts, edits of the \
                 configuration. `seq` of the last one is the `after` of the next call.",
            ),
            Self::Requests => self.reads::<Requests>(
                "The last HTTP requests that the services were asked through the proxy, with the status and \
                 the time of their answers.",
            ),
            Self::Tree => self.reads::<Scope>("The live supervision tree."),
            Self::Graph => self.reads::<Nothing>(
                "Which service depends on which, from the configuration. Needs no daemon.",
            ),
            Self::Check => self.reads::<Nothing>(
                "All errors of the configuration, with file, line, column and help. Needs no daemon.",
            ),
            Self::Wait => self.reads::<Wait>(
                "Waits until services are healthy (tasks: completed); fails at once when one of them is \
                 stopped or has failed.",
            ),
            Self::Up => self.changes::<Start>(
                "Starts the project, and locald's daemon if there is none, and waits until all is healthy. \
                 Where a service fails, says why and what it wrote last.",
                |it| it.destructive(false).idempotent(true),
            ),
            Self::Start => self.changes::<Start>(
                "Starts services and what they depend on, and waits until they are healthy.",
                |it| it.destructive(false).idempotent(true),
            ),
            Self::Restart => self.changes::<Restart>(
                "Restarts services, clears their counters of failures, and waits until they are healthy \
                 again. One that was given up on is tried again.",
                |it| it.destructive(true).idempotent(false),
            ),
            Self::Stop => self.changes::<Services>(
                "Stops services, those that need them first, and waits until all their processes are gone.",
                |it| it.destructive(true).idempotent(true),
            ),
        }
    }

    fn reads<T: JsonSchema + 'static>(self, description: &'static str) -> model::Tool {
        self.with::<T>(description, ToolAnnotations::new().read_only(true))
    }

    fn changes<T: JsonSchema + 'static>(
        self,
        description: &'static str,
        how: impl FnOnce(ToolAnnotations) -> ToolAnnotations,
    ) -> model::Tool {
        self.with::<T>(description, how(ToolAnnotations::new().read_only(false)))
    }

    fn with<T: JsonSchema + 'static>(
        self,
        description: &'static str,
        annotations: ToolAnnotations,
    ) -> model::Tool {
        let mut tool = model::Tool::new(self.name(), description, JsonObject::new())
            .with_input_schema::<T>()
            .with_annotations(annotations.open_world(false));
        // Some clients want them also where there are none.
        Arc::make_mut(&mut tool.input_schema)
            .entry("properties")
            .or_insert_with(|| JsonObject::new().into());
        tool
    }
}
