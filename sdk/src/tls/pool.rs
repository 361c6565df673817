//! The connections of one partition: one peer, one address, one identity and policy of ours.

use std::pin::pin;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::Response;
use http_body::Body as _;
use hyper::body::Incoming;
use rustls::ClientConfig;
use tokio::sync::{Notify, Semaphore};

use super::bond::Bond;
use super::dial::Dial;
use super::lease::{Http1, Http2, Lease, drive_http1, drive_http2};
use super::registry::Registry;
use super::{Endpoint, TlsError, TransportConfig};
use crate::clock::{Clock, UnixTime};
use crate::svid::Usage;
use crate::workload::Snapshot;

/// An answer this small is in the connection's buffer before its body is asked for, so the
/// connection will be free in a moment: worth a short wait, less than a handshake.
const SMALL: u64 = 16 << 10;
const MOMENT: Duration = Duration::from_millis(1);

const UNKNOWN: u8 = 0;
const HTTP1: u8 = 1;
const HTTP2: u8 = 2;

/// See the module.
#[derive(Debug)]
pub(super) struct Partition {
    pub(super) to: Endpoint,
    pub(super) own: Arc<Snapshot>,
    pub(super) policy: u64,
    config: ClientConfig,
    free: Mutex<Vec<Http1>>,
    shared: Mutex<Option<Http2>>,
    speaks: AtomicU8,
    /// Answers being read whose connection comes back in a moment.
    returning: AtomicUsize,
    returned: Notify,
    dials: Semaphore,
    first_dial: tokio::sync::Mutex<()>,
    used: AtomicU32,
}

/// What a partition takes from the transport it belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Around<'a> {
    pub(super) config: &'a TransportConfig,
    pub(super) clock: &'a Arc<dyn Clock>,
    pub(super) registry: &'a Registry,
}

impl Partition {
    pub(super) fn new(
        to: Endpoint,
        own: Arc<Snapshot>,
        policy: u64,
        config: ClientConfig,
        max_dials: usize,
    ) -> Self {
        Self {
            to,
            own,
            policy,
            config,
            free: Mutex::new(Vec::new()),
            shared: Mutex::new(None),
            speaks: AtomicU8::new(UNKNOWN),
            returning: AtomicUsize::new(0),
            returned: Notify::new(),
            dials: Semaphore::new(max_dials.max(1)),
            first_dial: tokio::sync::Mutex::new(()),
            used: AtomicU32::new(0),
        }
    }

    fn free(&self) -> MutexGuard<'_, Vec<Http1>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shared(&self) -> MutexGuard<'_, Option<Http2>> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection that can take a request at once: its certificates are valid at `now`, and it
    /// was made or checked under the trust of this partition's generation.
    pub(super) fn at_once(&self, around: Around<'_>, now: UnixTime) -> Option<Lease> {
        self.used.store(around.registry.tick(), Ordering::Relaxed);
        let usable = |bond: &Bond| now <= bond.fresh_until() && !bond.is_leaving();
        if self.speaks.load(Ordering::Relaxed) == HTTP2 {
            let mut shared = self.shared();
            if let Some(found) = &*shared {
                if !found.sender.is_closed() && usable(&found.bond) {
                    return Some(Lease::Http2(found.clone()));
                }
                *shared = None;
            }
            return None;
        }
        let mut free = self.free();
        while let Some(found) = free.pop() {
            if found.sender.is_ready() && usable(&found.bond) {
                return Some(Lease::Http1(found));
            }
        }
        None
    }

    /// A connection that can take a request: a free one, or a new one.
    pub(super) async fn lease(&self, around: Around<'_>) -> Result<Lease, TlsError> {
        loop {
            let mut returned = pin!(self.returned.notified());
            returned.as_mut().enable();
            if let Some(lease) = self.at_once(around, around.clock.now()) {
                return Ok(lease);
            }
            if self.returning.load(Ordering::Acquire) > 0
                && tokio::time::timeout(MOMENT, returned.as_mut())
                    .await
                    .is_ok()
            {
                continue;
            }
            if self.speaks.load(Ordering::Relaxed) != HTTP1 {
                let _first = self.first_dial.lock().await;
                // Somebody else may have dialled meanwhile, and found out what is spoken.
                if let Some(lease) = self.at_once(around, around.clock.now()) {
                    return Ok(lease);
                }
                if self.speaks.load(Ordering::Relaxed) == HTTP1 {
                    continue;
                }
                return self.dial(around).await;
            }
            tokio::select! {
                biased;
                () = returned => {}
                permit = self.dials.acquire() => {
                    let _permit = permit;
                    if let Some(lease) = self.at_once(around, around.clock.now()) {
                        return Ok(lease);
                    }
                    return self.dial(around).await;
                }
            }
        }
    }

    async fn dial(&self, around: Around<'_>) -> Result<Lease, TlsError> {
        let dial = Dial {
            to: &self.to,
            own: Some(self.own.identity().id()),
            config: &self.config,
            bundles: self.own.bundles(),
            clock: around.clock,
            within: around.config.connect_timeout,
        };
        let dialled = dial.run().await?;
        let domain = dialled.proven.peer.id().trust_domain_name();
        let bond = Arc::new(Bond::new(
            Some(dialled.proven.clone()),
            Usage::Server,
            Some(&self.own),
            self.own.bundles().get(domain).cloned(),
            Arc::clone(around.clock),
            !dialled.h2,
            around.registry,
        ));
        around.registry.add(&bond);
        let broken = |error: hyper::Error| self.http_error(&error);
        if dialled.h2 {
            let sender = drive_http2(dialled, &bond, around.config)
                .await
                .map_err(broken)?;
            let made = Http2 { sender, bond };
            *self.shared() = Some(made.clone());
            self.speaks.store(HTTP2, Ordering::Relaxed);
            Ok(Lease::Http2(made))
        } else {
            let sender = drive_http1(dialled, &bond, around.config)
                .await
                .map_err(broken)?;
            self.speaks.store(HTTP1, Ordering::Relaxed);
            Ok(Lease::Http1(Http1 {
                sender,
                bond,
                free_since: 0,
            }))
        }
    }

    pub(super) fn http_error(&self, error: &hyper::Error) -> TlsError {
        let mut what = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(inner) = source {
            what = format!("{what}: {inner}");
            source = inner.source();
        }
        TlsError::Http {
            authority: self.to.authority().to_owned(),
            what,
        }
    }

    /// Takes a connection back as soon as its answer is read.
    pub(super) fn give_back(
        self: &Arc<Self>,
        lease: Lease,
        answer: &Response<Incoming>,
        around: Around<'_>,
    ) {
        let Lease::Http1(mut connection) = lease else {
            return;
        };
        let max = around.config.max_idle;
        connection.free_since = around.registry.tick();
        if connection.sender.is_ready() {
            return self.put(connection, max);
        }
        if connection.sender.is_closed() {
            return;
        }
        let soon = answer
            .body()
            .size_hint()
            .exact()
            .is_some_and(|n| n <= SMALL);
        let returning = soon.then(|| Returning::new(Arc::clone(self)));
        // A stream of events may last for hours: it must not keep an old partition alive.
        let partition = Arc::downgrade(self);
        tokio::spawn(async move {
            let ready = connection.sender.ready().await;
            if let (Ok(()), Some(partition)) = (ready, partition.upgrade()) {
                partition.put(connection, max);
            }
            drop(returning);
        });
    }

    fn put(&self, connection: Http1, max: usize) {
        let mut free = self.free();
        if free.len() < max {
            free.push(connection);
            drop(free);
            self.returned.notify_one();
        }
    }

    /// Closes what was unused for `limit` ticks. Whether anything was used since.
    pub(super) fn prune(&self, tick: u32, limit: u32) -> bool {
        self.free()
            .retain(|c| tick.saturating_sub(c.free_since) <= limit && !c.sender.is_closed());
        let in_use = tick.saturating_sub(self.used.load(Ordering::Relaxed)) <= limit;
        let mut shared = self.shared();
        if !in_use || shared.as_ref().is_some_and(|c| c.sender.is_closed()) {
            *shared = None;
        }
        in_use
    }
}

/// Counts an answer whose connection comes back in a moment.
struct Returning(Arc<Partition>);

impl Returning {
    fn new(partition: Arc<Partition>) -> Self {
        partition.returning.fetch_add(1, Ordering::AcqRel);
        Self(partition)
    }
}

impl Drop for Returning {
    fn drop(&mut self) {
        self.0.returning.fetch_sub(1, Ordering::AcqRel);
    }
}
