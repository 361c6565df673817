//! The four agents and what they do: front-desk → planner → booking → payments.

use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use countersign::a2a::{A2aError, AgentSkill, Part};
use countersign::audit::AuditLog;
use countersign::authority::Authority;
use countersign::client::{ClientError, Peer};
use countersign::policy::Policy;
use countersign::server::{
    Agent, AgentExecutor, EventQueue, RequestContext, RunningAgent, async_trait,
};
use countersign::tls;
use countersign::token::Scopes;

use crate::show::Hop;

pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// What alice grants when she logs in; `payments:refund` goes beyond what booking may ask for.
pub(crate) const GRANTED: &str = "trip:plan trip:book payments:charge payments:refund";

const POLICY: &str = include_str!("policy.toml");

/// What the agents saw, in the order in which they were called.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen(Arc<Mutex<Vec<Hop>>>);

impl Seen {
    fn lock(&self) -> MutexGuard<'_, Vec<Hop>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, hop: Hop) {
        self.lock().push(hop);
    }

    /// How long the caller of `at` waited for its answer.
    pub(crate) fn took(&self, at: &str, took: Duration) {
        if let Some(hop) = self.lock().iter_mut().find(|hop| hop.at == at) {
            hop.took = took;
        }
    }

    pub(crate) fn hops(&self) -> Vec<Hop> {
        self.lock().clone()
    }
}

/// An agent that does one thing and then asks the next one.
struct Step {
    name: &'static str,
    does: &'static str,
    next: Option<(Peer, &'static str, &'static str)>,
    seen: Seen,
}

#[async_trait]
impl AgentExecutor for Step {
    async fn execute(&self, ctx: RequestContext, events: EventQueue) -> Result<(), A2aError> {
        let hop = Hop::of(self.name, &ctx)?;
        self.seen.add(hop);
        let mut done = format!("{} ({})", self.does, ctx.caller());
        if let Some((peer, skill, scopes)) = &self.next {
            let began = Instant::now();
            let asked = ctx
                .on_behalf_of_caller()?
                .call(peer)
                .skill(*skill)
                .scopes(parse_scopes(scopes)?)
                .send(ctx.text())
                .await;
            let answer = asked.map_err(failed)?;
            self.seen.took(peer.id().short_name(), began.elapsed());
            done = format!("{done}; {}", answer.text());
        }
        events.reply(Part::text(done));
        Ok(())
    }
}

fn parse_scopes(text: &str) -> Result<Scopes, A2aError> {
    text.parse().map_err(|_| A2aError::internal())
}

/// The caller learns that the next agent did not do its part, not why.
fn failed(error: ClientError) -> A2aError {
    eprintln!("a downstream call failed: {error}");
    A2aError::internal()
}

/// The running agents, front-desk first.
pub(crate) struct Agents {
    pub(crate) front_desk: RunningAgent,
    pub(crate) planner: RunningAgent,
    pub(crate) booking: RunningAgent,
    pub(crate) payments: RunningAgent,
    pub(crate) seen: Seen,
}

impl Agents {
    pub(crate) fn all(&self) -> [&RunningAgent; 4] {
        [
            &self.front_desk,
            &self.planner,
            &self.booking,
            &self.payments,
        ]
    }
}

/// Starts the four, the last one first since each is told where the next one is.
pub(crate) async fn start(
    authority: &Authority,
    log: &Arc<dyn AuditLog>,
) -> Result<Agents, Failure> {
    let policy = Arc::new(Policy::from_toml(POLICY)?);
    let seen = Seen::default();
    let begin = |name: &'static str, does, next| {
        let (policy, log, seen) = (policy.clone(), log.clone(), seen.clone());
        async move {
            let (id, title, about) = skill_of(name);
            let workload = tls::enrol(authority.enrol(name)?).await?;
            let agent = Agent::new(name, about, workload, authority.oauth_endpoint())
                .skill(AgentSkill::new(id, title, about).tagged(["travel"]))
                .policy(policy)
                .audit(log);
            let step = Step {
                name,
                does,
                next,
                seen,
            };
            Ok::<_, Failure>(agent.serve("127.0.0.1:0", step).await?)
        }
    };
    let payments = begin("payments", "charged 84.00", None).await?;
    let next = (payments.peer().clone(), "charge", "payments:charge");
    let booking = begin("booking", "booked the 10:02 to Bern", Some(next)).await?;
    let next = (booking.peer().clone(), "book", "trip:book payments:charge");
    let planner = begin("planner", "found a train", Some(next)).await?;
    // Nobody calls front-desk over A2A here: alice does, and it calls for her.
    let front_desk = begin("front-desk", "", None).await?;
    Ok(Agents {
        front_desk,
        planner,
        booking,
        payments,
        seen,
    })
}

fn skill_of(agent: &str) -> (&'static str, &'static str, &'static str) {
    match agent {
        "payments" => ("charge", "Charge", "Charges the traveller's card"),
        "booking" => ("book", "Book", "Books trains and rooms"),
        "planner" => ("plan", "Plan", "Plans a trip"),
        _ => ("trip", "Trip", "Takes travellers' wishes"),
    }
}
