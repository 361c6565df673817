use countersign::a2a::{A2aError, Message};
use countersign::server::{AgentExecutor, EventQueue, RequestContext};

pub async fn run(
    executor: &dyn AgentExecutor,
    admitted: RequestContext,
    _message: Message,
    events: EventQueue,
) -> Result<(), A2aError> {
    executor.execute(admitted, events).await
}
