//! What can be set about a resolver.

use std::time::Duration;

/// The longest that a failure is remembered (draft-ietf-webbotauth-httpsig-protocol).
pub(super) const MOST_NEGATIVE: Duration = Duration::from_secs(300);
/// The longest that a server is left alone because it asks for it.
pub(super) const MOST_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// How long a [`DirectoryResolver`](super::DirectoryResolver) believes what it knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ResolverTimes {
    /// How long a directory is used that does not say how long. Default 5 min.
    pub fresh: Duration,
    /// The longest that one is used without asking again, whatever it says: so long does a key
    /// live that was withdrawn. Default 24 h.
    pub most_fresh: Duration,
    /// The shortest, whatever it says, and how often a key that is not in a directory makes us ask
    /// again: nobody can make us fetch one more often. Default 30 s.
    pub interval: Duration,
    /// How long a directory is used after that when it cannot be fetched. Default 1 h; one that
    /// says `must-revalidate` or `no-cache` is not.
    pub stale: Duration,
    /// How long a failure is remembered; one of the network for less at first, doubled each time.
    /// Default 5 min, which is the most.
    pub negative: Duration,
    /// How often a fetch that failed in the network, or with 5xx, is tried again at once. Default 2.
    pub retries: u32,
    /// The pause before the first of these; each is twice as long as the one before, up to half of
    /// it shorter by chance. Default 200 ms.
    pub pause: Duration,
    /// How long all of them may take together. Default 15 s.
    pub whole: Duration,
}

impl Default for ResolverTimes {
    fn default() -> Self {
        Self {
            fresh: Duration::from_secs(300),
            most_fresh: Duration::from_secs(24 * 3600),
            interval: Duration::from_secs(30),
            stale: Duration::from_secs(3600),
            negative: MOST_NEGATIVE,
            retries: 2,
            pause: Duration::from_millis(200),
            whole: Duration::from_secs(15),
        }
    }
}

/// How much a [`DirectoryResolver`](super::DirectoryResolver) keeps and does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ResolverLimits {
    /// Directories that are kept; the one that was not used for longest goes. Default 1,024.
    pub directories: usize,
    /// Directories of one origin that are kept. Default 16.
    pub of_origin: usize,
    /// Bytes of all directories that are kept, roughly. Default 16 MiB.
    pub bytes: usize,
    /// Failures that are remembered; they push no directory out. Default 4,096.
    pub failures: usize,
    /// Fetches that run at a time. Default 64.
    pub at_once: usize,
    /// Fetches from one origin that run at a time. Default 2.
    pub at_once_of_origin: usize,
    /// Fetches from one origin in a minute. Default 30.
    pub per_minute: u32,
}

impl Default for ResolverLimits {
    fn default() -> Self {
        Self {
            directories: 1024,
            of_origin: 16,
            bytes: 16 << 20,
            failures: 4096,
            at_once: 64,
            at_once_of_origin: 2,
            per_minute: 30,
        }
    }
}
