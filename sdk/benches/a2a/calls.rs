//! Calls that are answered once.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use countersign::a2a::Request;
use countersign::crypto::{Algorithm, SigningKey};
use countersign::tls::HttpVersion;
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, DATE};
use http_body_util::{BodyExt as _, Full};
use tokio_rustls::TlsConnector;

use crate::common::world::Echo;
use crate::common::{
    Answering, CALLERS, Caller, Failure, RawCaller, Sender, TEXT, Turn, World, acceptor, connect,
    connector, measure, median, processor_seconds, proved_callers, serve_bare,
};
use crate::stage::{Stage, served_seconds};
use crate::wire::{ALL, Wire, message};

pub(crate) fn run(
    stage: &Stage,
    seconds: u64,
    rounds: u64,
    only: Option<&str>,
) -> Result<(), Failure> {
    let window = Duration::from_secs(seconds);
    println!("{CALLERS} callers, {TEXT} bytes, {window:?} a turn, median of {rounds}");
    let plain = stage.plain(Echo)?;
    let (origin, address) = (plain.origin().to_owned(), plain.local_addr());
    let mut sides = Vec::new();
    for wire in ALL {
        let asked = wire.write(&origin, &Request::SendMessage(message("x".repeat(TEXT))))?;
        let answer = stage.calling.block_on(answered(address, wire, &asked))?;
        sides.push((wire, asked, answer));
    }
    if only != Some("proved") {
        for (wire, asked, answer) in &sides {
            let bare = stage.on_served(serve_bare(answer.clone(), None))?;
            let side = |address| raw(address, wire.version, asked, answer, window);
            let turns = alternate(rounds, || {
                let bare = stage.calling.block_on(side(bare))?;
                Ok((bare, stage.calling.block_on(side(address))?))
            })?;
            show("plain ", wire, "of the server", &turns);
        }
    }
    if only != Some("plain") {
        let world = Arc::new(stage.on_served(World::new())?);
        let key = Arc::new(SigningKey::generate(Algorithm::Ed25519)?);
        for (wire, asked, answer) in &sides {
            let mut answer = answer.clone();
            answer.key = Some(key.verifying_key().clone());
            let bare = stage.on_served(serve_bare(answer.clone(), Some(acceptor(&world)?)))?;
            let tls = connector(&world, wire.version)?;
            let signed = || signing(bare, wire.version, &tls, &key, asked, &answer, window);
            let proved = || proved_callers(&world, wire.version, wire.binding, window);
            let turns = alternate(rounds, || {
                let bare = stage.calling.block_on(signed())?;
                Ok((bare, stage.calling.block_on(proved())?))
            })?;
            show("proved", wire, "of both ends", &turns);
        }
    }
    Ok(())
}

/// What the agent answers, so that the bare server can answer the same.
async fn answered(
    address: SocketAddr,
    wire: Wire,
    asked: &http::Request<Bytes>,
) -> Result<Answering, Failure> {
    let mut sender = connect(address, wire.version, None).await?;
    let response = sender.send(asked.clone().map(Full::new)).await?;
    let (mut head, body) = response.into_parts();
    let whole = body.collect().await?;
    let trailers: Option<HeaderMap> = whole.trailers().cloned();
    let body = whole.to_bytes();
    if !head.status.is_success() || body.len() < TEXT {
        return Err(format!("{wire:?}: {} {body:?}", head.status).into());
    }
    // Every server writes these itself.
    head.headers.remove(DATE);
    head.headers.remove(CONTENT_LENGTH);
    Ok(Answering {
        key: None,
        answer: http::Response::from_parts(head, body),
        trailers,
    })
}

/// One turn without TLS, a connection for each caller.
async fn raw(
    address: SocketAddr,
    version: HttpVersion,
    asked: &http::Request<Bytes>,
    answer: &Answering,
    window: Duration,
) -> Result<Turn, Failure> {
    measure(window, served_seconds, || async {
        Ok(Box::new(RawCaller {
            sender: connect(address, version, None).await?,
            key: None,
            asked: asked.clone(),
            answer: answer.answer.body().len(),
        }) as Box<dyn Caller>)
    })
    .await
}

/// One turn with TLS, signatures and digests, and nothing else. Over HTTP/2 all share one connection,
/// as they do in our client.
async fn signing(
    address: SocketAddr,
    version: HttpVersion,
    tls: &TlsConnector,
    key: &Arc<SigningKey>,
    asked: &http::Request<Bytes>,
    answer: &Answering,
    window: Duration,
) -> Result<Turn, Failure> {
    let shared = match connect(address, version, Some(tls.clone())).await? {
        Sender::Http2(sender) => Some(sender),
        Sender::Http1(_) => None,
    };
    measure(window, processor_seconds, || async {
        let sender = match &shared {
            Some(sender) => Sender::Http2(sender.clone()),
            None => connect(address, version, Some(tls.clone())).await?,
        };
        Ok(Box::new(RawCaller {
            sender,
            key: Some(key.clone()),
            asked: asked.clone(),
            answer: answer.answer.body().len(),
        }) as Box<dyn Caller>)
    })
    .await
}

/// The bare side's turn and ours.
type Round = (Turn, Turn);

fn alternate(
    rounds: u64,
    mut round: impl FnMut() -> Result<Round, Failure>,
) -> Result<Vec<Round>, Failure> {
    (0..rounds).map(|_| round()).collect()
}

fn show(what: &str, wire: &Wire, whose: &str, turns: &[Round]) {
    let name = wire.name;
    let (bare, ours) = (
        median(turns, |(bare, _)| bare.rate),
        median(turns, |(_, ours)| ours.rate),
    );
    let ratio = median(turns, |(bare, ours)| ours.rate / bare.rate);
    let (bare_cost, cost) = (
        median(turns, |(bare, _)| bare.cost),
        median(turns, |(_, ours)| ours.cost),
    );
    println!(
        "{what} {name:<18} bare {bare:>6.0} req/s  ours {ours:>6.0} req/s  ratio {ratio:.2}   \
         {bare_cost:>4.0} us and {cost:>4.0} us {whose}"
    );
}
