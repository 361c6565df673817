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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Instant;

    use async_trait::async_trait;
    use countersign_fixtures::ca::{Ca, Kind, Leaf, now};

    use super::*;
    use crate::clock::{ManualClock, SystemClock};
    use crate::workload::testing::{bundles, material, started};

    const ID: &str = "spiffe://a.test/agent/booking";

    /// Gives one thing after another, then fails.
    struct Scripted {
        answers: Mutex<Vec<Material>>,
        asked: AtomicUsize,
    }

    #[async_trait]
    impl IdentitySource for Scripted {
        async fn fetch(&self) -> Result<Material, WorkloadError> {
            self.asked.fetch_add(1, Ordering::SeqCst);
            let next = self.answers.lock().expect("no panic").pop();
            next.ok_or_else(|| WorkloadError::Source("nothing left".into()))
        }
    }

    fn scripted(mut answers: Vec<Material>) -> Arc<Scripted> {
        answers.reverse();
        Arc::new(Scripted {
            answers: Mutex::new(answers),
            asked: AtomicUsize::new(0),
        })
    }

    async fn eventually(mut is: impl FnMut() -> bool) {
        for _ in 0..500 {
            if is() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("it did not happen in five seconds");
    }

    #[tokio::test]
    async fn bad_material_starts_nothing() {
        let (ca, other) = (Ca::new("a.test"), Ca::new("b.test"));
        let good = || material(&ca.leaf("/x"), &[&ca]);
        let mut two_names = Leaf::of(ID);
        two_names.uris.push(ID.into());
        let mut odd_key = good();
        odd_key.key = material(&ca.leaf("/x"), &[&ca]).key;
        let expired = ca.issue(&Leaf {
            not_after: now() - 1,
            ..Leaf::of(ID)
        });
        let cases = [
            ("good", good(), "fine"),
            (
                "two names",
                material(&ca.issue(&two_names), &[&ca]),
                "svid.several_uri_sans",
            ),
            (
                "no trust in ourselves",
                material(&ca.leaf("/x"), &[&other]),
                "svid.trust_domain",
            ),
            ("expired", material(&expired, &[&ca]), "svid.expired"),
            ("another key", odd_key, "workload.key_mismatch"),
        ];
        for (name, material, want) in cases {
            let clock = Arc::new(SystemClock);
            let started = Workload::start(scripted(vec![material]), clock).await;
            let word = started.map_or_else(|e| e.reason(), |_| "fine");
            assert_eq!(word, want, "{name}");
        }
        let nothing = Workload::start(scripted(vec![]), Arc::new(SystemClock)).await;
        assert_eq!(
            nothing.map_err(|e| e.reason()).err(),
            Some("workload.source")
        );
    }

    #[tokio::test]
    async fn a_certificate_is_renewed_at_half_its_life() {
        let ca = Ca::new("a.test");
        let short = || material(&ca.issue(&Leaf::of(ID).for_seconds(4)), &[&ca]);
        let source = scripted(vec![short(), short()]);
        let began = Instant::now();
        let workload = Workload::start(source, Arc::new(SystemClock))
            .await
            .expect("good");
        let mut changed = workload.changed();
        changed.changed().await.expect("lives");
        let took = began.elapsed();
        // Half of 4 s, ±10 %, and a second for the whole seconds of certificates.
        let due = Duration::from_millis(1300)..Duration::from_millis(2500);
        assert!(due.contains(&took), "{took:?}");
        assert_eq!(workload.current().generation(), 2);
    }

    #[tokio::test]
    async fn a_failing_renewal_keeps_the_old_certificate_until_it_ends() {
        let ca = Ca::new("a.test");
        let short = material(&ca.issue(&Leaf::of(ID).for_seconds(2)), &[&ca]);
        let source = scripted(vec![short]);
        let workload = Workload::start(source.clone(), Arc::new(SystemClock)).await;
        let workload = workload.expect("good");
        let clock = Arc::clone(workload.clock());
        let until = workload.current().identity().not_after();
        eventually(|| source.asked.load(Ordering::SeqCst) >= 3).await;
        while clock.now() <= until {
            workload.usable(clock.now()).expect("not ended yet");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        match workload.usable(clock.now()) {
            Err(WorkloadError::Expired { until: said, .. }) => assert_eq!(said, until),
            other => panic!("{other:?}"),
        }
        // It goes on trying.
        let asked = source.asked.load(Ordering::SeqCst);
        eventually(|| source.asked.load(Ordering::SeqCst) > asked).await;
    }

    #[tokio::test]
    async fn the_last_second_is_usable_and_the_next_is_not() {
        let ca = Ca::new("a.test");
        let clock = Arc::new(ManualClock::at(UnixTime::from_secs(now())));
        let (workload, _) = started(&ca, &Leaf::of(ID), &[&ca], clock).await;
        let until = workload.current().identity().not_after();
        assert!(workload.usable(until).is_ok());
        let next = until.plus(Duration::from_secs(1));
        let refused = workload.usable(next).map_err(|e| e.reason());
        assert_eq!(refused.err(), Some("workload.expired"));
    }

    #[tokio::test]
    async fn a_renewal_that_is_somebody_else_or_broken_is_not_taken() {
        let ca = Ca::new("a.test");
        let clock = Arc::new(SystemClock);
        let (workload, source) = started(&ca, &Leaf::of(ID), &[&ca], clock).await;
        let before = workload.current();
        let mut bad_key = Leaf::of(ID);
        bad_key.kind = Kind::P256;
        bad_key.key_usage.clear();
        for bad in [ca.leaf("/agent/other"), ca.issue(&bad_key)] {
            source.replace(material(&bad, &[&ca]));
            tokio::time::sleep(Duration::from_millis(900)).await;
            assert_eq!(workload.current().generation(), before.generation());
        }
        source.replace(material(&ca.issue(&Leaf::of(ID)), &[&ca]));
        eventually(|| workload.current().generation() == 2).await;
    }

    #[tokio::test]
    async fn the_generation_counts_changes_and_only_those() {
        let (ca, other) = (Ca::new("a.test"), Ca::new("b.test"));
        let clock = Arc::new(SystemClock);
        let (workload, _) = started(&ca, &Leaf::of(ID), &[&ca], clock).await;
        let generation = || workload.current().generation();
        let b = bundles(&[&other]).get("b.test").expect("there").clone();
        let domain = "b.test".parse().expect("a domain");
        assert_eq!(generation(), 1);
        workload.withdraw(&domain);
        assert_eq!(generation(), 1, "it was not trusted before");
        workload.trust(b.clone());
        workload.trust(b);
        assert_eq!(generation(), 2);
        workload.withdraw(&domain);
        assert_eq!(generation(), 3);
        workload.set_bundles(bundles(&[&ca]));
        assert_eq!(generation(), 3, "the same as before");
        workload.set_bundles(TrustBundles::default());
        assert_eq!(generation(), 4);
        assert!(workload.current().bundles().is_empty());
    }

    #[tokio::test]
    async fn trust_set_by_hand_outlives_renewals() {
        let (ca, other) = (Ca::new("a.test"), Ca::new("b.test"));
        let clock = Arc::new(SystemClock);
        let both = [&ca, &other];
        let (workload, source) = started(&ca, &Leaf::of(ID), &both, clock).await;
        workload.withdraw(&"b.test".parse().expect("a domain"));
        source.replace(material(&ca.issue(&Leaf::of(ID)), &both));
        eventually(|| workload.current().generation() == 3).await;
        assert!(workload.current().bundles().get("b.test").is_none());
        workload.set_bundles(bundles(&both));
        source.replace(material(&ca.issue(&Leaf::of(ID)), &[&ca]));
        eventually(|| workload.current().generation() == 5).await;
        assert!(workload.current().bundles().get("b.test").is_some());
    }

    #[tokio::test]
    async fn renewal_ends_with_the_workload() {
        let ca = Ca::new("a.test");
        let clock = Arc::new(SystemClock);
        let (workload, source) = started(&ca, &Leaf::of(ID), &[&ca], clock).await;
        let mut changed = workload.changed();
        let clone = workload.clone();
        drop(workload);
        assert_eq!(Arc::strong_count(&source), 2);
        drop(clone);
        eventually(|| Arc::strong_count(&source) == 1).await;
        assert!(changed.changed().await.is_err());
    }

    #[tokio::test]
    async fn a_workload_shows_its_name_and_end_but_no_key() {
        let ca = Ca::new("a.test");
        let workload = crate::workload::testing::workload(&ca, "/agent/booking").await;
        let current = workload.current();
        let until = current.identity().not_after();
        let shown = format!("{workload:?}");
        assert_eq!(
            shown,
            format!("Workload({ID}, generation 1, until {until})")
        );
        let shown = format!("{current:?}");
        let key = current.key();
        assert!(shown.contains(&key.verifying_key().thumbprint().to_string()));
        assert!(!shown.contains(&format!("{:?}", key.expose_pkcs8())));
    }

    #[test]
    fn pauses_grow_and_stop_growing() {
        for _ in 0..100 {
            let first = retry_pause(1);
            assert!(first >= RETRY_MIN.mul_f64(0.89) && first <= RETRY_MIN.mul_f64(1.11));
            let last = retry_pause(u32::MAX);
            assert!(last >= RETRY_MAX.mul_f64(0.89) && last <= RETRY_MAX.mul_f64(1.11));
        }
    }
}
