//! The server: says what it is, lists its tools, and calls them.

use std::sync::Arc;

use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, Implementation, ListToolsResult,
        PaginatedRequestParams, ServerCapabilities, ServerConfig,
    },
    service::RequestContext,
};
use tokio::sync::Semaphore;

use super::{answer, tools::Tool};
use crate::cli::{context::Context, error::Error};

/// So many calls may be under way at once.
const CALLS: usize = 16;

const INSTRUCTIONS: &str = "locald runs the services of the project in this folder and supervises \
     them. `status` shows them; for one that is not healthy, `why` gives the reason and `logs` what \
     it wrote. A service restarts by itself when it crashes, when the files it watches change, and \
     when locald.toml is edited: call `restart` only where none of this applies. Do not start \
     services by other means, they would be in the way of those that run here.";

/// The server of one client.
#[derive(Debug)]
pub(super) struct Server {
    context: Arc<Context>,
    calls: Semaphore,
}

impl Server {
    pub(super) fn new(context: Context) -> Self {
        Self { context: Arc::new(context), calls: Semaphore::new(CALLS) }
    }

    async fn call(&self, request: CallToolRequestParams) -> Result<CallToolResult, ErrorData> {
        let Some(tool) = Tool::named(&request.name) else {
            let text = format!("there is no tool `{}`", request.name);
            return Err(ErrorData::invalid_params(text, None));
        };
        let Ok(_turn) = self.calls.try_acquire() else {
            let error = Error::failed(format!("{CALLS} calls are under way already"));
            return Ok(answer::refusal(&error.hinted("wait for one of them to end")));
        };
        Ok(answer::result(tool.call(&self.context, request.arguments.unwrap_or_default()).await))
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("locald", env!("CARGO_PKG_VERSION")))
            .with_instructions(INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(Tool::ALL.map(Tool::definition).to_vec()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        tokio::select! {
            result = self.call(request) => result.map(CallToolResponse::from),
            // To break off is to look no more: what the daemon has begun, it goes on with.
            () = context.ct.cancelled() => Err(ErrorData::internal_error("cancelled", None)),
        }
    }
}
