//! Several signatures on one request, each judged by itself.

use countersign::clock::Skew;
use countersign::httpsig::{
    ComponentId, HttpAlgorithm, HttpSigningKey, MessageView, Origin, PresentedSignature, Profile,
    RequestView, Revision, Signer, verify_message,
};
use http::Request;
use http::request::Parts;

use crate::generator::{BODY, KEYS, NOW};

fn key() -> HttpSigningKey {
    HttpSigningKey::generate(HttpAlgorithm::Ed25519).expect("a key")
}

fn parts() -> Parts {
    let request = Request::post("/a2a?page=2").header("content-type", "application/json");
    request.body(()).expect("a request").into_parts().0
}

fn origin() -> Origin {
    Origin::https("booking.example")
}

fn reason(parts: &Parts, key: &HttpSigningKey, profile: &Profile) -> &'static str {
    let origin = origin();
    let view: MessageView<'_> = RequestView::new(parts, &origin).into();
    let public = key.verifying_key();
    let verified = verify_message(&view, BODY, public, profile, NOW, Skew::ZERO);
    verified.map_or_else(|error| error.reason(), |_| "fine")
}

#[test]
fn web_bot_auth_and_wimse_stand_on_one_request() {
    let (bot, workload) = (key(), key());
    let web = Profile::web_bot_auth(Revision::Ietf01);
    let wimse = Profile::wimse();
    let bots = Signer::new(&bot, KEYS, web.clone()).expect("a signer");
    let workloads = Signer::new(&workload, "", wimse.clone()).expect("a signer");
    for first in [&bots, &workloads] {
        let mut parts = parts();
        first
            .sign(&mut parts, &origin(), BODY, NOW, [1; 16])
            .expect("signs");
        let second = if std::ptr::eq(first, &bots) {
            &workloads
        } else {
            &bots
        };
        second
            .add(&mut parts, &origin(), BODY, NOW, [2; 16])
            .expect("signs");
        assert_eq!(reason(&parts, &bot, &web), "fine");
        assert_eq!(reason(&parts, &workload, &wimse), "fine");
        // Neither is taken with the other's key, and a label is taken once.
        assert_eq!(reason(&parts, &workload, &web), "signature.owner");
        assert_eq!(reason(&parts, &bot, &wimse), "signature.invalid");
        let again = second.add(&mut parts, &origin(), BODY, NOW, [3; 16]);
        assert_eq!(
            again.map_err(|error| error.reason()),
            Err("signature.malformed")
        );
        let other = first.add(&mut parts, &origin(), b"other", NOW, [3; 16]);
        assert!(other.is_err());
    }
}

#[test]
fn of_two_with_one_tag_the_label_decides() {
    let (one, two) = (key(), key());
    let profile = |label| {
        let profile = Profile::web_bot_auth(Revision::Ietf01);
        profile.pick_label(label).expect("a label")
    };
    let mut parts = parts();
    let first = Signer::new(&one, KEYS, profile("one")).expect("a signer");
    first
        .sign(&mut parts, &origin(), BODY, NOW, [1; 16])
        .expect("signs");
    let second = Signer::new(&two, "https://two.example", profile("two")).expect("a signer");
    second
        .add(&mut parts, &origin(), BODY, NOW, [2; 16])
        .expect("signs");
    assert_eq!(reason(&parts, &one, &profile("one")), "fine");
    assert_eq!(reason(&parts, &two, &profile("two")), "fine");
    assert_eq!(reason(&parts, &two, &profile("three")), "signature.tag");
    let any = Profile::web_bot_auth(Revision::Ietf01);
    assert_eq!(reason(&parts, &one, &any), "signature.ambiguous");
    // Each has its own agent.
    let origin = origin();
    let view: MessageView<'_> = RequestView::new(&parts, &origin).into();
    let all = PresentedSignature::all(&view, &any).expect("they are read");
    let agents: Vec<_> = all
        .into_iter()
        .map(|presented| {
            let presented = presented.expect("it is read");
            let agent = presented.signature_agent().expect("an agent");
            (presented.label().to_owned(), agent.url().to_owned())
        })
        .collect();
    let want = [("one", KEYS), ("two", "https://two.example")];
    assert_eq!(
        agents,
        want.map(|(label, url)| (label.to_owned(), url.to_owned()))
    );
}

/// The agent signs, and the browser that sends the request signs it with that signature.
fn browser(components: &[&str]) -> (Parts, HttpSigningKey, Result<(), &'static str>) {
    let (agent, browser) = (key(), key());
    let profile = |label| {
        let profile = Profile::web_bot_auth(Revision::Ietf01);
        profile.pick_label(label).expect("a label")
    };
    let mut parts = parts();
    let first = Signer::new(&agent, KEYS, profile("agent")).expect("a signer");
    first
        .sign(&mut parts, &origin(), BODY, NOW, [1; 16])
        .expect("signs");
    let mut outer = profile("browser");
    for id in components {
        let id = ComponentId::parse(id).expect("an identifier").into_owned();
        outer = outer.covering(id);
    }
    let signer = Signer::new(&browser, "https://browser.example", outer).expect("a signer");
    let signed = signer.add(&mut parts, &origin(), BODY, NOW, [2; 16]);
    (parts, browser, signed.map_err(|error| error.reason()))
}

#[test]
fn who_covers_a_signature_covers_what_it_was_made_over() {
    let signature = "\"signature\";key=\"agent\"";
    let input = "\"signature-input\";key=\"agent\"";
    let member = "\"signature-agent\";key=\"agent\"";
    let cases = [
        (vec![signature, input, member], Ok(())),
        (vec![input, member], Ok(())),
        (vec![signature, input], Err("signature.component_missing")),
        (vec![signature, member], Err("signature.component_missing")),
        (vec!["\"signature\""], Err("signature.component_refused")),
    ];
    for (components, want) in cases {
        let (parts, key, signed) = browser(&components);
        assert_eq!(signed, want, "{components:?}");
        if signed.is_ok() {
            let profile = Profile::web_bot_auth(Revision::Ietf01);
            let profile = profile.pick_label("browser").expect("a label");
            assert_eq!(reason(&parts, &key, &profile), "fine", "{components:?}");
        }
    }
}
