//! Starting, asking and stopping the authority.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, RwLock};

use async_trait::async_trait;
use http::Uri;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::audit::{AuditLog, MemoryLog};
use crate::clock::{Clock, SystemClock};
use crate::crypto::{Algorithm, SigningKey};
use crate::id::SpiffeId;
use crate::jose::JwkSet;
use crate::oauth::AuthorityEndpoint;
use crate::svid::{TrustBundle, TrustBundles};
use crate::tls::{ClientCertificate, Endpoint, ServeOptions, serve};
use crate::workload::{Enrolment, IdentitySource, Material, Workload, WorkloadError};

use super::ca::CertificateAuthority;
use super::codes::Codes;
use super::http::router;
use super::journal::Journal;
use super::mint::Mint;
use super::service::{Agent, Service};
use super::{AuthorityConfig, AuthorityError, Forge};

/// The embedded certificate authority and authorization server, for development.
///
/// It listens on loopback only, all its keys are made at the start and kept in memory, and it holds
/// no client secret: agents are known by certificates, which they get for a code that works once.
/// Print [`BANNER`](super::BANNER) when starting one.
///
/// ```no_run
/// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use countersign::audit::MemoryLog;
/// use countersign::authority::{Authority, AuthorityConfig, BANNER};
/// use countersign::clock::SystemClock;
/// use countersign::tls::AuthoritySource;
/// use countersign::workload::Workload;
///
/// let mut config = AuthorityConfig::new("travel.example".parse()?);
/// config.agents.insert("planner".into(), "trips:read".parse()?);
/// println!("{BANNER}");
/// let clock = Arc::new(SystemClock);
/// let log = Arc::new(MemoryLog::default());
/// let authority = Authority::start(config, clock.clone(), log).await?;
///
/// let source = AuthoritySource::new(authority.enrol("planner")?, clock.clone());
/// let planner = Workload::start(Arc::new(source), clock).await?;
/// println!("{} is up", planner.id());
/// authority.shutdown().await;
/// # Ok(())
/// # }
/// ```
pub struct Authority {
    service: Arc<Service>,
    bundle: TrustBundle,
    endpoint: Endpoint,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl AuthorityConfig {
    /// Starts the authority with the machine's clock and an audit log in this process's memory.
    ///
    /// # Errors
    /// As [`Authority::start`].
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn start(self) -> Result<Authority, AuthorityError> {
        let log = Arc::new(MemoryLog::default());
        Authority::start(self, Arc::new(SystemClock), log).await
    }
}

impl Authority {
    /// Makes fresh keys and listens.
    ///
    /// Everything given out and everything refused is written to `log`; what cannot be written is
    /// not given out.
    ///
    /// # Errors
    /// [`AuthorityError`] for a setting that is refused, or an address that cannot be listened on.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn start(
        config: AuthorityConfig,
        clock: Arc<dyn Clock>,
        log: Arc<dyn AuditLog>,
    ) -> Result<Self, AuthorityError> {
        config.check()?;
        let id = config.trust_domain.workload("/authority");
        let id = id.map_err(|_| AuthorityError::Own { what: "name" })?;
        let listener = TcpListener::bind(config.listen).await;
        let listener = listener.map_err(|error| AuthorityError::Listen {
            at: config.listen,
            why: error.kind(),
        })?;
        let at = listener.local_addr();
        let at = at.map_err(|error| AuthorityError::Listen {
            at: config.listen,
            why: error.kind(),
        })?;
        let issuer = format!("https://{at}");
        let endpoint = endpoint(&issuer, &id)?;
        let authority = CertificateAuthority::generate(&config.trust_domain, clock.now());
        let authority = authority.map_err(|_| AuthorityError::Own { what: "root" })?;
        let root = authority.root().clone();
        let bundle = TrustBundle::new(config.trust_domain.clone(), vec![root]);
        let bundle = bundle.map_err(|_| AuthorityError::Own { what: "root" })?;
        let service = Arc::new(Service {
            agents: RwLock::new(agents(&config)?),
            mint: Mint::new(issuer, config.token_ttl, new_key(config.algorithm)?),
            journal: Arc::new(Journal::new(log, id.clone())),
            codes: Codes::default(),
            clock: Arc::clone(&clock),
            authority,
            id,
            config,
        });
        let own = Own {
            service: Arc::clone(&service),
            bundle: bundle.clone(),
        };
        let workload = Workload::start(Arc::new(own), clock).await;
        let workload = workload.map_err(AuthorityError::Identity)?;
        let options = ServeOptions {
            client_certificate: ClientCertificate::Optional,
            on_refused: Some(service.journal.handshakes(Arc::clone(&service.clock))),
            ..ServeOptions::default()
        };
        let (stop, stopped) = oneshot::channel();
        let router = router(Arc::clone(&service));
        let serving = tokio::spawn(serve(listener, workload, options, router, async {
            // Dropping the authority stops it as well.
            let _ = stopped.await;
        }));
        Ok(Self {
            service,
            bundle,
            endpoint,
            stop,
            serving,
        })
    }

    /// The issuer identifier of its tokens: an `https` URL at a loopback address.
    pub fn issuer(&self) -> &str {
        &self.service.mint.issuer
    }

    /// Its own name, `spiffe://<trust domain>/authority`.
    pub fn id(&self) -> &SpiffeId {
        &self.service.id
    }

    /// Its root, by which its certificates are trusted.
    pub fn bundle(&self) -> &TrustBundle {
        &self.bundle
    }

    /// The keys that its tokens are signed with.
    pub fn keys(&self) -> &JwkSet {
        self.service.mint.keys()
    }

    /// Where it listens and who answers there.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// What an [`OAuth`](crate::oauth::OAuth) client needs to know of it.
    pub fn oauth_endpoint(&self) -> AuthorityEndpoint {
        AuthorityEndpoint {
            issuer: self.issuer().to_owned(),
            endpoint: self.endpoint.clone(),
        }
    }

    /// The name of an agent that it knows.
    ///
    /// # Errors
    /// [`AuthorityError::UnknownAgent`] when it knows none of this name (any more).
    pub fn agent_id(&self, name: &str) -> Result<SpiffeId, AuthorityError> {
        let id = self.service.config.agent_id(name)?;
        if self.service.agent(&id).is_none() {
            let name = name.to_owned();
            return Err(AuthorityError::UnknownAgent { name });
        }
        Ok(id)
    }

    /// What lets the agent `name` ask for its first certificate: a code that works once, within ten
    /// minutes, and makes an earlier one void.
    ///
    /// # Errors
    /// [`AuthorityError::UnknownAgent`] when it knows none of this name.
    pub fn enrol(&self, name: &str) -> Result<Enrolment, AuthorityError> {
        let id = self.agent_id(name)?;
        Ok(Enrolment {
            authority_url: self.issuer().to_owned(),
            authority_id: self.id().clone(),
            bundle: self.bundle.clone(),
            code: self.service.codes.give(id, self.service.clock.now()),
        })
    }

    /// Shuts the agent `name` out: its certificate is not renewed, it gets no tokens, nobody gets
    /// one for it, and tokens in whose chain it stands are not exchanged. What it holds ends by
    /// itself.
    ///
    /// # Errors
    /// [`AuthorityError::UnknownAgent`] when it knows none of this name.
    pub fn shut_out(&self, name: &str) -> Result<(), AuthorityError> {
        let id = self.agent_id(name)?;
        self.service.shut_out(&id);
        Ok(())
    }

    /// Signs what the authority never would, to show that others refuse it.
    ///
    /// In this process only: no endpoint leads here.
    pub fn danger(&self) -> Forge {
        Forge::new(Arc::clone(&self.service))
    }

    /// Stops listening and waits until requests in flight are answered.
    pub async fn shutdown(self) {
        // It may have stopped by itself; then there is nobody left to tell.
        let _ = self.stop.send(());
        let _ = self.serving.await;
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authority({} at {})", self.id(), self.issuer())
    }
}

fn endpoint(issuer: &str, id: &SpiffeId) -> Result<Endpoint, AuthorityError> {
    let wrong = AuthorityError::Own { what: "address" };
    let base: Uri = issuer.parse().map_err(|_| wrong.clone())?;
    Endpoint::new(base, id.clone()).map_err(|_| wrong)
}

fn agents(config: &AuthorityConfig) -> Result<HashMap<SpiffeId, Agent>, AuthorityError> {
    let known = config.agents.iter().map(|(name, allowed)| {
        let agent = Agent {
            allowed: allowed.clone(),
            logs_in: config.logins.contains(name),
        };
        Ok((config.agent_id(name)?, agent))
    });
    known.collect()
}

fn new_key(algorithm: Algorithm) -> Result<SigningKey, AuthorityError> {
    SigningKey::generate(algorithm).map_err(|_| AuthorityError::Own { what: "key" })
}

/// The authority's own certificate, which it gives itself.
struct Own {
    service: Arc<Service>,
    bundle: TrustBundle,
}

#[async_trait]
impl IdentitySource for Own {
    async fn fetch(&self) -> Result<Material, WorkloadError> {
        let key = SigningKey::generate(Algorithm::EcdsaP256Sha256)?;
        let Service {
            authority,
            id,
            clock,
            config,
            ..
        } = &*self.service;
        let leaf = authority.issue(id, key.verifying_key(), clock.now(), config.svid_ttl);
        let leaf = leaf.map_err(|error| WorkloadError::Source(error.to_string()))?;
        Ok(Material {
            chain: vec![leaf],
            key: Arc::new(key),
            bundles: TrustBundles::from(self.bundle.clone()),
        })
    }
}
