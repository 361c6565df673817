//! The signing layer, against the verifying one.

use bytes::Bytes;
use http_body_util::{Full, StreamBody};
use tower_layer::Layer as _;
use tower_service::Service;

use super::*;
use crate::httpsig::{ExternalSigner, MemoryReplayStore};

/// A client whose server is at hand.
fn served(key: &HttpSigningKey, profile: Profile) -> Router {
    let layer = layer(key, profile).replay(Arc::new(MemoryReplayStore::default()));
    Router::new().fallback(tell).layer(layer)
}

fn signing(signer: impl Into<RequestSigner>) -> SignRequests {
    SignRequests::new(signer.into().clock(Arc::new(ManualClock::at(NOW))))
}

fn booking(uri: &str) -> Request<Full<Bytes>> {
    let request = Request::post(uri).header("authorization", "Bearer a");
    request.body(Full::from(BODY)).expect("a request")
}

#[tokio::test]
async fn what_one_layer_signs_the_other_verifies() {
    let key = key();
    let app = served(&key, Profile::a2a());
    let internal = signing(signer(&key, Profile::a2a()));
    let external = signing(ExternalSigner::from(signer(&key, Profile::a2a())));
    for layer in [internal, external] {
        let mut client = layer.layer(app.clone());
        for _ in 0..2 {
            // The same request twice: each is signed anew.
            let answer = client.call(booking("https://shop.example/book")).await;
            let (_, _, text) = in_whole(answer.expect("an answer")).await;
            assert_eq!(text, format!("verified - true {BODY}"));
        }
        let empty = Request::get("https://shop.example").body(Full::default());
        let answer = client.call(empty.expect("a request")).await;
        let (_, _, text) = in_whole(answer.expect("an answer")).await;
        assert_eq!(text, "verified - false ");
    }
}

#[tokio::test]
async fn two_signatures_stand_on_one_request() {
    let key = key();
    let wimse = Signer::new(key.clone(), "", Profile::wimse()).expect("a signer");
    let both = RequestSigner::from(signer(&key, bots())).and(wimse);
    for profile in [bots(), Profile::wimse()] {
        let mut client = signing(both.clone()).layer(served(&key, profile));
        let answer = client.call(booking("https://shop.example/book")).await;
        let (_, _, text) = in_whole(answer.expect("an answer")).await;
        assert_eq!(text, format!("verified - true {BODY}"));
    }
}

#[tokio::test]
async fn a_request_that_cannot_be_signed_is_not_sent() {
    let key = key();
    let cases: [(&str, &str, Option<&'static str>, &str); 5] = [
        ("a path alone", "/book", None, "send.no_origin"),
        ("a user", "https://u:p@shop.example/", None, "send.user"),
        (
            "another host",
            "https://shop.example/",
            Some("evil.example"),
            "send.host",
        ),
        (
            "another port",
            "https://shop.example/",
            Some("shop.example:444"),
            "send.host",
        ),
        (
            "another scheme",
            "ws://shop.example/",
            None,
            "send.no_origin",
        ),
    ];
    for (name, uri, host, want) in cases {
        let mut client = signing(signer(&key, bots())).layer(served(&key, bots()));
        let mut request = booking(uri);
        if let Some(host) = host {
            request
                .headers_mut()
                .insert("host", host.parse().expect("a value"));
        }
        let error = client.call(request).await.expect_err(name);
        let error = error.downcast::<SendError>().expect("a reason");
        assert_eq!(error.reason(), want, "{name}");
    }
    let mut same = booking("https://shop.example/");
    same.headers_mut()
        .insert("host", "Shop.example:443".parse().expect("a value"));
    let mut client = signing(signer(&key, bots())).layer(served(&key, bots()));
    assert_eq!(
        client.call(same).await.expect("an answer").status(),
        StatusCode::OK
    );
    // A path alone, and where it goes.
    let mut client = signing(signer(&key, bots()))
        .origin(here())
        .layer(served(&key, bots()));
    let answer = client.call(booking("/book")).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_body_is_held_up_to_its_bound() {
    let key = key();
    let minute = std::time::Duration::from_secs(60);
    for (max, fine) in [(BODY.len(), true), (BODY.len() - 1, false)] {
        let layer = signing(signer(&key, bots())).body_limit(max, minute);
        let mut client = layer.layer(served(&key, bots()));
        let sent = client.call(booking("https://shop.example/")).await;
        let reason = sent
            .err()
            .map(|error| error.downcast::<SendError>().expect("a reason").reason());
        assert_eq!(reason, (!fine).then_some("send.too_large"), "{max}");
    }
}

#[tokio::test]
async fn a_stream_is_signed_by_its_head() {
    let key = key();
    let stream = || {
        let frame = http_body::Frame::data(Bytes::from_static(b"one"));
        let frames = futures_util::stream::iter([Ok::<_, std::io::Error>(frame)]);
        Body::new(StreamBody::new(frames))
    };
    let request = || {
        Request::post("https://shop.example/")
            .body(stream())
            .expect("a request")
    };
    let mut client = signing(signer(&key, bots()))
        .head_only()
        .layer(served(&key, bots()));
    let (_, _, text) = in_whole(client.call(request()).await.expect("an answer")).await;
    assert_eq!(text, "verified - false one");
    // Who wants the body covered does not take it.
    let head_only = signing(signer(&key, Profile::a2a())).head_only();
    let mut client = head_only.layer(served(&key, Profile::a2a()));
    let answer = client.call(request()).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
}
