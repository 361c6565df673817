//! The commands below `http`.

use clap::Subcommand;

use super::base::BaseArgs;
use super::card::CardArgs;
use super::directory::DirectoryArgs;
use super::keygen::KeygenArgs;
use super::registry::RegistryArgs;
use super::sign::SignArgs;
use super::verify::VerifyArgs;
use super::{base, card, directory, keygen, registry, sign, verify};
use crate::cli::outcome::{Outcome, Stop};

#[derive(Subcommand, Debug)]
pub(in crate::cli) enum HttpCommand {
    /// Sign a raw message and print it.
    Sign(Box<SignArgs>),
    /// Verify the signature of a raw message: exit code 0 verified, 1 not verified.
    Verify(Box<VerifyArgs>),
    /// Print the signature base, to compare it with a peer's.
    Base(BaseArgs),
    /// Make a private key, in a file that only its owner can read.
    Keygen(KeygenArgs),
    /// Make a key directory and print or serve it, or look for what is wrong with one.
    Directory(Box<DirectoryArgs>),
    /// Make a signature agent card and print or serve it, or look for what is wrong with one.
    Card(Box<CardArgs>),
    /// Make a registry of cards and print or serve it, or look for what is wrong with one.
    Registry(Box<RegistryArgs>),
}

pub(in crate::cli) async fn run(command: HttpCommand, json: bool) -> Result<Outcome, Stop> {
    match command {
        HttpCommand::Sign(args) => sign::sign(&args, json),
        HttpCommand::Verify(args) => verify::verify(&args).await,
        HttpCommand::Base(args) => base::base(&args, json),
        HttpCommand::Keygen(args) => keygen::keygen(&args, json),
        HttpCommand::Directory(args) => directory::directory(&args, json).await,
        HttpCommand::Card(args) => card::card(&args, json).await,
        HttpCommand::Registry(args) => registry::registry(&args, json).await,
    }
}
