//! Lists that come in pages.

use super::error::ClientError;

/// How many pages in a row may bring nothing and name another page all the same.
const MAX_EMPTY: usize = 16;

/// Counts empty pages: a page may be empty before the last one, but a list that only names further
/// pages never ends.
#[derive(Default)]
pub(super) struct EmptyPages(usize);

impl EmptyPages {
    /// Takes note of a page.
    ///
    /// # Errors
    /// [`ClientError::Endless`] when it is one empty page too many.
    pub(super) fn count(&mut self, empty: bool) -> Result<(), ClientError> {
        self.0 = if empty { self.0 + 1 } else { 0 };
        if self.0 > MAX_EMPTY {
            return Err(ClientError::Endless {
                max: MAX_EMPTY,
                what: "empty pages in a row",
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_pages_in_a_row_end_at_sixteen() {
        let mut pages = EmptyPages::default();
        for empty in [true; MAX_EMPTY].into_iter().chain([false]) {
            assert!(pages.count(empty).is_ok());
        }
        for _ in 0..MAX_EMPTY {
            assert!(pages.count(true).is_ok());
        }
        let reason = pages.count(true).map_err(|error| error.reason());
        assert_eq!(reason, Err("client.endless"));
    }
}
