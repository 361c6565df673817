//! What a receiver is given, and from whom it takes it.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use tokio::sync::mpsc;

use crate::a2a::StreamResponse;
use crate::id::SpiffeId;
use crate::jose::JwkSet;

/// An event of a task that was waited for, from the agent it was expected from.
#[derive(Clone, PartialEq, Debug)]
pub struct Notification {
    /// Which task.
    pub task_id: String,
    /// What happened.
    pub event: StreamResponse,
    /// The agent whose certificate the connection proved; `None` when the sender was proved by pinned
    /// keys.
    pub from: Option<SpiffeId>,
}

/// Takes notifications. The sender is told that one arrived only after this has taken it, and sends
/// it again otherwise.
///
/// Each event comes once, and the events of one task in the sender's order; an
/// [`mpsc::Sender`] is a handler too.
#[async_trait]
pub trait NotificationHandler: Send + Sync + 'static {
    /// Takes `notification`.
    ///
    /// # Errors
    /// [`NotTaken`] when it is to be sent again later.
    async fn notified(&self, notification: Notification) -> Result<(), NotTaken>;
}

/// The notification could not be taken now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the notification could not be taken now")]
pub struct NotTaken;

#[async_trait]
impl NotificationHandler for mpsc::Sender<Notification> {
    async fn notified(&self, notification: Notification) -> Result<(), NotTaken> {
        self.send(notification).await.map_err(|_| NotTaken)
    }
}

/// From whom notifications about a task come.
#[derive(Clone)]
pub struct TrustedSender(pub(super) Trusted);

#[derive(Clone)]
pub(super) enum Trusted {
    Agent(SpiffeId),
    Keys(PinnedKeys),
    Token,
}

impl TrustedSender {
    /// This agent: its certificate on the connection, and its key under the request.
    pub fn agent(id: SpiffeId) -> Self {
        Self(Trusted::Agent(id))
    }

    /// Whoever signs with one of these keys: for a receiver on the public web, where the connection
    /// proves nothing about the sender.
    pub fn keys(keys: PinnedKeys) -> Self {
        Self(Trusted::Keys(keys))
    }

    /// Ways to make the proof weaker.
    pub fn danger() -> TrustedSenderDanger {
        TrustedSenderDanger(())
    }
}

/// Ways to make a [`TrustedSender`] weaker, all in one place that is easy to search for.
#[derive(Debug)]
pub struct TrustedSenderDanger(());

impl TrustedSenderDanger {
    /// Whoever has the token, unsigned: for agents that sign nothing. Anybody who ever saw a
    /// notification can make others.
    pub fn whoever_has_the_token(self) -> TrustedSender {
        TrustedSender(Trusted::Token)
    }
}

impl fmt::Debug for TrustedSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Trusted::Agent(id) => write!(f, "TrustedSender({id})"),
            Trusted::Keys(_) => f.write_str("TrustedSender(pinned keys)"),
            Trusted::Token => f.write_str("TrustedSender(whoever has the token)"),
        }
    }
}

/// The keys that a sender signs with, as they were had from somewhere that is trusted. Clones share
/// them, so that a change is seen by every expectation.
///
/// ```
/// use countersign::jose::JwkSet;
/// use countersign::server::push::PinnedKeys;
/// let keys = PinnedKeys::new(JwkSet::default());
/// keys.replace(JwkSet::default()); // the sender has new ones
/// ```
#[derive(Clone, Debug)]
pub struct PinnedKeys(Arc<ArcSwap<JwkSet>>);

impl PinnedKeys {
    /// These keys.
    pub fn new(keys: JwkSet) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(keys)))
    }

    /// These keys from now on.
    pub fn replace(&self, keys: JwkSet) {
        self.0.store(Arc::new(keys));
    }

    pub(super) fn current(&self) -> Arc<JwkSet> {
        self.0.load_full()
    }
}
