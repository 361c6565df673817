//! Directories, cards and registries on the loopback, over TLS.

use std::sync::Arc;
use std::time::Duration;

use countersign_fixtures::ca::Ca;
use futures_util::future::join_all;

use super::*;
use crate::clock::{ManualClock, UnixTime};
use crate::crypto::{Algorithm, KeyThumbprint, SigningKey};
use crate::httpsig::directory::{DirectoryUrl, Reading, document};
use crate::httpsig::signature_agent::SignatureAgentCard;
use crate::httpsig::{DIRECTORY_CONTENT_TYPE, DIRECTORY_PATH};
use crate::web::testing::{Answer, Counter, Names, REFUSED, WebHost};
use crate::web::{AddressRules, Fetcher};

const NOW: UnixTime = UnixTime::from_secs(1_735_689_600);
const BOT: &str = "bot.example";
const OTHER: &str = "other.example";

fn after(secs: u64) -> UnixTime {
    NOW.plus(Duration::from_secs(secs))
}

/// A host with two names, a key that it lists, and somebody who looks it up.
struct World {
    ca: Ca,
    names: Arc<Names>,
    clock: Arc<ManualClock>,
    host: WebHost,
    key: SigningKey,
    keyid: KeyThumbprint,
}

impl World {
    async fn new() -> Self {
        let ca = Ca::new("web.example");
        let host = WebHost::start(&ca, &[BOT, OTHER]).await;
        let names = Arc::new(Names::default());
        names.say(BOT, &[&["127.0.0.1"]]);
        names.say(OTHER, &[&["127.0.0.1"]]);
        let key = SigningKey::generate(Algorithm::Ed25519).expect("a key");
        let world = Self {
            ca,
            names,
            clock: Arc::new(ManualClock::at(NOW)),
            host,
            keyid: key.verifying_key().thumbprint(),
            key,
        };
        world.lists("cache-control: max-age=100\r\n");
        world
    }

    fn fetcher(&self) -> Fetcher {
        let rules = AddressRules::default().danger().allow_loopback();
        self.fetcher_to(rules)
    }

    fn fetcher_to(&self, rules: AddressRules) -> Fetcher {
        Fetcher::new(rules)
            .resolver(self.names.clone())
            .roots(vec![self.ca.root().clone()])
    }

    fn resolver(&self) -> DirectoryResolver {
        self.resolver_with(ResolverTimes::default(), ResolverLimits::default())
    }

    fn resolver_with(&self, times: ResolverTimes, limits: ResolverLimits) -> DirectoryResolver {
        let times = ResolverTimes {
            pause: Duration::from_millis(1),
            ..times
        };
        let settings = (times, limits);
        DirectoryResolver::with(
            self.fetcher(),
            self.clock.clone(),
            Reading::default(),
            settings,
        )
    }

    fn url(&self, host: &str, path: &str) -> DirectoryUrl {
        let url = format!("https://{host}:{}{path}", self.host.port());
        DirectoryUrl::at(&url).expect("a URL")
    }

    /// The host lists the key at every path.
    fn lists(&self, fields: &str) {
        let body = document([self.key.verifying_key()]);
        let answer = Answer::new(200, &typed(fields), body);
        self.host.answers(move |_| answer.clone());
    }

    /// The host lists no key.
    fn lists_nothing(&self, fields: &str) {
        let answer = Answer::new(200, &typed(fields), "{\"keys\":[]}");
        self.host.answers(move |_| answer.clone());
    }

    fn fails(&self, status: u16, fields: &str) {
        let answer = Answer::new(status, fields, "");
        self.host.answers(move |_| answer.clone());
    }

    fn asked(&self) -> usize {
        self.host.requests().len()
    }

    /// `fresh`, `stale`, or why there is no key.
    async fn look_up(&self, resolver: &DirectoryResolver, at: u64) -> &'static str {
        self.clock.set(after(at));
        let found = resolver.key(&self.url(BOT, "/keys"), self.keyid).await;
        match found {
            Ok(found) if found.stale => "stale",
            Ok(_) => "fresh",
            Err(error) => error.reason(),
        }
    }
}

fn typed(fields: &str) -> String {
    format!("content-type: {DIRECTORY_CONTENT_TYPE}\r\n{fields}")
}

#[tokio::test]
async fn a_directory_is_fetched_when_it_is_no_longer_fresh() {
    let world = World::new().await;
    let resolver = world.resolver();
    for (at, asked) in [
        (0, 1),
        (99, 1),
        (100, 2),
        (150, 2),
        (199, 2),
        (200, 3),
        (50, 4),
    ] {
        assert_eq!(world.look_up(&resolver, at).await, "fresh", "{at}");
        assert_eq!(world.asked(), asked, "{at}");
    }
    let url = world.url(BOT, "/a/../keys?v=1");
    let found = resolver.key(&url, world.keyid).await.expect("it is there");
    assert_eq!(found.key, world.key.verifying_key().into());
    let identifier = format!("https://{BOT}:{}/keys", world.host.port());
    assert_eq!(found.directory, identifier);
    let head = world.host.requests().pop().expect("a request");
    assert!(head.starts_with("GET /keys?v=1 HTTP/1.1\r\n"), "{head}");
    assert!(!head.to_lowercase().contains("authorization"), "{head}");
}

#[tokio::test]
async fn a_directory_has_a_least_and_a_longest_freshness() {
    for (fields, fresh) in [
        ("", 300),
        ("cache-control: no-store\r\n", 30),
        ("cache-control: max-age=0\r\n", 30),
        ("cache-control: max-age=29\r\n", 30),
        ("cache-control: max-age=31\r\n", 31),
        ("cache-control: max-age=86401\r\n", 86_400),
    ] {
        let world = World::new().await;
        world.lists(fields);
        let resolver = world.resolver();
        for (at, asked) in [(0, 1), (fresh - 1, 1), (fresh, 2)] {
            assert_eq!(world.look_up(&resolver, at).await, "fresh", "{fields} {at}");
            assert_eq!(world.asked(), asked, "{fields} {at}");
        }
    }
}

#[tokio::test]
async fn many_who_ask_cause_one_fetch() {
    let world = World::new().await;
    let resolver = world.resolver();
    let url = world.url(BOT, "/keys");
    let found = join_all((0..50).map(|_| resolver.key(&url, world.keyid))).await;
    assert!(found.iter().all(Result::is_ok));
    assert_eq!(world.asked(), 1);
}

#[tokio::test]
async fn a_fetch_goes_on_when_those_who_asked_go_away() {
    let world = World::new().await;
    let resolver = world.resolver();
    let url = world.url(BOT, "/keys");
    // Asked for once, and dropped.
    assert!(futures_util::poll!(Box::pin(resolver.key(&url, world.keyid))).is_pending());
    assert_eq!(world.look_up(&resolver, 0).await, "fresh");
    assert_eq!(world.asked(), 1);
}

#[tokio::test]
async fn a_key_is_only_its_own_directorys() {
    let world = World::new().await;
    let body = document([world.key.verifying_key()]);
    world.host.answers(move |path| match path {
        "/one" => Answer::new(200, "", body.clone()),
        _ => Answer::new(200, "", "{\"keys\":[]}"),
    });
    let resolver = world.resolver();
    assert!(
        resolver
            .key(&world.url(BOT, "/one"), world.keyid)
            .await
            .is_ok()
    );
    for there in [world.url(BOT, "/two"), world.url(OTHER, "/two")] {
        let found = resolver.key(&there, world.keyid).await;
        let reason = found.map_err(|error| error.reason()).err();
        assert_eq!(reason, Some("discovery.key_absent"));
    }
}

#[tokio::test]
async fn only_200_is_an_answer_and_no_redirect_is_followed() {
    let world = World::new().await;
    let counter = Counter::start().await;
    for status in [
        201, 203, 204, 206, 300, 301, 302, 303, 307, 308, 304, 400, 403, 404, 429, 500,
    ] {
        let there = format!("location: https://{BOT}:{}/\r\n", counter.port());
        world.fails(status, &there);
        let reason = world.look_up(&world.resolver(), 0).await;
        assert_eq!(reason, "fetch.status", "{status}");
    }
    assert_eq!(counter.seen(), 0);
}

#[tokio::test]
async fn a_failure_takes_no_key_away_and_a_directory_without_it_does() {
    let world = World::new().await;
    let resolver = world.resolver();
    assert_eq!(world.look_up(&resolver, 0).await, "fresh");
    world.fails(500, "");
    assert_eq!(world.look_up(&resolver, 99).await, "fresh");
    assert_eq!(world.look_up(&resolver, 100).await, "stale");
    // An hour after it was fresh, and no longer.
    assert_eq!(world.look_up(&resolver, 3699).await, "stale");
    assert_eq!(world.look_up(&resolver, 3700).await, "fetch.status");
    world.lists("cache-control: max-age=100\r\n");
    assert_eq!(world.look_up(&resolver, 8000).await, "fresh");
    world.lists_nothing("cache-control: max-age=100\r\n");
    assert_eq!(world.look_up(&resolver, 8099).await, "fresh");
    assert_eq!(world.look_up(&resolver, 8100).await, "discovery.key_absent");
    // It is gone: what was known before does not come back.
    world.fails(500, "");
    assert_eq!(world.look_up(&resolver, 8201).await, "discovery.key_absent");
    // Whoever wants to be asked is not guessed at.
    let resolver = world.resolver();
    world.lists("cache-control: max-age=100, must-revalidate\r\n");
    assert_eq!(world.look_up(&resolver, 0).await, "fresh");
    world.fails(500, "");
    assert_eq!(world.look_up(&resolver, 100).await, "fetch.status");
}

#[tokio::test]
async fn a_key_that_is_not_there_is_asked_for_once_in_an_interval() {
    let world = World::new().await;
    let resolver = world.resolver();
    world.lists_nothing("cache-control: max-age=1000\r\n");
    for (at, asked) in [(0, 1), (0, 1), (29, 1), (30, 2), (59, 2), (60, 3)] {
        assert_eq!(
            world.look_up(&resolver, at).await,
            "discovery.key_absent",
            "{at}"
        );
        assert_eq!(world.asked(), asked, "{at}");
    }
    world.lists("cache-control: max-age=1000\r\n");
    assert_eq!(world.look_up(&resolver, 89).await, "discovery.key_absent");
    assert_eq!(world.look_up(&resolver, 90).await, "fresh");
}

#[tokio::test]
async fn a_failure_is_remembered_for_five_minutes_at_most() {
    let world = World::new().await;
    let resolver = world.resolver();
    world.fails(404, "");
    for (at, asked) in [(0, 1), (299, 1), (300, 2)] {
        assert_eq!(world.look_up(&resolver, at).await, "fetch.status", "{at}");
        assert_eq!(world.asked(), asked, "{at}");
    }
    // However long somebody wants it remembered.
    let times = ResolverTimes {
        negative: Duration::from_secs(100_000),
        ..ResolverTimes::default()
    };
    let resolver = world.resolver_with(times, ResolverLimits::default());
    world.look_up(&resolver, 0).await;
    world.lists("");
    assert_eq!(world.look_up(&resolver, 299).await, "fetch.status");
    assert_eq!(world.look_up(&resolver, 300).await, "fresh");
}

#[tokio::test]
async fn a_failing_server_is_tried_again_a_few_times_and_then_less_and_less() {
    let world = World::new().await;
    let resolver = world.resolver();
    world.fails(500, "");
    assert_eq!(world.look_up(&resolver, 0).await, "fetch.status");
    assert_eq!(world.asked(), 3, "two more attempts");
    // 5 s, at least half of it; then 10 s.
    world.look_up(&resolver, 2).await;
    assert_eq!(world.asked(), 3);
    world.look_up(&resolver, 5).await;
    assert_eq!(world.asked(), 6);
    world.look_up(&resolver, 9).await;
    assert_eq!(world.asked(), 6);
    world.look_up(&resolver, 15).await;
    assert_eq!(world.asked(), 9);
    // In between it recovers.
    let (body, once) = (
        document([world.key.verifying_key()]),
        std::sync::Mutex::new(true),
    );
    world.host.answers(move |_| {
        let mut once = once.lock().expect("no panic");
        match std::mem::take(&mut *once) {
            true => Answer::new(503, "", ""),
            false => Answer::new(200, "", body.clone()),
        }
    });
    assert_eq!(world.look_up(&resolver, 35).await, "fresh");
    assert_eq!(world.asked(), 11);
}

#[tokio::test]
async fn a_server_that_says_when_to_come_back_is_left_alone_till_then() {
    for (fields, status, until) in [
        ("retry-after: 120\r\n", 503, 120),
        ("retry-after: 400\r\n", 429, 400),
        ("retry-after: 999999\r\n", 503, 3600),
    ] {
        let world = World::new().await;
        let resolver = world.resolver();
        world.fails(status, fields);
        world.look_up(&resolver, 0).await;
        assert_eq!(world.asked(), 1, "{fields}");
        world.lists("");
        let early = world.look_up(&resolver, until - 1).await;
        assert_eq!((early, world.asked()), ("fetch.status", 1), "{fields}");
        assert_eq!(world.look_up(&resolver, until).await, "fresh", "{fields}");
    }
}

#[tokio::test]
async fn what_is_too_much_or_takes_too_long_is_no_directory() {
    let world = World::new().await;
    let times = ResolverTimes {
        whole: Duration::from_millis(500),
        ..ResolverTimes::default()
    };
    let good = document([world.key.verifying_key()]);
    let mut long = good.clone();
    long.resize(64 * 1024, b' ');
    let longer = [&long[..], b" "].concat();
    let keys = |n: usize| {
        let one = "{\"kty\":\"RSA\"},".repeat(n);
        format!("{{\"keys\":[{}]}}", one.trim_end_matches(','))
    };
    let endless = format!(
        "transfer-encoding: chunked\r\nx: {}\r\n",
        "x".repeat(70_000)
    );
    let stalling = Answer {
        stalls: true,
        ..Answer::new(200, "", good.clone())
    };
    for (name, answer, want) in [
        ("good", Answer::new(200, "", good.clone()), "fresh"),
        ("64 KiB", Answer::new(200, "", long), "fresh"),
        (
            "a byte more",
            Answer::new(200, "", longer),
            "fetch.too_large",
        ),
        (
            "64 keys",
            Answer::new(200, "", keys(64)),
            "discovery.key_absent",
        ),
        (
            "65 keys",
            Answer::new(200, "", keys(65)),
            "directory.too_many",
        ),
        (
            "coded",
            Answer::new(200, "content-encoding: gzip\r\n", good.clone()),
            "fetch.coded",
        ),
        (
            "not coded",
            Answer::new(200, "content-encoding: identity\r\n", good.clone()),
            "fresh",
        ),
        (
            "a long header",
            Answer::new(200, &endless, good.clone()),
            "fetch.connection",
        ),
        ("no JSON", Answer::new(200, "", "<html>"), "directory.json"),
        ("no keys", Answer::new(200, "", "{}"), "directory.no_keys"),
        ("half an answer", stalling, "fetch.timeout"),
    ] {
        world.host.answers(move |_| answer.clone());
        let resolver = world.resolver_with(times, ResolverLimits::default());
        assert_eq!(world.look_up(&resolver, 0).await, want, "{name}");
    }
}

#[tokio::test]
async fn a_host_that_cannot_prove_its_name_is_not_asked() {
    let world = World::new().await;
    world.names.say("else.example", &[&["127.0.0.1"]]);
    let found = world
        .resolver()
        .key(&world.url("else.example", "/"), world.keyid)
        .await;
    let reason = found.map_err(|error| error.reason()).err();
    assert_eq!(reason, Some("fetch.connection"));
    assert_eq!(world.asked(), 0);
}

#[tokio::test]
async fn no_url_of_a_stranger_leads_to_a_connection_inside() {
    let world = World::new().await;
    let counter = Counter::start().await;
    world.names.say_traps();
    assert!(REFUSED.len() >= 80);
    let fetcher = world.fetcher_to(AddressRules::default());
    let resolver = DirectoryResolver::new(fetcher.clone(), world.clock.clone());
    for (url, want) in REFUSED {
        let url = url.replace("PORT", &counter.port().to_string());
        let want = match *want {
            _ if url.starts_with("http:") => "discovery.url",
            "url" => "discovery.url",
            "not_allowed" => "fetch.port",
            "address" => "fetch.address",
            _ => "fetch.unresolved",
        };
        let reason = match DirectoryUrl::at(&url) {
            Ok(url) => resolver
                .key(&url, world.keyid)
                .await
                .map_err(|e| e.reason())
                .err(),
            Err(_) => Some("discovery.url"),
        };
        assert_eq!(reason, Some(want), "{url}");
        assert!(fetch_card(&fetcher, &url).await.is_err(), "{url}");
        assert!(fetch_registry(&fetcher, &url).await.is_err(), "{url}");
    }
    assert_eq!(counter.seen(), 0);
    // The same machinery does connect when it may.
    let url = format!("https://localhost:{}/", counter.port());
    assert!(fetch_card(&world.fetcher(), &url).await.is_err());
    assert!(counter.seen() > 0);
}

#[tokio::test]
async fn a_name_is_looked_up_once_and_that_very_address_is_connected_to() {
    let world = World::new().await;
    let counter = Counter::start().await;
    let public: &[&str] = &["93.184.216.34"];
    // Ours when it is looked at, public when it would be connected to, and the other way round.
    world.names.say("flip.example", &[&["127.0.0.1"], public]);
    let url = format!("https://flip.example:{}/", counter.port());
    let strict = world.fetcher_to(AddressRules::default());
    let refused = fetch_card(&strict, &url).await.map_err(|e| e.reason());
    assert_eq!(refused.err(), Some("fetch.address"));
    assert_eq!(counter.seen(), 0);
    let here: &[&str] = &["127.0.0.1"];
    world.names.say("flip.example", &[here, &["127.9.9.9"]]);
    let before = world.names.asked();
    let _ = fetch_card(&world.fetcher(), &url).await;
    assert_eq!((counter.seen(), world.names.asked()), (1, before + 1));
}

#[tokio::test]
async fn memory_is_bounded_and_failures_push_no_directory_out() {
    let world = World::new().await;
    let limits = ResolverLimits {
        directories: 3,
        of_origin: 2,
        failures: 2,
        per_minute: 1000,
        ..ResolverLimits::default()
    };
    let resolver = world.resolver_with(ResolverTimes::default(), limits);
    let get = async |host: &str, path: &str| {
        let found = resolver.key(&world.url(host, path), world.keyid).await;
        found.map(|_| world.asked())
    };
    for (host, path, asked) in [
        (BOT, "/1", 1),
        (OTHER, "/1", 2),
        (BOT, "/2", 3),
        (BOT, "/1", 3),
        // The third of one origin pushes out the one of its own that was not used for longest.
        (BOT, "/3", 4),
        (BOT, "/1", 4),
        (OTHER, "/1", 4),
        (BOT, "/2", 5),
        (OTHER, "/2", 6),
    ] {
        assert_eq!(get(host, path).await.ok(), Some(asked), "{host}{path}");
    }
    let (kept, failed, bytes) = resolver.sizes();
    assert_eq!((kept, failed), (3, 0));
    assert!((3 * 1024..3 * 4096).contains(&bytes), "{bytes}");
    world.fails(404, "");
    for n in 0..10 {
        assert!(get(OTHER, &format!("/none/{n}")).await.is_err());
    }
    let (kept, failed, again) = resolver.sizes();
    assert_eq!((kept, failed, again), (3, 2, bytes));
    let tight = ResolverLimits {
        bytes: bytes / 3,
        ..ResolverLimits::default()
    };
    world.lists("");
    let resolver = world.resolver_with(ResolverTimes::default(), tight);
    for n in 0..5 {
        let url = world.url(BOT, &format!("/{n}"));
        resolver.key(&url, world.keyid).await.expect("it is there");
        assert_eq!(resolver.sizes().0, 1);
    }
}

#[tokio::test]
async fn an_origin_is_not_flooded() {
    let world = World::new().await;
    let limits = ResolverLimits {
        per_minute: 2,
        ..ResolverLimits::default()
    };
    let resolver = world.resolver_with(ResolverTimes::default(), limits);
    let get = async |host: &str, path: &str| {
        let found = resolver.key(&world.url(host, path), world.keyid).await;
        found.map_or_else(|error| error.reason(), |_| "fine")
    };
    assert_eq!(get(BOT, "/1").await, "fine");
    assert_eq!(get(BOT, "/2").await, "fine");
    assert_eq!(get(BOT, "/3").await, "discovery.busy");
    assert_eq!(get(BOT, "/1").await, "fine", "it is known");
    assert_eq!(get(OTHER, "/1").await, "fine", "another origin");
    world.clock.set(after(60));
    assert_eq!(
        get(BOT, "/3").await,
        "fine",
        "it was not remembered as a failure"
    );
}

#[tokio::test]
async fn another_media_type_at_the_well_known_path_is_warned_of() {
    let world = World::new().await;
    for (fields, path, want) in [
        (typed(""), DIRECTORY_PATH, 0),
        (
            "content-type: application/json\r\n".to_owned(),
            DIRECTORY_PATH,
            1,
        ),
        (String::new(), DIRECTORY_PATH, 1),
        ("content-type: application/json\r\n".to_owned(), "/keys", 0),
    ] {
        let answer = Answer::new(200, &fields, document([world.key.verifying_key()]));
        world.host.answers(move |_| answer.clone());
        let directory = world.resolver().directory(&world.url(BOT, path)).await;
        let directory = directory.expect("a directory");
        assert_eq!(directory.keys().warnings().len(), want, "{fields} {path}");
    }
}

#[tokio::test]
async fn cards_and_registries_are_fetched_and_read() {
    let world = World::new().await;
    let url = |path: &str| format!("https://{BOT}:{}{path}", world.host.port());
    let card = SignatureAgentCard::new(url("/card")).jwks_uri(url("/keys"));
    let (body, lines) = (card.to_bytes(), format!("{}\n# end\nx\n", url("/card")));
    world.host.answers(move |path| match path {
        "/registry" => Answer::new(200, "", lines.clone()),
        "/moved" => Answer::new(301, "location: /card\r\n", ""),
        "/page" => Answer::new(200, "", "<html>"),
        "/binary" => Answer::new(200, "", vec![0xff]),
        _ => Answer::new(200, "", body.clone()),
    });
    let fetcher = world.fetcher();
    let (registry, warnings) = fetch_registry(&fetcher, &url("/registry"))
        .await
        .expect("one");
    assert_eq!(warnings.len(), 1);
    let listed = registry.entries()[0].as_str();
    let (read, warnings) = fetch_card(&fetcher, listed).await.expect("a card");
    assert_eq!((read, warnings.len()), (card, 0));
    for (path, want) in [
        ("/other", "agent_card.client_id"),
        ("/moved", "fetch.status"),
        ("/page", "agent_card.json"),
    ] {
        let refused = fetch_card(&fetcher, &url(path)).await;
        assert_eq!(refused.map_err(|e| e.reason()).err(), Some(want), "{path}");
    }
    let refused = fetch_registry(&fetcher, &url("/binary")).await;
    assert_eq!(
        refused.map_err(|e| e.reason()).err(),
        Some("registry.not_text")
    );
}
