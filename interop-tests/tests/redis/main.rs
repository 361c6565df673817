//! Redis as it is: what a store in it promises, several instances, a server that fails, TLS.

mod agents;
mod rows;
mod strange;
mod tls;

use std::process::ExitCode;
use std::sync::Arc;

use countersign_interop_tests::{RedisServer, RedisServerError, row};
use libtest_mimic::{Arguments, Failed};

/// A server of its own for each row.
fn server() -> Result<Arc<RedisServer>, RedisServerError> {
    RedisServer::start(None).map(Arc::new)
}

/// Runs `test` with the server, on a runtime of its own.
fn run(
    server: Arc<RedisServer>,
    test: impl AsyncFnOnce(Arc<RedisServer>) -> Result<(), Failed>,
) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(test(server))
}

fn main() -> ExitCode {
    let args = Arguments::from_args();
    let tests = vec![
        row("redis_keeps_the_promises_for_nonces", server, |server| {
            run(server, rows::promises)
        }),
        row("redis_lets_one_of_many_copies_in", server, |server| {
            run(server, rows::copies)
        }),
        row("redis_forgets_no_nonce_too_early", server, |server| {
            run(server, rows::how_long)
        }),
        row("redis_that_drops_keys_is_refused", server, |server| {
            run(server, rows::eviction)
        }),
        row("redis_hides_its_password", server, |server| {
            run(server, rows::password)
        }),
        row("redis_that_hangs_is_not_waited_for", server, |server| {
            run(server, rows::hangs)
        }),
        row(
            "redis_that_answers_strangely_lets_nobody_in",
            server,
            |server| run(server, strange::answers),
        ),
        row(
            "redis_is_shared_by_the_instances_of_an_agent",
            server,
            |server| run(server, agents::shared),
        ),
        row("redis_that_is_killed_lets_nobody_in", server, |server| {
            run(server, agents::killed)
        }),
        row("redis_proves_its_name_over_tls", tls::start, |tls| {
            tls.check()
        }),
    ];
    libtest_mimic::run(&args, tests).exit_code()
}
