//! Events of streams that are busy.

use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;
use countersign::a2a::Request;
use http_body_util::{BodyExt as _, Full};

use crate::common::{CALLERS, Failure, Sender, Turn, connect, median};
use crate::executor::{APPEND, Obedient, REPLACE};
use crate::stage::{Stage, served_seconds};
use crate::wire::{ALL, Counter, Wire, message};

/// Events of one message. Streams do not hold an executor up, and one that is 4096 behind is ended.
const OF_ONE: u64 = 4000;

pub(crate) fn run(stage: &Stage, events: u64, rounds: u64) -> Result<(), Failure> {
    let plain = stage.plain(Obedient)?;
    println!("{events} events of 64 bytes of text, median of {rounds}");
    for word in [REPLACE, APPEND] {
        for wire in ALL {
            for streams in [1, CALLERS as u64] {
                let of_one = OF_ONE.min(events / streams);
                let asked = message(format!("{word} {of_one}"));
                let plan = Plan {
                    wire,
                    asked: wire.write(plain.origin(), &Request::SendStreamingMessage(asked))?,
                    streams,
                    messages: events / streams / of_one,
                    of_one,
                };
                let turn = || turn(plain.local_addr(), &plan);
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

struct Plan {
    wire: Wire,
    asked: http::Request<Bytes>,
    /// At once, each on a connection of its own.
    streams: u64,
    /// One after the other.
    messages: u64,
    of_one: u64,
}

async fn turn(address: SocketAddr, plan: &Plan) -> Result<Turn, Failure> {
    let mut senders = Vec::new();
    for _ in 0..plan.streams {
        senders.push(connect(address, plan.wire.version, None).await?);
    }
    let (began, spent) = (Instant::now(), served_seconds());
    let mut tasks = Vec::new();
    for mut sender in senders {
        let (wire, asked) = (plan.wire, plan.asked.clone());
        let (messages, of_one) = (plan.messages, plan.of_one);
        tasks.push(tokio::spawn(async move {
            let mut events = 0;
            for _ in 0..messages {
                let seen = stream(&mut sender, wire, asked.clone()).await?;
                // The task first, and its end behind them.
                if seen != of_one + 2 {
                    return Err(format!("{wire:?}: {seen} events, not {of_one} and 2").into());
                }
                events += seen;
            }
            Ok::<u64, Failure>(events)
        }));
    }
    let mut events = 0;
    for task in tasks {
        events += task.await??;
    }
    let events = events as f64;
    Ok(Turn {
        rate: events / began.elapsed().as_secs_f64(),
        cost: (served_seconds() - spent) * 1e6 / events,
    })
}

/// How many events one message has.
async fn stream(
    sender: &mut Sender,
    wire: Wire,
    asked: http::Request<Bytes>,
) -> Result<u64, Failure> {
    let mut body = sender.send(asked.map(Full::new)).await?.into_body();
    let (mut seen, mut counter) = (0, Counter::new(wire.binding));
    while let Some(frame) = body.frame().await {
        if let Ok(piece) = frame?.into_data() {
            seen += counter.count(&piece)?;
        }
    }
    Ok(seen)
}
