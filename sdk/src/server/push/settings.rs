//! What can be set about push notifications.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::CertificateDer;

use super::policy::PushPolicy;
use crate::server::store::PushConfigStore;
use crate::web::{Resolver, SystemResolver};

/// The range that A2A §13.2 recommends for the time an attempt may take.
const LEAST_TIMEOUT: Duration = Duration::from_secs(1);
const MOST_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the events of a task that is over are kept at least.
const MOST_PATIENCE: Duration = crate::server::store::EVENTS_KEPT;

/// Settings of [`PushNotifications`](super::PushNotifications).
#[derive(Clone)]
pub struct PushSettings {
    pub(super) store: Arc<dyn PushConfigStore>,
    pub(super) policy: PushPolicy,
    pub(super) resolver: Arc<dyn Resolver>,
    pub(super) roots: Option<Vec<CertificateDer<'static>>>,
    pub(super) timeout: Duration,
    pub(super) patience: Duration,
    pub(super) max_per_task: usize,
    pub(super) at_once: AtOnce,
    pub(super) before_answer: Duration,
}

/// How many deliveries run at the same time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AtOnce {
    /// Of all; default 64.
    pub all: usize,
    /// To one receiver (scheme, host, port); default 8.
    pub receiver: usize,
    /// For one owner of tasks; default 32.
    pub owner: usize,
}

impl Default for AtOnce {
    fn default() -> Self {
        Self {
            all: 64,
            receiver: 8,
            owner: 32,
        }
    }
}

impl PushSettings {
    /// The defaults, with configurations kept in `store`.
    pub fn new(store: Arc<dyn PushConfigStore>) -> Self {
        Self {
            store,
            policy: PushPolicy::default(),
            resolver: Arc::new(SystemResolver),
            roots: None,
            timeout: Duration::from_secs(15),
            patience: MOST_PATIENCE,
            max_per_task: 16,
            at_once: AtOnce::default(),
            before_answer: Duration::ZERO,
        }
    }

    /// Which webhooks may be told. Default: [`PushPolicy::default`].
    #[must_use]
    pub fn policy(mut self, policy: PushPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Looks names up. Default: the operating system's resolver.
    #[must_use]
    pub fn resolver(mut self, resolver: Arc<dyn Resolver>) -> Self {
        self.resolver = resolver;
        self
    }

    /// Trusts these roots for webhooks on the public web, instead of the system's.
    #[must_use]
    pub fn web_roots(mut self, roots: Vec<CertificateDer<'static>>) -> Self {
        self.roots = Some(roots);
        self
    }

    /// How long one attempt may take, from the connection to the answer: 1 to 30 s. Default 15 s
    /// (A2A §13.2 recommends 10 to 30 s).
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.clamp(LEAST_TIMEOUT, MOST_TIMEOUT);
        self
    }

    /// How long a receiver that cannot be reached is tried again before it is forgotten. Default, and
    /// at most, 24 h: so long are events kept.
    #[must_use]
    pub fn give_up_after(mut self, patience: Duration) -> Self {
        self.patience = patience.min(MOST_PATIENCE);
        self
    }

    /// Configurations that one task may have. Default 16. Several instances of an agent that share a
    /// store may together exceed it by one each.
    #[must_use]
    pub fn max_per_task(mut self, max: usize) -> Self {
        self.max_per_task = max;
        self
    }

    /// How long the answer to a message waits for the notifications of its task, so that a caller that
    /// has the answer finds them delivered too. Default 0: it does not wait.
    #[must_use]
    pub fn before_answer(mut self, within: Duration) -> Self {
        self.before_answer = within;
        self
    }

    /// How many deliveries run at the same time.
    #[must_use]
    pub fn at_once(mut self, at_once: AtOnce) -> Self {
        self.at_once = at_once;
        self
    }
}

impl fmt::Debug for PushSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PushSettings")
            .field("policy", &self.policy)
            .field("timeout", &self.timeout)
            .field("patience", &self.patience)
            .field("max_per_task", &self.max_per_task)
            .field("at_once", &self.at_once)
            .field("before_answer", &self.before_answer)
            .finish_non_exhaustive()
    }
}
