//! Where on a host webhooks are.

use super::error::WebhookError;

/// Where another agent takes notifications: one path (`/notifications`), or, when it ends with a
/// slash, all below it (`/notifications/`).
///
/// What is below is of letters, digits and `-._~`, in parts that are neither empty nor `.` or `..`:
/// written so, no server reads it as another path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WebhookPath(String);

impl WebhookPath {
    /// Reads a path.
    ///
    /// # Errors
    /// [`WebhookError::Path`] when it is none.
    pub fn new(text: &str) -> Result<Self, WebhookError> {
        let parts = text.strip_prefix('/');
        let parts = parts.map(|parts| parts.strip_suffix('/').unwrap_or(parts));
        // A slash alone would be every path there is.
        match parts {
            Some(parts) if are_plain(parts) => Ok(Self(text.to_owned())),
            _ => Err(WebhookError::Path {
                text: text.to_owned(),
            }),
        }
    }

    /// Whether webhooks may be at `path`.
    pub(super) fn holds(&self, path: &str) -> bool {
        let below = || {
            let rest = path.strip_prefix(&self.0);
            self.0.ends_with('/') && rest.is_some_and(are_plain)
        };
        path == self.0 || below()
    }
}

/// Whether these are parts of a path that can be read in one way only.
fn are_plain(parts: &str) -> bool {
    parts.split('/').all(|part| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        !matches!(part, "" | "." | "..") && part.bytes().all(plain)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_holds_itself_and_with_a_slash_what_is_plainly_below() {
        for wrong in [
            "", "/", "//", "hooks", "/a//b", "/..", "/a/./", "/a%2fb", "/a?x", "/*",
        ] {
            assert!(WebhookPath::new(wrong).is_err(), "{wrong}");
        }
        let one = WebhookPath::new("/hooks").expect("a path");
        let below = WebhookPath::new("/hooks/in/").expect("a path");
        for (path, in_one, in_below) in [
            ("/hooks", true, false),
            ("/hooks/", false, false),
            ("/hooks/in", false, false),
            ("/hooks/in/", false, true),
            ("/hooks/in/t-1", false, true),
            ("/hooks/in/a.b~c_d/e", false, true),
            ("/hooks/in//e", false, false),
            ("/hooks/in/e/", false, false),
            ("/hooks/in/../admin", false, false),
            ("/hooks/in/.", false, false),
            ("/hooks/in/%2e%2e/admin", false, false),
            ("/hooks/in/a%2fb", false, false),
            ("/hooks/in/a:cancel", false, false),
            ("/hooks/in/a;b", false, false),
            ("/hooks/inside", false, false),
            ("/Hooks", false, false),
            ("/", false, false),
            ("/a2a/rest/tasks/t:cancel", false, false),
        ] {
            let got = (one.holds(path), below.holds(path));
            assert_eq!(got, (in_one, in_below), "{path}");
        }
    }
}
