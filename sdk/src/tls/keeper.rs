//! The task that looks a transport's connections over.

use std::sync::{Arc, Weak};

use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use super::partitions::Shared;
use super::registry::TICK;

/// Ends with the last clone of the transport.
pub(super) struct Keeper(JoinHandle<()>);

impl Keeper {
    pub(super) fn start(shared: &Arc<Shared>) -> Self {
        let changed = shared.workload().changed();
        let dialled = Arc::clone(shared.dialled());
        Self(tokio::spawn(keep(Arc::downgrade(shared), changed, dialled)))
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn keep(shared: Weak<Shared>, mut changed: watch::Receiver<u64>, dialled: Arc<Notify>) {
    loop {
        let busy = match shared.upgrade() {
            Some(shared) => shared.registry().any(),
            None => return,
        };
        let ticked = tokio::select! {
            done = changed.changed() => {
                if done.is_err() {
                    return;
                }
                false
            }
            () = tokio::time::sleep(TICK), if busy => true,
            () = dialled.notified(), if !busy => false,
        };
        let Some(shared) = shared.upgrade() else {
            return;
        };
        if ticked {
            shared.registry().advance();
        }
        shared.look_over();
    }
}
