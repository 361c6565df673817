//! Where the two ends run: threads of their own for each, so that their time can be told apart.

use std::fs;
use std::sync::Arc;

use countersign::server::store::MemoryTaskStore;
use countersign::server::{Agent, AgentExecutor, TaskLimits, UnauthenticatedAgent};
use tokio::runtime::{Builder, Runtime};

use crate::common::Failure;
use crate::common::world::echo_skill;

const SERVED: &str = "served";

pub(crate) struct Stage {
    /// What is called.
    pub(crate) served: Runtime,
    /// Who calls.
    pub(crate) calling: Runtime,
}

pub(crate) fn runtime(name: &str) -> Result<Runtime, Failure> {
    let mut builder = Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).thread_name(name).enable_all();
    Ok(runtime.build()?)
}

impl Stage {
    pub(crate) fn new() -> Result<Self, Failure> {
        Ok(Self {
            served: runtime(SERVED)?,
            calling: runtime("calling")?,
        })
    }

    /// Runs `work` where what is called is.
    pub(crate) fn on_served<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>> + Send + 'static,
    ) -> Result<T, Failure>
    where
        T: Send + 'static,
    {
        self.served.block_on(self.served.spawn(work))?
    }

    /// An agent without TLS and proofs.
    pub(crate) fn plain(
        &self,
        executor: impl AgentExecutor,
    ) -> Result<UnauthenticatedAgent, Failure> {
        self.on_served(async {
            let agent = Agent::without_identity("worker", "Echoes").skill(echo_skill());
            let store = MemoryTaskStore::with_tasks(1 << 20);
            // Callers without proofs are one owner.
            let limits = TaskLimits {
                streams: usize::MAX,
                ..TaskLimits::default()
            };
            let agent = agent.store(Arc::new(store)).task_limits(limits);
            let danger = agent.danger();
            Ok(danger
                .serve_unauthenticated("127.0.0.1:0", executor)
                .await?)
        })
    }
}

/// Processor seconds of what is called so far; nothing where Linux does not tell.
pub(crate) fn served_seconds() -> f64 {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten();
    let nanos = threads.flatten().filter_map(|thread| {
        let name = fs::read_to_string(thread.path().join("comm")).ok()?;
        let spent = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        let spent = spent.split_whitespace().next()?.parse::<f64>().ok()?;
        (name.trim() == SERVED).then_some(spent)
    });
    nanos.sum::<f64>() / 1e9
}
