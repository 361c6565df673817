//! Counting what callers get done.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use countersign::server::async_trait;

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

pub(crate) const CALLERS: usize = 32;
pub(crate) const TEXT: usize = 1024;

/// What one turn of one side came to.
#[derive(Clone, Copy)]
pub(crate) struct Turn {
    /// Requests per second.
    pub(crate) rate: f64,
    /// Microseconds of processor time for a request.
    pub(crate) cost: f64,
}

#[async_trait]
pub(crate) trait Caller: Send {
    async fn call(&mut self) -> Result<(), Failure>;
}

/// Processor seconds of this process so far, to the clock tick; nothing where Linux does not tell.
pub(crate) fn processor_seconds() -> f64 {
    /// Fixed for programs (`USER_HZ`).
    const TICKS: f64 = 100.0;
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The second field is a name in parentheses; user and system time are the 14th and 15th.
    let rest = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = rest.split_whitespace().skip(11).take(2);
    ticks.filter_map(|t| t.parse::<f64>().ok()).sum::<f64>() / TICKS
}

/// Counts what `CALLERS` tasks get done in `window`, and the `clock`'s processor seconds with it.
pub(crate) async fn measure<F, Fut>(
    window: Duration,
    clock: fn() -> f64,
    make: F,
) -> Result<Turn, Failure>
where
    F: Fn() -> Fut,
    Fut: Future<Output = Result<Box<dyn Caller>, Failure>>,
{
    let stop = Arc::new(AtomicBool::new(false));
    let done = Arc::new(AtomicU64::new(0));
    let mut tasks = Vec::new();
    for _ in 0..CALLERS {
        let mut caller = make().await?;
        caller.call().await?;
        let (stop, done) = (stop.clone(), done.clone());
        tasks.push(tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                caller.call().await?;
                done.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<_, Failure>(())
        }));
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    let (before, began, spent) = (done.load(Ordering::Relaxed), Instant::now(), clock());
    tokio::time::sleep(window).await;
    let calls = (done.load(Ordering::Relaxed) - before) as f64;
    let rate = calls / began.elapsed().as_secs_f64();
    let cost = (clock() - spent) * 1e6 / calls;
    stop.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await??;
    }
    Ok(Turn { rate, cost })
}

/// The middle of what `of` says of each.
pub(crate) fn median<T>(all: &[T], of: impl Fn(&T) -> f64) -> f64 {
    let mut all: Vec<f64> = all.iter().map(of).collect();
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}
