//! A receiver that takes some notifications and then none.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use countersign::server::async_trait;
use countersign::server::push::{NotTaken, Notification, NotificationHandler};

use crate::world::number_of;

/// Takes notifications while it is open.
#[derive(Clone, Default)]
pub(crate) struct Door {
    taken: Arc<Mutex<Vec<i64>>>,
    asked: Arc<AtomicUsize>,
    /// How many it takes; after that it holds them without an answer, or refuses.
    pub(crate) room: Arc<AtomicUsize>,
    refuses: bool,
}

impl Door {
    pub(crate) fn with_room(room: usize, refuses: bool) -> Self {
        Self {
            room: Arc::new(AtomicUsize::new(room)),
            refuses,
            ..Self::default()
        }
    }

    pub(crate) fn taken(&self) -> Vec<i64> {
        self.taken.lock().expect("no panic").clone()
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl NotificationHandler for Door {
    async fn notified(&self, notification: Notification) -> Result<(), NotTaken> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.taken().len() >= self.room.load(Ordering::SeqCst) {
            if self.refuses {
                return Err(NotTaken);
            }
            std::future::pending::<()>().await;
        }
        let number = number_of(&notification);
        self.taken.lock().expect("no panic").push(number);
        Ok(())
    }
}
