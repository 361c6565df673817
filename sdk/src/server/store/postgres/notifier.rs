//! Tells the other instances what this one changed.

use std::collections::HashMap;
use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::server::store::TaskChanged;
use crate::server::store::rows::failed;

/// The longest payload of a notice, in bytes; PostgreSQL takes 7,999.
const MAX_PAYLOAD: usize = 7_500;

/// Over so many changes that wait, single ones are not told any more.
const MAX_PENDING: usize = 10_000;

/// Where changes go to be told. Notices go out after the change is kept and by one connection: in the
/// change's own transaction each would hold a lock of the whole database until it is on disk.
pub(super) type Changes = UnboundedSender<(String, u64)>;

/// Starts the task that tells, on `channel`; it ends with the last sender.
pub(super) fn start(pool: PgPool, channel: String) -> Changes {
    let (sender, receiver) = unbounded_channel();
    tokio::spawn(tell(pool, channel, receiver));
    sender
}

async fn tell(pool: PgPool, channel: String, mut changes: UnboundedReceiver<(String, u64)>) {
    let mut pending = HashMap::new();
    loop {
        if pending.is_empty() {
            match changes.recv().await {
                Some((id, version)) => note(&mut pending, id, version),
                None => return,
            }
        }
        while let Ok((id, version)) = changes.try_recv() {
            note(&mut pending, id, version);
        }
        for payload in payloads(&pending) {
            let told = sqlx::query("SELECT pg_notify($1, $2)");
            let told = told.bind(&channel).bind(payload).execute(&pool).await;
            if let Err(error) = told {
                if pool.is_closed() {
                    return;
                }
                let error = failed(error);
                tracing::warn!(reason = error.reason(), %error, "other instances are not told of changes");
                // Whoever listens lost its connection most likely, too, and looks at everything then.
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
        pending.clear();
    }
}

fn note(pending: &mut HashMap<String, u64>, id: String, version: u64) {
    if pending.len() >= MAX_PENDING {
        pending.clear();
        pending.insert(String::new(), 0);
    }
    let newest = pending.entry(id).or_default();
    *newest = version.max(*newest);
}

/// JSON lists of pairs, each short enough for a notice.
fn payloads(pending: &HashMap<String, u64>) -> Vec<String> {
    let mut payloads = Vec::new();
    let mut payload = String::new();
    for pair in pending {
        let Ok(pair) = serde_json::to_string(&pair) else {
            continue;
        };
        if !payload.is_empty() && payload.len() + pair.len() > MAX_PAYLOAD {
            payload.push(']');
            payloads.push(std::mem::take(&mut payload));
        }
        payload.push(if payload.is_empty() { '[' } else { ',' });
        payload.push_str(&pair);
    }
    if !payload.is_empty() {
        payload.push(']');
        payloads.push(payload);
    }
    payloads
}

/// The changes in a notice; `None` when it is none of ours.
pub(super) fn read(payload: &str) -> Option<Vec<TaskChanged>> {
    let pairs: Vec<(String, u64)> = serde_json::from_str(payload).ok()?;
    let changes = pairs.into_iter();
    let changes = changes.map(|(task_id, version)| TaskChanged { task_id, version });
    Some(changes.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_are_short_and_hold_every_change() {
        let mut pending = HashMap::new();
        for number in 0..500 {
            note(
                &mut pending,
                format!("\0{number}{}", "'".repeat(number)),
                number as u64,
            );
        }
        note(&mut pending, "twice".to_owned(), 7);
        note(&mut pending, "twice".to_owned(), 3);
        let payloads = payloads(&pending);
        assert!(payloads.len() > 1);
        let mut told = HashMap::new();
        for payload in payloads {
            assert!(payload.len() < 7_999, "{}", payload.len());
            assert!(!payload.contains('\0'), "PostgreSQL's texts have no NUL");
            let changes = read(&payload).expect("a list of changes");
            told.extend(changes.into_iter().map(|told| (told.task_id, told.version)));
        }
        assert_eq!(told, pending);
        assert_eq!(told["twice"], 7, "the newest is told");
    }

    #[test]
    fn what_is_too_much_to_tell_is_told_as_everything() {
        let mut pending = HashMap::new();
        for number in 0..=MAX_PENDING {
            note(&mut pending, number.to_string(), 1);
        }
        assert_eq!(pending.len(), 2);
        assert_eq!(pending[""], 0, "every task is to be looked at");
    }
}
