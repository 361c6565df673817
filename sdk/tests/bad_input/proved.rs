//! Bad requests of a caller that proves who it is, and of one that does not, over every binding.

use std::sync::Arc;

use bytes::Bytes;
use countersign::a2a::{A2aError, Operation};
use countersign::clock::SystemClock;
use countersign::server::push::PushSettings;
use countersign::server::store::MemoryPushConfigStore;
use countersign::server::{Agent, AgentExecutor, EventQueue, RequestContext, async_trait};
use countersign::tls::{Transport, TransportConfig};
use countersign::workload::Workload;
use http::Version;
use http::header::AUTHORIZATION;
use http_body_util::{BodyExt as _, Full};
use serde_json::json;

use super::sent::{Sent, good};
use super::told::{Got, Named, PARAMS, Told};
use crate::common::findings::{Findings, panics, watch_panics};
use crate::common::raw::{Raw, claims};
use crate::common::wire::Wire;
use crate::common::{Failure, World};

const UNAUTHENTICATED: Named = ("UNAUTHENTICATED", -31401, 401, 16, "UNAUTHENTICATED");
const PERMISSION_DENIED: Named = ("PERMISSION_DENIED", -31403, 403, 7, "PERMISSION_DENIED");

struct Idle;

#[async_trait]
impl AgentExecutor for Idle {
    async fn execute(&self, _: RequestContext, events: EventQueue) -> Result<(), A2aError> {
        events.reply("served");
        Ok(())
    }
}

struct Bench {
    world: World,
    one: Workload,
    transport: Transport,
}

impl Bench {
    async fn new() -> Result<Self, Failure> {
        watch_panics();
        let change = |agent: Agent| {
            agent
                .push(PushSettings::new(
                    Arc::new(MemoryPushConfigStore::default()),
                ))
                .tenant("acme")
                .extended_card(|_, card| card)
        };
        let world = World::made(Arc::new(SystemClock), Idle, change).await?;
        let one = world.client("one").await?.workload().clone();
        let transport = Transport::new(one.clone(), TransportConfig::default());
        Ok(Self {
            world,
            one,
            transport,
        })
    }

    /// The request with a token, not signed yet.
    fn raw(&self, sent: &Sent) -> Result<Raw, Failure> {
        let worker = self.world.worker.peer();
        let claims = claims(self.world.authority.issuer(), &self.one, worker);
        let token = self.world.authority.danger().token(&claims)?;
        let mut raw = Raw::new(&self.one, worker, token.expose())?;
        let bearer = raw.parts.headers[AUTHORIZATION].clone();
        raw.parts.headers.clone_from(&sent.headers);
        raw.parts.headers.insert(AUTHORIZATION, bearer);
        raw.parts.method = sent.method.clone();
        raw.parts.uri = worker.uri(&sent.path)?;
        if sent.http2 {
            raw.parts.version = Version::HTTP_2;
        }
        raw.body.clone_from(&sent.body);
        Ok(raw)
    }

    /// What the caller is told, and the reasons that were recorded.
    async fn send(&self, wire: Wire, raw: Raw) -> Result<(Told, Vec<String>), Failure> {
        let before = self.world.log.records().len();
        let request = http::Request::from_parts(raw.parts, Full::new(Bytes::from(raw.body)));
        let received = self.transport.send(raw.peer.endpoint(), request).await?;
        let (head, body) = received.response.into_parts();
        let whole = body.collect().await?;
        let got = Got {
            status: head.status.as_u16(),
            headers: head.headers,
            trailers: whole.trailers().cloned().unwrap_or_default(),
            body: whole.to_bytes(),
        };
        let records = self.world.log.records();
        let reasons = records[before..].iter().map(|record| {
            let reason = record.reason.as_ref();
            reason.map_or("served", |reason| reason.as_str()).to_owned()
        });
        Ok((got.told(wire)?, reasons.collect()))
    }
}

/// How a refusal of the pipeline looks: JSON-RPC has no code for it, so it is HTTP's.
fn refused(wire: Wire, named: Named) -> Told {
    match wire {
        Wire::JsonRpc => Told::Status(named.2.into()),
        _ => Told::error(wire, named, &[]),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_request_is_told_only_to_who_proved_who_it_is() -> Result<(), Failure>
{
    let bench = Bench::new().await?;
    let mut findings = Findings::default();
    for &wire in Wire::ALL {
        for operation in Operation::ALL {
            let mut params = good(operation, "no-such");
            params["tenant"] = json!("a\nb");
            let sent = Sent::over(wire, operation, &params).ok_or("a request")?;
            let mut proved = bench.raw(&sent)?;
            proved.sign()?;
            // Where there was no body, there is no digest either.
            let digest = if sent.body.is_empty() {
                "signature.digest_missing"
            } else {
                "signature.digest"
            };
            let unsigned = bench.raw(&sent)?;
            let mut without_token = bench.raw(&sent)?;
            without_token.parts.headers.remove(AUTHORIZATION);
            without_token.sign()?;
            let mut changed = bench.raw(&sent)?;
            changed.sign()?;
            changed.body.push(b' ');
            let mut elsewhere = bench.raw(&sent)?;
            elsewhere.sign()?;
            let more = if sent.path.contains('?') { '&' } else { '?' };
            elsewhere.parts.uri = elsewhere.peer.uri(&format!("{}{more}x=1", sent.path))?;
            for (name, raw, want, reason) in [
                (
                    "proved",
                    proved,
                    Told::error(wire, PARAMS, &["tenant"]),
                    "a2a.invalid_params",
                ),
                (
                    "unsigned",
                    unsigned,
                    refused(wire, PERMISSION_DENIED),
                    "signature.missing",
                ),
                (
                    "without a token",
                    without_token,
                    refused(wire, UNAUTHENTICATED),
                    "token.missing",
                ),
                (
                    "with another body than was signed",
                    changed,
                    refused(wire, PERMISSION_DENIED),
                    digest,
                ),
                (
                    "at another address than was signed",
                    elsewhere,
                    refused(wire, PERMISSION_DENIED),
                    "signature.invalid",
                ),
            ] {
                let what = format!("{operation} over {wire:?}, {name}");
                let (told, reasons) = bench.send(wire, raw).await?;
                findings.expect(&what, told, want);
                findings.expect(&what, reasons, vec![reason.to_owned()]);
            }
        }
    }
    findings.expect("panics", panics(), Vec::new());
    findings.none()
}
