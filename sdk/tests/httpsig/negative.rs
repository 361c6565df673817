//! The seventeen negative cases that are known for Web Bot Auth, made again for each profile.

use countersign::httpsig::signature_base;

use crate::generator::{Kind, Made};

/// One case: what is changed, and what becomes of it.
type Case = (&'static str, fn(&mut Made), fn(Kind) -> &'static str);

const fn agents_only(kind: Kind, verdict: &'static str) -> &'static str {
    match kind {
        Kind::Wimse | Kind::Own | Kind::Rfc9421 => "verified",
        _ => verdict,
    }
}

const CASES: [Case; 18] = [
    (
        "01 no target covered",
        |made| {
            made.components.retain(|id| !id.starts_with("\"@"));
            made.sign();
        },
        |kind| match kind {
            Kind::Rfc9421 => "verified",
            _ => "invalid signature.component_missing",
        },
    ),
    (
        "03 expires missing",
        |made| {
            made.set_param("expires", None);
            made.sign();
        },
        |kind| match kind {
            Kind::Rfc9421 => "verified",
            _ => "invalid signature.parameter_missing",
        },
    ),
    (
        "04 expired",
        |made| {
            made.set_param("expires", Some("1735689659"));
            made.sign();
        },
        |_| "invalid signature.expired",
    ),
    (
        "05 created in the future",
        |made| {
            made.set_param("created", Some("1735689661"));
            made.sign();
        },
        |_| "invalid signature.not_yet",
    ),
    (
        "06 bad signature",
        |made| made.sign_base("another base"),
        |_| "invalid signature.invalid",
    ),
    (
        "07 canonicalisation",
        |made| {
            let base = signature_base(&made.view(), &made.member()).expect("a base");
            let (from, to) = if made.kind.has_agent() {
                (": \"https://planner.example\"", ": https://planner.example")
            } else {
                ("\"@method\": POST", "\"@method\": post")
            };
            assert!(base.contains(from), "{base}");
            made.sign_base(&base.replace(from, to));
        },
        |_| "invalid signature.invalid",
    ),
    (
        "08 another body",
        |made| {
            made.sign();
            made.body.push(b' ');
        },
        |_| "invalid signature.digest",
    ),
    (
        "09 covered field absent",
        |made| {
            made.sign();
            made.parts.headers.remove("content-type");
        },
        |_| "invalid signature.component_absent",
    ),
    (
        "10 Signature-Input unparsable",
        |made| {
            made.sign();
            let input = format!("sig1={}", made.member().replace(')', ""));
            made.set("signature-input", &input);
        },
        |_| "invalid signature.malformed",
    ),
    (
        "11 Signature is no byte sequence",
        |made| {
            made.sign();
            made.set("signature", "sig1=\"AAAA\"");
        },
        |_| "invalid signature.malformed",
    ),
    (
        "11 Signature under another label",
        |made| {
            made.sign();
            made.set("signature", "sig2=:AAAA:");
        },
        |_| "invalid signature.missing",
    ),
    (
        "12 no Signature-Agent",
        |made| {
            made.components.retain(|id| !id.contains("signature-agent"));
            made.parts.headers.remove("signature-agent");
            made.sign();
        },
        |kind| agents_only(kind, "unverified signature.agent_missing"),
    ),
    (
        "13 several members, none matched",
        |made| {
            made.components.retain(|id| !id.contains("signature-agent"));
            made.components
                .push("\"signature-agent\";key=\"b\"".to_owned());
            made.set(
                "signature-agent",
                "a=\"https://a.example\", b=\"https://b.example\"",
            );
            made.sign();
        },
        |kind| agents_only(kind, "invalid signature.component_missing"),
    ),
    (
        "14 no such member",
        |made| {
            made.set("signature-agent", "a=\"https://a.example\"");
            made.sign();
        },
        |kind| agents_only(kind, "invalid signature.agent"),
    ),
    (
        "16 http URL",
        |made| {
            made.set("signature-agent", &made.agent("http://planner.example"));
            made.sign();
        },
        |kind| agents_only(kind, "invalid signature.agent"),
    ),
    (
        "17 directory with a path",
        |made| {
            made.set(
                "signature-agent",
                &made.agent("https://planner.example/keys"),
            );
            made.sign();
        },
        |kind| match kind {
            Kind::Meunier02 => "unverified signature.agent_unresolvable",
            _ => "verified",
        },
    ),
    (
        "18 Signature-Agent unparsable",
        |made| {
            made.set("signature-agent", "sig1=\"https://planner.example");
            made.sign();
        },
        |kind| agents_only(kind, "invalid signature.agent"),
    ),
    (
        "19 duplicate component",
        |made| {
            made.sign();
            made.components.push("\"@method\"".to_owned());
            let input = format!("sig1={}", made.member());
            made.set("signature-input", &input);
        },
        |_| "invalid signature.component_repeated",
    ),
];

#[test]
fn every_known_negative_case_has_its_outcome_and_reason_in_every_profile() {
    for kind in Kind::ALL {
        assert_eq!(Made::signed(kind).verdict(), "verified", "{kind:?}");
        for (name, change, want) in CASES {
            let mut made = Made::unsigned(kind);
            change(&mut made);
            assert_eq!(made.verdict(), want(kind), "{name}: {kind:?}");
        }
    }
}

#[test]
fn an_outcome_says_what_the_signature_said_of_itself() {
    for kind in Kind::ALL {
        let mut made = Made::signed(kind);
        let claims = made.outcome().claims().expect("it was read");
        assert_eq!(
            (claims.label.as_str(), &claims.covered),
            ("sig1", &made.components)
        );
        let url = kind.has_agent().then_some("https://planner.example");
        assert_eq!(claims.signature_agent.as_deref(), url, "{kind:?}");
        assert_eq!(claims.created.map(|at| at.secs()), Some(1_735_689_600));
        assert_eq!(claims.expires.map(|at| at.secs()), Some(1_735_689_720));
        assert_eq!(claims.keyid.is_some(), kind != Kind::Wimse);
        assert_eq!(claims.tag.as_deref(), kind.profile().tag());
        // The same is known of one that is refused, and of one that nobody can read nothing is.
        made.body.push(b' ');
        assert_eq!(made.outcome().claims(), Some(claims));
        made.set("signature-input", "sig1=(");
        assert_eq!(made.outcome().claims(), None);
    }
}

#[test]
fn a_key_that_is_not_found_leaves_a_request_unverified() {
    let mut made = Made::signed(Kind::Ietf01);
    made.set_param("keyid", Some("\"another\""));
    made.sign();
    assert_eq!(made.verdict(), "unverified signature.key_unknown");
}

#[test]
fn only_a_published_key_attributes_a_request_to_its_agent() {
    use countersign::clock::Skew;
    use countersign::httpsig::{ResolvedKey, judge};
    let made = Made::signed(Kind::Ietf01);
    let key = made.key.verifying_key();
    let found = [
        (
            ResolvedKey::Published(key.clone()),
            Some(crate::generator::KEYS),
        ),
        (ResolvedKey::Held(key.clone()), None),
    ];
    for (found, want) in found {
        let profile = Kind::Ietf01.profile();
        let times = (crate::generator::NOW, Skew::ZERO);
        let outcome = judge(&made.view(), &made.body, &profile, times, |wanted| {
            // The resolver is asked with both, so that no key signs for another's URL.
            assert_eq!(
                wanted.agent.map(|agent| agent.url()),
                Some(crate::generator::KEYS)
            );
            assert_eq!(wanted.keyid, Some(key.thumbprint().to_string().as_str()));
            Ok(found)
        });
        let verified = outcome.into_result().expect("it verifies");
        assert_eq!(verified.attributed_to(), want);
    }
}
