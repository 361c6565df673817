//! Which calls are made again, and when.

use std::time::Duration;

use super::error::ClientError;
use crate::a2a::Operation;
use crate::crypto::random;
use crate::tls::{TlsError, Waiting};

/// How often a call is made again, and after how long.
///
/// Made again is only what may be: operations that change nothing or whose repetition changes
/// nothing more (get, list, subscribe, cancel, delete), and requests that never left. A message is
/// never sent twice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RetryPolicy {
    /// How often a call is made again at most. Default 3.
    pub retries: u32,
    /// The wait before the first repetition, give or take a quarter; it doubles each time. Default
    /// 200 ms.
    pub first_wait: Duration,
    /// The longest wait. A peer that asks for a longer one (`Retry-After`) is not waited for.
    /// Default 10 s.
    pub longest_wait: Duration,
}

impl RetryPolicy {
    /// Nothing is made again.
    pub const NEVER: Self = Self {
        retries: 0,
        first_wait: Duration::ZERO,
        longest_wait: Duration::ZERO,
    };

    /// How long to wait after the failure `number`, counted from 0; none when it was the last.
    pub(super) fn wait(&self, number: u32, error: &ClientError) -> Option<Duration> {
        if number >= self.retries {
            return None;
        }
        let doubled = self.first_wait.saturating_mul(1 << number.min(16));
        let own = doubled.min(self.longest_wait);
        let [spread]: [u8; 1] = random();
        // Many callers that failed together do not come back together.
        let own = own * (384 + u32::from(spread)) / 512;
        match error {
            ClientError::Busy {
                retry_after: Some(asked),
                ..
            } if *asked > self.longest_wait => None,
            ClientError::Busy {
                retry_after: Some(asked),
                ..
            } => Some(own.max(*asked)),
            _ => Some(own),
        }
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            retries: 3,
            first_wait: Duration::from_millis(200),
            longest_wait: Duration::from_secs(10),
        }
    }
}

/// Whether doing it twice does no more than doing it once.
pub(super) const fn may_be_repeated(operation: Operation) -> bool {
    match operation {
        Operation::GetTask
        | Operation::ListTasks
        | Operation::CancelTask
        | Operation::SubscribeToTask
        | Operation::GetTaskPushNotificationConfig
        | Operation::ListTaskPushNotificationConfigs
        | Operation::DeleteTaskPushNotificationConfig
        | Operation::GetExtendedAgentCard => true,
        Operation::SendMessage
        | Operation::SendStreamingMessage
        | Operation::CreateTaskPushNotificationConfig => false,
    }
}

/// Whether another attempt could end otherwise, and is allowed for `operation`.
pub(super) fn is_worth_it(error: &ClientError, operation: Operation) -> bool {
    match error {
        ClientError::Tls(error) if never_left(error) => true,
        error => may_be_repeated(operation) && is_passing(error),
    }
}

/// Nothing arrived, and it was for want of a connection, not of trust.
fn never_left(error: &TlsError) -> bool {
    matches!(
        error,
        TlsError::Connect { .. }
            | TlsError::Timeout {
                waiting: Waiting::Connecting,
                ..
            }
    )
}

/// Whether the fault is one that passes.
pub(super) fn is_passing(error: &ClientError) -> bool {
    match error {
        ClientError::Busy { .. } | ClientError::Truncated | ClientError::Idle { .. } => true,
        ClientError::Tls(error) => {
            never_left(error)
                || matches!(error, TlsError::Http { .. } | TlsError::PeerExpired { .. })
        }
        // A gateway without its agent.
        ClientError::Refused { status, .. } => matches!(status, 502 | 504),
        _ => false,
    }
}

/// Whether a stream ended because what it was opened with is no longer good. A new token may be had.
pub(super) const fn has_expired(error: &ClientError) -> bool {
    matches!(error, ClientError::Refused { status: 401, .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connect() -> ClientError {
        ClientError::Tls(TlsError::Connect {
            authority: "a.example".into(),
            what: "refused".into(),
        })
    }

    fn broken() -> ClientError {
        ClientError::Tls(TlsError::Http {
            authority: "a.example".into(),
            what: "reset".into(),
        })
    }

    fn busy(after: Option<u64>) -> ClientError {
        ClientError::Busy {
            status: 503,
            retry_after: after.map(Duration::from_secs),
        }
    }

    #[test]
    fn a_message_is_made_again_only_when_it_never_left() {
        let refused = ClientError::Refused {
            status: 403,
            challenge: None,
        };
        for (error, get, send) in [
            (connect(), true, true),
            (broken(), true, false),
            (busy(None), true, false),
            (ClientError::Truncated, true, false),
            (refused, false, false),
            (ClientError::Cancelled, false, false),
        ] {
            assert_eq!(is_worth_it(&error, Operation::GetTask), get, "{error}");
            assert_eq!(is_worth_it(&error, Operation::SendMessage), send, "{error}");
        }
    }

    #[test]
    fn only_what_changes_nothing_more_may_be_repeated() {
        let not: Vec<_> = Operation::ALL
            .into_iter()
            .filter(|operation| !may_be_repeated(*operation))
            .collect();
        assert_eq!(
            not,
            [
                Operation::SendMessage,
                Operation::SendStreamingMessage,
                Operation::CreateTaskPushNotificationConfig
            ]
        );
    }

    #[test]
    fn waits_grow_to_their_bound_and_end() {
        let policy = RetryPolicy {
            retries: 8,
            ..RetryPolicy::default()
        };
        let wait = |number| policy.wait(number, &broken());
        for (number, base) in [(0, 200), (1, 400), (5, 6400), (7, 10_000)] {
            let wait = wait(number).expect("another time");
            let base = Duration::from_millis(base);
            assert!(
                wait >= base * 3 / 4 && wait <= base * 5 / 4,
                "{number}: {wait:?}"
            );
        }
        assert_eq!(wait(8), None);
        assert_eq!(RetryPolicy::NEVER.wait(0, &broken()), None);
    }

    #[test]
    fn a_peer_that_says_when_is_believed_within_the_bound() {
        let policy = RetryPolicy::default();
        for (asked, want) in [(10, true), (11, false)] {
            let wait = policy.wait(0, &busy(Some(asked)));
            assert_eq!(wait.is_some(), want, "{asked}");
            let long = wait.is_none_or(|wait| wait >= Duration::from_secs(asked));
            assert!(long, "{wait:?}");
        }
    }
}
