//! An agent that makes events on demand.

use countersign::a2a::{A2aError, Artifact, ErrorKind, Part};
use countersign::server::{AgentExecutor, EventQueue, RequestContext, async_trait};

/// How many events are put in before the store and the streams have them: as a model that makes
/// words faster than they are sent.
const BATCH: u64 = 16;

/// Asks for input: the task then waits, and nobody works on it.
pub(crate) const WAIT: &str = "wait";
/// Works until the task is canceled.
pub(crate) const WORK: &str = "work";
/// Shows a number of artifacts with the same ID, each in place of the one before.
pub(crate) const REPLACE: &str = "replace";
/// Shows pieces of one artifact.
pub(crate) const APPEND: &str = "append";

/// Does what the message says: one of the words, and how often.
pub(crate) struct Obedient;

#[async_trait]
impl AgentExecutor for Obedient {
    async fn execute(&self, ctx: RequestContext, events: EventQueue) -> Result<(), A2aError> {
        let text = ctx.text();
        let mut words = text.split(' ');
        let word = words.next().unwrap_or_default();
        let count = words.next().and_then(|n| n.parse().ok()).unwrap_or(0);
        match word {
            WAIT => {
                events.input_required("Which day?");
            }
            WORK => {
                events.working();
                ctx.cancelled().await;
            }
            REPLACE | APPEND => {
                let mut artifact = Artifact::new(Part::text("w".repeat(64)));
                artifact.artifact_id = "answer".into();
                for n in 0..count {
                    events.artifact_piece(artifact.clone(), word == APPEND && n > 0, false);
                    if n % BATCH == BATCH - 1 {
                        events.flushed().await;
                    }
                }
                events.complete(None);
            }
            _ => return Err(A2aError::new(ErrorKind::InvalidParams, "What?")),
        }
        Ok(())
    }
}
