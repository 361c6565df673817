//! A web server that recognises Web Bot Auth agents, greets them by their key directory, and serves
//! everybody else as before.
use std::sync::Arc;

use axum::{Router, routing::get};
use countersign::discovery::DirectoryResolver;
use countersign::httpsig::{MemoryReplayStore, Origin, Profile, Revision, Scheme, Tolerance};
use countersign::web::{AddressRules, Fetcher};
use countersign::webbotauth::{KeySource, OriginRule, Recognition, Recognize};

async fn stock(known: Recognition) -> String {
    match known.agent() {
        Some(directory) => format!("seven left, said to {directory}\n"),
        None => "seven left\n".to_owned(),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let authority = listener.local_addr()?.to_string();
    println!("listening on {authority}; Ctrl-C ends");

    // What agents call us. Behind a proxy that speaks TLS: Origin::https("shop.example").
    let scheme = Scheme::Http;
    let here = OriginRule::fixed(Origin { scheme, authority });
    let fetcher = Fetcher::new(AddressRules::default());
    let directories = DirectoryResolver::new(fetcher, Arc::new(countersign::SystemClock));
    let before = Profile::web_bot_auth(Revision::Meunier02).tolerate(Tolerance::BareSignatureAgent);
    let layer = Recognize::new(before, KeySource::published(directories), here)
        .or(Profile::web_bot_auth(Revision::Ietf01))
        .replay_where_given(Arc::new(MemoryReplayStore::default()))
        .let_unverified_through();
    let app = Router::new().route("/stock", get(stock)).layer(layer);
    let stop = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
    axum::serve(listener, app)
        .with_graceful_shutdown(stop)
        .await?;
    Ok(())
}
