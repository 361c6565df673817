//! Events of streams that are busy.

use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;
use countersign::a2a::Request;
use http_body_util::{BodyExt as _, Full};

use crate::common::{CALLERS, Failure, Turn, connect, median};
use crate::executor::{APPEND, Obedient, REPLACE};
use crate::stage::{Stage, served_seconds};
use crate::wire::{ALL, Counter, Wire, message};

pub(crate) fn run(stage: &Stage, events: u64, rounds: u64) -> Result<(), Failure> {
    let plain = stage.plain(Obedient)?;
    println!("{events} events of 64 bytes of text, median of {rounds}");
    for word in [REPLACE, APPEND] {
        for wire in ALL {
            for streams in [1, CALLERS as u64] {
                let each = events / streams;
                let asked = message(format!("{word} {each}"));
                let asked = wire.write(plain.origin(), &Request::SendStreamingMessage(asked))?;
                let turn = || turn(plain.local_addr(), wire, &asked, streams, each);
                let turns = (0..rounds).map(|_| stage.calling.block_on(turn()));
                let turns = turns.collect::<Result<Vec<_>, _>>()?;
                println!(
                    "{word:<7} {:<18} {streams:>2} streams {:>7.0} events/s {:>5.1} us of the server",
                    wire.name,
                    median(&turns, |turn| turn.rate),
                    median(&turns, |turn| turn.cost),
                );
            }
        }
    }
    Ok(())
}

/// That many streams at once, each on a connection of its own.
async fn turn(
    address: SocketAddr,
    wire: Wire,
    asked: &http::Request<Bytes>,
    streams: u64,
    each: u64,
) -> Result<Turn, Failure> {
    let mut senders = Vec::new();
    for _ in 0..streams {
        senders.push(connect(address, wire.version, None).await?);
    }
    let (began, spent) = (Instant::now(), served_seconds());
    let tasks: Vec<_> = senders
        .into_iter()
        .map(|mut sender| {
            let request = asked.clone().map(Full::new);
            tokio::spawn(async move {
                let mut body = sender.send(request).await?.into_body();
                let (mut seen, mut counter) = (0, Counter::new(wire.binding));
                while let Some(frame) = body.frame().await {
                    if let Ok(piece) = frame?.into_data() {
                        seen += counter.count(&piece)?;
                    }
                }
                Ok::<u64, Failure>(seen)
            })
        })
        .collect();
    let mut events = 0;
    for task in tasks {
        let seen = task.await??;
        // The task first, and its end behind them.
        if seen != each + 2 {
            return Err(format!("{wire:?}: {seen} events, not {each} and 2").into());
        }
        events += seen;
    }
    let events = events as f64;
    Ok(Turn {
        rate: events / began.elapsed().as_secs_f64(),
        cost: (served_seconds() - spent) * 1e6 / events,
    })
}
