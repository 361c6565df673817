//! An agent that needs more authority in the middle of a task: it asks, and its caller decides.
use countersign::a2a::{A2aError, AgentSkill, Part};
use countersign::authority::AuthorityConfig;
use countersign::card::AuthorizationRequest;
use countersign::server::async_trait;
use countersign::token::Scopes;
use countersign::{Agent, AgentExecutor, Client, EventQueue, Policy, RequestContext, enrol};

struct Booking;

#[async_trait]
impl AgentExecutor for Booking {
    async fn execute(&self, ctx: RequestContext, events: EventQueue) -> Result<(), A2aError> {
        let pay: Scopes = "trip:pay".parse().map_err(|_| A2aError::internal())?;
        events.auth_required(&AuthorizationRequest::new(pay.clone(), "It costs 80 euros"));
        let Some(answer) = ctx.next_message().await else {
            return Ok(()); // canceled
        };
        // What the answer says is no authority; the token that it came with is.
        let call = answer.admitted();
        if call.is_some_and(|call| pay.is_subset(call.caller().scopes())) {
            events.complete(Some(Part::text("Booked and paid")));
        } else {
            events.reject("Not without paying");
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let both: Scopes = "trip:book trip:pay".parse()?;
    let config = AuthorityConfig::new("demo.example".parse()?)
        .agent("desk", both.clone())
        .agent("booking", "".parse()?)
        .user("alice", both.clone())
        .login("desk");
    let authority = config.start().await?;
    let workload = enrol(authority.enrol("booking")?).await?;
    let skill = AgentSkill::new("book", "Book", "Books trains").tagged(["travel"]);
    let agent = Agent::new("booking", "Books", workload, authority.oauth_endpoint())
        .skill(skill)
        .policy(Policy::from_toml(include_str!("ask_first.toml"))?)
        .serve("127.0.0.1:0", Booking)
        .await?;

    let workload = enrol(authority.enrol("desk")?).await?;
    let desk = Client::new(workload, authority.oauth_endpoint())?;
    let alice = desk.oauth().login("alice", &both).await?;
    let for_alice = desk.on_behalf_of_user(alice);
    // The first token has what the skill needs, and no more.
    let answer = for_alice.call(agent.peer()).send("A train to Bern").await?;
    let (Some(request), Some(task)) = (answer.authorization_request(), answer.task()) else {
        return Err("booking did not ask".into());
    };
    println!("booking asks for {}: {}", request.scopes, request.reason);
    // Here alice would be asked. She says yes.
    let call = for_alice.call(agent.peer()).in_task(task);
    println!("{}", call.authorize(&request).await?.text());
    Ok(())
}
