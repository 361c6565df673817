//! GetTask and ListTasks.

use std::sync::Arc;

use super::engine::Engine;
use super::page_token::{place_of, token_of};
use super::send::shorten;
use super::wording::unavailable;
use crate::a2a::{A2aError, GetTaskRequest, ListTasksRequest, ListTasksResponse, Task, Timestamp};
use crate::policy::Owner;
use crate::server::store::TaskQuery;

/// Tasks on a page, unless the caller says otherwise, and at most (A2A §3.1.4).
const PAGE: i32 = 50;
const MAX_PAGE: i32 = 100;

impl Engine {
    /// GetTask (A2A §3.1.3).
    pub(in crate::server) async fn get(
        &self,
        owner: &Owner,
        request: &GetTaskRequest,
    ) -> Result<Task, A2aError> {
        let stored = self.find(owner, &request.id).await?;
        let task = Arc::unwrap_or_clone(stored.task);
        Ok(shorten(task, request.history_length))
    }

    /// ListTasks (A2A §3.1.4): the owner's, newest status first.
    pub(in crate::server) async fn list(
        &self,
        owner: &Owner,
        request: ListTasksRequest,
    ) -> Result<ListTasksResponse, A2aError> {
        let size = request.page_size.unwrap_or(PAGE);
        let page_size = u32::try_from(size).ok();
        let page_size = page_size.filter(|_| (1..=MAX_PAGE).contains(&size));
        let page_size = page_size.ok_or_else(|| {
            let why = format!("must be 1 to {MAX_PAGE}, got {size}");
            A2aError::invalid_param("pageSize", why)
        })?;
        let mut query = TaskQuery {
            context_id: request.context_id.filter(|id| !id.is_empty()),
            state: request.status,
            not_before_ms: request.status_timestamp_after.map(Timestamp::unix_millis),
            page_size,
            after: None,
            total: None,
        };
        if let Some(token) = request.page_token.filter(|token| !token.is_empty()) {
            let (after, total) = place_of(owner, &query, &token)?;
            (query.after, query.total) = (Some(after), Some(total));
        }
        let page = self.store().list(owner, &query).await;
        let page = page.map_err(|error| unavailable(&error))?;
        let artifacts = request.include_artifacts == Some(true);
        let next = page
            .next
            .map(|next| token_of(owner, &query, &next, page.total));
        Ok(ListTasksResponse {
            tasks: page
                .tasks
                .iter()
                .map(|task| shown(task, request.history_length, artifacts))
                .collect(),
            next_page_token: next.unwrap_or_default(),
            page_size: size,
            total_size: i32::try_from(page.total).unwrap_or(i32::MAX),
        })
    }
}

/// A task as lists show it, of which only what is shown is copied.
fn shown(task: &Task, history: Option<i32>, artifacts: bool) -> Task {
    let len = task.history.len();
    let limit = history.and_then(|limit| usize::try_from(limit).ok());
    let from = limit.map_or(0, |limit| len.saturating_sub(limit));
    Task {
        id: task.id.clone(),
        context_id: task.context_id.clone(),
        status: task.status.clone(),
        artifacts: match artifacts {
            true => task.artifacts.clone(),
            false => Vec::new(),
        },
        history: task.history[from..].to_vec(),
        metadata: task.metadata.clone(),
    }
}
