//! An axum application that wants to know its callers: one layer, one extractor.
use axum::{Router, routing::get};
use countersign::a2a::Operation;
use countersign::server::{Inbound, ProveCaller, Proved};
use countersign::{Client, Policy, enrol, httpsig::Origin, policy::Action, tls};

async fn stock(Proved(call): Proved) -> String {
    format!("seven left, said to {}\n", call.caller())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let config = countersign::authority::AuthorityConfig::new("shop.example".parse()?);
    let authority = config.agent("shop", "stock".parse()?).start().await?;
    let workload = enrol(authority.enrol("shop")?).await?;
    let client = Client::new(workload.clone(), authority.oauth_endpoint())?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let origin = Origin::https(listener.local_addr()?.to_string());
    println!("listening on {}; Ctrl-C ends", origin.authority);

    let policy = Policy::from_toml(include_str!("axum_caller.toml"))?;
    let inbound = Inbound::new(&client, origin, policy);
    let layer = ProveCaller::new(inbound, Action::new(Operation::GetTask));
    let app = Router::new().route("/stock", get(stock)).layer(layer);
    let stop = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
    tls::serve(listener, workload, Default::default(), app, stop).await;
    Ok(())
}
