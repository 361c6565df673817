//! Requests per second of a proved call against the least that any implementation must do.
//!
//! One process, one run, the two sides in turns: (a) hyper and rustls with mutual TLS, and per
//! request one raw Ed25519 signature made and verified and two SHA-256 of the body; (b) the whole
//! pipeline: card, token, signature, replay, policy, audit to a file, executor. 32 callers at once,
//! 1 KiB of text, everything warm.
//!
//!     cargo bench -p countersign --features authority,server --bench proved_call [-- SECONDS ROUNDS]
//!
//! The second line for a protocol is processor time for a request, which a busy machine changes less.
//! `ONLY=proved` measures our side alone, for a profile.

mod common;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use common::{
    Answering, CALLERS, Caller, Failure, RawCaller, Sender, TEXT, Turn, World, acceptor, connect,
    connector, measure, median, processor_seconds, proved_callers, serve_bare,
};
use countersign::card::ProtocolBinding;
use countersign::crypto::{Algorithm, SigningKey};
use countersign::tls::HttpVersion;

/// (a)
async fn bare(world: &World, version: HttpVersion, window: Duration) -> Result<Turn, Failure> {
    let key = Arc::new(SigningKey::generate(Algorithm::Ed25519)?);
    let body = Bytes::from(vec![b'x'; TEXT]);
    let answering = Answering {
        key: Some(key.verifying_key().clone()),
        answer: http::Response::new(body.clone()),
        trailers: None,
    };
    let address = serve_bare(answering, Some(acceptor(world)?)).await?;
    let tls = connector(world, version)?;
    let shared = match connect(address, version, Some(tls.clone())).await? {
        Sender::Http2(sender) => Some(sender),
        Sender::Http1(_) => None,
    };
    let asked = http::Request::post("https://127.0.0.1/").body(body)?;
    measure(window, processor_seconds, || async {
        let sender = match &shared {
            Some(sender) => Sender::Http2(sender.clone()),
            None => connect(address, version, Some(tls.clone())).await?,
        };
        Ok(Box::new(RawCaller {
            sender,
            key: Some(key.clone()),
            asked: asked.clone(),
            answer: TEXT,
        }) as Box<dyn Caller>)
    })
    .await
}

/// (b)
async fn proved(world: &World, version: HttpVersion, window: Duration) -> Result<Turn, Failure> {
    proved_callers(world, version, ProtocolBinding::JsonRpc, window).await
}

fn main() -> Result<(), Failure> {
    let numbers: Vec<u64> = std::env::args()
        .filter_map(|arg| arg.parse().ok())
        .collect();
    let window = Duration::from_secs(numbers.first().copied().unwrap_or(3));
    let rounds = numbers.get(1).copied().unwrap_or(5);
    let only = std::env::var("ONLY").ok();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let world = World::new().await?;
        println!("{CALLERS} callers, {TEXT} bytes, {window:?} a turn, median of {rounds}");
        for (name, version) in [("HTTP/1.1", HttpVersion::Http1), ("h2", HttpVersion::Http2)] {
            let (mut a, mut b) = (Vec::new(), Vec::new());
            for _ in 0..rounds {
                if only.as_deref() != Some("proved") {
                    a.push(bare(&world, version, window).await?);
                }
                b.push(proved(&world, version, window).await?);
            }
            let of = |turns: &[Turn]| (median(turns, |t| t.rate), median(turns, |t| t.cost));
            let (rate, cost) = of(&b);
            if a.is_empty() {
                println!("{name:<9} proved {rate:>8.0} req/s {cost:>5.0} us of processor time");
                continue;
            }
            let (bare_rate, bare_cost) = of(&a);
            println!(
                "{name:<9} bare {bare_rate:>8.0} req/s   proved {rate:>8.0} req/s   ratio {:.2}",
                rate / bare_rate
            );
            println!(
                "{name:<9} bare {bare_cost:>8.0} us      proved {cost:>8.0} us      ratio {:.2}",
                bare_cost / cost
            );
        }
        Ok(())
    })
}
