//~ E0451
use countersign::a2a::{A2aError, Message};
use countersign::server::{AgentExecutor, EventQueue, RequestContext};

pub async fn run(
    executor: &dyn AgentExecutor,
    admitted: RequestContext,
    message: Message,
    events: EventQueue,
) -> Result<(), A2aError> {
    let context = RequestContext { message, ..admitted };
    executor.execute(context, events).await
}
