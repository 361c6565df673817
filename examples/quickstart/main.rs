//! The main job: one delegated chain through four agents, every proof bound, and what happens to
//! those who try to get around it.

mod agents;
mod attacks;
mod ledger;
mod show;
mod stay;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use clap::Parser;
use countersign::audit::AuditLog;
use countersign::authority::{Authority, AuthorityConfig, BANNER};
use countersign::clock::SystemClock;

use agents::{Agents, Failure, GRANTED};
use ledger::Ledger;
use show::Show;

/// Four agents on loopback, one trip for alice, every call proved, eight attacks refused.
#[derive(Parser, Debug)]
#[command(name = "quickstart")]
struct Options {
    /// Print JSON lines instead of text.
    #[arg(long)]
    json: bool,
    /// Leave the agents running and print how to call them.
    #[arg(long)]
    stay: bool,
    /// Keep the audit log in this new file.
    #[arg(long, value_name = "FILE")]
    audit: Option<PathBuf>,
    /// The port of the embedded authority; any free one by default.
    #[arg(long, default_value_t = 0)]
    port: u16,
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    let mut show = Show::new(options.json);
    match run(&options, &mut show).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            show.failed(&*failure);
            ExitCode::FAILURE
        }
    }
}

/// Gives `true` when everything that should work worked and everything else was refused.
async fn run(options: &Options, show: &mut Show) -> Result<bool, Failure> {
    let folder = stay::Folder::new()?;
    let log_file = stay::audit_file(options.audit.as_deref(), &folder)?;
    let ledger = Arc::new(Ledger::open(&log_file)?);
    let log: Arc<dyn AuditLog> = ledger.clone();
    let began = Instant::now();
    let authority = start_authority(options.port, &log).await?;
    let agents = agents::start(&authority, &log).await?;
    show.opening(BANNER, &authority, &agents, began.elapsed());

    let good = trip(&agents, show).await?;
    let refused = attacks::all(&authority, &agents, &ledger, show).await?;
    let trail = ledger.records();
    show.trail(&trail, options.audit.as_deref());
    let whole = stay::verify(&log_file, trail.len())?;
    let all = good && refused && whole;
    show.closing(all);
    if options.stay {
        stay::until_interrupted(&folder, &log_file, &authority, &agents, show).await?;
    }
    Ok(all)
}

async fn start_authority(port: u16, log: &Arc<dyn AuditLog>) -> Result<Authority, Failure> {
    let config = AuthorityConfig::new("travel.example".parse()?)
        .port(port)
        .agent(
            "front-desk",
            "trip:plan trip:book payments:charge profile:read".parse()?,
        )
        .agent("planner", "trip:book payments:charge".parse()?)
        .agent("booking", "payments:charge".parse()?)
        .agent("payments", "".parse()?)
        .user("alice", GRANTED.parse()?)
        .login("front-desk");
    let authority = Authority::start(config, Arc::new(SystemClock), log.clone()).await?;
    // What a thief would have got hold of, for the attacks below.
    authority.danger().watch();
    Ok(authority)
}

/// alice asks front-desk for a trip; front-desk asks planner, and so on down the chain.
async fn trip(agents: &Agents, show: &mut Show) -> Result<bool, Failure> {
    let front_desk = agents.front_desk.client();
    let scopes = "trip:plan trip:book payments:charge".parse()?;
    let alice = front_desk.oauth().login("alice", &GRANTED.parse()?).await?;
    let began = Instant::now();
    let answer = front_desk
        .on_behalf_of_user(alice)
        .call(agents.planner.peer())
        .skill("plan")
        .scopes(scopes)
        .send("Bern on Friday, please")
        .await?;
    let took = began.elapsed();
    agents.seen.took("planner", took);
    Ok(show.trip(&agents.seen.hops(), &answer.text(), took))
}
