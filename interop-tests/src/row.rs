//! One row of the matrix: a test that needs a peer.

use std::fmt::Display;

use libtest_mimic::{Completion, Failed, Trial};

/// A row named `name` that runs `test` with the peer that `peer` gets.
///
/// Without the peer the row is ignored and says why; it fails instead when
/// `COUNTERSIGN_INTEROP` is `required`.
pub fn row<P: 'static, E: Display>(
    name: &str,
    peer: impl FnOnce() -> Result<P, E> + Send + 'static,
    test: impl FnOnce(P) -> Result<(), Failed> + Send + 'static,
) -> Trial {
    Trial::ignorable_test(name, move || match peer() {
        Ok(peer) => test(peer).map(|()| Completion::Completed),
        Err(missing) if is_required() => Err(Failed::from(missing.to_string())),
        Err(missing) => Ok(Completion::ignored_with(missing)),
    })
}

fn is_required() -> bool {
    std::env::var_os("COUNTERSIGN_INTEROP").is_some_and(|value| value == "required")
}
