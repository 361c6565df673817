//! An axum application that wants to know its callers: one layer, one extractor.

use std::error::Error;
use std::sync::Arc;

use axum::{Router, routing::get};
use countersign::a2a::Operation;
use countersign::audit::MemoryLog;
use countersign::authority::{Authority, AuthorityConfig};
use countersign::client::Client;
use countersign::clock::SystemClock;
use countersign::httpsig::Origin;
use countersign::policy::{Action, Policy};
use countersign::server::{Inbound, ProveCaller, Proved};
use countersign::tls::{self, ServeOptions};

async fn stock(Proved(call): Proved) -> String {
    format!("seven left, said to {}\n", call.caller())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let config = AuthorityConfig::new("shop.example".parse()?).agent("shop", "stock".parse()?);
    let authority = Authority::start(
        config,
        Arc::new(SystemClock),
        Arc::new(MemoryLog::default()),
    )
    .await?;
    let workload = tls::enrol(authority.enrol("shop")?, Arc::new(SystemClock)).await?;
    let client = Client::new(workload.clone(), authority.oauth_endpoint())?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let origin = Origin::https(listener.local_addr()?.to_string());
    let policy = Policy::from_toml(include_str!("axum_caller.toml"))?;
    let layer = ProveCaller::new(
        Inbound::new(&client, origin, policy),
        Action::new(Operation::GetTask),
    );
    let app = Router::new().route("/stock", get(stock)).layer(layer);
    println!("listening on {}; Ctrl-C ends", listener.local_addr()?);
    let stop = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
    tls::serve(listener, workload, ServeOptions::default(), app, stop).await;
    Ok(())
}
