//! The identity in use, its renewal and its trust.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{IdentitySource, Material, Snapshot, WorkloadError};
use crate::clock::{Clock, UnixTime};
use crate::crypto::random;
use crate::id::{SpiffeId, TrustDomain};
use crate::svid::{TrustBundle, TrustBundles};

/// The first pause after a failed renewal; it doubles up to [`RETRY_MAX`].
const RETRY_MIN: Duration = Duration::from_millis(200);
const RETRY_MAX: Duration = Duration::from_secs(30);
/// Never ask a source more often than this when all is well.
const PAUSE_MIN: Duration = Duration::from_millis(200);

/// Who this process is: a certificate that renews itself, and whom it trusts.
///
/// Cloning is cheap; renewal ends when the last clone is dropped.
///
/// ```no_run
/// # async fn f(source: std::sync::Arc<dyn countersign::workload::IdentitySource>)
/// # -> Result<(), countersign::workload::WorkloadError> {
/// use std::sync::Arc;
/// use countersign::clock::SystemClock;
/// use countersign::workload::Workload;
/// let workload = Workload::start(source, Arc::new(SystemClock)).await?;
/// println!("I am {}", workload.id());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Workload(Arc<Running>);

struct Running {
    state: Arc<State>,
    renewal: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.renewal.abort();
    }
}

struct State {
    id: SpiffeId,
    clock: Arc<dyn Clock>,
    current: ArcSwap<Snapshot>,
    changed: watch::Sender<u64>,
    trust: Mutex<Trust>,
}

/// What the source gave and what was set by hand, which outlives renewals.
struct Trust {
    source: TrustBundles,
    by_hand: BTreeMap<TrustDomain, Option<TrustBundle>>,
    taken_over: bool,
}

impl Trust {
    fn effective(&self) -> TrustBundles {
        let mut bundles = self.source.clone();
        for (domain, set) in &self.by_hand {
            bundles = match set {
                Some(bundle) => bundles.with(bundle.clone()),
                None => bundles.without(domain),
            };
        }
        bundles
    }
}

impl Workload {
    /// Asks `source` for the first certificate, checks it, and keeps it fresh from then on.
    ///
    /// # Errors
    /// [`WorkloadError`] when the source has none or it breaks a rule.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn start(
        source: Arc<dyn IdentitySource>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, WorkloadError> {
        let material = source.fetch().await?;
        let now = clock.now();
        let identity = material.check(now)?;
        let state = Arc::new(State {
            id: identity.id().clone(),
            clock,
            trust: Mutex::new(Trust {
                source: material.bundles.clone(),
                by_hand: BTreeMap::new(),
                taken_over: false,
            }),
            current: ArcSwap::from_pointee(Snapshot {
                generation: 1,
                identity,
                chain: material.chain,
                key: material.key,
                bundles: material.bundles,
            }),
            changed: watch::Sender::new(1),
        });
        let renewal = tokio::spawn(renew(Arc::clone(&state), source));
        Ok(Self(Arc::new(Running { state, renewal })))
    }

    /// Who we are; never changes.
    pub fn id(&self) -> &SpiffeId {
        &self.0.state.id
    }

    /// The clock everything is checked by.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.state.clock
    }

    /// What we hold now, expired or not.
    pub fn current(&self) -> Arc<Snapshot> {
        self.0.state.current.load_full()
    }

    /// What we hold, if it is still valid at `now`.
    ///
    /// # Errors
    /// [`WorkloadError::Expired`]: nothing may be sent or answered any more.
    pub fn usable(&self, now: UnixTime) -> Result<Arc<Snapshot>, WorkloadError> {
        let current = self.current();
        let until = current.identity.not_after();
        if now > until {
            return Err(WorkloadError::Expired { until, now });
        }
        Ok(current)
    }

    /// Shows the generation, and wakes at every change of certificate or trust.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.0.state.changed.subscribe()
    }

    /// Trusts exactly these bundles from now on; what the source says about trust is used no more.
    pub fn set_bundles(&self, bundles: TrustBundles) {
        self.0.state.change_trust(|trust| {
            trust.source = bundles;
            trust.by_hand.clear();
            trust.taken_over = true;
        });
    }

    /// Trusts this bundle too, in place of one of the same domain. Outlives renewals.
    pub fn trust(&self, bundle: TrustBundle) {
        self.0.state.change_trust(|trust| {
            trust.by_hand.insert(bundle.domain().clone(), Some(bundle));
        });
    }

    /// Trusts `domain` no more. Outlives renewals: only [`Workload::trust`] and
    /// [`Workload::set_bundles`] bring it back. Its connections close.
    pub fn withdraw(&self, domain: &TrustDomain) {
        self.0.state.change_trust(|trust| {
            trust.by_hand.insert(domain.clone(), None);
        });
    }
}

impl fmt::Debug for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let current = self.current();
        write!(
            f,
            "Workload({}, generation {}, until {})",
            self.id(),
            current.generation,
            current.identity.not_after()
        )
    }
}

impl State {
    /// Held while a new snapshot is made, so that two changes cannot overwrite each other.
    fn trust(&self) -> MutexGuard<'_, Trust> {
        self.trust.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change_trust(&self, change: impl FnOnce(&mut Trust)) {
        let mut trust = self.trust();
        change(&mut trust);
        let bundles = trust.effective();
        let old = self.current.load_full();
        if old.bundles != bundles {
            self.publish(Snapshot {
                generation: old.generation + 1,
                identity: old.identity.clone(),
                chain: old.chain.clone(),
                key: Arc::clone(&old.key),
                bundles,
            });
        }
    }

    /// Takes new material over if it is good and differs.
    fn take(&self, material: Material) -> Result<(), WorkloadError> {
        let identity = material.check(self.clock.now())?;
        if identity.id() != &self.id {
            return Err(WorkloadError::IdChanged {
                was: self.id.clone(),
                now: identity.id().clone(),
            });
        }
        let mut trust = self.trust();
        if !trust.taken_over {
            trust.source = material.bundles;
        }
        let bundles = trust.effective();
        let old = self.current.load_full();
        if old.chain != material.chain || old.bundles != bundles {
            self.publish(Snapshot {
                generation: old.generation + 1,
                identity,
                chain: material.chain,
                key: material.key,
                bundles,
            });
        }
        Ok(())
    }

    fn publish(&self, snapshot: Snapshot) {
        let generation = snapshot.generation;
        tracing::debug!(id = %self.id, generation, until = %snapshot.identity.not_after(), "identity changed");
        self.current.store(Arc::new(snapshot));
        self.changed.send_replace(generation);
    }
}

async fn renew(state: Arc<State>, source: Arc<dyn IdentitySource>) {
    let mut pause = until_due(&state, source.poll_every());
    let mut failures = 0_u32;
    loop {
        tokio::time::sleep(pause).await;
        let taken = match source.fetch().await {
            Ok(material) => state.take(material),
            Err(error) => Err(error),
        };
        pause = match taken {
            Ok(()) => {
                failures = 0;
                until_due(&state, source.poll_every())
            }
            Err(error) => {
                failures = failures.saturating_add(1);
                let until = state.current.load().identity.not_after();
                tracing::warn!(id = %state.id, %error, word = error.reason(), %until, failures,
                    "the certificate could not be renewed; the old one stays in use until it expires");
                retry_pause(failures)
            }
        };
    }
}

/// Half of the life that is left, ±10 %; sooner when the source wants to be looked at.
fn until_due(state: &State, every: Option<Duration>) -> Duration {
    let until = state.current.load().identity.not_after();
    let half = until.since(state.clock.now()) / 2;
    let due = jittered(half).max(PAUSE_MIN);
    match every {
        Some(every) => due.min(every.max(PAUSE_MIN)),
        None => due,
    }
}

fn retry_pause(failures: u32) -> Duration {
    let doubled = RETRY_MIN.saturating_mul(1 << (failures - 1).min(16));
    jittered(doubled.min(RETRY_MAX))
}

/// `by` ±10 %.
fn jittered(by: Duration) -> Duration {
    let share = u16::from_le_bytes(random());
    by.mul_f64(0.9 + 0.2 * f64::from(share) / f64::from(u16::MAX))
}
