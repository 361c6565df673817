//! Faults that were found in other implementations, tried on ours.

use countersign::clock::{Skew, UnixTime};
use countersign::httpsig::{
    ComponentId, HttpAlgorithm, HttpSigningKey, MessageView, Origin, ParamValue, Profile,
    RequestView, SharedSecret, SignatureParams, Signer, sign_message, verify_message,
};
use http::{HeaderMap, Request};

use crate::generator::{BODY, KEYS, Kind, Made, NOW, verdict};

fn value(
    target: &str,
    fields: &[(&'static str, &'static str)],
    id: &str,
) -> Result<String, &'static str> {
    let (mut parts, ()) = Request::get(target)
        .body(())
        .expect("a request")
        .into_parts();
    for (name, value) in fields {
        parts.headers.append(*name, value.parse().expect("a value"));
    }
    let origin = Origin::https("Www.Example.com:443");
    let view: MessageView<'_> = RequestView::new(&parts, &origin).into();
    let id = ComponentId::parse(id).map_err(|e| e.reason())?;
    view.value(&id).map_err(|e| e.reason())
}

#[test]
fn components_have_no_value_rather_than_a_wrong_one() {
    let absent = Err("signature.component_absent");
    let refused = Err("signature.component_refused");
    let fine = |text: &str| Ok(text.to_owned());
    let cases = [
        // A field that is not there is not empty, and an empty one is.
        (vec![], "\"x\"", absent.clone()),
        (vec![("x", "")], "\"x\"", fine("")),
        // The request line has a path only: everything else is still known.
        (vec![], "\"@authority\"", fine("www.example.com")),
        (vec![], "\"@scheme\"", fine("https")),
        (
            vec![],
            "\"@target-uri\"",
            fine("https://www.example.com/a?b=c%2fd&e=1&e=2&f=a+b"),
        ),
        (
            vec![("host", "other.example")],
            "\"@authority\"",
            fine("www.example.com"),
        ),
        (vec![], "\"@query\"", fine("?b=c%2fd&e=1&e=2&f=a+b")),
        // Query parameters are decoded and encoded again; what is there twice has no value.
        (vec![], "\"@query-param\";name=\"b\"", fine("c%2Fd")),
        (vec![], "\"@query-param\";name=\"f\"", fine("a%20b")),
        (vec![], "\"@query-param\";name=\"e\"", absent.clone()),
        (vec![], "\"@query-param\";name=\"g\"", absent.clone()),
        (vec![("x", "\t a \t"), ("x", " b ")], "\"x\"", fine("a, b")),
        (vec![("x", "a=1")], "\"x\";key=\"b\"", absent),
        (vec![("x", "a=1")], "\"X\"", refused.clone()),
        (vec![("x", "a")], "\"x\";unknown", refused.clone()),
        (vec![("x", "a")], "\"x\";sf", refused.clone()),
        (vec![("x", "a")], "\"x\";req", refused),
    ];
    for (fields, id, want) in cases {
        let got = value("/a?b=c%2fd&e=1&e=2&f=a+b", &fields, id);
        assert_eq!(got, want, "{id} {fields:?}");
    }
    assert_eq!(value("/", &[], "\"@query\""), Ok("?".to_owned()));
}

#[test]
fn nothing_is_signed_as_empty_that_is_not_there() {
    let key = HttpSigningKey::generate(HttpAlgorithm::Ed25519).expect("a key");
    let absent = ComponentId::parse("\"x-absent\"").expect("an identifier");
    for kind in Kind::ALL {
        let url = if kind.has_agent() { KEYS } else { "" };
        let profile = kind.profile().covering(absent.clone());
        let signer = Signer::new(&key, url, profile).expect("a signer");
        let mut parts = Made::unsigned(kind).parts;
        let origin = Origin::https("booking.example");
        let signed = signer.sign(&mut parts, &origin, BODY, NOW, [7; 16]);
        let reason = signed.map_err(|error| error.reason());
        assert_eq!(reason, Err("signature.component_absent"), "{kind:?}");
    }
}

#[test]
fn what_each_profile_signs_it_verifies() {
    for kind in Kind::ALL {
        for algorithm in [
            HttpAlgorithm::Ed25519,
            HttpAlgorithm::EcdsaP256Sha256,
            HttpAlgorithm::EcdsaP384Sha384,
        ] {
            let mut made = Made::unsigned(kind);
            made.key = HttpSigningKey::generate(algorithm).expect("a key");
            let url = if kind.has_agent() { KEYS } else { "" };
            let mut profile = kind.profile();
            if kind != Kind::Wimse {
                profile = profile.naming_algorithm();
            }
            let signer = Signer::new(&made.key, url, profile).expect("a signer");
            let origin = Origin::https("booking.example");
            signer
                .sign(&mut made.parts, &origin, BODY, NOW, [7; 16])
                .expect("signs");
            assert_eq!(made.verdict(), "verified", "{kind:?} {algorithm}");
            if kind == Kind::Wimse {
                let input = made.parts.headers["signature-input"]
                    .to_str()
                    .expect("text");
                assert!(
                    input.starts_with("wimse=(\"@method\" \"@request-target\" "),
                    "{input}"
                );
                let aud =
                    ";tag=\"wimse-workload-to-workload\";wimse-aud=\"https://booking.example/a2a\"";
                assert!(input.ends_with(aud), "{input}");
            }
        }
    }
}

#[test]
fn parameters_keep_their_order_and_their_quotes() {
    // Any order, and parameters that nobody knows.
    for kind in Kind::ALL {
        let mut made = Made::unsigned(kind);
        made.params.reverse();
        made.params.insert(1, ("x-later", "?0".to_owned()));
        made.params.insert(2, ("x-number", "1.5".to_owned()));
        made.sign();
        assert_eq!(made.verdict(), "verified", "{kind:?}");
    }
    // A nonce cannot bring a tag along.
    let mut made = Made::unsigned(Kind::Rfc9421);
    let params = SignatureParams::new().nonce("a\";tag=\"web-bot-auth");
    let method = ComponentId::parse("\"@method\"").expect("an identifier");
    let fields = sign_message(&made.view(), &made.key, "sig1", &[method], &params);
    let fields = fields.expect("signs");
    made.parts
        .headers
        .insert("signature-input", fields.signature_input);
    made.parts.headers.insert("signature", fields.signature);
    let outcome = made.outcome();
    assert_eq!(verdict(&outcome), "verified");
    assert_eq!(outcome.claims().and_then(|claims| claims.tag), None);
}

#[test]
fn times_and_algorithms_are_looked_at_in_every_profile() {
    for kind in Kind::ALL {
        let mut made = Made::unsigned(kind);
        made.set_param("alg", Some("\"rsa-pss-sha512\""));
        made.sign();
        let want = if kind == Kind::Wimse {
            "invalid signature.parameter_refused"
        } else {
            "invalid signature.algorithm"
        };
        assert_eq!(made.verdict(), want, "{kind:?}");
        // Valid to the last second of `expires`, whenever it is looked at.
        let mut made = Made::unsigned(kind);
        made.set_param("expires", Some("1735689660"));
        made.sign();
        assert_eq!(made.verdict(), "verified", "{kind:?}");
    }
}

#[test]
fn wimse_has_neither_keyid_nor_alg_and_is_for_somebody() {
    let cases = [
        (
            "keyid",
            Some("\"a\""),
            "invalid signature.parameter_refused",
        ),
        (
            "alg",
            Some("\"ed25519\""),
            "invalid signature.parameter_refused",
        ),
        ("wimse-aud", None, "invalid signature.parameter_missing"),
        (
            "wimse-aud",
            Some("\"https://other.example/a2a\""),
            "invalid signature.audience",
        ),
        ("wimse-aud", Some("?1"), "invalid signature.malformed"),
        ("wimse-sign-response", Some("?1"), "verified"),
        ("nonce", None, "invalid signature.nonce"),
        ("expires", Some("1735690500"), "verified"),
        ("expires", Some("1735690501"), "invalid signature.life"),
    ];
    for (name, value, want) in cases {
        let mut made = Made::unsigned(Kind::Wimse);
        made.set_param(name, value);
        made.sign();
        assert_eq!(made.verdict(), want, "{name} {value:?}");
    }
    for name in [
        "content-type",
        "content-digest",
        "authorization",
        "txn-token",
        "workload-identity-token",
    ] {
        let mut made = Made::unsigned(Kind::Wimse);
        if !made.parts.headers.contains_key(name) {
            made.set(name, "a.b.c");
        }
        made.components.retain(|id| *id != format!("\"{name}\""));
        made.sign();
        assert_eq!(
            made.verdict(),
            "invalid signature.component_missing",
            "{name}"
        );
        made.components.push(format!("\"{name}\""));
        made.sign();
        assert_eq!(made.verdict(), "verified", "{name}");
    }
}

#[test]
fn a_profile_of_ones_own_wants_what_it_names() {
    let flag = |value| {
        Profile::builder("own")
            .parameter("x-final", value)
            .build()
            .expect("a profile")
    };
    let profile = flag(ParamValue::Flag);
    let mut made = Made::unsigned(Kind::Rfc9421);
    made.sign();
    assert_eq!(
        verdict(&made.outcome_under(&profile)),
        "invalid signature.parameter_refused"
    );
    let signer = Signer::new(&made.key, "", profile.clone()).expect("a signer");
    let origin = Origin::https("booking.example");
    signer
        .sign(&mut made.parts, &origin, BODY, NOW, [7; 16])
        .expect("signs");
    let input = made.parts.headers["signature-input"]
        .to_str()
        .expect("text");
    assert_eq!(input, "sig1=();created=1735689660;x-final");
    assert_eq!(verdict(&made.outcome_under(&profile)), "verified");
    let other = flag(ParamValue::Integer(1));
    assert_eq!(
        verdict(&made.outcome_under(&other)),
        "invalid signature.parameter_refused"
    );
    for wrong in ["Upper", "", "created", "tag", "a b"] {
        let built = Profile::builder("own")
            .parameter(wrong, ParamValue::Flag)
            .build();
        assert!(built.is_err(), "{wrong}");
    }
    assert!(Profile::builder("own").label("No Label").build().is_err());
    assert!(
        Profile::builder("own")
            .cover_when_present("no field")
            .build()
            .is_err()
    );
}

#[test]
fn shared_secrets_are_for_the_plain_profile_only() {
    let secret = SharedSecret::new(vec![7; 32]).expect("a secret");
    let key = HttpSigningKey::from(secret);
    for kind in Kind::ALL {
        let url = if kind.has_agent() { KEYS } else { "" };
        let made = Signer::new(&key, url, kind.profile());
        let reason = made.map_or_else(|error| error.reason(), |_| "fine");
        let plain = matches!(kind, Kind::Rfc9421 | Kind::Own);
        let want = if plain {
            "fine"
        } else {
            "signature.algorithm_refused"
        };
        assert_eq!(reason, want, "{kind:?}");
    }
}

#[test]
fn labels_that_are_none_are_refused_and_nothing_panics() {
    let made = Made::unsigned(Kind::Rfc9421);
    let params = SignatureParams::new();
    for label in ["", "Sig", "a b", "1", "a\"", "ä", "a=b"] {
        let signed = sign_message(&made.view(), &made.key, label, &[], &params);
        assert!(signed.is_err(), "{label}");
        assert!(Profile::a2a().with_label(label).is_err(), "{label}");
    }
    // Without any signature a message is not invalid: it says nothing.
    let empty = HeaderMap::new();
    let (mut parts, ()) = Request::new(()).into_parts();
    parts.headers = empty;
    let origin = Origin::https("booking.example");
    let view: MessageView<'_> = RequestView::new(&parts, &origin).into();
    let key = made.key.verifying_key();
    let now = UnixTime::from_secs(0);
    let verified = verify_message(&view, b"", key, &Profile::a2a(), now, Skew::ZERO);
    let error = verified.expect_err("nothing is there");
    assert_eq!(
        (error.reason(), error.is_conclusive()),
        ("signature.missing", false)
    );
}
