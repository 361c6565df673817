//! Signers whose keys are fetched.

use countersign_fixtures::ca::Ca;

use super::*;
use crate::crypto::{Algorithm, SigningKey};
use crate::discovery::DirectoryResolver;
use crate::httpsig::directory::document;
use crate::httpsig::{DIRECTORY_CONTENT_TYPE, DIRECTORY_PATH};
use crate::web::testing::{Answer, Names, WebHost};
use crate::web::{AddressRules, Fetcher};

struct World {
    host: WebHost,
    layer: Recognize,
    clock: Arc<ManualClock>,
}

impl World {
    /// A layer that looks up `bot.example`, on the loopback.
    async fn new() -> Self {
        let ca = Ca::new("web.example");
        let host = WebHost::start(&ca, &["bot.example"]).await;
        let names = Arc::new(Names::default());
        names.say("bot.example", &[&["127.0.0.1"]]);
        let fetcher = Fetcher::new(AddressRules::default().danger().allow_loopback())
            .resolver(names)
            .roots(vec![ca.root().clone()]);
        let clock = Arc::new(ManualClock::at(NOW));
        let keys = KeySource::published(DirectoryResolver::new(fetcher, clock.clone()));
        let first = Profile::web_bot_auth(Revision::Meunier02);
        let layer = Recognize::new(first, keys, OriginRule::fixed(here()))
            .or(bots())
            .clock(clock.clone())
            .mode(Mode::Observe);
        Self { host, layer, clock }
    }

    fn lists(&self, keys: &[&SigningKey]) {
        let body = document(keys.iter().map(|key| key.verifying_key()));
        let fields = format!("content-type: {DIRECTORY_CONTENT_TYPE}\r\n");
        let answer = Answer::new(200, &fields, body);
        self.host.answers(move |_| answer.clone());
    }

    fn origin(&self) -> String {
        format!("https://bot.example:{}", self.host.port())
    }

    async fn ask(&self, key: &SigningKey, agent: &str, revision: Revision) -> String {
        let signer = Signer::new(key.clone(), agent, Profile::web_bot_auth(revision));
        let (status, text) = asked_who(&self.layer, signed(&signer.expect("a signer"))).await;
        assert_eq!(status, StatusCode::OK);
        text
    }
}

async fn asked_who(layer: &Recognize, request: Request<Body>) -> (StatusCode, String) {
    async fn who(known: Recognition) -> String {
        match known.agent() {
            Some(agent) => agent.to_owned(),
            None => format!("{} {}", known.word(), known.reason().unwrap_or("-")),
        }
    }
    let mut app = Router::new().fallback(who).layer(layer.clone());
    let (status, _, text) = in_whole(app.call(request).await.expect("an answer")).await;
    (status, text)
}

fn bot() -> SigningKey {
    SigningKey::generate(Algorithm::Ed25519).expect("a key")
}

#[tokio::test]
async fn who_signed_is_the_directory_where_the_key_is() {
    let world = World::new().await;
    let (key, forger) = (bot(), bot());
    world.lists(&[&key]);
    let origin = world.origin();
    let keys = format!("{origin}/keys?version=1");
    let found = world.ask(&key, &keys, Revision::Ietf01).await;
    assert_eq!(found, format!("{origin}/keys"));
    let found = world.ask(&key, &origin, Revision::Meunier02).await;
    assert_eq!(found, format!("{origin}{DIRECTORY_PATH}"));
    let found = world.ask(&forger, &keys, Revision::Ietf01).await;
    assert_eq!(found, "unverified signature.key_unknown");
}

#[tokio::test]
async fn an_unknown_key_makes_the_directory_be_fetched_once_more() {
    let world = World::new().await;
    let (old, new) = (bot(), bot());
    world.lists(&[&old]);
    let keys = format!("{}/keys", world.origin());
    assert_eq!(world.ask(&old, &keys, Revision::Ietf01).await, keys);
    assert_eq!(world.host.requests().len(), 1);
    world.lists(&[&old, &new]);
    world
        .clock
        .set(NOW.plus(std::time::Duration::from_secs(31)));
    assert_eq!(world.ask(&new, &keys, Revision::Ietf01).await, keys);
    assert_eq!(world.host.requests().len(), 2);
}

#[tokio::test]
async fn nothing_is_fetched_for_what_is_refused_without_a_key() {
    let world = World::new().await;
    let key = bot();
    world.lists(&[&key]);
    let keys = format!("{}/keys", world.origin());
    world
        .clock
        .set(NOW.plus(std::time::Duration::from_secs(3600)));
    let expired = world.ask(&key, &keys, Revision::Ietf01).await;
    assert_eq!(expired, "invalid signature.expired");
    assert_eq!(world.host.requests().len(), 0);
}

#[tokio::test]
async fn a_directory_that_does_not_answer_leaves_the_request_unverified() {
    let world = World::new().await;
    let keys = format!("{}/keys", world.origin());
    world
        .host
        .answers(|_| Answer::new(301, "location: https://bot.example/\r\n", ""));
    let found = world.ask(&bot(), &keys, Revision::Ietf01).await;
    assert_eq!(found, "unverified signature.key_unknown");
}
