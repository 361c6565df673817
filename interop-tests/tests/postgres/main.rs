//! PostgreSQL as it is: what a store in it promises, several instances, restarts, TLS.

mod rows;
mod tls;
mod world;

use std::process::ExitCode;

use countersign_interop_tests::row;
use libtest_mimic::Arguments;

use world::{World, shared, stop_shared};

fn main() -> ExitCode {
    let args = Arguments::from_args();
    let tests = vec![
        row("postgres_keeps_the_promises_for_tasks", shared, |world| {
            world.run(rows::promises_for_tasks)
        }),
        row(
            "postgres_keeps_the_promises_for_push_configurations",
            shared,
            |world| world.run(rows::promises_for_push_configurations),
        ),
        row("postgres_serves_several_instances", shared, |world| {
            world.run(rows::several_instances)
        }),
        row("postgres_counts_what_many_write", shared, |world| {
            world.run(rows::many_writers)
        }),
        row("postgres_tables_are_made_once", shared, |world| {
            world.run(rows::tables_are_made_once)
        }),
        row("postgres_tables_of_others_are_refused", shared, |world| {
            world.run(rows::tables_of_others)
        }),
        row("postgres_hides_its_password", shared, |world| {
            world.run(rows::hides_its_password)
        }),
        row("postgres_may_stop_and_come_back", World::new, |world| {
            world.run(rows::stops_and_comes_back)
        }),
        row("postgres_proves_its_name_over_tls", tls::start, |tls| {
            tls.check()
        }),
    ];
    let done = libtest_mimic::run(&args, tests);
    stop_shared();
    done.exit_code()
}
