//! `locald service`: what locald provides itself.

use super::{
    add,
    operate::{Operation, Verb, refuse_unknown},
};
use crate::cli::{args, context::Context, error::Error, output, project::Project};

/// Runs the command.
pub async fn run(context: &Context, args: &args::Service) -> Result<(), Error> {
    match args {
        args::Service::Add(args) => add::run_service(context, args).await,
        args::Service::Reset(args) => reset(context, args).await,
    }
}

async fn reset(context: &Context, args: &args::Reset) -> Result<(), Error> {
    let project = Project::here()?;
    let plan = project.plan()?;
    let (name, services) = (&args.service, [args.service.clone()]);
    refuse_unknown(&plan, &services)?;
    let provision = plan.service(name).and_then(|service| service.provision());
    let Some(provision) = provision else {
        return Err(Error::usage(format!("service {name} has no data to throw away"))
            .because("it is neither of type postgres nor of type redis"));
    };
    if !args.yes {
        let title = provision.product.title();
        output::note(&format!("all data of {name} ({title}, of {}) is thrown away", plan.project));
    }
    output::agreed(args.yes)?;
    let mut client = context.daemon_or_start().await?;
    let operation = Operation {
        verb: Verb::Reset,
        project: &project,
        services: &services,
        cascade: true,
        waiting: args.waiting,
        timeout: args.timeout,
        silent: false,
    };
    operation.run(context, &mut client).await
}
