//! Keys on a PKCS#11 token: SoftHSM makes them, keeps them and signs with them.

mod rows;
mod world;

use std::process::ExitCode;

use countersign_interop_tests::{in_a_folder_of_its_own, row};
use libtest_mimic::Arguments;

use world::shared;

fn main() -> ExitCode {
    in_a_folder_of_its_own(run).unwrap_or_else(|error| {
        eprintln!("the tests cannot be started: {error}");
        ExitCode::FAILURE
    })
}

fn run() -> ExitCode {
    let args = Arguments::from_args();
    let tests = vec![
        row("pkcs11_signs_with_every_algorithm", shared, |world| {
            world.run(rows::every_algorithm)
        }),
        row("pkcs11_finds_one_key_or_says_why_not", shared, |world| {
            world.run(rows::one_key_or_none)
        }),
        row("pkcs11_signs_for_many_at_once", shared, |world| {
            world.run(rows::many_at_once)
        }),
        row("pkcs11_opens_a_lost_session_again", shared, |world| {
            world.run(rows::lost_session)
        }),
        row("pkcs11_does_not_try_a_wrong_pin_twice", shared, |world| {
            world.run(rows::wrong_pin)
        }),
        row("pkcs11_is_not_believed", shared, |world| {
            world.run(rows::another_key)
        }),
        row("pkcs11_hides_its_pin", shared, |world| {
            world.run(rows::hides_its_pin)
        }),
    ];
    libtest_mimic::run(&args, tests).exit_code()
}
