//! A client: one workload's way to other agents.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;

use super::binding::speaker;
use super::call::{Authority, OnBehalfOf};
use super::cards::CardCache;
use super::credentials::CredentialProvider;
use super::error::ClientError;
use super::intercept::CallInterceptor;
use super::plans::Spoken;
use super::retry::RetryPolicy;
use super::signing::CurrentSigner;
use crate::a2a::Version;
use crate::audit::Admitted;
use crate::card::{Protocol, ProtocolBinding};
use crate::httpsig::{DIRECTORY_PATH, Origin, Profile};
use crate::id::SpiffeId;
use crate::oauth::{AuthorityEndpoint, OAuth, UserGrant};
use crate::tls::{Endpoint, Transport, TransportConfig};
use crate::workload::Workload;

/// An agent to call: where it is, and who must be there.
///
/// ```
/// use countersign::client::Peer;
/// let booking = Peer::new("https://127.0.0.1:4433", "spiffe://travel.example/agent/booking")?;
/// # Ok::<(), countersign::client::ClientError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Peer {
    endpoint: Endpoint,
    target: Origin,
    origin: Arc<str>,
}

impl Peer {
    /// The agent `id` at the origin `url`: `https`, host and port, no path.
    ///
    /// # Errors
    /// [`ClientError::PeerUrl`], [`ClientError::PeerId`].
    pub fn new(url: &str, id: &str) -> Result<Self, ClientError> {
        let id: SpiffeId = id.parse()?;
        let wrong = || ClientError::PeerUrl { url: url.into() };
        let base: Uri = url.parse().map_err(|_| wrong())?;
        let authority = base.authority().cloned().ok_or_else(wrong)?;
        let plain = base.scheme() == Some(&http::uri::Scheme::HTTPS)
            && !authority.as_str().contains('@')
            && matches!(base.path(), "" | "/")
            && base.query().is_none();
        if !plain {
            return Err(wrong());
        }
        let origin = format!("https://{authority}").into();
        Ok(Self {
            target: Origin::https(authority.as_str()),
            endpoint: Endpoint::new(base, id)?,
            origin,
        })
    }

    /// Who must be there.
    pub fn id(&self) -> &SpiffeId {
        self.endpoint.id()
    }

    /// Where: `https://host:port`.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// What a request to it is signed for: `@authority` and `@scheme`.
    pub fn target(&self) -> &Origin {
        &self.target
    }

    /// The URL of `path` (begins with `/`) there.
    ///
    /// # Errors
    /// [`ClientError::PeerUrl`] when `path` is none.
    pub fn uri(&self, path: &str) -> Result<Uri, ClientError> {
        let url = format!("{}{path}", self.origin);
        let parsed = url.parse().ok().filter(|_| path.starts_with('/'));
        parsed.ok_or(ClientError::PeerUrl { url })
    }

    pub(super) fn shared_origin(&self) -> Arc<str> {
        self.origin.clone()
    }

    /// For the connection.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }
}

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
        ClientBuilder {
            workload,
            authority,
            transport: TransportConfig::default(),
            directory: None,
            deadline: Duration::from_secs(60),
            stream_idle: Duration::from_secs(300),
            max_answer: 4 << 20,
            retries: RetryPolicy::default(),
            preferred: Vec::new(),
            v0_3: false,
            credentials: None,
            interceptors: Vec::new(),
        }
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

/// The settings of a [`Client`].
#[derive(Debug)]
pub struct ClientBuilder {
    workload: Workload,
    authority: AuthorityEndpoint,
    transport: TransportConfig,
    directory: Option<String>,
    deadline: Duration,
    stream_idle: Duration,
    max_answer: usize,
    retries: RetryPolicy,
    preferred: Vec<ProtocolBinding>,
    v0_3: bool,
    credentials: Option<Arc<dyn CredentialProvider>>,
    interceptors: Vec<Arc<dyn CallInterceptor>>,
}

impl ClientBuilder {
    /// How connections are made.
    #[must_use]
    pub fn transport(mut self, config: TransportConfig) -> Self {
        self.transport = config;
        self
    }

    /// Where this agent publishes its signing keys (`Signature-Agent`). Default: the well-known
    /// path on a host named as the trust domain.
    #[must_use]
    pub fn key_directory(mut self, https_url: impl Into<String>) -> Self {
        self.directory = Some(https_url.into());
        self
    }

    /// How long a call may take until its answer, or its event stream, begins. Default 60 s.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The most bytes an answer or one event may have. Default 4 MiB.
    #[must_use]
    pub fn max_answer(mut self, bytes: usize) -> Self {
        self.max_answer = bytes;
        self
    }

    /// How long a stream may be silent before it is taken for broken; keep-alives count. Default
    /// 5 minutes.
    #[must_use]
    pub fn stream_idle(mut self, idle: Duration) -> Self {
        self.stream_idle = idle;
        self
    }

    /// How often calls are made again and streams resumed. Default: [`RetryPolicy::default`].
    #[must_use]
    pub fn retries(mut self, policy: RetryPolicy) -> Self {
        self.retries = policy;
        self
    }

    /// Uses these bindings and no others, in this order of preference. Default: every binding, in
    /// the order of the agent's card (A2A §5.4).
    #[must_use]
    pub fn bindings(mut self, preferred: impl IntoIterator<Item = ProtocolBinding>) -> Self {
        self.preferred = preferred.into_iter().collect();
        self
    }

    /// Calls agents that speak A2A 0.3 too, at the interfaces where their cards say so. Default: they
    /// are not called; there is no falling back to it (A2A §3.6.3).
    #[must_use]
    pub fn allow_v0_3(mut self) -> Self {
        self.v0_3 = true;
        self
    }

    /// Who gives the keys and passwords that cards ask for beside certificates and tokens. Default:
    /// nobody; cards that ask for nothing else can then not be met.
    #[must_use]
    pub fn credentials(mut self, provider: impl CredentialProvider + 'static) -> Self {
        self.credentials = Some(Arc::new(provider));
        self
    }

    /// Lets `interceptor` see every request and its outcome, after those that were added before.
    #[must_use]
    pub fn intercept(mut self, interceptor: impl CallInterceptor + 'static) -> Self {
        self.interceptors.push(Arc::new(interceptor));
        self
    }

    /// What is spoken, the preferred first.
    fn spoken(&self) -> Spoken {
        let bindings = match self.preferred.as_slice() {
            [] => ProtocolBinding::ALL.to_vec(),
            some => some.to_vec(),
        };
        let mut versions = vec![Version::V1_0];
        versions.extend(self.v0_3.then_some(Version::V0_3));
        let all = versions.into_iter().flat_map(|version| {
            let bindings = bindings.iter();
            bindings.map(move |&binding| Protocol { binding, version })
        });
        Spoken {
            protocols: all
                .filter(|&protocol| speaker(protocol).is_some())
                .collect(),
            own_order: !self.preferred.is_empty(),
        }
    }

    /// The client.
    ///
    /// # Errors
    /// [`ClientError::Workload`] when our own certificate is unusable.
    pub fn build(self) -> Result<Client, ClientError> {
        let spoken = self.spoken();
        let workload = self.workload;
        workload.usable(workload.clock().now())?;
        let transport = Transport::new(workload.clone(), self.transport);
        let directory = self.directory.unwrap_or_else(|| {
            format!(
                "https://{}{DIRECTORY_PATH}",
                workload.id().trust_domain_name()
            )
        });
        let oauth = OAuth::new(workload.clone(), transport.clone(), self.authority);
        Ok(Client(Arc::new(Inner {
            cards: CardCache::default(),
            signer: CurrentSigner::new(directory, Profile::a2a()),
            oauth,
            transport,
            workload,
            deadline: self.deadline,
            stream_idle: self.stream_idle,
            max_answer: self.max_answer,
            retries: self.retries,
            spoken,
            credentials: self.credentials,
            interceptors: self.interceptors,
        })))
    }
}
