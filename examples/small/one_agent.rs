//! A whole agent: its certificate, its policy, its card and what it does.

use std::error::Error;
use std::sync::Arc;

use countersign::a2a::{A2aError, AgentSkill, Part};
use countersign::audit::MemoryLog;
use countersign::authority::{Authority, AuthorityConfig};
use countersign::clock::SystemClock;
use countersign::policy::Policy;
use countersign::server::{Agent, AgentExecutor, EventQueue, RequestContext, async_trait};
use countersign::tls;

struct Greeter;

#[async_trait]
impl AgentExecutor for Greeter {
    async fn execute(&self, ctx: RequestContext, events: EventQueue) -> Result<(), A2aError> {
        events.reply(Part::text(format!("Hello, {}.", ctx.caller())));
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let config = AuthorityConfig::new("demo.example".parse()?).agent("greeter", "greet".parse()?);
    let authority = Authority::start(
        config,
        Arc::new(SystemClock),
        Arc::new(MemoryLog::default()),
    )
    .await?;
    let workload = tls::enrol(authority.enrol("greeter")?, Arc::new(SystemClock)).await?;
    let policy = Policy::from_toml(include_str!("one_agent.toml"))?;
    let agent = Agent::new(
        "greeter",
        "Says hello",
        workload,
        authority.oauth_endpoint(),
    )
    .skill(AgentSkill::new("greet", "Greet", "Says hello").tagged(["hello"]))
    .policy(policy)
    .serve("127.0.0.1:0", Greeter)
    .await?;
    // It may call itself: the policy above says so.
    let call = agent.client().on_own_behalf().call(agent.peer());
    println!("{}", call.send("Good morning").await?.text());
    Ok(())
}
