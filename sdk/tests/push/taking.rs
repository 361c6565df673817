//! What a receiver takes, and what it refuses.

use std::time::Duration;

use bytes::Bytes;
use countersign::a2a::{StreamResponse, TaskState};
use countersign::clock::{Clock as _, UnixTime};
use countersign::crypto::random;
use countersign::httpsig::{Origin, Profile, Signer};
use countersign::jose::JwkSet;
use countersign::server::push::{PinnedKeys, TrustedSender};
use countersign::tls::{Endpoint, Transport, TransportConfig};
use countersign::workload::Workload;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Method, Request};
use http_body_util::Full;
use tokio::sync::mpsc;

use crate::world::{Failure, ONE, Receiving, TASK, World, task, worker};

/// A good notification, each part of which can be changed.
struct Raw {
    workload: Workload,
    signed_by: Workload,
    origin: Origin,
    at: UnixTime,
    parts: Parts,
    body: Vec<u8>,
}

impl Raw {
    async fn new(world: &World, to: &Receiving, token: &str) -> Result<Self, Failure> {
        let workload = world.worker.workload().clone();
        let (parts, ()) = Request::post(&to.url)
            .header(CONTENT_TYPE, "application/a2a+json")
            .header("a2a-version", "1.0")
            .header("a2a-notification-token", token)
            .header(AUTHORIZATION, format!("Bearer {token}"))
            .body(())?
            .into_parts();
        let authority = parts.uri.authority().ok_or("no authority")?;
        Ok(Self {
            signed_by: workload.clone(),
            workload,
            origin: Origin::https(authority.as_str()),
            at: world.clock.now(),
            parts,
            body: serde_json::to_vec(&StreamResponse::Task(task(TASK, TaskState::Working, 1)))?,
        })
    }

    fn sign(&mut self) -> Result<(), Failure> {
        let directory = "https://test.example/.well-known/http-message-signatures-directory";
        let key = self.signed_by.current().key().clone();
        let signer = Signer::new(key, directory, Profile::a2a())?;
        signer.sign(&mut self.parts, &self.origin, &self.body, self.at, random())?;
        Ok(())
    }

    async fn send(&self, to: &Receiving) -> Result<u16, Failure> {
        let transport = Transport::new(self.workload.clone(), TransportConfig::default());
        let endpoint = Endpoint::new(to.url.parse()?, ONE.parse()?)?;
        let body = Full::new(Bytes::from(self.body.clone()));
        let request = Request::from_parts(self.parts.clone(), body);
        Ok(transport
            .send(&endpoint, request)
            .await?
            .response
            .status()
            .as_u16())
    }

    fn insert(&mut self, name: &'static str, value: &str) {
        let value = HeaderValue::from_str(value).expect("a value");
        self.parts.headers.insert(name, value);
    }
}

type Change = fn(&mut Raw, &Workload);

const NOTHING: Change = |_, _| {};

#[tokio::test(flavor = "multi_thread")]
async fn one_wrong_thing_and_a_notification_is_refused() -> Result<(), Failure> {
    let world = World::new().await?;
    let two = world.workload("two").await?;
    let (sender, mut notifications) = mpsc::channel(99);
    let one = Receiving::start(&world.workload("one").await?, sender).await?;
    // What is changed before it is signed, what after, and the answer.
    let cases: Vec<(&str, Change, Change, u16)> = vec![
        ("as it is", NOTHING, NOTHING, 204),
        (
            "plain JSON",
            |r, _| r.insert("content-type", "application/json; charset=utf-8"),
            NOTHING,
            204,
        ),
        (
            "the other header for the token",
            |r, _| {
                let token = r
                    .parts
                    .headers
                    .remove("a2a-notification-token")
                    .expect("there");
                r.parts.headers.insert("x-a2a-notification-token", token);
            },
            NOTHING,
            204,
        ),
        (
            "the token as credentials only",
            |r, _| drop(r.parts.headers.remove("a2a-notification-token")),
            NOTHING,
            204,
        ),
        (
            "the token without credentials",
            |r, _| drop(r.parts.headers.remove(AUTHORIZATION)),
            NOTHING,
            204,
        ),
        (
            "another token",
            |r, _| {
                r.insert("a2a-notification-token", "another");
                r.insert("authorization", "Bearer another");
            },
            NOTHING,
            401,
        ),
        (
            "two tokens",
            |r, _| r.insert("x-a2a-notification-token", "another"),
            NOTHING,
            401,
        ),
        (
            "other credentials",
            |r, _| r.insert("authorization", "Bearer another"),
            NOTHING,
            401,
        ),
        (
            "credentials of another scheme",
            |r, _| r.insert("authorization", "Basic eDp5"),
            NOTHING,
            401,
        ),
        (
            "no token",
            |r, _| {
                r.parts.headers.remove("a2a-notification-token");
                r.parts.headers.remove(AUTHORIZATION);
            },
            NOTHING,
            401,
        ),
        (
            "an empty token",
            |r, _| {
                r.insert("a2a-notification-token", "");
                r.parts.headers.remove(AUTHORIZATION);
            },
            NOTHING,
            401,
        ),
        (
            "another agent",
            |r, two| {
                r.workload = two.clone();
                r.signed_by = two.clone();
            },
            NOTHING,
            403,
        ),
        (
            "another agent with our request",
            |_, _| {},
            |r, two| r.workload = two.clone(),
            403,
        ),
        (
            "another agent's signature",
            |r, two| r.signed_by = two.clone(),
            NOTHING,
            403,
        ),
        (
            "unsigned",
            NOTHING,
            |r, _| {
                r.parts.headers.remove("signature");
                r.parts.headers.remove("signature-input");
            },
            401,
        ),
        (
            "another body",
            NOTHING,
            |r, _| {
                r.body = String::from_utf8_lossy(&r.body)
                    .replace("WORKING", "COMPLETED")
                    .into_bytes();
            },
            403,
        ),
        (
            "credentials taken away",
            NOTHING,
            |r, _| drop(r.parts.headers.remove(AUTHORIZATION)),
            403,
        ),
        (
            "signed for another host",
            |r, _| r.origin = Origin::https("other.example"),
            NOTHING,
            403,
        ),
        (
            "signed for another path",
            NOTHING,
            |r, _| r.parts.uri = "/notifications?a=c".parse().expect("a path"),
            403,
        ),
        (
            "signed long ago",
            |r, _| r.at = r.at.minus(Duration::from_secs(66)),
            NOTHING,
            403,
        ),
        (
            "another task",
            |r, _| {
                r.body = String::from_utf8_lossy(&r.body)
                    .replace(TASK, "t-2")
                    .into_bytes();
            },
            NOTHING,
            404,
        ),
        (
            "no task",
            |r, _| {
                r.body =
                    br#"{"message":{"messageId":"m","role":"ROLE_AGENT","parts":[{"text":"x"}]}}"#
                        .to_vec();
            },
            NOTHING,
            404,
        ),
        ("not JSON", |r, _| r.body = b"{".to_vec(), NOTHING, 400),
        ("no event", |r, _| r.body = b"{}".to_vec(), NOTHING, 400),
        (
            "a form",
            |r, _| r.insert("content-type", "application/x-www-form-urlencoded"),
            NOTHING,
            415,
        ),
        ("GET", |r, _| r.parts.method = Method::GET, NOTHING, 405),
        ("4 MiB", |r, _| r.body.resize(4 << 20, b' '), NOTHING, 204),
        (
            "a byte more",
            |r, _| r.body.resize((4 << 20) + 1, b' '),
            NOTHING,
            413,
        ),
    ];
    for (name, before, after, want) in cases {
        let config = one.receiver.expect_of(worker(), TASK)?;
        let mut raw = Raw::new(&world, &one, &config.token.ok_or("no token")?).await?;
        before(&mut raw, &two);
        raw.sign()?;
        after(&mut raw, &two);
        assert_eq!(raw.send(&one).await?, want, "{name}");
        let given_out = notifications.try_recv().is_ok();
        assert_eq!(given_out, want == 204, "{name}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_is_taken_once_and_given_out_once() -> Result<(), Failure> {
    let world = World::new().await?;
    let (sender, mut notifications) = mpsc::channel(9);
    let one = Receiving::start(&world.workload("one").await?, sender).await?;
    let config = one.expect()?;
    let mut raw = Raw::new(&world, &one, config.token.as_deref().ok_or("no token")?).await?;
    raw.sign()?;
    assert_eq!(raw.send(&one).await?, 204);
    // The same request again is a replay; the same event in a new one was given out already.
    assert_eq!(raw.send(&one).await?, 429);
    raw.sign()?;
    assert_eq!(raw.send(&one).await?, 204);
    // A name of the event that nobody signed does not make another one of it.
    raw.insert("idempotency-key", "\"another\"");
    raw.sign()?;
    assert_eq!(raw.send(&one).await?, 204);
    assert!(notifications.try_recv().is_ok());
    assert!(notifications.try_recv().is_err());
    // The first notification said which task it is.
    raw.body = String::from_utf8_lossy(&raw.body)
        .replace(TASK, "t-2")
        .into_bytes();
    raw.sign()?;
    assert_eq!(raw.send(&one).await?, 404);
    one.receiver.end(&config).await;
    raw.body = String::from_utf8_lossy(&raw.body)
        .replace("t-2", TASK)
        .into_bytes();
    raw.sign()?;
    assert_eq!(raw.send(&one).await?, 410);
    assert!(notifications.try_recv().is_err());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_pinned_key_signed_is_taken_once_and_no_other_key_counts() -> Result<(), Failure> {
    let world = World::new().await?;
    let (sender, mut notifications) = mpsc::channel(9);
    let one = Receiving::start(&world.workload("one").await?, sender).await?;
    let pinned = world.workload("two").await?;
    let keys = JwkSet::of([pinned.current().key().verifying_key()]);
    let expected = TrustedSender::keys(PinnedKeys::new(keys));
    let config = one.receiver.expect(expected)?;
    let mut raw = Raw::new(&world, &one, config.token.as_deref().ok_or("no token")?).await?;
    raw.sign()?;
    assert_eq!(raw.send(&one).await?, 403);
    raw.signed_by = pinned;
    raw.sign()?;
    assert_eq!(raw.send(&one).await?, 204);
    assert_eq!(raw.send(&one).await?, 429);
    assert!(notifications.try_recv().is_ok());
    assert!(notifications.try_recv().is_err());
    Ok(())
}
