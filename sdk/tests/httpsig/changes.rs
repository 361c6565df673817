//! One byte changed anywhere: what is covered is noticed, what is not is not.

use countersign::httpsig::{Origin, signature_base};
use http::{HeaderName, HeaderValue, Method, Uri};

use crate::generator::{Kind, Made};

/// Bytes that stand for `byte`, none of which means the same.
fn others(byte: u8) -> Vec<u8> {
    let candidates = [byte ^ 1, b'x', b'7', b' ', b'"', b'='];
    let other = |new: &u8| *new != byte && matches!(new, b' '..=b'~');
    candidates.into_iter().filter(other).collect()
}

fn refused(made: &Made, what: &str) {
    let verdict = made.verdict();
    assert_ne!(verdict, "verified", "{:?}: {what}", made.kind);
}

#[test]
fn any_changed_byte_of_what_is_covered_is_noticed() {
    for kind in Kind::ALL {
        let good = Made::signed(kind);
        assert_eq!(good.verdict(), "verified");
        let mut tried = 0;
        let mut names = vec![
            "content-type",
            "content-digest",
            "authorization",
            "signature-input",
        ];
        if kind.has_agent() {
            names.push("signature-agent");
        }
        let mut made = Made::signed(kind);
        for name in names {
            let name = HeaderName::from_static(name);
            let value = made.parts.headers[&name].clone();
            for at in 0..value.len() {
                for byte in others(value.as_bytes()[at]) {
                    let mut changed = value.as_bytes().to_vec();
                    changed[at] = byte;
                    let changed = HeaderValue::from_bytes(&changed).expect("a value");
                    made.parts.headers.insert(name.clone(), changed);
                    refused(&made, &format!("{name} at {at}: {}", char::from(byte)));
                    tried += 1;
                }
            }
            made.parts.headers.insert(name, value);
        }
        let body = made.body.clone();
        for at in 0..body.len() {
            made.body[at] ^= 1;
            refused(&made, &format!("body at {at}"));
            made.body = body.clone();
            tried += 1;
        }
        made.body.pop();
        refused(&made, "a shorter body");
        made.body = body;
        for target in [
            "/a2b?page=2",
            "/a2a?page=3",
            "/a2a?pagf=2",
            "/a2a",
            "/?page=2",
        ] {
            let uri = std::mem::replace(&mut made.parts.uri, target.parse().expect("a URI"));
            refused(&made, target);
            made.parts.uri = uri;
        }
        made.parts.method = Method::PUT;
        refused(&made, "PUT");
        made.parts.method = Method::POST;
        made.origin = Origin::https("bookinh.example");
        refused(&made, "another authority");
        made.origin = Origin::https("booking.example");
        assert_eq!(made.verdict(), "verified");
        assert!(tried > 800, "{tried}");
    }
}

#[test]
fn any_changed_byte_of_the_base_is_noticed() {
    for kind in Kind::ALL {
        let made = Made::signed(kind);
        let base = signature_base(&made.view(), &made.member()).expect("a base");
        let signature = made.key.sign(base.as_bytes()).expect("signs");
        let key = made.key.verifying_key();
        assert!(key.verify(base.as_bytes(), signature.as_bytes()).is_ok());
        for at in 0..base.len() {
            let mut changed = base.clone().into_bytes();
            changed[at] ^= 1;
            let verified = key.verify(&changed, signature.as_bytes());
            assert!(verified.is_err(), "{kind:?} at {at}");
        }
    }
}

#[test]
fn what_is_not_covered_may_change() {
    for kind in Kind::ALL {
        let mut made = Made::signed(kind);
        let value = made.parts.headers["user-agent"].clone();
        for at in 0..value.len() {
            for byte in others(value.as_bytes()[at]) {
                let mut changed = value.as_bytes().to_vec();
                changed[at] = byte;
                let changed = HeaderValue::from_bytes(&changed).expect("a value");
                made.parts.headers.insert("user-agent", changed);
                assert_eq!(made.verdict(), "verified", "{kind:?} at {at}");
            }
        }
        made.set("host", "attacker.example");
        made.set("x-forwarded-host", "attacker.example");
        let absolute: Uri = "https://attacker.example/a2a?page=2"
            .parse()
            .expect("a URI");
        made.parts.uri = absolute;
        // Origin and path are what is configured and what is asked for, not what a field says;
        // only the request line itself is what it is.
        assert_eq!(made.verdict(), "verified", "{kind:?}");
        made.parts.headers.remove("user-agent");
        assert_eq!(made.verdict(), "verified", "{kind:?}");
        // A signature that is no business of ours.
        let stray = HeaderValue::from_static("stray=(\"@method\";unknown 7);tag=\"other\"");
        if kind != Kind::Rfc9421 {
            made.parts.headers.append("signature-input", stray);
            assert_eq!(made.verdict(), "verified", "{kind:?}");
        }
    }
}
