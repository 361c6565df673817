//! Redis as it is: what a store in it promises, several instances, a server that fails, TLS.

mod agents;
mod rows;
mod strange;
mod tls;

use std::process::ExitCode;
use std::sync::Arc;

use countersign_interop_tests::{RedisServer, row};
use libtest_mimic::{Arguments, Failed, Trial};

type Test = Box<dyn FnOnce(Arc<RedisServer>) -> Result<(), Failed> + Send>;

/// A row with a server of its own, on a runtime of its own.
fn with_server<T>(name: &str, test: T) -> Trial
where
    T: AsyncFnOnce(Arc<RedisServer>) -> Result<(), Failed> + Send + 'static,
{
    let test: Test = Box::new(|server| {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        runtime.block_on(test(server))
    });
    let server = || RedisServer::start(None).map(Arc::new);
    row(name, server, test)
}

fn main() -> ExitCode {
    let args = Arguments::from_args();
    let tests = vec![
        with_server("redis_keeps_the_promises_for_nonces", rows::promises),
        with_server("redis_lets_one_of_many_copies_in", rows::copies),
        with_server("redis_forgets_no_nonce_too_early", rows::how_long),
        with_server("redis_that_drops_keys_is_refused", rows::eviction),
        with_server("redis_hides_its_password", rows::password),
        with_server("redis_that_hangs_is_not_waited_for", rows::hangs),
        with_server(
            "redis_that_answers_strangely_lets_nobody_in",
            strange::answers,
        ),
        with_server(
            "redis_is_shared_by_the_instances_of_an_agent",
            agents::shared,
        ),
        with_server("redis_that_is_killed_lets_nobody_in", agents::killed),
        row("redis_proves_its_name_over_tls", tls::start, |tls| {
            tls.check()
        }),
    ];
    libtest_mimic::run(&args, tests).exit_code()
}
