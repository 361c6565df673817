//! No URL of a stranger leads to a connection that the policy does not allow.

use axum::Router;
use axum::response::Redirect;
use axum::routing::post;
use http::StatusCode;

use super::*;
use crate::httpsig::{Scheme, WebUrl};
use crate::server::push::guard::Guard;
use crate::server::store::Lease;
use crate::web::testing::REFUSED;

/// Everything is allowed that the table does not want refused: any host as the public web, any host as
/// the owner's agent, plain HTTP.
fn lenient() -> [PushPolicy; 2] {
    let web = PushPolicy::default().web("*").expect("a pattern");
    [
        web.danger().allow_plain_http(),
        PushPolicy::default().danger().allow_plain_http(),
    ]
}

fn far() -> Lease {
    Lease {
        instance: "i-1".to_owned(),
        until: crate::clock::UnixTime::from_secs(u64::MAX),
    }
}

#[tokio::test]
async fn no_url_leads_to_this_machine_or_a_network_of_ours() {
    let world = World::new().await;
    let counter = Counter::start().await;
    world.names.say_traps();
    assert!(REFUSED.len() >= 80);
    for policy in lenient() {
        let push = world.push(world.settings(policy));
        let worker = push.worker();
        for (url, want) in REFUSED {
            let url = url.replace("PORT", &counter.port().to_string());
            let refused = worker.sender().guard().check(&url, &world.owner).await;
            let want = format!("push.{want}");
            let reason = refused.map_err(|error| error.reason()).err();
            assert_eq!(reason, Some(want.as_str()), "{url}");
            // When it is created,
            let created = push.register(&world.owner, TASK, config(&url), 0).await;
            assert!(created.is_err(), "{url}");
            // and when it is there all the same.
            world.keep("p", &url).await;
            let now = worker.now();
            let mut due = world.configs.take_due(&far(), now, 9).await.expect("read");
            let (mut delivery, none) = (due.pop().expect("it is due"), due);
            assert!(none.is_empty());
            worker.deliver(&far(), &mut delivery).await;
            assert_eq!((delivery.delivered, delivery.attempts), (0, 1), "{url}");
        }
    }
    assert_eq!(counter.seen(), 0);
    // The same machinery does connect when it may.
    let allowed = lenient()[0].clone().danger().allow_loopback();
    let push = world.push(world.settings(allowed));
    for url in ["http://127.0.0.1:PORT/", "https://localhost:PORT/"] {
        let before = counter.seen();
        let url = url.replace("PORT", &counter.port().to_string());
        world.keep("p", &url).await;
        let now = push.worker().now();
        let mut due = world.configs.take_due(&far(), now, 9).await.expect("read");
        let mut delivery = due.pop().expect("it is due");
        push.worker().deliver(&far(), &mut delivery).await;
        until("the control connects", async || counter.seen() > before).await;
    }
}

#[tokio::test]
async fn a_name_that_changes_its_mind_leads_nowhere() {
    let world = World::new().await;
    let counter = Counter::start().await;
    let url = format!("https://rebind.example:{}/", counter.port());
    let public: &[&str] = &["93.184.216.34"];
    for policy in lenient() {
        // Public when it is looked at, ours when it would be connected to.
        world.names.say("rebind.example", &[public, &["127.0.0.1"]]);
        let push = world.push(world.settings(policy));
        let created = push.register(&world.owner, TASK, config(&url), 0).await;
        let id = created.expect("it is public now").id.expect("an ID");
        let now = push.worker().now();
        let mut due = world.configs.take_due(&far(), now, 9).await.expect("read");
        let mut delivery = due.pop().expect("it is due");
        assert_eq!(delivery.config.id.as_deref(), Some(id.as_str()));
        push.worker().deliver(&far(), &mut delivery).await;
        assert_eq!((delivery.delivered, delivery.attempts), (0, 1));
    }
    assert_eq!(counter.seen(), 0);
}

#[tokio::test]
async fn the_checked_address_is_the_one_that_is_connected_to() {
    let world = World::new().await;
    let counter = Counter::start().await;
    // The system's resolver knows no such name, and a second question would have another answer.
    let elsewhere: &[&str] = &["127.9.9.9"];
    for (policy, scheme) in lenient().into_iter().zip([Scheme::Http, Scheme::Https]) {
        let before = (counter.seen(), world.names.asked());
        world.names.say("once.test", &[&["127.0.0.1"], elsewhere]);
        let push = world.push(world.settings(policy.danger().allow_loopback()));
        let url = format!("{}://once.test:{}/", scheme.as_str(), counter.port());
        world.keep("p", &url).await;
        let now = push.worker().now();
        let mut due = world.configs.take_due(&far(), now, 9).await.expect("read");
        let mut delivery = due.pop().expect("it is due");
        push.worker().deliver(&far(), &mut delivery).await;
        until("it connects", async || counter.seen() > before.0).await;
        assert_eq!(world.names.asked(), before.1 + 1, "{url}");
    }
}

#[tokio::test]
async fn of_many_addresses_a_few_are_tried_and_all_are_checked() {
    let world = World::new().await;
    let many: Vec<String> = (1..=100).map(|n| format!("93.184.216.{n}")).collect();
    let mut many: Vec<&str> = many.iter().map(String::as_str).collect();
    let guard = Guard::new(PushPolicy::default(), world.names.clone());
    world.names.say("many.example", &[&many]);
    let checked = guard.check("https://many.example/", &world.owner).await;
    assert_eq!(checked.expect("all are public").addresses().len(), 8);
    many[99] = "10.0.0.1";
    world.names.say("many.example", &[&many]);
    let checked = guard.check("https://many.example/", &world.owner).await;
    let reason = checked.map(drop).map_err(|error| error.reason());
    assert_eq!(reason, Err("push.address"));
}

#[tokio::test]
async fn a_redirect_is_a_failed_attempt() {
    let world = World::new().await;
    let counter = Counter::start().await;
    for (status, answer) in [
        (StatusCode::SEE_OTHER, 0),
        (StatusCode::TEMPORARY_REDIRECT, 1),
        (StatusCode::PERMANENT_REDIRECT, 2),
    ] {
        let there = format!("http://127.0.0.1:{}/", counter.port());
        let redirect = move || async move {
            match answer {
                0 => Redirect::to(&there),
                1 => Redirect::temporary(&there),
                _ => Redirect::permanent(&there),
            }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let router = Router::new().route("/", post(redirect));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let allowed = lenient()[0].clone().danger().allow_loopback();
        let push = world.push(world.settings(allowed));
        world.keep("p", &format!("http://{address}/")).await;
        let now = push.worker().now();
        let mut due = world.configs.take_due(&far(), now, 9).await.expect("read");
        let mut delivery = due.pop().expect("it is due");
        push.worker().deliver(&far(), &mut delivery).await;
        assert_eq!((delivery.delivered, delivery.attempts), (0, 1), "{status}");
    }
    assert_eq!(counter.seen(), 0);
}

#[test]
fn a_url_is_read_in_one_way_only() {
    for (text, host, port, path) in [
        ("https://hooks.example", "hooks.example", 443, "/"),
        (
            "HTTPS://Hooks.EXAMPLE/A?b=c",
            "hooks.example",
            443,
            "/A?b=c",
        ),
        ("https://hooks.example?b", "hooks.example", 443, "/?b"),
        ("https://hooks.example:8443/", "hooks.example", 8443, "/"),
        ("http://hooks.example/", "hooks.example", 80, "/"),
        (
            "https://xn--hks-sna.example/",
            "xn--hks-sna.example",
            443,
            "/",
        ),
        (
            "https://93.184.216.34/x/../y",
            "93.184.216.34",
            443,
            "/x/../y",
        ),
        (
            "https://[2606:2800:21f::1]:444/",
            "[2606:2800:21f::1]",
            444,
            "/",
        ),
        ("https://hooks/", "hooks", 443, "/"),
    ] {
        let url: WebUrl = text.parse().expect(text);
        let got = (url.host.to_string(), url.port, url.target.as_str());
        assert_eq!(got, (host.to_owned(), port, path), "{text}");
    }
    let long = |n: usize| format!("https://hooks.example/{}", "a".repeat(n - 22));
    assert!(long(2048).parse::<WebUrl>().is_ok());
    assert!(long(2049).parse::<WebUrl>().is_err());
    let label = |n: usize| format!("https://{}.example/", "a".repeat(n));
    assert!(label(63).parse::<WebUrl>().is_ok());
    assert!(label(64).parse::<WebUrl>().is_err());
}

#[test]
fn what_is_logged_of_a_url_is_its_origin() {
    let url: WebUrl = "https://hooks.example/secret?s3cret"
        .parse()
        .expect("a URL");
    assert_eq!(url.to_string(), "https://hooks.example");
    assert_eq!(format!("{url:?}"), "WebUrl(https://hooks.example)");
}
