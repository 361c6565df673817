//! Two agents, their authority, and calls from one to the other with every proof.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use countersign::a2a::{A2aError, AgentSkill, Message, Part};
use countersign::audit::{AuditLog, JsonLinesLog, MemoryLog};
use countersign::authority::{Authority, AuthorityConfig};
use countersign::card::ProtocolBinding;
use countersign::client::{Client, OnBehalfOf, Peer};
use countersign::clock::SystemClock;
use countersign::policy::Policy;
use countersign::server::{
    Agent, AgentExecutor, EventQueue, RequestContext, RunningAgent, async_trait,
};
use countersign::tls::{HttpVersion, TransportConfig, enrol};
use countersign::workload::Workload;

use super::measure::{Caller, Failure, TEXT, Turn, measure, processor_seconds};

/// What both sides need: one certificate each, of one authority.
pub(crate) struct World {
    authority: Authority,
    pub(super) caller: Workload,
    pub(super) worker: Workload,
    agent: RunningAgent,
    audit: PathBuf,
}

pub(crate) struct Echo;

#[async_trait]
impl AgentExecutor for Echo {
    async fn execute(&self, ctx: RequestContext, events: EventQueue) -> Result<(), A2aError> {
        events.reply(Part::text(ctx.text()));
        Ok(())
    }
}

pub(crate) fn echo_skill() -> AgentSkill {
    AgentSkill::new("echo", "Echo", "Says it again").tagged(["echo"])
}

const POLICY: &str = r#"
[agents]
"spiffe://bench.example/agent/caller" = { role = "caller" }
[roles.caller]
operations = ["SendMessage"]
skills = ["echo"]
scopes = ["echo"]
[skills.echo]
scopes = ["echo"]
needs_user = true
"#;

impl World {
    pub(crate) async fn new() -> Result<Self, Failure> {
        let config = AuthorityConfig::new("bench.example".parse()?)
            .agent("caller", "echo".parse()?)
            .agent("worker", "echo".parse()?)
            .user("alice", "echo".parse()?)
            .login("caller");
        let authority = Authority::start(
            config,
            Arc::new(SystemClock),
            Arc::new(MemoryLog::default()),
        )
        .await?;
        let caller = enrol(authority.enrol("caller")?).await?;
        let worker = enrol(authority.enrol("worker")?).await?;
        let audit = std::env::temp_dir().join(format!("countersign-bench-{}", std::process::id()));
        let log: Arc<dyn AuditLog> = Arc::new(JsonLinesLog::new(File::create(&audit)?));
        let agent = Agent::new(
            "worker",
            "Echoes",
            worker.clone(),
            authority.oauth_endpoint(),
        )
        .skill(echo_skill())
        .policy(Policy::from_toml(POLICY)?)
        .audit(log)
        .serve("127.0.0.1:0", Echo)
        .await?;
        Ok(Self {
            authority,
            caller,
            worker,
            agent,
            audit,
        })
    }

    async fn proved(&self, version: HttpVersion) -> Result<OnBehalfOf, Failure> {
        let config = TransportConfig {
            http: version,
            ..TransportConfig::default()
        };
        let endpoint = self.authority.oauth_endpoint();
        let builder = Client::builder(self.caller.clone(), endpoint).transport(config);
        let client = builder.build()?;
        let alice = client.oauth().login("alice", &"echo".parse()?).await?;
        Ok(client.on_behalf_of_user(alice))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.audit);
    }
}

/// Calls with every proof.
struct Proved {
    on_behalf: OnBehalfOf,
    peer: Peer,
    binding: ProtocolBinding,
    text: String,
}

#[async_trait]
impl Caller for Proved {
    async fn call(&mut self) -> Result<(), Failure> {
        let message = Message::user(Part::text(self.text.clone()));
        let answer = self
            .on_behalf
            .call(&self.peer)
            .binding(self.binding)
            .skill("echo")
            .send(message)
            .await?;
        if answer.text().len() != TEXT {
            return Err("a short answer".into());
        }
        Ok(())
    }
}

/// One turn of the whole pipeline, over `binding`.
pub(crate) async fn proved_callers(
    world: &World,
    version: HttpVersion,
    binding: ProtocolBinding,
    window: Duration,
) -> Result<Turn, Failure> {
    let on_behalf = world.proved(version).await?;
    measure(window, processor_seconds, || async {
        Ok(Box::new(Proved {
            on_behalf: on_behalf.clone(),
            peer: world.agent.peer().clone(),
            binding,
            text: "x".repeat(TEXT),
        }) as Box<dyn Caller>)
    })
    .await
}
