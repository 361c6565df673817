//! What the rows with one server do.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use countersign::clock::UnixTime;
use countersign::crypto::KeyThumbprint;
use countersign::httpsig::ReplayStore;
use countersign::httpsig::replay::conformance;
use countersign::redis::{RedisOptions, RedisReplayStore};
use countersign::secret::Secret;
use countersign_interop_tests::RedisServer;
use libtest_mimic::Failed;
use tokio::runtime::Handle;
use tokio::task::block_in_place;

pub(crate) const KEY: KeyThumbprint = KeyThumbprint::from_bytes([1; 32]);
pub(crate) const NOW: UnixTime = UnixTime::from_secs(1_735_689_600);

pub(crate) async fn store(server: &RedisServer) -> RedisReplayStore {
    let store = RedisReplayStore::connect(&server.url("127.0.0.1")).await;
    store.expect("the store connects")
}

/// The answer to a nonce that lives for a minute, in a word.
pub(crate) async fn record(store: &RedisReplayStore, nonce: &str) -> Result<(), &'static str> {
    let until = NOW.plus(Duration::from_secs(60));
    let answer = store.check_and_record(KEY, nonce, until, NOW).await;
    answer.map_err(|error| error.reason())
}

pub(crate) async fn promises(server: Arc<RedisServer>) -> Result<(), Failed> {
    static PREFIXES: AtomicUsize = AtomicUsize::new(0);
    let runtime = Handle::current();
    let url = server.url("127.0.0.1");
    let make = || -> Box<dyn ReplayStore> {
        let number = PREFIXES.fetch_add(1, Ordering::Relaxed);
        let options = RedisOptions::new(&url).expect("a URL");
        let options = options.prefix(format!("{number}:"));
        let store = runtime.block_on(RedisReplayStore::connect_with(options));
        Box::new(store.expect("the store connects"))
    };
    block_in_place(|| conformance::check(make, |answer| runtime.block_on(answer)));
    Ok(())
}

pub(crate) async fn copies(server: Arc<RedisServer>) -> Result<(), Failed> {
    const THREADS: usize = 8;
    const EACH: usize = 2500;
    let stores = [store(&server).await, store(&server).await];
    let runtime = Handle::current();
    let let_in = AtomicUsize::new(0);
    block_in_place(|| {
        thread::scope(|scope| {
            for number in 0..THREADS {
                let (store, runtime, let_in) = (&stores[number % 2], &runtime, &let_in);
                scope.spawn(move || {
                    for _ in 0..EACH {
                        match runtime.block_on(record(store, "one")) {
                            Ok(()) => drop(let_in.fetch_add(1, Ordering::Relaxed)),
                            Err(reason) => assert_eq!(reason, "replay.seen"),
                        }
                    }
                });
            }
        });
    });
    assert_eq!(let_in.into_inner(), 1);
    Ok(())
}

pub(crate) async fn how_long(server: Arc<RedisServer>) -> Result<(), Failed> {
    let store = store(&server).await;
    let until = NOW.plus(Duration::from_secs(300));
    store
        .check_and_record(KEY, "secret nonce", until, NOW)
        .await?;
    let keys = server.ask(&["KEYS", "*"])?;
    let key = keys.trim();
    assert!(key.starts_with(&format!("countersign:{KEY}:")), "{key}");
    assert!(!key.contains("secret"), "{key}");
    let left: u64 = server.ask(&["PTTL", key])?.trim().parse()?;
    // Its life, its last second, and a minute by which clocks may be apart.
    let most = (300 + 1 + 60) * 1000;
    assert!(left <= most && left > most - 60_000, "{left} ms");
    Ok(())
}

pub(crate) async fn eviction(server: Arc<RedisServer>) -> Result<(), Failed> {
    let connect = async || {
        let connected = RedisReplayStore::connect(&server.url("127.0.0.1")).await;
        connected.map(drop).map_err(|error| error.reason())
    };
    for (bytes, policy, want) in [
        ("0", "noeviction", Ok(())),
        ("0", "allkeys-lru", Ok(())),
        ("100mb", "noeviction", Ok(())),
        ("100mb", "allkeys-lru", Err("redis.evicts")),
        ("100mb", "volatile-ttl", Err("redis.evicts")),
    ] {
        server.ask(&["CONFIG", "SET", "maxmemory", bytes])?;
        server.ask(&["CONFIG", "SET", "maxmemory-policy", policy])?;
        assert_eq!(connect().await, want, "{bytes} {policy}");
    }
    // Full, and nothing is dropped: nobody is let in.
    server.ask(&["CONFIG", "SET", "maxmemory-policy", "noeviction"])?;
    let store = store(&server).await;
    assert_eq!(record(&store, "a").await, Ok(()));
    server.ask(&["CONFIG", "SET", "maxmemory", "1"])?;
    assert_eq!(record(&store, "b").await, Err("replay.unavailable"));
    Ok(())
}

pub(crate) async fn password(server: Arc<RedisServer>) -> Result<(), Failed> {
    let url = server.url("127.0.0.1");
    let shown = format!("{:?} {:?}", store(&server).await, RedisOptions::new(&url)?);
    assert!(!shown.contains("horse"), "{shown}");
    let wrong = RedisOptions::new(&url)?.login("", Secret::new("correct'mule".to_owned()));
    let missing = url.replace(":correct%27horse%40battery@", "");
    for options in [wrong, RedisOptions::new(&missing)?] {
        let refused = RedisReplayStore::connect_with(options).await;
        let error = refused.map(drop).expect_err("not let in");
        assert_eq!(error.reason(), "redis.unavailable");
        let shown = format!("{error} {error:?}");
        assert!(
            !shown.contains("mule") && !shown.contains("horse"),
            "{shown}"
        );
    }
    Ok(())
}

pub(crate) async fn hangs(server: Arc<RedisServer>) -> Result<(), Failed> {
    let options = RedisOptions::new(&server.url("127.0.0.1"))?;
    let options = options.timeout(Duration::from_millis(300));
    let store = RedisReplayStore::connect_with(options.clone()).await?;
    assert_eq!(record(&store, "a").await, Ok(()));
    server.halt(true)?;
    for nonce in ["a", "b", "c"] {
        assert_eq!(record(&store, nonce).await, Err("replay.unavailable"));
    }
    let connected = RedisReplayStore::connect_with(options).await.map(drop);
    let reason = connected.map_err(|error| error.reason());
    assert_eq!(reason, Err("redis.unavailable"));
    server.halt(false)?;
    // What was asked while it hung may have been recorded late, and is then refused.
    assert_eq!(record(&store, "a").await, Err("replay.seen"));
    assert_eq!(record(&store, "d").await, Ok(()));
    Ok(())
}
