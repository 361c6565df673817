//! The call an agent is serving right now, known to every call it makes meanwhile.
//!
//! A framework's own callbacks have no place for a context. Inside [`scope`] none is needed:
//! [`Client::on_behalf_of_current`] goes on for whom the current call is made, and every call
//! inherits its deadline and its cancellation. A task that is spawned inside begins without one;
//! [`CallScope::current`] takes it along.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::call::OnBehalfOf;
use super::connect::Client;
use super::error::ClientError;
use crate::a2a::Timestamp;
use crate::audit::Admitted;

/// What the calls made while another one is served inherit from it.
#[derive(Clone, Default)]
pub struct CallScope {
    /// The call that is served; none when work goes on without its caller, as after a restart.
    pub admitted: Option<Arc<Admitted>>,
    /// When its caller stops waiting.
    pub deadline: Option<Instant>,
    /// When its work is worth nothing any more, if its caller said so. Messages sent meanwhile say it
    /// too ([`Call::finish_by`](super::Call::finish_by)).
    pub finish_by: Option<Timestamp>,
    /// Becomes true when its caller takes it back.
    pub cancelled: Option<watch::Receiver<bool>>,
}

/// The deadline of a call that goes on in rounds, each with its own.
pub(crate) trait RoundDeadline: Send + Sync {
    /// Until when the caller of the present round waits.
    fn deadline(&self) -> Option<Instant>;

    /// When the work of the present round is worth nothing any more.
    fn finish_by(&self) -> Option<Timestamp>;
}

#[derive(Clone)]
struct Current {
    scope: CallScope,
    rounds: Option<Arc<dyn RoundDeadline>>,
}

tokio::task_local! {
    static CURRENT: Current;
}

/// Runs `future` as part of the call that `current` tells of.
///
/// ```no_run
/// # use std::sync::Arc;
/// # use countersign::{Client, Peer, audit::Admitted, client::{self, CallScope, ClientError}};
/// # async fn f(client: Client, booking: Peer, admitted: Arc<Admitted>) -> Result<(), ClientError> {
/// let current = CallScope { admitted: Some(admitted), ..CallScope::default() };
/// client::scope(current, async {
///     // Deep inside a framework, with nothing but the client at hand:
///     client.on_behalf_of_current()?.call(&booking).send("Two nights in Lisbon").await
/// })
/// .await?;
/// # Ok(()) }
/// ```
pub async fn scope<F: Future>(current: CallScope, future: F) -> F::Output {
    let current = Current {
        scope: current,
        rounds: None,
    };
    CURRENT.scope(current, future).await
}

/// The same for a call whose deadline is that of the round it is in by then.
#[cfg(feature = "server")]
pub(crate) async fn scope_in_rounds<F: Future>(
    scope: CallScope,
    rounds: Arc<dyn RoundDeadline>,
    future: F,
) -> F::Output {
    let rounds = Some(rounds);
    CURRENT.scope(Current { scope, rounds }, future).await
}

impl CallScope {
    /// The scope this runs in; an empty one outside of any.
    pub fn current() -> Self {
        let current = CURRENT.try_with(|current| {
            let mut scope = current.scope.clone();
            if let Some(rounds) = &current.rounds {
                scope.deadline = rounds.deadline();
                scope.finish_by = rounds.finish_by();
            }
            scope
        });
        current.unwrap_or_default()
    }

    /// The same with a deadline that is not later than `deadline`.
    #[must_use]
    pub fn until(mut self, deadline: Instant) -> Self {
        self.deadline = Some(self.deadline.map_or(deadline, |own| own.min(deadline)));
        self
    }

    /// How long is left, and at most `most`.
    pub(super) fn left(&self, most: Duration) -> Duration {
        let left = |until: Instant| until.saturating_duration_since(Instant::now());
        self.deadline.map_or(most, |until| most.min(left(until)))
    }

    /// Resolves when the call was taken back; never when nobody can take it back any more.
    pub(super) async fn taken_back(&self) {
        if let Some(cancelled) = &self.cancelled
            && cancelled.clone().wait_for(|yes| *yes).await.is_ok()
        {
            return;
        }
        std::future::pending().await
    }

    /// The outcome of `call`, unless the scope is canceled or `most` passes before.
    pub(super) async fn bounded<T>(
        &self,
        most: Duration,
        call: impl Future<Output = Result<T, ClientError>>,
    ) -> Result<T, ClientError> {
        let after = self.left(most);
        tokio::select! {
            // In this order, so that a call that was taken back before it began is not made.
            biased;
            () = self.taken_back() => Err(ClientError::Cancelled),
            done = tokio::time::timeout(after, call) => {
                done.unwrap_or(Err(ClientError::Deadline { after }))
            }
        }
    }
}

impl fmt::Debug for CallScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let caller = self.admitted.as_ref().map(|call| call.caller().to_string());
        f.debug_struct("CallScope")
            .field("caller", &caller)
            .field("deadline", &self.deadline)
            .field("finish_by", &self.finish_by)
            .field("cancelled", &self.cancelled.as_ref().map(|c| *c.borrow()))
            .finish()
    }
}

impl Client {
    /// Calls that go on for whom the call served right now is made.
    ///
    /// # Errors
    /// [`ClientError::NoCurrentCall`] outside of [`scope`], and where the scope has no caller.
    pub fn on_behalf_of_current(&self) -> Result<OnBehalfOf, ClientError> {
        let admitted = CallScope::current().admitted;
        let admitted = admitted.ok_or(ClientError::NoCurrentCall)?;
        Ok(self.on_behalf_of(admitted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    #[tokio::test]
    async fn a_scope_is_there_inside_and_gone_outside() {
        let deadline = Instant::now() + LONG;
        let current = CallScope::default().until(deadline);
        let inside = scope(current, async { CallScope::current().deadline }).await;
        assert_eq!(inside, Some(deadline));
        assert_eq!(CallScope::current().deadline, None);
    }

    #[tokio::test]
    async fn the_earlier_deadline_counts() {
        let now = Instant::now();
        let current = CallScope::default().until(now + LONG);
        assert_eq!(current.clone().until(now).deadline, Some(now));
        assert_eq!(current.until(now + 2 * LONG).deadline, Some(now + LONG));
        let passed = CallScope::default().until(now);
        assert_eq!(passed.left(LONG), Duration::ZERO);
        assert_eq!(CallScope::default().left(LONG), LONG);
    }

    #[tokio::test]
    async fn a_call_that_was_taken_back_is_not_made() {
        let (cancel, cancelled) = watch::channel(false);
        let scope = CallScope {
            cancelled: Some(cancelled),
            ..CallScope::default()
        };
        assert!(scope.bounded(LONG, async { Ok(()) }).await.is_ok());
        let waiting = scope.bounded(LONG, std::future::pending::<Result<(), _>>());
        let (error, _) = tokio::join!(waiting, async { cancel.send(true) });
        let reason = error.map_err(|e| e.reason());
        assert_eq!(reason, Err("client.cancelled"));
        let made = scope.bounded(LONG, async { Ok(()) }).await;
        assert_eq!(made.map_err(|e| e.reason()), Err("client.cancelled"));
    }

    #[tokio::test]
    async fn nobody_left_to_take_it_back_is_no_cancellation() {
        let (cancel, cancelled) = watch::channel(false);
        drop(cancel);
        let scope = CallScope {
            cancelled: Some(cancelled),
            ..CallScope::default()
        };
        let after = scope
            .bounded(
                Duration::from_millis(1),
                std::future::pending::<Result<(), _>>(),
            )
            .await;
        assert_eq!(after.map_err(|e| e.reason()), Err("client.deadline"));
    }
}
