//! The command line.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use super::identity::Identity;
use super::outcome::{Outcome, Stop, print};
use super::{audit, call, card, doctor, token};
use crate::client::Peer;

/// Prove who calls, for whom and through whom.
#[derive(Parser, Debug)]
#[command(name = "countersign", version)]
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
    },
}

#[derive(Args, Debug)]
struct IdentityArgs {
    /// Folder with cert.pem, key.pem, bundle.pem and countersign.toml.
    #[arg(long, env = "COUNTERSIGN_IDENTITY", value_name = "DIR")]
    identity: PathBuf,
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
    /// Log this person in and call on their behalf (development authority).
    #[arg(long)]
    user: Option<String>,
    /// Print events as they come.
    #[arg(long)]
    stream: bool,
}

/// Runs the command with this process's arguments.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(run(cli.command)),
        Err(error) => Err(Stop::failed(error, "the system gave no resources")),
    };
    print(result, cli.json)
}

async fn run(command: Command) -> Result<Outcome, Stop> {
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
                user: args.user,
                stream: args.stream,
            };
            call::call(&identity, &peer, wish).await
        }
        Command::Token(TokenCommand::Inspect) => token::inspect(std::io::stdin().lock()),
        Command::Audit(AuditCommand::Show { file }) => audit::show(&file),
        Command::Audit(AuditCommand::Verify { file }) => audit::verify(&file),
        Command::Doctor(args) => doctor::doctor(&args.identity).await,
    }
}

async fn open(args: &PeerArgs) -> Result<(Identity, Peer), Stop> {
    let identity = Identity::open(&args.identity.identity).await?;
    let id = match &args.peer {
        Some(id) => id.clone(),
        None => identity.peer_at(&args.url)?,
    };
    let peer = Peer::new(&args.url, &id)?;
    Ok((identity, peer))
}
