//! A client: one workload's way to other agents.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::builder::ClientBuilder;
use super::call::{Authority, OnBehalfOf};
use super::cards::CardCache;
use super::credentials::CredentialProvider;
use super::error::ClientError;
use super::intercept::CallInterceptor;
use super::plans::Spoken;
use super::retry::RetryPolicy;
use super::signing::CurrentSigner;
use crate::audit::Admitted;
use crate::oauth::{AuthorityEndpoint, OAuth, UserGrant};
use crate::tls::Transport;
use crate::workload::Workload;

/// Calls other agents with this workload's identity. Cloning is cheap.
///
/// ```no_run
/// # async fn example(workload: countersign::workload::Workload,
/// #     authority: countersign::oauth::AuthorityEndpoint) -> Result<(), Box<dyn std::error::Error>> {
/// use countersign::client::{Client, Peer};
///
/// let client = Client::new(workload, authority)?;
/// let booking = Peer::new("https://127.0.0.1:4433", "spiffe://travel.example/agent/booking")?;
/// let alice = client.oauth().login("alice", &"trip:book".parse()?).await?;
/// let answer = client
///     .on_behalf_of_user(alice)
///     .call(&booking)
///     .skill("book")
///     .send("A train to Bern on Friday")
///     .await?;
/// println!("{}", answer.text());
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Client(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) workload: Workload,
    pub(super) transport: Transport,
    pub(super) oauth: OAuth,
    pub(super) cards: CardCache,
    pub(super) signer: CurrentSigner,
    pub(super) deadline: Duration,
    pub(super) stream_idle: Duration,
    pub(super) max_answer: usize,
    pub(super) retries: RetryPolicy,
    pub(super) spoken: Spoken,
    pub(super) credentials: Option<Arc<dyn CredentialProvider>>,
    pub(super) interceptors: Vec<Arc<dyn CallInterceptor>>,
}

impl Client {
    /// A client with the defaults.
    ///
    /// # Errors
    /// [`ClientError::Workload`] when our own certificate is unusable.
    pub fn new(workload: Workload, authority: AuthorityEndpoint) -> Result<Self, ClientError> {
        Self::builder(workload, authority).build()
    }

    /// A client whose settings can be changed first.
    pub fn builder(workload: Workload, authority: AuthorityEndpoint) -> ClientBuilder {
        ClientBuilder::new(workload, authority)
    }

    /// Calls for the person who gave `grant`.
    pub fn on_behalf_of_user(&self, grant: UserGrant) -> OnBehalfOf {
        OnBehalfOf::new(self.clone(), Authority::User(Arc::new(grant)))
    }

    /// Calls that go on for whom the admitted call was made.
    pub fn on_behalf_of(&self, admitted: Arc<Admitted>) -> OnBehalfOf {
        OnBehalfOf::new(self.clone(), Authority::Caller(admitted))
    }

    /// Calls that are this agent's own, for nobody else.
    pub fn on_own_behalf(&self) -> OnBehalfOf {
        OnBehalfOf::new(self.clone(), Authority::Own)
    }

    /// The token side, for logins.
    pub fn oauth(&self) -> &OAuth {
        &self.0.oauth
    }

    /// The connections.
    pub fn transport(&self) -> &Transport {
        &self.0.transport
    }

    /// What signs our requests.
    #[cfg(feature = "server")]
    pub(crate) fn signer(&self) -> &CurrentSigner {
        &self.0.signer
    }

    /// Our own certificate and its rotation.
    pub fn workload(&self) -> &Workload {
        &self.0.workload
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({})", self.0.workload.id())
    }
}
