//! A small world of agents for the tests of the pipelines.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::sync::Arc;

use countersign::a2a::AgentSkill;
use countersign::audit::{AuditLog, MemoryLog};
use countersign::authority::{Authority, AuthorityConfig};
use countersign::client::{Client, OnBehalfOf};
use countersign::clock::{Clock, SystemClock};
use countersign::policy::Policy;
use countersign::server::store::TaskStore;
use countersign::server::{Agent, AgentExecutor, RunningAgent};
use countersign::tls::AuthoritySource;
use countersign::workload::{Enrolment, Workload, WorkloadError};

pub(crate) mod double;
pub(crate) mod findings;
pub(crate) mod obedient;
pub(crate) mod raw;
pub(crate) mod wire;

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

pub(crate) const POLICY: &str = r#"
[agents]
"spiffe://test.example/agent/one" = { role = "caller" }
"spiffe://test.example/agent/two" = { role = "caller" }
[roles.caller]
operations = ["SendMessage", "SendStreamingMessage", "GetTask", "ListTasks", "CancelTask", "SubscribeToTask",
  "CreateTaskPushNotificationConfig", "GetTaskPushNotificationConfig", "ListTaskPushNotificationConfigs",
  "DeleteTaskPushNotificationConfig", "GetExtendedAgentCard"]
skills = ["work"]
scopes = ["work"]
[skills.work]
scopes = ["work"]
"#;

/// An authority with the agents `one`, `two` and `worker`, and the users `alice` and `bob`.
pub(crate) struct World {
    pub(crate) authority: Authority,
    pub(crate) worker: RunningAgent,
    pub(crate) log: Arc<MemoryLog>,
    pub(crate) clock: Arc<dyn Clock>,
}

async fn enrol(enrolment: Enrolment, clock: &Arc<dyn Clock>) -> Result<Workload, WorkloadError> {
    let source = AuthoritySource::new(enrolment, clock.clone());
    Workload::start(Arc::new(source), clock.clone()).await
}

impl World {
    pub(crate) async fn with(executor: impl AgentExecutor) -> Result<Self, Failure> {
        Self::at(Arc::new(SystemClock), executor).await
    }

    /// The world where everybody looks at `clock`.
    pub(crate) async fn at(
        clock: Arc<dyn Clock>,
        executor: impl AgentExecutor,
    ) -> Result<Self, Failure> {
        Self::made(clock, executor, |agent| agent).await
    }

    /// The world whose worker keeps its tasks in `store`.
    pub(crate) async fn keeping(
        store: Arc<dyn TaskStore>,
        clock: Arc<dyn Clock>,
        executor: impl AgentExecutor,
    ) -> Result<Self, Failure> {
        Self::made(clock, executor, |agent| agent.store(store)).await
    }

    /// The world whose worker was changed by `change` before it started.
    pub(crate) async fn made(
        clock: Arc<dyn Clock>,
        executor: impl AgentExecutor,
        change: impl FnOnce(Agent) -> Agent,
    ) -> Result<Self, Failure> {
        let scopes = || "work".parse();
        let config = AuthorityConfig::new("test.example".parse()?)
            .agent("one", scopes()?)
            .agent("two", scopes()?)
            .agent("worker", scopes()?)
            .user("alice", scopes()?)
            .user("bob", scopes()?)
            .login("one")
            .login("two");
        let records = Arc::new(MemoryLog::default());
        let authority = Authority::start(config, clock.clone(), records).await?;
        let log = Arc::new(MemoryLog::default());
        let workload = enrol(authority.enrol("worker")?, &clock).await?;
        let skill = AgentSkill::new("work", "Work", "Works").tagged(["work"]);
        let worker = Agent::new("worker", "Works", workload, authority.oauth_endpoint())
            .skill(skill)
            .policy(Policy::from_toml(POLICY)?)
            .audit(log.clone() as Arc<dyn AuditLog>);
        let worker = change(worker).serve("127.0.0.1:0", executor).await?;
        Ok(Self {
            authority,
            worker,
            log,
            clock,
        })
    }

    pub(crate) async fn client(&self, agent: &str) -> Result<Client, Failure> {
        let enrolment = self.authority.enrol(agent)?;
        let workload = enrol(enrolment, &self.clock).await?;
        Ok(Client::new(workload, self.authority.oauth_endpoint())?)
    }

    pub(crate) async fn client_for(&self, agent: &str, user: &str) -> Result<OnBehalfOf, Failure> {
        let client = self.client(agent).await?;
        let grant = client.oauth().login(user, &"work".parse()?).await?;
        Ok(client.on_behalf_of_user(grant))
    }
}
