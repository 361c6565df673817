//! What the SQL stores keep in their columns.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{EVENTS_KEPT, StoreError};
use crate::a2a::TaskState;
use crate::clock::{Clock, SystemClock, UnixTime};
use crate::crypto::sha256;
use crate::policy::Owner;

/// By what an owner is found, however long its text is.
pub(super) fn owner_digest(owner: &Owner) -> Vec<u8> {
    sha256(owner.to_text().as_bytes()).to_vec()
}

/// By what a conversation is found, whatever a client calls it.
pub(super) fn context_digest(context: &str) -> Vec<u8> {
    sha256(context.as_bytes()).to_vec()
}

/// The first that wait for somebody.
pub(super) const FIRST_WAITING: i64 = 2;
/// The first that are terminal.
pub(super) const FIRST_TERMINAL: i64 = 4;

/// States in an order that lets a query tell the running ones, those that wait and the terminal ones
/// apart. The numbers are in the databases: none ever changes.
pub(super) const fn state_number(state: TaskState) -> i64 {
    match state {
        TaskState::Submitted => 0,
        TaskState::Working => 1,
        TaskState::InputRequired => FIRST_WAITING,
        TaskState::AuthRequired => 3,
        TaskState::Completed => FIRST_TERMINAL,
        TaskState::Failed => 5,
        TaskState::Canceled => 6,
        TaskState::Rejected => 7,
    }
}

/// A number as a database keeps it; one that is too large becomes the largest.
pub(super) fn signed(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

/// The last second of a lease; the next is still a number.
pub(super) fn last_second(until: UnixTime) -> i64 {
    signed(until.secs()).min(i64::MAX - 1)
}

/// When no lease runs: before every time.
pub(super) const NOBODY: i64 = -1;

/// How long a row that cannot be read is left alone: long enough that it is no burden, and once it was
/// mended it is found by itself.
const ASIDE: Duration = Duration::from_secs(24 * 3600);

/// Until when a row is left alone that could not be read at `now`. It stays in its table for somebody
/// to look at, so it is told which.
pub(super) fn put_aside(what: &str, key: i64, error: &StoreError, now: UnixTime) -> i64 {
    let reason = error.reason();
    tracing::error!(
        reason,
        key,
        "{what} cannot be read and is left alone for a day: {error}"
    );
    last_second(now.plus(ASIDE))
}

/// Until when the events of a task are kept that is over now.
pub(super) fn events_until() -> i64 {
    signed(SystemClock.now().plus(EVENTS_KEPT).secs())
}

pub(super) fn unsigned(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| damaged("a number is negative"))
}

pub(super) fn to_json<T: Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|_| damaged("it has no JSON form"))
}

pub(super) fn from_json<T: DeserializeOwned>(json: &[u8]) -> Result<T, StoreError> {
    // The error's own text could quote what is kept.
    serde_json::from_slice(json).map_err(|error| StoreError::Damaged {
        what: format!("no JSON of its kind at column {}", error.column()),
    })
}

pub(super) fn damaged(what: &str) -> StoreError {
    StoreError::Damaged {
        what: what.to_owned(),
    }
}

/// What a failure of the database means. Its text names tables and rules, not what is in them.
pub(super) fn failed(error: sqlx::Error) -> StoreError {
    let what = match error {
        sqlx::Error::ColumnDecode { index, .. } => {
            return damaged(&format!("column {index} is of another kind"));
        }
        sqlx::Error::Configuration(_) => "its address cannot be used".to_owned(),
        sqlx::Error::Database(error) => match error.code() {
            Some(code) => format!("{} ({code})", error.message()),
            None => error.message().to_owned(),
        },
        other => other.to_string(),
    };
    StoreError::Unavailable { what }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_numbers_tell_the_kinds_apart() {
        for state in [
            TaskState::Submitted,
            TaskState::Working,
            TaskState::Completed,
            TaskState::Failed,
            TaskState::Canceled,
            TaskState::InputRequired,
            TaskState::Rejected,
            TaskState::AuthRequired,
        ] {
            let number = state_number(state);
            assert_eq!(number >= FIRST_TERMINAL, state.is_terminal(), "{state}");
            let waits = (FIRST_WAITING..FIRST_TERMINAL).contains(&number);
            assert_eq!(waits, state.is_interrupted(), "{state}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_quoted() {
        let error = from_json::<TaskState>(br#""secret-token""#).expect_err("no state");
        assert_eq!(error.reason(), "store.damaged");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
