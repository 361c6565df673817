//! What is said when deliveries begin.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::server::push::{PushNotifications, PushSettings};
use crate::server::store::{
    MemoryPushConfigStore, MemoryTaskStore, PushConfigStore, SqliteStore, TaskStore,
};

/// Counts the warnings of the room that it is about.
#[derive(Clone, Default)]
struct Warnings(Arc<AtomicUsize>);

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && metadata.target().starts_with("countersign::server::push")
    }

    fn event(&self, event: &Event<'_>) {
        if *event.metadata().level() == Level::WARN {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn who_keeps_tasks_and_forgets_who_is_to_be_told_is_warned_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = SqliteStore::open(folder.path().join("tasks.db")).await;
    let file = Arc::new(file.expect("a store"));
    let (kept_tasks, kept_configs): (Arc<dyn TaskStore>, Arc<dyn PushConfigStore>) =
        (file.clone(), file);
    let tasks: Arc<dyn TaskStore> = Arc::new(MemoryTaskStore::default());
    let configs: Arc<dyn PushConfigStore> = Arc::new(MemoryPushConfigStore::default());
    for (name, tasks, configs, want) in [
        ("both in memory", tasks.clone(), configs.clone(), 0),
        (
            "both in a file",
            kept_tasks.clone(),
            kept_configs.clone(),
            0,
        ),
        ("tasks in memory", tasks, kept_configs, 0),
        ("configurations in memory", kept_tasks, configs, 1),
    ] {
        let push = PushNotifications::sent_by(None, PushSettings::new(configs), tasks);
        let warnings = Warnings::default();
        tracing::subscriber::with_default(warnings.clone(), || {
            push.start();
            push.start();
        });
        assert_eq!(warnings.0.load(Ordering::SeqCst), want, "{name}");
        push.shutdown().await;
    }
}
