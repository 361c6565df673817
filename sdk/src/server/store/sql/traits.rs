//! Both traits over SQL. Both databases compile this, each with its own `dialect`.

use async_trait::async_trait;
use futures_util::stream::BoxStream;

use super::dialect::Store;
use super::{leases, lists, push, tasks};
use crate::a2a::TaskPushNotificationConfig;
use crate::clock::UnixTime;
use crate::policy::Owner;
use crate::server::store::rows::failed;
use crate::server::store::{
    Lease, Orphan, PushConfigStore, PushDelivery, StoreError, StoredEvent, StoredTask, TaskChange,
    TaskChanged, TaskPage, TaskQuery, TaskStore,
};

#[async_trait]
impl TaskStore for Store {
    async fn create(
        &self,
        owner: &Owner,
        first: &TaskChange,
        lease: Option<&Lease>,
    ) -> Result<u64, StoreError> {
        let mut work = self.begin().await?;
        tasks::create(&mut work, owner, first, lease).await?;
        work.commit().await.map_err(failed)?;
        self.tell(first.task.id(), first.version());
        Ok(first.version())
    }

    async fn get(&self, owner: &Owner, id: &str) -> Result<Option<StoredTask>, StoreError> {
        tasks::get(&mut *self.read().await?, owner, id).await
    }

    async fn append(&self, owner: &Owner, change: &TaskChange) -> Result<u64, StoreError> {
        let mut work = self.begin().await?;
        tasks::append(&mut work, owner, change).await?;
        work.commit().await.map_err(failed)?;
        self.tell(change.task.id(), change.version());
        Ok(change.version())
    }

    async fn events(
        &self,
        owner: &Owner,
        id: &str,
        after: u64,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        tasks::events(&mut *self.read().await?, owner, id, after, limit).await
    }

    async fn list(&self, owner: &Owner, query: &TaskQuery) -> Result<TaskPage, StoreError> {
        lists::list(&mut *self.read().await?, owner, query).await
    }

    async fn acquire(
        &self,
        owner: &Owner,
        id: &str,
        lease: &Lease,
        now: UnixTime,
    ) -> Result<bool, StoreError> {
        leases::acquire(&mut *self.write().await?, owner, id, lease, now).await
    }

    async fn release(&self, owner: &Owner, id: &str, instance: &str) -> Result<(), StoreError> {
        leases::release(&mut *self.write().await?, owner, id, instance).await
    }

    async fn renew(&self, lease: &Lease) -> Result<(), StoreError> {
        leases::renew(&mut *self.write().await?, lease).await
    }

    async fn take_orphans(
        &self,
        lease: &Lease,
        now: UnixTime,
        limit: usize,
    ) -> Result<Vec<Orphan>, StoreError> {
        // Mostly there is nothing, and looking costs no write.
        let (old_events, orphans) = {
            let mut reader = self.read().await?;
            let old_events = leases::has_old_events(&mut reader, now).await?;
            (old_events, leases::has_orphans(&mut reader, now).await?)
        };
        if old_events {
            let mut work = self.begin().await?;
            leases::drop_old_events(&mut work, now).await?;
            work.commit().await.map_err(failed)?;
        }
        if !orphans || limit == 0 {
            return Ok(Vec::new());
        }
        leases::take_orphans(&mut *self.write().await?, lease, now, limit).await
    }

    async fn close(&self) {
        self.leave().await;
    }

    fn outlives_process(&self) -> Option<bool> {
        Some(true)
    }

    fn changes(&self) -> Option<BoxStream<'static, TaskChanged>> {
        Some(self.follow())
    }
}

#[async_trait]
impl PushConfigStore for Store {
    async fn set(
        &self,
        owner: &Owner,
        config: &TaskPushNotificationConfig,
        from: u64,
    ) -> Result<(), StoreError> {
        let mut work = self.begin().await?;
        push::set(&mut work, owner, config, from).await?;
        work.commit().await.map_err(failed)
    }

    async fn get(
        &self,
        owner: &Owner,
        task_id: &str,
        id: &str,
    ) -> Result<Option<TaskPushNotificationConfig>, StoreError> {
        push::get(&mut *self.read().await?, owner, task_id, id).await
    }

    async fn list(
        &self,
        owner: &Owner,
        task_id: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<TaskPushNotificationConfig>, StoreError> {
        push::list(&mut *self.read().await?, owner, task_id, after, limit).await
    }

    async fn delete(&self, owner: &Owner, task_id: &str, id: &str) -> Result<(), StoreError> {
        push::delete(&mut *self.write().await?, owner, task_id, id).await
    }

    async fn wake(&self, owner: &Owner, task_id: &str, now: UnixTime) -> Result<(), StoreError> {
        push::wake(&mut *self.write().await?, owner, task_id, now).await
    }

    async fn wake_all(&self, now: UnixTime) -> Result<(), StoreError> {
        push::wake_all(&mut *self.write().await?, now).await
    }

    async fn take_due(
        &self,
        lease: &Lease,
        now: UnixTime,
        limit: usize,
    ) -> Result<Vec<PushDelivery>, StoreError> {
        // Mostly there is nothing, and looking costs no write.
        let is_due = push::has_due(&mut *self.read().await?, now).await?;
        if !is_due || limit == 0 {
            return Ok(Vec::new());
        }
        push::take_due(&mut *self.write().await?, lease, now, limit).await
    }

    async fn give_back(
        &self,
        _lease: &Lease,
        delivery: &PushDelivery,
        next: Option<UnixTime>,
    ) -> Result<(), StoreError> {
        push::give_back(&mut *self.write().await?, delivery, next).await
    }

    async fn close(&self) {
        self.leave().await;
    }

    fn outlives_process(&self) -> Option<bool> {
        Some(true)
    }
}
