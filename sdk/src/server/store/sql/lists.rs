//! Lists of tasks in SQL. Both databases compile this, each with its own `dialect`.

use std::sync::Arc;

use futures_util::TryStreamExt as _;
use sqlx::QueryBuilder;

use super::dialect::{self, Connection, Db};
use super::tasks::column;
use crate::a2a::Task;
use crate::policy::Owner;
use crate::server::store::rows::{
    context_digest, failed, from_json, owner_digest, state_number, unsigned,
};
use crate::server::store::{StoreError, TaskCursor, TaskPage, TaskQuery};

/// Bytes of tasks on a page: it ends before the task that would be over it, but never without one.
/// A hundred large tasks are not for one answer.
const MAX_PAGE_BYTES: usize = 8 << 20;

/// A page of the owner's tasks.
pub(super) async fn list(
    connection: &mut Connection,
    owner: &Owner,
    query: &TaskQuery,
) -> Result<TaskPage, StoreError> {
    let total = total(connection, owner, query).await?;
    let size = query.page_size as usize;
    if total == 0 || size == 0 {
        return Ok(TaskPage {
            total,
            ..TaskPage::default()
        });
    }
    let mut select = page_query(owner, query);
    let mut rows = select.build().fetch(connection);
    let (mut tasks, mut bytes, mut more) = (Vec::new(), 0, false);
    while let Some(row) = rows.try_next().await.map_err(failed)? {
        let json: Vec<u8> = column(&row, 0)?;
        bytes += json.len();
        more = tasks.len() == size || (bytes > MAX_PAGE_BYTES && !tasks.is_empty());
        if more {
            break;
        }
        tasks.push(Arc::new(from_json::<Task>(&json)?));
    }
    drop(rows);
    let last = tasks.last().filter(|_| more);
    Ok(TaskPage {
        next: last.map(|task| TaskCursor::of(task)),
        tasks,
        total,
    })
}

/// Reads the page and one task more, which tells whether anything follows.
pub(super) fn page_query(owner: &Owner, query: &TaskQuery) -> QueryBuilder<Db> {
    let mut select = QueryBuilder::<Db>::new("SELECT task FROM tasks ");
    push_filters(&mut select, owner, query);
    if let Some(cursor) = &query.after {
        select.push(" AND (status_ms, id) < (");
        select.push_bind(cursor.status_ms).push(", ");
        select.push_bind(cursor.id.clone().into_bytes()).push(")");
    }
    select.push(" ORDER BY status_ms DESC, id DESC LIMIT ");
    select.push_bind(i64::from(query.page_size) + 1);
    select
}

/// How many tasks there are on all pages. Of all and of all in a state this is kept; of a
/// conversation and since some time it is counted, once for a list.
async fn total(
    connection: &mut Connection,
    owner: &Owner,
    query: &TaskQuery,
) -> Result<u64, StoreError> {
    let is_kept = query.context_id.is_none() && query.not_before_ms.is_none();
    if let Some(told) = query.total.filter(|_| !is_kept) {
        return Ok(told);
    }
    let mut select = if is_kept {
        let mut select = QueryBuilder::<Db>::new(
            "SELECT CAST(COALESCE(SUM(tasks), 0) AS BIGINT) FROM counts WHERE ",
        );
        push_owner(&mut select, owner);
        if let Some(state) = query.state {
            select.push(" AND state = ").push_bind(state_number(state));
        }
        select
    } else {
        let mut select = QueryBuilder::<Db>::new("SELECT COUNT(*) FROM tasks ");
        push_filters(&mut select, owner, query);
        select
    };
    let counted = select.build_query_scalar().fetch_one(connection).await;
    unsigned(counted.map_err(failed)?)
}

fn push_owner(select: &mut QueryBuilder<Db>, owner: &Owner) {
    select.push("owner = (SELECT id FROM owners WHERE digest = ");
    select.push_bind(owner_digest(owner)).push(")");
}

fn push_filters(select: &mut QueryBuilder<Db>, owner: &Owner, query: &TaskQuery) {
    let order = match (&query.context_id, query.state) {
        (Some(_), _) => "tasks_by_context",
        (None, Some(_)) => "tasks_by_state",
        (None, None) => "tasks_by_time",
    };
    if dialect::NAMES_INDEXES {
        select.push("INDEXED BY ").push(order);
    }
    select.push(" WHERE ");
    push_owner(select, owner);
    if let Some(context) = &query.context_id {
        select.push(" AND context = ");
        select.push_bind(context_digest(context));
    }
    if let Some(state) = query.state {
        select.push(" AND state = ").push_bind(state_number(state));
    }
    if let Some(oldest) = query.not_before_ms {
        select.push(" AND status_ms >= ").push_bind(oldest);
    }
}
