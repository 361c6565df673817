//! What an agent does: the trait it implements.

use async_trait::async_trait;

use super::context::{RequestContext, ResumeContext};
use super::events::EventQueue;
use crate::a2a::{A2aError, ErrorKind, Task};

/// An agent's own code. It is reached only with a [`RequestContext`], which only a call that was let
/// in has.
///
/// ```
/// use countersign::a2a::A2aError;
/// use countersign::server::{AgentExecutor, EventQueue, RequestContext, async_trait};
///
/// #[derive(Debug)]
/// struct Greeter;
///
/// #[async_trait]
/// impl AgentExecutor for Greeter {
///     async fn execute(&self, ctx: RequestContext, events: EventQueue) -> Result<(), A2aError> {
///         events.reply(format!("Hello, {}.", ctx.caller()));
///         Ok(())
///     }
/// }
/// ```
///
/// One that must ask first, and then goes on where it was:
///
/// ```
/// # use countersign::a2a::{A2aError, Part};
/// # use countersign::server::{AgentExecutor, EventQueue, RequestContext, async_trait};
/// # struct Booker;
/// # #[async_trait]
/// # impl AgentExecutor for Booker {
/// async fn execute(&self, ctx: RequestContext, events: EventQueue) -> Result<(), A2aError> {
///     events.input_required("Which day?");
///     let Some(answer) = ctx.next_message().await else {
///         return Ok(()); // canceled
///     };
///     events.complete(Some(Part::text(format!("Booked for {}", answer.text()))));
///     Ok(())
/// }
/// # }
/// ```
#[async_trait]
pub trait AgentExecutor: Send + Sync + 'static {
    /// Does what the message asks and puts what happens into `events`.
    ///
    /// It may return while the task waits for the client; the client's next message is then given to
    /// another call of it. One that has heard a message is at work on it until it says something. Once it has answered or waited for something, the task is kept, and the
    /// client's leaving does not end it.
    ///
    /// # Errors
    /// What it answers with when it cannot; a task that was begun becomes `TASK_STATE_FAILED`.
    async fn execute(&self, ctx: RequestContext, events: EventQueue) -> Result<(), A2aError>;

    /// Told when the task is canceled; [`RequestContext::cancelled`] tells a running `execute` the same.
    ///
    /// # Errors
    /// Why the task cannot be canceled; it then goes on.
    async fn cancel(&self, task: &Task) -> Result<(), A2aError> {
        let _ = task;
        Ok(())
    }

    /// Goes on with a task whose instance stopped while it worked on it. There is no caller any more:
    /// tokens are never kept, so what it does, the agent does for itself.
    ///
    /// The task may wait, by its state: then its client has answered, in the last message of its history,
    /// and the instance stopped before anything came of that.
    ///
    /// # Errors
    /// Why it cannot; the task becomes `TASK_STATE_FAILED` with that word. By default it cannot.
    async fn resume(&self, ctx: ResumeContext, events: EventQueue) -> Result<(), A2aError> {
        let _ = (ctx, events);
        let why = "The task was interrupted by a restart of the agent";
        Err(A2aError::new(ErrorKind::Internal, why))
    }
}
