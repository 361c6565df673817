//! How long a stream may last: no longer than what its caller was let in with.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};

use super::handler::Events;
use crate::a2a::{A2aError, ErrorKind, StreamResponse};
use crate::clock::{Clock, UnixTime};
use crate::delegation::Caller;

/// How often the clock is looked at while nothing happens: it may be set, and machines may sleep.
const LOOK: Duration = Duration::from_secs(15);

/// The first second in which what the caller proved itself with is no longer good: its token (RFC 7519
/// §4.1.4), or the certificate that the token is bound to, should that end before.
pub(super) fn end_of_proof(caller: &Caller) -> UnixTime {
    caller.token().expires().min(caller.peer().not_after())
}

/// `events` until then; what happens later is not shown, and an error says why.
///
/// The task goes on. Its caller subscribes to it again with a token that is good.
pub(super) fn bounded(events: Events, until: UnixTime, clock: Arc<dyn Clock>) -> Events {
    let bounded = Bounded {
        events,
        until,
        clock,
        shown: false,
    };
    Events::new(stream::unfold(Some(bounded), |bounded| async {
        let mut bounded = bounded?;
        let event = bounded.next().await?;
        let next = event.is_ok().then_some(bounded);
        Some((event, next))
    }))
}

struct Bounded {
    events: Events,
    until: UnixTime,
    clock: Arc<dyn Clock>,
    /// A call that was let in is told of its task even if its token is just running out: only with
    /// that it can go on.
    shown: bool,
}

impl Bounded {
    async fn next(&mut self) -> Option<Result<Arc<StreamResponse>, A2aError>> {
        loop {
            let look = self.left().min(LOOK);
            tokio::select! {
                // In this order, so that a first event that is there is shown, and an end is an end.
                biased;
                event = self.events.next() => {
                    let late = self.shown && self.left().is_zero();
                    self.shown = true;
                    return match event {
                        Some(Ok(_)) if late => Some(Err(expired())),
                        event => event,
                    };
                }
                () = tokio::time::sleep(look) => {
                    if self.left().is_zero() {
                        return Some(Err(expired()));
                    }
                }
            }
        }
    }

    fn left(&self) -> Duration {
        let until = self.until.secs().saturating_mul(1000);
        Duration::from_millis(until.saturating_sub(self.clock.unix_millis()))
    }
}

fn expired() -> A2aError {
    let why =
        "The token that the stream was opened with has expired; subscribe again with a new one";
    A2aError::new(ErrorKind::Unauthenticated, why)
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;
    use crate::a2a::{Task, TaskState, TaskStatus};
    use crate::clock::ManualClock;

    const START: UnixTime = UnixTime::from_secs(1_000);
    const UNTIL: UnixTime = UnixTime::from_secs(1_060);

    fn task() -> Arc<StreamResponse> {
        let status = TaskStatus::new(TaskState::Working, START.into());
        Arc::new(StreamResponse::Task(Task::new("t", "c", status)))
    }

    /// An event, then the clock shows these seconds, then another event, and so on.
    fn moving(clock: &Arc<ManualClock>, seconds: &'static [u64]) -> Events {
        let clock = clock.clone();
        Events::new(stream::iter(seconds).map(move |second| {
            clock.set(UnixTime::from_secs(*second));
            Ok(task())
        }))
    }

    /// How many events were shown, and how the stream ended.
    async fn shown(events: Events) -> (usize, Option<ErrorKind>) {
        let all: Vec<_> = events.collect().await;
        let error = all.last().and_then(|last| last.as_ref().err());
        let count = all.iter().filter(|event| event.is_ok()).count();
        assert_eq!(
            all.len(),
            count + usize::from(error.is_some()),
            "an error is last"
        );
        (count, error.map(A2aError::kind))
    }

    #[tokio::test]
    async fn nothing_is_shown_once_the_token_has_expired() {
        let over = Some(ErrorKind::Unauthenticated);
        let cases: [(&'static [u64], _); 5] = [
            (&[1_000, 1_030, 1_059], (3, None)),
            (&[1_000, 1_059, 1_060, 1_061], (2, over)),
            (&[1_000, 1_000, 5_000, 1_000], (2, over)),
            // Let in within the clocks' skew: the task at least is named.
            (&[1_060], (1, None)),
            (&[1_061, 1_061], (1, over)),
        ];
        for (seconds, want) in cases {
            let clock = Arc::new(ManualClock::at(START));
            let events = moving(&clock, seconds);
            let bounded = bounded(events, UNTIL, clock);
            assert_eq!(shown(bounded).await, want, "{seconds:?}");
        }
    }

    /// Goes with the time of the test's runtime.
    #[derive(Debug)]
    struct Running(Instant);

    impl Clock for Running {
        fn now(&self) -> UnixTime {
            START.plus(self.0.elapsed())
        }

        fn unix_millis(&self) -> u64 {
            let since = u64::try_from(self.0.elapsed().as_millis());
            START.secs() * 1000 + since.expect("not that long")
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_stream_ends_with_its_token() {
        let begun = Instant::now();
        let silent = stream::once(async { Ok(task()) }).chain(stream::pending());
        let clock = Arc::new(Running(begun));
        let bounded = bounded(Events::new(silent), UNTIL, clock);
        let want = (1, Some(ErrorKind::Unauthenticated));
        assert_eq!(shown(bounded).await, want);
        let took = begun.elapsed().as_secs();
        assert_eq!(took, 60, "not before its end, and not after");
        // One that never showed anything ends as well.
        let clock = Arc::new(Running(Instant::now()));
        let nothing = Events::new(stream::pending());
        let want = (0, Some(ErrorKind::Unauthenticated));
        assert_eq!(shown(super::bounded(nothing, UNTIL, clock)).await, want);
    }

    #[tokio::test]
    async fn a_stream_that_ends_by_itself_ends_as_it_did() {
        let clock = Arc::new(ManualClock::at(START));
        let why = || A2aError::new(ErrorKind::Internal, "no");
        let fails = Events::new(stream::iter([Ok(task()), Err(why()), Ok(task())]));
        let fails = bounded(fails, UNTIL, clock.clone());
        assert_eq!(shown(fails).await, (1, Some(ErrorKind::Internal)));
        let ends = Events::new(stream::iter([Ok(task())]));
        assert_eq!(shown(bounded(ends, UNTIL, clock)).await, (1, None));
    }
}
