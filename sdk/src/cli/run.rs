//! The command line.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use super::http::{self, HttpCommand};
use super::identity::Identity;
use super::outcome::{Outcome, Stop, print};
use super::{audit, call, card, doctor, token, usage};
use crate::card::ProtocolBinding;
use crate::client::Peer;

/// Prove who calls, for whom and through whom.
#[derive(Parser, Debug)]
#[command(
    name = "countersign",
    version,
    after_help = "Exit codes: 0 done, 1 refused or a check failed, 2 wrong usage, 3 could not be \
                  carried out."
)]
struct Cli {
    /// Print one JSON object instead of text.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Agent Cards.
    #[command(subcommand)]
    Card(CardCommand),
    /// Call an agent.
    Call(CallArgs),
    /// Access tokens.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Audit logs.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// HTTP message signatures and Web Bot Auth: sign, verify, make keys and documents.
    #[command(subcommand)]
    Http(HttpCommand),
    /// Look at certificate, trust bundle, clock, authority and cards, and say what to do.
    Doctor(IdentityArgs),
}

#[derive(Subcommand, Debug)]
enum CardCommand {
    /// Print the card of the agent at URL, after it was verified.
    Show(PeerArgs),
    /// Say what was verified of the card of the agent at URL.
    Verify(PeerArgs),
}

#[derive(Subcommand, Debug)]
enum TokenCommand {
    /// Read a token from standard input and print what it says. Nothing is verified.
    Inspect,
}

#[derive(Subcommand, Debug)]
enum AuditCommand {
    /// Print the log, one sentence a decision.
    Show {
        /// The log, JSON lines.
        file: PathBuf,
    },
    /// Check that no line was changed, dropped or moved.
    Verify {
        /// The log, JSON lines.
        file: PathBuf,
        /// The end that an earlier look printed, kept elsewhere: shows what was cut off since.
        #[arg(long, value_name = "RECORDS:HASH")]
        known: Option<String>,
    },
}

#[derive(Args, Debug)]
struct IdentityArgs {
    /// Folder with cert.pem, key.pem, bundle.pem and countersign.toml.
    #[arg(
        long,
        env = "COUNTERSIGN_IDENTITY",
        hide_env_values = true,
        value_name = "DIR"
    )]
    identity: PathBuf,
    /// How long to wait for an answer, or for a stream to begin.
    #[arg(
        long, value_name = "SECONDS", default_value_t = 60,
        value_parser = clap::value_parser!(u64).range(1..=3600),
    )]
    timeout: u64,
}

impl IdentityArgs {
    const fn wait(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }
}

#[derive(Args, Debug)]
struct PeerArgs {
    /// Where the agent is: https://host:port.
    url: String,
    /// Who must be there; by default who countersign.toml names for this URL.
    #[arg(long, value_name = "SPIFFE-ID")]
    peer: Option<String>,
    #[command(flatten)]
    identity: IdentityArgs,
}

#[derive(Args, Debug)]
struct CallArgs {
    #[command(flatten)]
    peer: PeerArgs,
    /// What to say.
    text: String,
    /// The skill to ask for.
    #[arg(long)]
    skill: Option<String>,
    /// The scopes to ask for, separated by spaces; by default those that the card names.
    #[arg(long)]
    scope: Option<String>,
    /// The binding to use: JSONRPC, HTTP+JSON or GRPC; by default the one that the agent prefers.
    #[arg(long, value_parser = binding)]
    binding: Option<ProtocolBinding>,
    /// Log this person in and call on their behalf (development authority).
    #[arg(long)]
    user: Option<String>,
    /// Print events as they come.
    #[arg(long)]
    stream: bool,
}

fn binding(text: &str) -> Result<ProtocolBinding, String> {
    let mut all = ProtocolBinding::ALL.into_iter();
    let found = all.find(|binding| binding.as_str().eq_ignore_ascii_case(text));
    found.ok_or_else(|| "it is JSONRPC, HTTP+JSON or GRPC".to_owned())
}

/// Runs the command with this process's arguments.
pub fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().collect();
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) => return print(usage::explain(&error, &args), usage::wants_json(&args)),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(run(cli.command, cli.json)),
        Err(error) => Err(Stop::failed(
            "cli.runtime",
            error,
            "the system gave no resources: try again",
        )),
    };
    print(result, cli.json)
}

async fn run(command: Command, json: bool) -> Result<Outcome, Stop> {
    match command {
        Command::Card(CardCommand::Show(args)) => {
            let (identity, peer) = open(&args).await?;
            card::show(&identity, &peer).await
        }
        Command::Card(CardCommand::Verify(args)) => {
            let (identity, peer) = open(&args).await?;
            card::verify(&identity, &peer).await
        }
        Command::Call(args) => {
            let (identity, peer) = open(&args.peer).await?;
            let wish = call::Wish {
                text: args.text,
                skill: args.skill,
                scope: args.scope,
                binding: args.binding,
                user: args.user,
                stream: args.stream,
                json,
            };
            call::call(&identity, &peer, wish).await
        }
        Command::Token(TokenCommand::Inspect) => token::inspect(std::io::stdin()),
        Command::Audit(AuditCommand::Show { file }) => audit::show(&file),
        Command::Audit(AuditCommand::Verify { file, known }) => {
            audit::verify(&file, known.as_deref())
        }
        Command::Http(command) => http::run(command, json).await,
        Command::Doctor(args) => doctor::doctor(&args.identity, args.wait()).await,
    }
}

async fn open(args: &PeerArgs) -> Result<(Identity, Peer), Stop> {
    let identity = Identity::open(&args.identity.identity, args.identity.wait()).await?;
    let peer = identity.settings.find(&args.url, args.peer.as_deref())?;
    Ok((identity, peer))
}
