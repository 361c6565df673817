//! What is known to be wrong with web-bot-auth 0.7, shown in it and looked for in ours.

use std::time::Duration;

use countersign::clock::Skew;
use countersign::httpsig::{
    AgentKind, HttpAlgorithm, HttpSigningKey, Origin, Outcome, Profile, RequestView, ResolvedKey,
    Revision, Signer, Tolerance, judge,
};
use web_bot_auth::keyring::Algorithm;
use web_bot_auth::{SignatureAgentLink, WebBotAuthVerifier};

use crate::message::{Kind, Sent, now};

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn a_signature_has_its_time() {
    for kind in Kind::ALL {
        let over = Sent::by_us_at(kind, now().minus(HOUR));
        let early = Sent::by_us_at(kind, now().plus(HOUR));
        for (sent, want) in [(over, "signature.expired"), (early, "signature.not_yet")] {
            assert_eq!(sent.by_their_judgement(), Ok(()), "{kind:?}");
            assert_eq!(sent.by_our_judgement().err(), Some(want), "{kind:?}");
        }
    }
}

#[test]
fn a_component_is_listed_once() {
    for signed in [Sent::by_us, Sent::by_them] {
        for kind in Kind::ALL {
            let mut sent = signed(kind);
            sent.replace("signature-input", "\"@path\"", "\"@path\" \"@path\"");
            assert_eq!(sent.by_their_judgement(), Ok(()), "{kind:?}");
            let ours = sent.by_our_judgement().err();
            assert_eq!(ours, Some("signature.component_repeated"), "{kind:?}");
        }
    }
}

#[test]
fn a_parameter_is_listed_as_it_was_signed() {
    for kind in Kind::ALL {
        let mut sent = Sent::by_us(kind);
        let input = sent.text("signature-input").to_owned();
        let created = input.split(';').find(|param| param.starts_with("created="));
        let created = created.expect("it says when").to_owned();
        // RFC 9651 §4.2.3.2: the last of two values counts, at the place of the first.
        sent.replace("signature-input", &created, &format!("created=1;{created}"));
        assert_eq!(sent.by_their_judgement(), Ok(()), "{kind:?}");
        let ours = sent.by_our_judgement().map(drop);
        assert_eq!(ours, Err("signature.malformed"), "{kind:?}");
    }
}

#[test]
fn space_around_a_value_is_none_of_it() {
    for kind in Kind::ALL {
        let mut sent = Sent::by_us(kind);
        let digest = sent.text("content-digest").to_owned();
        sent.set("content-digest", &format!(" {digest}\t "));
        assert!(sent.by_their_judgement().is_err(), "{kind:?}");
        assert!(sent.by_our_judgement().is_ok(), "{kind:?}");
    }
}

#[test]
fn each_algorithm_has_its_own_name() {
    let theirs = [Algorithm::RsaV1_5Sha256, Algorithm::RsaPssSha512];
    assert_eq!(theirs[0].to_string(), theirs[1].to_string());
    for algorithm in HttpAlgorithm::ALL {
        assert_eq!(HttpAlgorithm::from_name(algorithm.name()), Some(algorithm));
    }
    let mut sent = Sent::unsigned(Kind::Ietf01);
    let key = HttpSigningKey::generate(HttpAlgorithm::RsaPssSha512).expect("a key");
    let key = key.with_algorithm(HttpAlgorithm::RsaV15Sha256);
    let profile = Kind::Ietf01.profile().naming_algorithm();
    let signer = Signer::new(key.expect("it fits"), Kind::Ietf01.url(), profile);
    let origin = Origin::https(sent.host);
    let signed = signer.expect("a signer");
    let signed = signed.sign(&mut sent.parts, &origin, sent.body, now(), [7; 16]);
    signed.expect("signs");
    let input = sent.text("signature-input");
    assert!(input.contains(";alg=\"rsa-v1_5-sha256\""), "{input}");
}

#[test]
fn the_algorithm_that_is_named_is_the_keys() {
    let mut sent = Sent::unsigned(Kind::Ietf01);
    sent.sign(
        Kind::Ietf01.profile().naming_algorithm(),
        Kind::Ietf01.url(),
        now(),
    );
    assert_eq!(sent.by_their_judgement(), Ok(()));
    assert!(sent.by_our_judgement().is_ok());
    let input = sent.text("signature-input").to_owned();
    let member = input.strip_prefix("sig1=").expect("our label");
    let member = member.replace("\"ed25519\"", "\"rsa-pss-sha512\"");
    sent.sign_member(&member);
    assert_eq!(sent.by_their_judgement(), Ok(()));
    assert_eq!(sent.by_our_judgement().err(), Some("signature.algorithm"));
}

#[test]
fn a_key_is_somebodys() {
    // The key is known as the planner's; the request says that it is another agent's.
    let mut sent = Sent::unsigned(Kind::Ietf01);
    let other = "https://other.example/keys";
    sent.sign(Kind::Ietf01.profile(), other, now());
    let verifier = WebBotAuthVerifier::parse(&sent).expect("a signature");
    let link = SignatureAgentLink::External(other.to_owned());
    assert_eq!(verifier.get_signature_agents(), &[link]);
    assert!(verifier.verify(&sent.ring(), None).is_ok());

    let outcome = |known: &str| {
        let origin = Origin::https(sent.host);
        let view = RequestView::new(&sent.parts, &origin).into();
        let at = (now(), Skew::default());
        judge(&view, sent.body, &Kind::Ietf01.profile(), at, |wanted| {
            let agent = wanted.agent.map(|agent| agent.url());
            let found = agent == Some(known) && wanted.keyid == Some(&sent.keyid());
            let key = || ResolvedKey::Published(sent.key.verifying_key().clone().into());
            found.then(key).ok_or_else(|| wanted.unknown())
        })
    };
    let ours = outcome(Kind::Ietf01.url());
    assert!(matches!(ours, Outcome::Unverified(_)), "{ours:?}");
    assert_eq!(ours.reason(), Some("signature.key_unknown"));
    assert!(matches!(outcome(other), Outcome::Verified(_)));
}

#[test]
fn of_two_signatures_none_is_picked_by_its_place() {
    let mut sent = Sent::by_us(Kind::Ietf01);
    // Another one before it, which nobody can verify.
    let input = sent.text("signature-input").to_owned();
    let signature = sent.text("signature").to_owned();
    let (first, second) = (
        input.replacen("sig1", "a", 1),
        signature.replacen("sig1", "a", 1),
    );
    let second = second.replacen("=:", "=:AAAA", 1);
    sent.set("signature-input", &format!("{first}, {input}"));
    sent.set("signature", &format!("{second}, {signature}"));
    let verifier = WebBotAuthVerifier::parse(&sent).expect("a signature");
    assert_eq!(verifier.get_parsed_label().label.as_str(), "a");
    assert!(sent.by_their_judgement().is_err());
    assert_eq!(sent.by_our_judgement().err(), Some("signature.ambiguous"));
    let picking = Kind::Ietf01.profile().pick_label("sig1").expect("a label");
    assert!(sent.judged_under(&picking).is_ok());
}

#[test]
fn the_type_of_a_signature_agent_says_what_is_there() {
    let mut sent = Sent::by_us(Kind::Meunier02);
    let url = Kind::Meunier02.url();
    sent.set("signature-agent", &format!("sig1=\"{url}\";type=cimd"));
    sent.sign_again();
    // For them it is the same link as without a type.
    let verifier = WebBotAuthVerifier::parse(&sent).expect("a signature");
    let link = SignatureAgentLink::External(url.to_owned());
    assert_eq!(verifier.get_signature_agents(), &[link]);

    let origin = Origin::https(sent.host);
    let view = RequestView::new(&sent.parts, &origin).into();
    let kind = |profile: Profile| {
        let mut kind = None;
        judge(
            &view,
            sent.body,
            &profile,
            (now(), Skew::default()),
            |wanted| {
                kind = wanted.agent.map(|agent| agent.kind());
                Err(wanted.unknown())
            },
        );
        kind
    };
    assert_eq!(kind(Kind::Meunier02.profile()), Some(AgentKind::Card));
    // Where there are no types, one is refused, or tolerated by name.
    assert_eq!(
        sent.judged_under(&Kind::Ietf01.profile()).err(),
        Some("signature.agent")
    );
    let tolerant = Profile::web_bot_auth(Revision::Ietf01).tolerate(Tolerance::AgentParameters);
    assert_eq!(kind(tolerant), Some(AgentKind::Card));
}

#[test]
fn keys_are_not_looked_for_without_tls() {
    let mut sent = Sent::by_us(Kind::Ietf01);
    sent.replace("signature-agent", "https://", "http://");
    sent.sign_again();
    let verifier = WebBotAuthVerifier::parse(&sent).expect("a signature");
    let link = SignatureAgentLink::External("http://planner.example/keys".to_owned());
    assert_eq!(verifier.get_signature_agents(), &[link]);
    assert_eq!(sent.by_our_judgement().err(), Some("signature.agent"));
}

#[test]
fn a_field_that_cannot_be_read_is_not_skipped() {
    let mut sent = Sent::by_us(Kind::Ietf01);
    let broken = "sig0=(".parse().expect("a value");
    sent.parts.headers.append("signature-input", broken);
    assert_eq!(sent.by_their_judgement(), Ok(()));
    assert_eq!(sent.by_our_judgement().err(), Some("signature.malformed"));
}

#[test]
fn the_member_of_another_label_is_not_its_own() {
    // It covers the member of another label, which anybody may have written.
    let mut sent = Sent::by_us(Kind::Ietf01);
    let agent = sent.text("signature-agent").to_owned();
    sent.set(
        "signature-agent",
        &format!("{agent}, other=\"https://other.example/keys\""),
    );
    let input = sent.text("signature-input").to_owned();
    let member = input.strip_prefix("sig1=").expect("our label");
    sent.sign_member(&member.replace(";key=\"sig1\"", ";key=\"other\""));
    let verifier = WebBotAuthVerifier::parse(&sent).expect("a signature");
    let link = SignatureAgentLink::External("https://other.example/keys".to_owned());
    assert_eq!(verifier.get_signature_agents(), &[link]);
    assert_eq!(sent.by_their_judgement(), Ok(()));
    assert_eq!(
        sent.by_our_judgement().err(),
        Some("signature.component_missing")
    );
}
