//! Every partition of a transport, and what keeps them in order.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::Request;
use http::uri::Authority;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use tokio::sync::Notify;

use super::bond::{Bond, Broken};
use super::crypto::{certified_key, client_config};
use super::dial::refuses_certificate;
use super::keeper::Keeper;
use super::lease::Lease;
use super::pool::{Around, Partition};
use super::registry::{Registry, TICK};
use super::{Endpoint, TlsError, TransportConfig, Waiting};
use crate::clock::UnixTime;
use crate::id::SpiffeId;
use crate::svid::PeerIdentity;
use crate::workload::{Snapshot, Workload};

/// What all clones of a transport share.
pub(super) struct Shared {
    workload: Workload,
    config: TransportConfig,
    partitions: ArcSwap<Partitions>,
    making: Mutex<()>,
    registry: Registry,
    dialled: Arc<Notify>,
    keeper: OnceLock<Keeper>,
}

type Key = (SpiffeId, Authority, Option<SocketAddr>);
type Partitions = HashMap<Key, Arc<Partition>>;

/// From so many on, those at one address only go when another is made.
const MAX_PARTITIONS: usize = 1024;

/// Whoever may name a receiver of notifications chooses names and addresses as it likes; what it
/// chose once is not kept until the certificate is rotated.
fn make_room<T>(kept: &mut HashMap<Key, T>) {
    if kept.len() >= MAX_PARTITIONS {
        kept.retain(|(_, _, address), _| address.is_none());
    }
}

impl Shared {
    pub(super) fn new(workload: Workload, config: TransportConfig) -> Self {
        Self {
            workload,
            config,
            partitions: ArcSwap::default(),
            making: Mutex::new(()),
            registry: Registry::new(),
            dialled: Arc::default(),
            keeper: OnceLock::new(),
        }
    }

    pub(super) fn workload(&self) -> &Workload {
        &self.workload
    }

    pub(super) fn config(&self) -> &TransportConfig {
        &self.config
    }

    /// Told of every dial, so that the keeper wakes.
    pub(super) fn dialled(&self) -> &Arc<Notify> {
        &self.dialled
    }

    pub(super) fn registry(&self) -> &Registry {
        &self.registry
    }

    fn around(&self) -> Around<'_> {
        Around {
            config: &self.config,
            clock: self.workload.clock(),
            registry: &self.registry,
        }
    }

    /// The connections to `to` by what we are and whom we trust now, and the time they were asked
    /// for at.
    pub(super) fn partition(
        self: &Arc<Self>,
        to: &Endpoint,
    ) -> Result<(Arc<Partition>, UnixTime), TlsError> {
        let now = self.workload.clock().now();
        let own = self.workload.usable(now).map_err(TlsError::OwnExpired)?;
        if own.bundles().get(to.id().trust_domain_name()).is_none() {
            return Err(TlsError::NotTrusted {
                peer: to.id().clone(),
            });
        }
        let policy = self.policy();
        let authority = to.uri_authority().clone();
        let key = (to.id().clone(), authority, to.address_only());
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
        make_room(&mut kept);
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

    pub(super) async fn lease(
        &self,
        partition: &Arc<Partition>,
        now: UnixTime,
    ) -> Result<Lease, TlsError> {
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
    pub(super) fn still_stands(
        &self,
        bond: &Bond,
        to: &Endpoint,
    ) -> Result<PeerIdentity, TlsError> {
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

    pub(super) async fn exchange(
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

    pub(super) fn failed(
        &self,
        partition: &Partition,
        bond: &Bond,
        error: Option<&hyper::Error>,
    ) -> TlsError {
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
        self.keeper.get_or_init(|| Keeper::start(self));
    }

    /// Cuts connections that no longer stand and drops those nobody uses.
    pub(super) fn look_over(&self) {
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

pub(super) enum Failed {
    Http(Box<TrySendError<Request<Full<Bytes>>>>),
    Timeout,
}

impl Failed {
    /// The request, if nothing of it was written.
    pub(super) fn take_message(&mut self) -> Option<Request<Full<Bytes>>> {
        match self {
            Self::Http(error) => error.take_message(),
            Self::Timeout => None,
        }
    }

    pub(super) fn error(&self) -> Option<&hyper::Error> {
        match self {
            Self::Http(error) => Some(error.error()),
            Self::Timeout => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_were_chosen_by_others_do_not_pile_up() {
        let key = |number: usize, at_address: bool| -> Key {
            let id = "spiffe://a.example/agent/a".parse().expect("an ID");
            let authority = format!("a{number}.example").parse().expect("a host");
            let address = at_address.then(|| ([192, 0, 2, 1], 443).into());
            (id, authority, address)
        };
        let mut kept = HashMap::new();
        for number in 0..MAX_PARTITIONS - 1 {
            kept.insert(key(number, number >= 10), ());
        }
        make_room(&mut kept);
        assert_eq!(kept.len(), MAX_PARTITIONS - 1, "not yet");
        kept.insert(key(MAX_PARTITIONS, true), ());
        make_room(&mut kept);
        assert_eq!(kept.len(), 10);
        assert!(kept.keys().all(|(_, _, address)| address.is_none()));
    }
}
