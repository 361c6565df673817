//! A server that is none of Redis, or lies.

use std::sync::Arc;

use countersign::redis::RedisReplayStore;
use countersign_interop_tests::RedisServer;
use libtest_mimic::Failed;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::rows::record;

const MEMORY: &str = "maxmemory:0\r\nmaxmemory_policy:noeviction\r\n";

/// Answers like Redis, but to `SET` with `said`; closes the connection when that is empty.
async fn answer(mut socket: TcpStream, said: &'static [u8]) -> std::io::Result<()> {
    let mut asked = [0; 4096];
    loop {
        let len = socket.read(&mut asked).await?;
        let text = String::from_utf8_lossy(&asked[..len]).into_owned();
        let told = if len == 0 || (text.contains("SET") && said.is_empty()) {
            return Ok(());
        } else if text.contains("SET") {
            said.to_vec()
        } else if text.contains("INFO") {
            format!("${}\r\n{MEMORY}\r\n", MEMORY.len()).into_bytes()
        } else {
            b"+PONG\r\n".to_vec()
        };
        socket.write_all(&told).await?;
    }
}

async fn serve(listener: TcpListener, said: &'static [u8]) {
    while let Ok((socket, _)) = listener.accept().await {
        tokio::spawn(answer(socket, said));
    }
}

pub(crate) async fn answers(_: Arc<RedisServer>) -> Result<(), Failed> {
    for (said, want) in [
        (&b"+OK\r\n"[..], Ok(())),
        (b"$-1\r\n", Err("replay.seen")),
        (b"$2\r\nOK\r\n", Err("replay.unavailable")),
        (b"+ok\r\n", Err("replay.unavailable")),
        (b"+QUEUED\r\n", Err("replay.unavailable")),
        (b":1\r\n", Err("replay.unavailable")),
        (b"*0\r\n", Err("replay.unavailable")),
        (b"-ERR no\r\n", Err("replay.unavailable")),
        (b"-MOVED 1 127.0.0.1:1\r\n", Err("replay.unavailable")),
        (b"-READONLY of a replica\r\n", Err("replay.unavailable")),
        (b"HTTP/1.1 200 OK\r\n\r\n", Err("replay.unavailable")),
        (b"", Err("replay.unavailable")),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("redis://{}", listener.local_addr()?);
        let serving = tokio::spawn(serve(listener, said));
        let store = RedisReplayStore::connect(&url).await?;
        // The second one too: an answer that is none must not be left over for it.
        for turn in 0..2 {
            let got = record(&store, "a").await;
            assert_eq!(got, want, "{:?}, {turn}", String::from_utf8_lossy(said));
        }
        serving.abort();
    }
    Ok(())
}
