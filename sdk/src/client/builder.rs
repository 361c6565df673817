//! The settings of a client.

use std::sync::Arc;
use std::time::Duration;

use super::binding::speaker;
use super::cards::CardCache;
use super::connect::{Client, Inner};
use super::credentials::CredentialProvider;
use super::error::ClientError;
use super::intercept::CallInterceptor;
use super::plans::Spoken;
use super::retry::RetryPolicy;
use super::signing::CurrentSigner;
use crate::a2a::Version;
use crate::card::{Protocol, ProtocolBinding};
use crate::httpsig::{DIRECTORY_PATH, Profile};
use crate::oauth::{AuthorityEndpoint, OAuth};
use crate::tls::{Transport, TransportConfig};
use crate::workload::Workload;

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
    pub(super) fn new(workload: Workload, authority: AuthorityEndpoint) -> Self {
        Self {
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
