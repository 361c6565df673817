//! An executor that does what the message says.

use countersign::a2a::{A2aError, Artifact, ErrorKind, Part};
use countersign::server::{AgentExecutor, EventQueue, RequestContext, async_trait};

/// Does what the message says; what it does not know it answers with who calls.
pub(crate) struct Obedient;

#[async_trait]
impl AgentExecutor for Obedient {
    async fn execute(&self, ctx: RequestContext, events: EventQueue) -> Result<(), A2aError> {
        match ctx.text().as_str() {
            "task" => {
                events.working();
                events.artifact(Artifact::new(Part::text("the result")));
                events.complete(Some(Part::text("done")));
            }
            "wait" => {
                events.working();
                ctx.cancelled().await;
            }
            "ask" => {
                events.input_required("Which day?");
            }
            "fail" => {
                events.fail("no train");
            }
            "steer" => {
                events.reply("a\u{1b}[2Jb\u{202e}c\nd");
            }
            "error" => return Err(A2aError::new(ErrorKind::ContentTypeNotSupported, "no")),
            _ => {
                events.reply(format!("for {}", ctx.caller()));
            }
        }
        Ok(())
    }
}
