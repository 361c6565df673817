//! Turns that run at the same time.

use std::collections::HashMap;

use tokio::task::{Id, JoinSet};

use super::queue::Lane;

/// The turns under way, each with its lane.
#[derive(Default)]
pub(super) struct Turns {
    tasks: JoinSet<()>,
    lanes: HashMap<Id, Lane>,
}

impl Turns {
    pub(super) fn begin(&mut self, lane: Lane, turn: impl Future<Output = ()> + Send + 'static) {
        let id = self.tasks.spawn(turn).id();
        self.lanes.insert(id, lane);
    }

    /// The lane of the next that ends; `None` when there is none.
    pub(super) async fn ended(&mut self) -> Option<Lane> {
        loop {
            let id = match self.tasks.join_next_with_id().await? {
                Ok((id, ())) => id,
                Err(error) => {
                    tracing::error!(%error, "a delivery ended badly; it is taken up again");
                    error.id()
                }
            };
            if let Some(lane) = self.lanes.remove(&id) {
                return Some(lane);
            }
        }
    }
}
