//! What the protocol costs: calls and streams over every binding, and memory of idle streams.
//!
//!     cargo bench -p countersign --features authority,server,grpc --bench a2a [-- PART]
//!
//! - `calls SECONDS ROUNDS [plain|proved]`: 1 KiB of text, 32 callers, in turns with a server that
//!   does the least. `plain`: HTTP without TLS or proofs, one connection for each caller, against
//!   hyper that answers the same bytes; the processor time is the server's. `proved`: every proof,
//!   against hyper and rustls with one raw signature and two digests; the processor time is that of
//!   both ends. The ratio is the median of the rounds'.
//! - `streams EVENTS ROUNDS`: events of one stream, and of 32 with `EVENTS` between them, in plain
//!   HTTP. The same artifact again and again, and pieces that are appended to one.
//! - `idle STREAMS [waiting|working] [jsonrpc|rest|grpc]`: this process's memory for each idle
//!   stream, 100 to a connection in plain HTTP/2, whose clients are another process. Each follows a
//!   task of its own, that waits for input (SubscribeToTask) or is worked on (SendStreamingMessage;
//!   an agent works on 4096 at once).
//!
//! Without an argument: all three.

mod calls;
#[path = "../common/mod.rs"]
mod common;
mod executor;
mod idle;
mod stage;
mod streams;
mod wire;

use common::Failure;
use stage::Stage;

fn main() -> Result<(), Failure> {
    // Cargo adds one of its own.
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with("--"))
        .collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let number = |at: usize, default: u64| match args.get(at) {
        Some(text) => text.parse(),
        None => Ok(default),
    };
    let part = args.first().copied();
    if part == Some(idle::CLIENT) {
        return idle::client(&args[1..]);
    }
    let stage = Stage::new()?;
    if part.is_none_or(|part| part == "calls") {
        let only = args.get(3).copied();
        calls::run(&stage, number(1, 2)?, number(2, 5)?, only)?;
    }
    if part.is_none_or(|part| part == "streams") {
        streams::run(&stage, number(1, 20_000)?, number(2, 3)?)?;
    }
    if part.is_none_or(|part| part == "idle") {
        let kind = args.get(2).copied().unwrap_or("waiting");
        let wire = args.get(3).copied().unwrap_or("jsonrpc");
        idle::run(&stage, number(1, 10_000)?, kind.parse()?, wire.parse()?)?;
    }
    Ok(())
}
