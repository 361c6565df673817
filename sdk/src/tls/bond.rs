//! One connection and the certificates it stands on.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use rustls::AlertDescription;

use super::registry::{Patience, Registry, TICK};
use super::verifier::Proven;
use crate::clock::{Clock, UnixTime};
use crate::crypto::CertThumbprint;
use crate::svid::{PeerIdentity, TrustBundle, Usage, verify_svid};
use crate::workload::Snapshot;

const OPEN: u8 = 0;
const DRAINING: u8 = 1;
const CUT: u8 = 2;

/// Why a connection may carry nothing more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Broken {
    /// Its earliest certificate ended.
    Expired { until: UnixTime, now: UnixTime },
    /// The peer's certificate leads to no root we trust any more.
    NotTrusted,
}

/// What the driver of a connection has to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Order {
    Go,
    Drain,
    Cut,
}

/// A connection's peer, its end, and the word for it to end sooner.
#[derive(Debug)]
pub(super) struct Bond {
    proven: Option<Proven>,
    usage: Usage,
    clock: Arc<dyn Clock>,
    opened: UnixTime,
    until: UnixTime,
    http1: bool,
    /// The generation under whose trust the peer was last checked, and the bundle that vouched.
    generation: AtomicU64,
    bundle: Mutex<Option<TrustBundle>>,
    broken: OnceLock<Broken>,
    alert: OnceLock<AlertDescription>,
    order: AtomicU8,
    driver: AtomicWaker,
    /// Requests being answered, the bodies of their answers included.
    active: AtomicU32,
    /// Ticks, see [`Registry`]: when it last became idle, when a request's first byte came.
    idle_since: AtomicU32,
    head_since: AtomicU32,
    now_tick: Arc<AtomicU32>,
}

impl Bond {
    /// A connection between us, as `own` says, and the peer that was proven on it, if any.
    pub(super) fn new(
        proven: Option<Proven>,
        usage: Usage,
        own: Option<&Snapshot>,
        bundle: Option<TrustBundle>,
        clock: Arc<dyn Clock>,
        http1: bool,
        registry: &Registry,
    ) -> Self {
        let never = UnixTime::from_secs(u64::MAX);
        let peer_until = proven.as_ref().map_or(never, |p| p.peer.not_after());
        let own_until = own.map_or(never, |own| own.identity().not_after());
        Self {
            proven,
            usage,
            opened: clock.now(),
            clock,
            until: peer_until.min(own_until),
            http1,
            generation: AtomicU64::new(own.map_or(0, Snapshot::generation)),
            bundle: Mutex::new(bundle),
            broken: OnceLock::new(),
            alert: OnceLock::new(),
            order: AtomicU8::new(OPEN),
            driver: AtomicWaker::new(),
            active: AtomicU32::new(0),
            idle_since: AtomicU32::new(registry.tick()),
            head_since: AtomicU32::new(0),
            now_tick: registry.now_tick(),
        }
    }

    /// Who is at the other end.
    pub(super) fn peer(&self) -> Option<&PeerIdentity> {
        self.proven.as_ref().map(|p| &p.peer)
    }

    pub(super) fn is_http1(&self) -> bool {
        self.http1
    }

    /// The last second at which a client begins a request on it: a quarter of its life, at most a
    /// minute, before its end, so that the side that sends lets go first.
    pub(super) fn fresh_until(&self) -> UnixTime {
        let life = self.until.since(self.opened);
        let margin = (life / 4).clamp(Duration::from_secs(1), Duration::from_secs(60));
        self.until.minus(margin).max(self.opened)
    }

    /// The first second at which a server asks its client to go: an eighth of its life, at most
    /// half a minute, before its end.
    pub(super) fn leaving_from(&self) -> UnixTime {
        let life = self.until.since(self.opened);
        self.until.minus((life / 8).min(Duration::from_secs(30)))
    }

    /// Whether the connection still stands on valid certificates and on our trust as it is now.
    /// If not it is cut, and stays so.
    pub(super) fn check(&self, now: UnixTime, own: &Snapshot) -> Result<(), Broken> {
        self.check_with(now, own, &mut HashMap::new())
    }

    /// As [`Bond::check`]; `known` spares checking one certificate twice.
    pub(super) fn check_with(
        &self,
        now: UnixTime,
        own: &Snapshot,
        known: &mut HashMap<CertThumbprint, bool>,
    ) -> Result<(), Broken> {
        if let Some(broken) = self.broken.get() {
            return Err(*broken);
        }
        if now > self.until {
            let until = self.until;
            return Err(self.cut(Broken::Expired { until, now }));
        }
        let generation = own.generation();
        if self.generation.load(Ordering::Acquire) != generation {
            if !self.still_trusted(now, own, known) {
                return Err(self.cut(Broken::NotTrusted));
            }
            self.generation.store(generation, Ordering::Release);
        }
        Ok(())
    }

    fn still_trusted(
        &self,
        now: UnixTime,
        own: &Snapshot,
        known: &mut HashMap<CertThumbprint, bool>,
    ) -> bool {
        let Some(proven) = &self.proven else {
            return true;
        };
        let domain = proven.peer.id().trust_domain_name();
        let Some(bundle) = own.bundles().get(domain) else {
            return false;
        };
        let mut vouched = self.bundle.lock().unwrap_or_else(PoisonError::into_inner);
        if vouched.as_ref() == Some(bundle) {
            return true;
        }
        let trusted = *known
            .entry(proven.peer.certificate())
            .or_insert_with(|| verify_svid(&proven.chain, own.bundles(), self.usage, now).is_ok());
        if trusted {
            *vouched = Some(bundle.clone());
        }
        trusted
    }

    /// Ends the connection now.
    pub(super) fn cut(&self, why: Broken) -> Broken {
        let why = *self.broken.get_or_init(|| why);
        self.order.store(CUT, Ordering::Release);
        self.driver.wake();
        why
    }

    /// Asks the driver to let requests finish and take no more.
    pub(super) fn drain(&self) {
        let changed =
            self.order
                .compare_exchange(OPEN, DRAINING, Ordering::AcqRel, Ordering::Relaxed);
        if changed.is_ok() {
            self.driver.wake();
        }
    }

    /// Ends a connection that is too slow; nothing is wrong with its certificates.
    fn hang_up(&self) {
        self.order.store(CUT, Ordering::Release);
        self.driver.wake();
    }

    /// For the one task that drives the connection.
    pub(super) fn poll_order(&self, cx: &Context<'_>) -> Order {
        self.driver.register(cx.waker());
        match self.order.load(Ordering::Acquire) {
            OPEN => Order::Go,
            DRAINING => Order::Drain,
            _ => Order::Cut,
        }
    }

    /// Whether nothing may be written any more. Looks at the clock.
    pub(super) fn is_over(&self) -> bool {
        if self.is_cut() {
            return true;
        }
        let now = self.clock.now();
        if now > self.until {
            let until = self.until;
            self.cut(Broken::Expired { until, now });
            return true;
        }
        false
    }

    pub(super) fn is_cut(&self) -> bool {
        self.order.load(Ordering::Acquire) == CUT
    }

    pub(super) fn is_leaving(&self) -> bool {
        self.order.load(Ordering::Acquire) != OPEN
    }

    /// Why it was cut, if it was for its certificates.
    pub(super) fn broken(&self) -> Option<Broken> {
        self.broken.get().copied()
    }

    /// The peer refused us with this alert.
    pub(super) fn rejected(&self, alert: AlertDescription) {
        // Only the first alert says why; later ones are echoes.
        let _ = self.alert.set(alert);
    }

    pub(super) fn alert(&self) -> Option<AlertDescription> {
        self.alert.get().copied()
    }

    /// A request's head is complete; the answer is over when the guard is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> Active {
        self.head_since.store(0, Ordering::Relaxed);
        self.active.fetch_add(1, Ordering::Relaxed);
        Active(Arc::clone(self))
    }

    /// Bytes came: the first ones of a request, unless one is being answered.
    pub(super) fn bytes_came(&self) {
        if self.http1
            && self.head_since.load(Ordering::Relaxed) == 0
            && self.active.load(Ordering::Relaxed) == 0
        {
            let tick = self.now_tick.load(Ordering::Relaxed);
            self.head_since.store(tick, Ordering::Relaxed);
        }
    }

    /// Ends a connection that is idle, slow or near its end.
    pub(super) fn lose_patience(&self, now: UnixTime, tick: u32, patience: Patience) {
        let over = |since: u32, limit: Duration| TICK * tick.saturating_sub(since) > limit;
        let head_since = self.head_since.load(Ordering::Relaxed);
        if head_since > 0 && over(head_since, patience.header) {
            return self.hang_up();
        }
        // HTTP/1.1 is told by `Connection: close` instead: closing an idle connection loses the
        // request that is just being sent on it.
        if !self.http1 && now >= self.leaving_from() {
            return self.drain();
        }
        let idle = self.active.load(Ordering::Relaxed) == 0
            && over(self.idle_since.load(Ordering::Relaxed), patience.idle);
        if idle {
            self.drain();
        }
    }
}

/// Held while a request is answered.
#[derive(Debug)]
pub(super) struct Active(Arc<Bond>);

impl Drop for Active {
    fn drop(&mut self) {
        let bond = &self.0;
        let tick = bond.now_tick.load(Ordering::Relaxed);
        bond.idle_since.store(tick, Ordering::Relaxed);
        bond.active.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Runs a connection until it ends, or its bond says so.
pub(super) fn poll_driver<F: Future>(
    bond: &Bond,
    cx: &mut Context<'_>,
    connection: std::pin::Pin<&mut F>,
    drain: impl FnOnce(std::pin::Pin<&mut F>),
    drained: &mut bool,
) -> Poll<()> {
    let mut connection = connection;
    match bond.poll_order(cx) {
        Order::Cut => return Poll::Ready(()),
        Order::Drain if !*drained => {
            *drained = true;
            drain(connection.as_mut());
        }
        Order::Go | Order::Drain => {}
    }
    connection.poll(cx).map(|_| ())
}
