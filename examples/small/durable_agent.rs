//! An agent whose tasks outlive it: stopped in the middle of one, it goes on after the next start.
use std::{error::Error, path::Path, sync::Arc, time::Duration};

use countersign::a2a::{A2aError, AgentSkill, Artifact, Part, SendMessageConfiguration};
use countersign::authority::{Authority, AuthorityConfig};
use countersign::server::{ResumeContext, RunningAgent, async_trait, store::SqliteStore};
use countersign::{Agent, AgentExecutor, EventQueue, Policy, RequestContext, Workload, enrol};

type Failure = Box<dyn Error + Send + Sync>;
const POLICY: &str = include_str!("durable_agent.toml");

struct Writer;

#[async_trait]
impl AgentExecutor for Writer {
    async fn execute(&self, _: RequestContext, events: EventQueue) -> Result<(), A2aError> {
        write(events).await
    }

    // After a restart there is no caller any more: what is left to do, the agent does for itself.
    async fn resume(&self, _: ResumeContext, events: EventQueue) -> Result<(), A2aError> {
        println!("goes on after {} chapters", events.task().artifacts.len());
        write(events).await
    }
}

/// Writes four chapters, or what is left of them.
async fn write(events: EventQueue) -> Result<(), A2aError> {
    for chapter in events.task().artifacts.len() + 1..=4 {
        events.artifact(Artifact::new(Part::text(format!("Chapter {chapter}"))));
        tokio::time::sleep(Duration::from_secs(4)).await;
    }
    events.complete(None);
    Ok(())
}

async fn start(file: &Path, own: &Workload, at: &Authority) -> Result<RunningAgent, Failure> {
    let skill = AgentSkill::new("write", "Write", "Writes books").tagged(["books"]);
    let agent = Agent::new("writer", "Writes", own.clone(), at.oauth_endpoint())
        .skill(skill)
        .policy(Policy::from_toml(POLICY)?)
        .store(Arc::new(SqliteStore::open(file).await?)) // this line keeps the tasks
        .serve("127.0.0.1:0", Writer);
    Ok(agent.await?)
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let config = AuthorityConfig::new("demo.example".parse()?).agent("writer", "write".parse()?);
    let authority = config.start().await?;
    let workload = enrol(authority.enrol("writer")?).await?;
    let folder = std::env::temp_dir().join(format!("durable_agent-{}", std::process::id()));
    std::fs::create_dir(&folder)?;
    let file = folder.join("tasks.db");

    let agent = start(&file, &workload, &authority).await?;
    let at_once = SendMessageConfiguration {
        return_immediately: true,
        ..Default::default()
    };
    let call = agent.client().on_own_behalf().call(agent.peer());
    let answer = call.configuration(at_once).send("A short book").await?;
    let id = answer.task().ok_or("a task")?.id.clone();
    println!("task {id} begins; the agent stops, which gives it ten seconds");
    agent.shutdown().await;

    let agent = start(&file, &workload, &authority).await?;
    loop {
        let call = agent.client().on_own_behalf().call(agent.peer());
        let task = call.get_task(&id, None).await?;
        if task.status.state.is_terminal() {
            println!("{}: {} chapters", task.status.state, task.artifacts.len());
            agent.shutdown().await;
            return Ok(std::fs::remove_dir_all(&folder)?);
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
