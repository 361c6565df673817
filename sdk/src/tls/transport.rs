//! Requests to agents, on connections that prove who answers.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::Request;
use http::uri::Authority;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::bond::{Bond, Broken, Registry, TICK};
use super::crypto::{certified_key, client_config};
use super::dial::refuses_certificate;
use super::pool::{Around, Lease, Partition};
use super::{Endpoint, TlsError, TransportConfig, Waiting};
use crate::clock::UnixTime;
use crate::id::SpiffeId;
use crate::svid::PeerIdentity;
use crate::workload::{Snapshot, Workload};

/// How often a request that never left is tried again, each time on another connection.
const ATTEMPTS: u32 = 3;

/// An answer, and who gave it.
#[derive(Debug)]
pub struct Received {
    /// The answer; its body is still on the way.
    pub response: http::Response<Incoming>,
    /// Who was proven to be at the other end of the very connection it came on.
    pub peer: PeerIdentity,
}

/// Sends requests over mutual TLS, each to a named peer.
///
/// Connections are kept and used again, but only for the same peer at the same address, by the
/// same certificate of ours, under the same trust and policy. For every request it is checked
/// again that our certificate and the peer's are valid and that the peer's domain is trusted.
/// Redirects are not followed and no proxy is used. Cloning is cheap and shares the connections.
///
/// ```no_run
/// # async fn f(workload: countersign::workload::Workload) -> Result<(), Box<dyn std::error::Error>> {
/// use countersign::tls::{Endpoint, Transport, TransportConfig};
/// let transport = Transport::new(workload, TransportConfig::default());
/// let booking = Endpoint::new(
///     "https://127.0.0.1:8443".parse()?,
///     "spiffe://travel.example/agent/booking".parse()?,
/// )?;
/// let request = http::Request::get("/.well-known/agent-card.json").body(Default::default())?;
/// let received = transport.send(&booking, request).await?;
/// println!("{} from {}", received.response.status(), received.peer.id());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Transport(Arc<Shared>);

struct Shared {
    workload: Workload,
    config: TransportConfig,
    partitions: ArcSwap<Partitions>,
    making: Mutex<()>,
    registry: Registry,
    dialled: Arc<Notify>,
    keeper: OnceLock<Keeper>,
}

type Partitions = HashMap<(SpiffeId, Authority), Arc<Partition>>;

impl Transport {
    /// A transport that shows the certificate of `workload`.
    pub fn new(workload: Workload, config: TransportConfig) -> Self {
        Self(Arc::new(Shared {
            workload,
            config,
            partitions: ArcSwap::default(),
            making: Mutex::new(()),
            registry: Registry::new(),
            dialled: Arc::default(),
            keeper: OnceLock::new(),
        }))
    }

    /// Whose certificate is shown.
    pub fn workload(&self) -> &Workload {
        &self.0.workload
    }

    /// Handshakes done so far. A number that grows with every request says that connections are
    /// not kept.
    pub fn handshakes(&self) -> u64 {
        self.0.registry.made()
    }

    /// Connections that are open now.
    #[cfg(all(test, feature = "server"))]
    pub(super) fn connections(&self) -> usize {
        self.0.registry.count()
    }

    /// Sends `request` to the agent at `to`, and to nobody else. The request's URI is a path, or
    /// a URL at that same host; `Host` is set here.
    ///
    /// A request that never left is tried again on another connection; one that may have arrived
    /// is not, see [`TlsError::may_have_arrived`].
    ///
    /// # Errors
    /// [`TlsError`], before anything is sent when our certificate has ended, when the peer is not
    /// trusted or when somebody else answers.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn send(
        &self,
        to: &Endpoint,
        request: Request<Full<Bytes>>,
    ) -> Result<Received, TlsError> {
        to.owns(request.uri())?;
        let shared = &self.0;
        let mut request = request;
        let mut attempt = 1;
        loop {
            let (partition, now) = shared.partition(to)?;
            let lease = shared.lease(&partition, now).await?;
            let bond = Arc::clone(lease.bond());
            to.address(&mut request, lease.version());
            match shared.exchange(&partition, lease, request).await {
                Ok(response) => {
                    let peer = shared.still_stands(&bond, to)?;
                    return Ok(Received { response, peer });
                }
                Err(mut error) => {
                    let unsent = error.take_message();
                    match unsent {
                        Some(unsent) if attempt < ATTEMPTS && bond.alert().is_none() => {
                            request = unsent;
                            attempt += 1;
                        }
                        _ => return Err(shared.failed(&partition, &bond, error.error())),
                    }
                }
            }
        }
    }
}

impl Shared {
    fn around(&self) -> Around<'_> {
        Around {
            config: &self.config,
            clock: self.workload.clock(),
            registry: &self.registry,
        }
    }

    /// The connections to `to` by what we are and whom we trust now, and the time they were asked
    /// for at.
    fn partition(self: &Arc<Self>, to: &Endpoint) -> Result<(Arc<Partition>, UnixTime), TlsError> {
        let now = self.workload.clock().now();
        let own = self.workload.usable(now).map_err(TlsError::OwnExpired)?;
        if own.bundles().get(to.id().trust_domain_name()).is_none() {
            return Err(TlsError::NotTrusted {
                peer: to.id().clone(),
            });
        }
        let policy = self.policy();
        let key = (to.id().clone(), to.uri_authority().clone());
        let current = |found: &&Arc<Partition>| {
            found.own.generation() == own.generation() && found.policy == policy
        };
        if let Some(found) = self.partitions.load().get(&key).filter(current) {
            return Ok((Arc::clone(found), now));
        }
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        let partitions = self.partitions.load_full();
        if let Some(found) = partitions.get(&key).filter(current) {
            return Ok((Arc::clone(found), now));
        }
        self.keep();
        let made = self.make(to, own, policy)?;
        // Those of an older generation go, and their unused connections with them.
        let mut kept: Partitions = partitions
            .iter()
            .filter(|(_, p)| p.own.generation() == made.own.generation() && p.policy == policy)
            .map(|(key, p)| (key.clone(), Arc::clone(p)))
            .collect();
        kept.insert(key, Arc::clone(&made));
        self.partitions.store(Arc::new(kept));
        Ok((made, now))
    }

    fn make(
        &self,
        to: &Endpoint,
        own: Arc<Snapshot>,
        policy: u64,
    ) -> Result<Arc<Partition>, TlsError> {
        let config = certified_key(own.chain(), own.key())
            .and_then(|key| client_config(Some(key), self.config.http))
            .map_err(|error| TlsError::Handshake {
                authority: to.authority().to_owned(),
                what: error.to_string(),
            })?;
        let max = self.config.max_dials;
        Ok(Arc::new(Partition::new(
            to.clone(),
            own,
            policy,
            config,
            max,
        )))
    }

    fn policy(&self) -> u64 {
        let policy = self.config.policy_generation.as_ref();
        policy.map_or(0, |generation| generation.load(Ordering::Acquire))
    }

    async fn lease(&self, partition: &Arc<Partition>, now: UnixTime) -> Result<Lease, TlsError> {
        let around = self.around();
        if let Some(lease) = partition.at_once(around, now) {
            return Ok(lease);
        }
        let within = self.config.connect_timeout;
        // Boxed, so that a request that finds a connection is not as large as one that dials.
        let leased = tokio::time::timeout(within, Box::pin(partition.lease(around))).await;
        self.dialled.notify_one();
        leased.unwrap_or_else(|_| {
            Err(TlsError::Timeout {
                authority: partition.to.authority().to_owned(),
                waiting: Waiting::Connecting,
                after: within,
            })
        })
    }

    /// The peer of a connection that stands on valid certificates and present trust.
    fn still_stands(&self, bond: &Bond, to: &Endpoint) -> Result<PeerIdentity, TlsError> {
        let now = self.workload.clock().now();
        let own = self.workload.current();
        bond.check(now, &own)
            .map_err(|why| broken_error(why, to.id()))?;
        match bond.peer() {
            Some(peer) if peer.id() == to.id() => Ok(peer.clone()),
            Some(other) => Err(TlsError::PeerNotExpected {
                expected: to.id().clone(),
                found: other.id().clone(),
            }),
            None => Err(TlsError::NotTrusted {
                peer: to.id().clone(),
            }),
        }
    }

    async fn exchange(
        &self,
        partition: &Arc<Partition>,
        mut lease: Lease,
        request: Request<Full<Bytes>>,
    ) -> Result<http::Response<Incoming>, Failed> {
        let within = self.config.answer_timeout;
        match tokio::time::timeout(within, lease.send(request)).await {
            Ok(Ok(response)) => {
                partition.give_back(lease, &response, self.around());
                Ok(response)
            }
            Ok(Err(error)) => Err(Failed::Http(Box::new(error))),
            Err(_) => Err(Failed::Timeout),
        }
    }

    fn failed(&self, partition: &Partition, bond: &Bond, error: Option<&hyper::Error>) -> TlsError {
        let to = &partition.to;
        if let Some(alert) = bond.alert().filter(|alert| refuses_certificate(*alert)) {
            return TlsError::PeerRejectedUs {
                peer: to.id().clone(),
                own: partition.own.identity().id().clone(),
                alert: format!("{alert:?}"),
            };
        }
        if let Some(why) = bond.broken() {
            return broken_error(why, to.id());
        }
        match error {
            Some(error) => partition.http_error(error),
            None => TlsError::Timeout {
                authority: to.authority().to_owned(),
                waiting: Waiting::Answering,
                after: self.config.answer_timeout,
            },
        }
    }

    /// Starts the keeper with the first connection.
    fn keep(self: &Arc<Self>) {
        self.keeper.get_or_init(|| {
            let changed = self.workload.changed();
            let dialled = Arc::clone(&self.dialled);
            Keeper(tokio::spawn(keep(Arc::downgrade(self), changed, dialled)))
        });
    }

    /// Cuts connections that no longer stand and drops those nobody uses.
    fn look_over(&self) {
        let own = self.workload.current();
        self.registry.sweep(self.workload.clock().now(), &own, None);
        let tick = self.registry.tick();
        let limit = self.config.idle_timeout.as_millis() / TICK.as_millis();
        let limit = u32::try_from(limit).unwrap_or(u32::MAX).max(1);
        let policy = self.policy();
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        let partitions = self.partitions.load_full();
        let stays = |p: &Partition| {
            p.own.generation() == own.generation() && p.policy == policy && p.prune(tick, limit)
        };
        let kept: Partitions = partitions
            .iter()
            .filter(|(_, p)| stays(p))
            .map(|(key, p)| (key.clone(), Arc::clone(p)))
            .collect();
        if kept.len() < partitions.len() {
            self.partitions.store(Arc::new(kept));
        }
    }
}

fn broken_error(why: Broken, peer: &SpiffeId) -> TlsError {
    let peer = peer.clone();
    match why {
        Broken::Expired { until, now } => TlsError::PeerExpired { peer, until, now },
        Broken::NotTrusted => TlsError::NotTrusted { peer },
    }
}

enum Failed {
    Http(Box<TrySendError<Request<Full<Bytes>>>>),
    Timeout,
}

impl Failed {
    /// The request, if nothing of it was written.
    fn take_message(&mut self) -> Option<Request<Full<Bytes>>> {
        match self {
            Self::Http(error) => error.take_message(),
            Self::Timeout => None,
        }
    }

    fn error(&self) -> Option<&hyper::Error> {
        match self {
            Self::Http(error) => Some(error.error()),
            Self::Timeout => None,
        }
    }
}

/// Ends with the last clone of the transport.
struct Keeper(JoinHandle<()>);

impl Drop for Keeper {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn keep(
    shared: Weak<Shared>,
    mut changed: tokio::sync::watch::Receiver<u64>,
    dialled: Arc<Notify>,
) {
    loop {
        let busy = match shared.upgrade() {
            Some(shared) => shared.registry.any(),
            None => return,
        };
        let ticked = tokio::select! {
            done = changed.changed() => {
                if done.is_err() {
                    return;
                }
                false
            }
            () = tokio::time::sleep(TICK), if busy => true,
            () = dialled.notified(), if !busy => false,
        };
        let Some(shared) = shared.upgrade() else {
            return;
        };
        if ticked {
            shared.registry.advance();
        }
        shared.look_over();
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("workload", &self.0.workload)
            .field("config", &self.0.config)
            .finish_non_exhaustive()
    }
}
