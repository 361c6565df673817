//! What a table of cases finds, and what must not be left of it.

use std::fmt::{Debug, Display};
use std::panic;
use std::sync::{Mutex, Once};
use std::time::Duration;

use tokio::runtime::Handle;

use super::Failure;

/// What came otherwise than it should: all of it, so that one run shows a whole table.
#[derive(Default)]
pub(crate) struct Findings(Vec<String>);

impl Findings {
    pub(crate) fn expect<T: PartialEq + Debug>(&mut self, what: impl Display, got: T, want: T) {
        if got != want {
            self.0.push(format!("{what}: got {got:?}, want {want:?}"));
        }
    }

    /// It must have been had, and be this.
    pub(crate) fn result<T: PartialEq + Debug>(
        &mut self,
        what: impl Display,
        got: Result<T, Failure>,
        want: T,
    ) {
        match got {
            Ok(got) => self.expect(what, got, want),
            Err(error) => self.0.push(format!("{what}: {error}, want {want:?}")),
        }
    }

    pub(crate) fn none(self) -> Result<(), Failure> {
        if self.0.is_empty() {
            return Ok(());
        }
        let count = self.0.len();
        Err(format!("{count} findings\n{}", self.0.join("\n")).into())
    }
}

static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// From now on, panics of the library are kept, whichever thread or task they stop.
pub(crate) fn watch_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let place = info.location().map(ToString::to_string);
            // A test that fails does so by a panic of its own.
            let place = place.filter(|place| !place.contains("tests"));
            if let Some(place) = place
                && let Ok(mut all) = PANICS.lock()
            {
                all.push(place);
            }
            usual(info);
        }));
    });
}

/// The panics since then.
pub(crate) fn panics() -> Vec<String> {
    PANICS.lock().map(|all| all.clone()).unwrap_or_default()
}

fn now() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

/// How many tasks this test's runtime has, once that does not change any more.
pub(crate) async fn alive() -> usize {
    let (mut last, mut same) = (now(), 0);
    for _ in 0..200 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        same = if now() == last { same + 1 } else { 0 };
        last = now();
        if same == 10 {
            break;
        }
    }
    last
}

/// Waits until there are no more than `want`; gives how many there are.
pub(crate) async fn down_to(want: usize) -> usize {
    for _ in 0..1000 {
        if now() <= want {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    now()
}
