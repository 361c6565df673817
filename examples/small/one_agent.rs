//! A whole agent: its certificate, its policy, its card and what it does.
use countersign::a2a::{A2aError, AgentSkill};
use countersign::authority::AuthorityConfig;
use countersign::server::async_trait;
use countersign::{Agent, AgentExecutor, EventQueue, Policy, RequestContext, enrol};

struct Greeter;

#[async_trait]
impl AgentExecutor for Greeter {
    async fn execute(&self, ctx: RequestContext, events: EventQueue) -> Result<(), A2aError> {
        events.reply(format!("Hello, {}.", ctx.caller()));
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let config = AuthorityConfig::new("demo.example".parse()?).agent("greeter", "greet".parse()?);
    let authority = config.start().await?;
    let workload = enrol(authority.enrol("greeter")?).await?;
    let skill = AgentSkill::new("greet", "Greet", "Says hello").tagged(["hello"]);
    let agent = Agent::new(
        "greeter",
        "Says hello",
        workload,
        authority.oauth_endpoint(),
    )
    .skill(skill)
    .policy(Policy::from_toml(include_str!("one_agent.toml"))?)
    .serve("127.0.0.1:0", Greeter)
    .await?;
    // The policy lets it call itself, for nobody else.
    let call = agent.client().on_own_behalf().call(agent.peer());
    println!("{}", call.send("Good morning").await?.text());
    Ok(())
}
