//! Every algorithm and every form of a key: a good one, one change, one reason.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::der::{OCTET_STRING, Reader, SEQUENCE, write};
use super::pkcs8::{EC, RSA, RSA_PSS, write_pkcs8};
use super::*;
use crate::httpsig::{Profile, Revision};
use crate::jose::{Jwk, encode_base64url};
use serde::Deserialize as _;

/// The keys of RFC 9421 B.1.
fn published(name: &str) -> Value {
    let text = include_str!("../../../../fixtures/vectors/rfc9421/rfc9421_vectors.json");
    let vectors: Value = serde_json::from_str(text).expect("JSON");
    vectors["keys"][name].clone()
}

const PUBLISHED: [(&str, HttpAlgorithm); 5] = [
    ("test-key-rsa", HttpAlgorithm::RsaPssSha512),
    ("test-key-rsa-pss", HttpAlgorithm::RsaPssSha512),
    ("test-key-ecc-p256", HttpAlgorithm::EcdsaP256Sha256),
    ("test-key-ed25519", HttpAlgorithm::Ed25519),
    ("test-shared-secret", HttpAlgorithm::HmacSha256),
];

fn private(jwk: &Value) -> Result<HttpSigningKey, HttpKeyError> {
    HttpSigningKey::from_jwk(jwk.to_string().as_bytes())
}

fn public(jwk: &Value) -> Result<HttpVerifyingKey, HttpKeyError> {
    HttpVerifyingKey::from_jwk(&Jwk::deserialize(jwk).expect("members"))
}

fn reason<T>(result: Result<T, HttpKeyError>) -> &'static str {
    result.map_or_else(|error| error.reason(), |_| "fine")
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text
        .as_bytes()
        .chunks(64)
        .map(String::from_utf8_lossy)
        .collect();
    let lines = lines.join("\n");
    format!("-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n")
}

#[test]
fn each_algorithm_signs_what_it_verifies_and_nothing_else() {
    let keys = HttpAlgorithm::ALL.map(|algorithm| {
        let key = HttpSigningKey::generate(algorithm).expect("a key");
        assert_eq!(key.algorithm(), algorithm);
        key
    });
    for key in &keys {
        let made = key.sign(b"message").expect("signs");
        let bytes = made.as_bytes();
        let len = match key.algorithm() {
            HttpAlgorithm::Ed25519 | HttpAlgorithm::EcdsaP256Sha256 => 64,
            HttpAlgorithm::EcdsaP384Sha384 => 96,
            HttpAlgorithm::RsaPssSha512 | HttpAlgorithm::RsaV15Sha256 => 384,
            HttpAlgorithm::HmacSha256 => 32,
        };
        assert_eq!(bytes.len(), len, "{key:?}");
        for other in &keys {
            let verified = other.verifying_key().verify(b"message", bytes);
            assert_eq!(
                verified.is_ok(),
                std::ptr::eq(key, other),
                "{key:?} {other:?}"
            );
        }
        let mut changed = bytes.to_vec();
        changed[len / 2] ^= 1;
        for wrong in [&changed[..], &bytes[1..], &[bytes, &[0]].concat(), &[]] {
            let refused = key.verifying_key().verify(b"message", wrong);
            assert_eq!(refused, Err(HttpKeyError::Signature), "{key:?}");
        }
        let refused = key.verifying_key().verify(b"massage", bytes);
        assert_eq!(refused, Err(HttpKeyError::Signature), "{key:?}");
    }
}

#[test]
fn an_rsa_key_is_for_one_algorithm_at_a_time() {
    let pss = private(&published("test-key-rsa")).expect("a key");
    let v15 = pss
        .clone()
        .with_algorithm(HttpAlgorithm::RsaV15Sha256)
        .expect("fits");
    assert_eq!(
        pss.verifying_key().thumbprint(),
        v15.verifying_key().thumbprint()
    );
    assert_ne!(pss.verifying_key(), v15.verifying_key());
    for (key, other) in [(&pss, &v15), (&v15, &pss)] {
        let made = key.sign(b"message").expect("signs");
        assert!(
            key.verifying_key()
                .verify(b"message", made.as_bytes())
                .is_ok()
        );
        assert!(
            other
                .verifying_key()
                .verify(b"message", made.as_bytes())
                .is_err()
        );
    }
    for algorithm in HttpAlgorithm::ALL {
        let key = HttpSigningKey::generate(algorithm).expect("a key");
        for other in HttpAlgorithm::ALL {
            let rsa = |it| {
                matches!(
                    it,
                    HttpAlgorithm::RsaPssSha512 | HttpAlgorithm::RsaV15Sha256
                )
            };
            let fits = algorithm == other || (rsa(algorithm) && rsa(other));
            let got = reason(key.clone().with_algorithm(other));
            assert_eq!(
                got,
                if fits { "fine" } else { "key.algorithm" },
                "{algorithm} {other}"
            );
        }
    }
}

#[test]
fn p384_signatures_are_those_of_rfc_6979() {
    // A.2.6, SHA-384, "sample": an answer that somebody else computed.
    let hex = |text: &str| -> Vec<u8> {
        let digits = text.as_bytes().chunks(2);
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16);
        digits.map(|pair| byte(pair).expect("a digit")).collect()
    };
    let point = hex(concat!(
        "04",
        "EC3A4E415B4E19A4568618029F427FA5DA9A8BC4AE92E02E06AAE5286B300C64DEF8F0EA9055866064A254515480BC13",
        "8015D9B72D7D57244EA8EF9AC0C621896708A59367F9DFB9F54CA84B3F1C9DB1288B231C3AE0D4FE7344FD2533264720",
    ));
    let signature = hex(concat!(
        "94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA73D64C4EA95AD133C81A648152E44ACF96E36DD1E80FABE46",
        "99EF4AEB15F178CEA1FE40DB2603138F130E740A19624526203B6351D0A3A94FA329C145786E679E7B82C71A38628AC8",
    ));
    let key = HttpVerifyingKey::p384(&point).expect("a key");
    assert_eq!(key.verify(b"sample", &signature), Ok(()));
    assert_eq!(
        key.verify(b"test", &signature),
        Err(HttpKeyError::Signature)
    );
}

#[test]
fn a_public_key_survives_each_of_its_forms() {
    for algorithm in HttpAlgorithm::ALL {
        let key = HttpSigningKey::generate(algorithm).expect("a key");
        let key = key.verifying_key();
        let Some(spki) = key.to_spki() else {
            // A shared secret has no form that could be published.
            assert!(algorithm.is_shared_secret() && key.to_jwk().is_none());
            continue;
        };
        // SubjectPublicKeyInfo says RSA, not which of its two algorithms.
        let read = HttpVerifyingKey::from_spki(&spki).expect("a key");
        assert_eq!(&read.with_algorithm(algorithm).expect("fits"), key);
        let read = HttpVerifyingKey::from_pem(&pem("PUBLIC KEY", &spki)).expect("a key");
        assert_eq!(read.thumbprint(), key.thumbprint());
        let jwk = serde_json::to_value(key.to_jwk()).expect("JSON");
        assert_eq!(&public(&jwk).expect("a key"), key);
        let set = HttpKeySet::of([key]).to_value();
        let set = HttpKeySet::from_json(set.to_string().as_bytes()).expect("a set");
        assert_eq!(set.by_keyid(&key.thumbprint().to_string()), Some(key));
        for end in 0..spki.len() {
            assert!(HttpVerifyingKey::from_spki(&spki[..end]).is_err(), "{end}");
        }
    }
}

#[test]
fn thumbprints_are_those_of_rfc_7638() {
    let text = include_str!(
        "../../../../fixtures/vectors/jwk-thumbprint/cloudflare-jsonwebkey-thumbprint.json"
    );
    let vectors: Value = serde_json::from_str(text).expect("JSON");
    // §3.1, an RSA key; the others are of RFC 8037.
    let rsa = json!({
        "kty": "RSA", "e": "AQAB", "alg": "RS256", "kid": "2011-04-29",
        "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    });
    let key = public(&rsa).expect("a key");
    assert_eq!(key.algorithm(), HttpAlgorithm::RsaV15Sha256);
    let thumbprint = key.thumbprint().to_string();
    assert_eq!(thumbprint, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    assert!(vectors.to_string().contains(&thumbprint));
}

#[test]
fn the_published_keys_are_known_and_refused() {
    for (name, algorithm) in PUBLISHED {
        let key = private(&published(name)).expect(name);
        assert_eq!(key.algorithm(), algorithm, "{name}");
        let key = key.verifying_key();
        assert!(is_public_test_key(key.thumbprint()), "{name}");
        let profile = Profile::rfc9421();
        let refused = profile.check_key(key).map_err(|error| error.reason());
        assert_eq!(refused, Err("signature.test_key"), "{name}");
        let profile = profile.danger().accept_public_test_keys();
        assert_eq!(profile.check_key(key), Ok(()), "{name}");
        let own = HttpSigningKey::generate(algorithm).expect("a key");
        assert_eq!(Profile::rfc9421().check_key(own.verifying_key()), Ok(()));
    }
}

#[test]
fn shared_secrets_have_no_place_in_web_bot_auth_and_between_agents() {
    let secret = HttpSigningKey::generate(HttpAlgorithm::HmacSha256).expect("a secret");
    let refused = "signature.algorithm_refused";
    let of_own = |tag| Profile::builder("own").tag(tag).build().expect("a profile");
    for (profile, want) in [
        (Profile::rfc9421(), "fine"),
        (Profile::rfc9421().responses(), "fine"),
        (Profile::a2a(), refused),
        (Profile::a2a().responses(), refused),
        (Profile::web_bot_auth(Revision::Ietf01), refused),
        (Profile::web_bot_auth(Revision::Meunier02), refused),
        (Profile::web_bot_auth(Revision::Legacy), refused),
        (of_own("example"), "fine"),
        (of_own("web-bot-auth"), refused),
        (of_own("wimse-workload-to-workload"), refused),
        (of_own("http-message-signatures-directory"), refused),
        (Profile::wimse(), refused),
        (Profile::wimse().responses(), refused),
        (Profile::directory(), refused),
    ] {
        let taken = profile.check_key(secret.verifying_key());
        assert_eq!(taken.map_or_else(|e| e.reason(), |()| "fine"), want);
    }
}

#[test]
fn a_private_jwk_is_refused_for_the_member_that_is_wrong() {
    type Change = fn(&mut Value);
    let with = |name: &str, change: Change| {
        let mut jwk = published(name);
        change(&mut jwk);
        reason(private(&jwk))
    };
    let (ed, p256, rsa, oct) = (
        "test-key-ed25519",
        "test-key-ecc-p256",
        "test-key-rsa-pss",
        "test-shared-secret",
    );
    let cases: [(&str, Change, &str); 24] = [
        (ed, |_| (), "fine"),
        (p256, |_| (), "fine"),
        (rsa, |_| (), "fine"),
        (oct, |_| (), "fine"),
        (ed, |jwk| jwk["alg"] = json!("EdDSA"), "fine"),
        (rsa, |jwk| jwk["alg"] = json!("PS512"), "fine"),
        (rsa, |jwk| jwk["alg"] = json!("rsa-v1_5-sha256"), "fine"),
        (oct, |jwk| jwk["alg"] = json!("HS256"), "fine"),
        (ed, |jwk| jwk["alg"] = json!("ES256"), "key.algorithm"),
        (rsa, |jwk| jwk["alg"] = json!("PS256"), "key.algorithm"),
        (rsa, |jwk| jwk["alg"] = json!("none"), "key.algorithm"),
        (rsa, |jwk| jwk["alg"] = json!("HS256"), "key.algorithm"),
        (ed, |jwk| jwk["use"] = json!("enc"), "key.use"),
        (ed, |jwk| jwk["d"] = Value::Null, "key.public"),
        (ed, |jwk| jwk["d"] = json!("AAAA"), "key.member"),
        (ed, |jwk| jwk["d"] = json!("n4Ni="), "key.member"),
        (
            ed,
            |jwk| jwk["x"] = json!("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"),
            "key.numbers",
        ),
        (ed, |jwk| jwk["crv"] = json!("X25519"), "key.kind"),
        (p256, |jwk| jwk["crv"] = json!("P-521"), "key.kind"),
        (p256, |jwk| jwk["y"] = jwk["x"].clone(), "key.numbers"),
        (p256, |jwk| jwk["d"] = jwk["x"].clone(), "key.numbers"),
        (rsa, |jwk| jwk["qi"] = Value::Null, "key.member"),
        (rsa, |jwk| jwk["d"] = jwk["dp"].clone(), "key.numbers"),
        (oct, |jwk| jwk["k"] = json!("AAAA"), "key.short"),
    ];
    for (index, (name, change, want)) in cases.into_iter().enumerate() {
        assert_eq!(with(name, change), want, "case {index} of {name}");
    }
    assert_eq!(reason(HttpSigningKey::from_jwk(b"{")), "key.json");
    let twice = br#"{"kty":"oct","k":"AAAA","k":"AAAA"}"#;
    assert_eq!(reason(HttpSigningKey::from_jwk(twice)), "key.json");
}

#[test]
fn a_public_jwk_is_refused_for_the_member_that_is_wrong() {
    for (name, _) in PUBLISHED {
        // With its private half it must not be taken, wherever it comes from.
        assert_eq!(reason(public(&published(name))), "key.private", "{name}");
    }
    let n = |bytes: usize| encode_base64url(&vec![0xff; bytes]);
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    for (jwk, want) in [
        (json!({"kty": "RSA", "e": "AQAB", "n": n(256)}), "fine"),
        (
            json!({"kty": "RSA", "e": "AQAB", "n": n(255)}),
            "key.rsa_size",
        ),
        (
            json!({"kty": "RSA", "e": "Aw", "n": n(256)}),
            "key.rsa_exponent",
        ),
        (json!({"kty": "RSA", "n": n(256)}), "key.member"),
        (
            json!({"kty": "OKP", "crv": "Ed25519", "x": x, "alg": "ed25519"}),
            "fine",
        ),
        (
            json!({"kty": "OKP", "crv": "Ed25519", "x": x, "alg": "PS512"}),
            "key.algorithm",
        ),
        (
            json!({"kty": "OKP", "crv": "Ed25519", "x": x, "use": "enc"}),
            "key.use",
        ),
        (
            json!({"kty": "EC", "crv": "P-384", "x": x, "y": x}),
            "key.member",
        ),
        (
            json!({"kty": "EC", "crv": "P-256", "x": x, "y": x}),
            "key.numbers",
        ),
        (json!({"kty": "oct"}), "key.kind"),
        (
            json!({"kty": "EC", "crv": "secp256k1", "x": x, "y": x}),
            "key.kind",
        ),
    ] {
        assert_eq!(reason(public(&jwk)), want, "{jwk}");
    }
}

/// The published RSA key, as a structure that is nowhere else in this process.
fn pkcs1() -> Vec<u8> {
    let jwk = published("test-key-rsa-pss");
    let decode = |name: &str| {
        let text = jwk[name].as_str().expect("text");
        super::der::write_positive(&crate::jose::decode_base64url(text).expect("base64url"))
    };
    let mut fields = vec![2, 1, 0];
    for name in ["n", "e", "d", "p", "q", "dp", "dq", "qi"] {
        fields.extend_from_slice(&decode(name));
    }
    write(SEQUENCE, &[&fields]).to_vec()
}

#[test]
fn a_pem_text_is_refused_for_what_it_is() {
    let rsa = write_pkcs8(RSA, &[5, 0], &pkcs1());
    let pss = write_pkcs8(RSA_PSS, &[], &pkcs1());
    let with_parameters = write_pkcs8(RSA_PSS, &[0x30, 0], &pkcs1());
    let p521 = write_pkcs8(EC, &[6, 5, 0x2b, 0x81, 0x04, 0x00, 0x23], &[0x30, 0]);
    let broken = write_pkcs8(RSA, &[5, 0], &pkcs1()[..200]);
    let spki = private(&published("test-key-rsa")).expect("a key");
    let spki = spki.verifying_key().to_spki().expect("a public key");
    let certificate = pem("CERTIFICATE", &[0x30, 0]);
    for (text, as_private, as_public) in [
        (pem("PRIVATE KEY", &rsa), "fine", "key.private"),
        (pem("PRIVATE KEY", &pss), "fine", "key.private"),
        (
            certificate.clone() + &pem("PRIVATE KEY", &rsa),
            "fine",
            "key.private",
        ),
        (
            pem("PRIVATE KEY", &with_parameters),
            "key.kind",
            "key.private",
        ),
        (pem("PRIVATE KEY", &p521), "key.kind", "key.private"),
        (pem("PRIVATE KEY", &broken), "key.der", "key.private"),
        (pem("PRIVATE KEY", b"nonsense"), "key.der", "key.private"),
        (pem("RSA PRIVATE KEY", &pkcs1()), "key.pem", "key.private"),
        (pem("ENCRYPTED PRIVATE KEY", &rsa), "key.pem", "key.pem"),
        (pem("PUBLIC KEY", &spki), "key.public", "fine"),
        (pem("PUBLIC KEY", b"nonsense"), "key.public", "key.der"),
        (certificate, "key.pem", "key.pem"),
        (String::new(), "key.pem", "key.pem"),
    ] {
        assert_eq!(
            reason(HttpSigningKey::from_pem(&text)),
            as_private,
            "{text}"
        );
        assert_eq!(
            reason(HttpVerifyingKey::from_pem(&text)),
            as_public,
            "{text}"
        );
    }
    let encrypted = HttpSigningKey::from_pem(&pem("ENCRYPTED PRIVATE KEY", &rsa));
    assert!(
        encrypted
            .expect_err("refused")
            .to_string()
            .contains("encrypted")
    );
}

#[test]
fn a_key_that_is_for_pss_only_stays_so() {
    let pss = write_pkcs8(RSA_PSS, &[], &pkcs1());
    let key = HttpSigningKey::from_pkcs8(&pss).expect("a key");
    let spki = key.verifying_key().to_spki().expect("a public key");
    let public = HttpVerifyingKey::from_spki(&spki).expect("a key");
    for refused in [
        reason(public.with_algorithm(HttpAlgorithm::RsaV15Sha256)),
        reason(key.clone().with_algorithm(HttpAlgorithm::RsaV15Sha256)),
    ] {
        assert_eq!(refused, "key.algorithm");
    }
    let made = key.sign(b"message").expect("signs");
    assert_eq!(public.verify(b"message", made.as_bytes()), Ok(()));
}

#[test]
fn private_keys_do_not_show_themselves() {
    for (name, _) in PUBLISHED {
        let jwk = published(name);
        let key = private(&jwk).expect(name);
        let shown = format!("{key:?} {:?}", key.verifying_key());
        assert!(shown.contains(key.algorithm().name()), "{shown}");
        assert!(shown.len() < 250, "{shown}");
        let secret = jwk["d"].as_str().or(jwk["k"].as_str()).expect("a secret");
        let error = private(&json!({"kty": "oct", "k": &secret[..8]}));
        let shown = format!("{shown} {error:?}");
        assert!(!shown.contains(&secret[..8]), "{shown}");
    }
}

#[test]
fn a_document_is_read_to_its_end() {
    let pkcs8 = write_pkcs8(RSA, &[5, 0], &pkcs1());
    for end in 0..pkcs8.len() {
        assert!(HttpSigningKey::from_pkcs8(&pkcs8[..end]).is_err(), "{end}");
    }
    let longer = [&pkcs8[..], &[0]].concat();
    assert_eq!(reason(HttpSigningKey::from_pkcs8(&longer)), "key.der");
    assert!(Reader::only(&write(OCTET_STRING, &[&pkcs8]), OCTET_STRING).is_some());
}

#[test]
fn a_set_finds_keys_by_thumbprint_and_by_a_kid_that_is_the_only_one() {
    let keys = [HttpAlgorithm::Ed25519, HttpAlgorithm::EcdsaP384Sha384]
        .map(|algorithm| HttpSigningKey::generate(algorithm).expect("a key"));
    let jwk = |index: usize, kid: &str| {
        let jwk = keys[index].verifying_key().to_jwk();
        let mut jwk = serde_json::to_value(jwk).expect("JSON");
        jwk["kid"] = json!(kid);
        jwk
    };
    let set = |keys: &[Value]| {
        let document = json!({ "keys": keys }).to_string();
        HttpKeySet::from_json(document.as_bytes()).expect("a set")
    };
    let two = set(&[jwk(0, "a"), json!({"kty": "oct", "k": "AAAA"}), jwk(1, "b")]);
    assert_eq!(two.by_keyid("a"), Some(keys[0].verifying_key()));
    assert_eq!(two.by_keyid("b"), Some(keys[1].verifying_key()));
    assert_eq!(two.by_keyid("c"), None);
    let left_out: Vec<_> = two
        .left_out()
        .iter()
        .map(|(at, why)| (*at, why.reason()))
        .collect();
    assert_eq!(left_out, [(1, "key.private")]);
    let same = set(&[jwk(0, "a"), jwk(1, "a")]);
    assert_eq!(same.by_keyid("a"), None, "it could be either");
    let thumbprint = keys[1].verifying_key().thumbprint().to_string();
    assert_eq!(same.by_keyid(&thumbprint), Some(keys[1].verifying_key()));
    // A kid that looks like another key's thumbprint does not stand for it.
    let posing = set(&[jwk(0, &thumbprint), jwk(1, "b")]);
    assert_eq!(posing.by_keyid(&thumbprint), Some(keys[1].verifying_key()));
    let one = HttpKeySet::from_json(jwk(0, "a").to_string().as_bytes()).expect("a set");
    assert_eq!(one.len(), 1);
    for wrong in [&b"{}"[..], b"[]", b"{\"keys\":1}", b"{"] {
        assert_eq!(reason(HttpKeySet::from_json(wrong)), "key.json");
    }
}
