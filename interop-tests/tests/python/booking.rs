//! The agent that Python calls.

use std::sync::Arc;

use countersign::a2a::{A2aError, AgentSkill, Part};
use countersign::audit::MemoryLog;
use countersign::policy::Policy;
use countersign::server::{
    Agent, AgentExecutor, EventQueue, RequestContext, RunningAgent, async_trait,
};
use libtest_mimic::Failed;

use super::world::{SCOPE, World};

/// The running agent and its record.
pub(crate) struct Running {
    agent: RunningAgent,
    log: Arc<MemoryLog>,
}

impl Running {
    pub(crate) fn url(&self) -> String {
        format!("https://{}", self.agent.local_addr())
    }

    /// Why the last call was refused, as the agent's own record has it.
    pub(crate) fn last_reason(&self) -> String {
        let records = self.log.records();
        let reason = records.last().and_then(|record| record.reason.clone());
        reason.map(|word| word.to_string()).unwrap_or_default()
    }
}

/// Starts booking on the loopback interface. Only the planner may call it, and only for a user.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn start_booking(world: &World) -> Result<Running, Failed> {
    let policy = format!(
        r#"
        [agents]
        "{planner}" = {{ role = "caller" }}
        [roles.caller]
        operations = ["SendMessage"]
        skills = ["book"]
        scopes = ["{SCOPE}"]
        [skills.book]
        scopes = ["{SCOPE}"]
        needs_user = true
        "#,
        planner = world.planner.id(),
    );
    let skill = AgentSkill::new("book", "Book", "Books rooms").tagged(["hotel"]);
    let workload = world.booking.clone();
    let log = Arc::new(MemoryLog::default());
    let authority = world.authority.oauth_endpoint();
    let agent = Agent::new("booking", "Books rooms", workload, authority)
        .skill(skill)
        .policy(Policy::from_toml(&policy)?)
        .audit(log.clone());
    let agent = agent.serve("127.0.0.1:0", Booking);
    let agent = world.runtime.block_on(agent)?;
    Ok(Running { agent, log })
}

struct Booking;

#[async_trait]
impl AgentExecutor for Booking {
    async fn execute(&self, ctx: RequestContext, events: EventQueue) -> Result<(), A2aError> {
        let answer = format!("booked {} for {}", ctx.text(), ctx.caller());
        events.reply(Part::text(answer));
        Ok(())
    }
}
