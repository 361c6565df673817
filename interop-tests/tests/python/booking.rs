//! The agent that Python calls.

use std::sync::Arc;

use countersign::a2a::{A2aError, AgentSkill};
use countersign::audit::{AuditLog, MemoryLog, Record};
use countersign::httpsig::DIRECTORY_PATH;
use countersign::policy::Policy;
use countersign::server::{
    Agent, AgentExecutor, EventQueue, RequestContext, RunningAgent, async_trait,
};
use libtest_mimic::Failed;

use super::world::{SCOPE, World};

/// A running agent; it stops when this is dropped.
pub(crate) struct Booking {
    /// Where its card is served, without a trailing slash.
    pub(crate) url: String,
    /// The https URL of the caller's key directory.
    pub(crate) signature_agent: String,
    log: Arc<MemoryLog>,
    _agent: RunningAgent,
}

impl Booking {
    /// What it decided, oldest first.
    pub(crate) fn records(&self) -> Vec<Record> {
        self.log.records()
    }
}

/// Says who called, and repeats what was said.
struct Repeat;

#[async_trait]
impl AgentExecutor for Repeat {
    async fn execute(&self, ctx: RequestContext, events: EventQueue) -> Result<(), A2aError> {
        events.reply(format!("{} wants {}", ctx.caller(), ctx.text()));
        Ok(())
    }
}

/// Starts the agent on the loopback interface, as the workload `world.booking`, for callers whose
/// token `world.authority` issued.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn start_booking(world: &World) -> Result<Booking, Failed> {
    let planner = world.planner.id();
    let policy = Policy::from_toml(&format!(
        "[agents]\n\"{planner}\" = {{ role = \"planner\" }}\n[roles.planner]\n\
         operations = [\"SendMessage\", \"SendStreamingMessage\"]\nskills = [\"book\"]\n\
         scopes = [\"{SCOPE}\"]\n[skills.book]\nscopes = [\"{SCOPE}\"]\nneeds_user = true\n"
    ))?;
    let log = Arc::new(MemoryLog::default());
    let authority = world.authority.oauth_endpoint();
    let agent = Agent::new("booking", "Books rooms", world.booking.clone(), authority)
        .skill(AgentSkill::new("book", "Book", "Books rooms").tagged(["travel"]))
        .policy(policy)
        .audit(log.clone() as Arc<dyn AuditLog>);
    let agent = world.runtime.block_on(agent.serve("127.0.0.1:0", Repeat))?;
    Ok(Booking {
        url: agent.peer().origin().to_owned(),
        signature_agent: format!("https://planner.travel.example{DIRECTORY_PATH}"),
        log,
        _agent: agent,
    })
}
