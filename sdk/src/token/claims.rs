//! The claims of a token whose signature was checked.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{PresentedToken, Scopes, TokenError, TokenRules, VerifiedToken};
use crate::clock::{Skew, UnixTime};
use crate::crypto::CertThumbprint;
use crate::svid::PeerIdentity;

/// Claims that their issuer signed (RFC 9068 §2.2): what a cache may keep between requests.
///
/// They are not yet checked against our name, the time or the peer: [`SignedClaims::check`] does
/// that for every request.
#[derive(Debug)]
pub struct SignedClaims {
    issuer: String,
    subject: String,
    client_id: String,
    jti: String,
    audience: String,
    scopes: Scopes,
    expires: UnixTime,
    issued: UnixTime,
    not_before: Option<UnixTime>,
    bound_to: Option<CertThumbprint>,
    act: Option<Value>,
    may_act: Option<Value>,
    digest: [u8; 32],
}

impl SignedClaims {
    pub(super) fn read(
        issuer: String,
        mut claims: Map<String, Value>,
        digest: [u8; 32],
    ) -> Result<Self, TokenError> {
        // RFC 9068 §2.2: these are required. Claims that are not named here are ignored.
        let scopes = match claims.get("scope") {
            None => Scopes::default(),
            Some(Value::String(text)) => text.parse().map_err(TokenError::Scope)?,
            Some(_) => return Err(TokenError::ClaimShape { claim: "scope" }),
        };
        let required =
            |claim, edge| date(&claims, claim, edge)?.ok_or(TokenError::ClaimMissing { claim });
        Ok(Self {
            expires: required("exp", Edge::End)?,
            issued: required("iat", Edge::Start)?,
            not_before: date(&claims, "nbf", Edge::Start)?,
            audience: single_audience(&claims)?,
            bound_to: confirmation(&claims)?,
            issuer,
            subject: take_text(&mut claims, "sub")?,
            client_id: take_text(&mut claims, "client_id")?,
            jti: take_text(&mut claims, "jti")?,
            scopes,
            act: claims.remove("act"),
            may_act: claims.remove("may_act"),
            digest,
        })
    }

    /// Checks what depends on this request: our name, the time, the peer's certificate.
    ///
    /// # Errors
    /// [`TokenError::Audience`], [`TokenError::Expired`], [`TokenError::NotYetValid`],
    /// [`TokenError::IssuedInFuture`], [`TokenError::Unbound`] or [`TokenError::NotBound`];
    /// [`TokenError::OtherToken`] when these claims are not those of `presented`.
    pub fn check(
        self: &Arc<Self>,
        presented: PresentedToken,
        rules: &TokenRules,
        peer: &PeerIdentity,
        now: UnixTime,
    ) -> Result<VerifiedToken, TokenError> {
        if presented.digest() != self.digest {
            return Err(TokenError::OtherToken);
        }
        // RFC 9068 §4, RFC 8707 §3: a token for anybody else is refused, whatever it grants.
        if self.audience != rules.audience {
            return Err(TokenError::Audience {
                found: self.audience.clone(),
                expected: rules.audience.clone(),
            });
        }
        self.check_times(rules.skew, now)?;
        // RFC 8705 §3: the token works only over a connection made with the certificate it names.
        let bound_to = self.bound_to.ok_or(TokenError::Unbound)?;
        if bound_to != peer.certificate() {
            return Err(TokenError::NotBound {
                bound_to,
                presented_by: peer.certificate(),
            });
        }
        let text = presented.into_secret();
        Ok(VerifiedToken::new(Arc::clone(self), bound_to, text))
    }

    /// Checks `exp`, `nbf` and `iat` alone.
    ///
    /// # Errors
    /// [`TokenError::Expired`], [`TokenError::NotYetValid`] or [`TokenError::IssuedInFuture`].
    pub fn check_times(&self, skew: Skew, now: UnixTime) -> Result<(), TokenError> {
        // RFC 7519 §4.1.4: on or after exp the token must not be accepted.
        if now >= self.expires.plus(skew.get()) {
            return Err(TokenError::Expired {
                expires: self.expires,
                now,
            });
        }
        let latest = now.plus(skew.get());
        // RFC 7519 §4.1.5: before nbf neither.
        if let Some(not_before) = self.not_before.filter(|at| *at > latest) {
            return Err(TokenError::NotYetValid { not_before, now });
        }
        if self.issued > latest {
            return Err(TokenError::IssuedInFuture {
                issued: self.issued,
                now,
            });
        }
        Ok(())
    }

    /// Who issued it.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// For whom: a user, or the agent itself.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The client it was issued to.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Its identifier, unique at its issuer.
    pub fn jti(&self) -> &str {
        &self.jti
    }

    /// The one audience it names.
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// What it grants; empty when it has no `scope`.
    pub fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    /// The first second at which it is no longer valid.
    pub fn expires(&self) -> UnixTime {
        self.expires
    }

    /// When it was issued.
    pub fn issued(&self) -> UnixTime {
        self.issued
    }

    /// The certificate it is bound to (`cnf.x5t#S256`), if any.
    pub fn bound_to(&self) -> Option<CertThumbprint> {
        self.bound_to
    }

    /// The claim `act` (RFC 8693 §4.1) as it stands there.
    pub fn act(&self) -> Option<&Value> {
        self.act.as_ref()
    }

    /// The claim `may_act` (RFC 8693 §4.4): who may exchange it.
    pub fn may_act(&self) -> Option<&Value> {
        self.may_act.as_ref()
    }
}

/// Takes a claim out that must be a text of at least one character.
pub(super) fn take_text(
    claims: &mut Map<String, Value>,
    claim: &'static str,
) -> Result<String, TokenError> {
    match claims.remove(claim) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        Some(_) => Err(TokenError::ClaimShape { claim }),
        None => Err(TokenError::ClaimMissing { claim }),
    }
}

#[derive(Clone, Copy)]
enum Edge {
    Start,
    End,
}

/// A NumericDate (RFC 7519 §2). A fraction of a second shortens the time of validity.
fn date(
    claims: &Map<String, Value>,
    claim: &'static str,
    edge: Edge,
) -> Result<Option<UnixTime>, TokenError> {
    const WHOLE: f64 = (1_u64 << 53) as f64;
    let Some(value) = claims.get(claim) else {
        return Ok(None);
    };
    if let Some(secs) = value.as_u64() {
        return Ok(Some(UnixTime::from_secs(secs)));
    }
    let secs = value.as_f64().filter(|secs| (0.0..WHOLE).contains(secs));
    let secs = secs.ok_or(TokenError::ClaimShape { claim })?;
    let whole = match edge {
        Edge::Start => secs.ceil(),
        Edge::End => secs.floor(),
    };
    Ok(Some(UnixTime::from_secs(whole as u64)))
}

/// RFC 7519 §4.1.3 allows a text or an array; we take exactly one audience.
fn single_audience(claims: &Map<String, Value>) -> Result<String, TokenError> {
    let malformed = TokenError::ClaimShape { claim: "aud" };
    let found = match claims.get("aud") {
        None => return Err(TokenError::ClaimMissing { claim: "aud" }),
        Some(Value::Array(items)) => match items.as_slice() {
            [one] => one,
            _ => return Err(TokenError::AudienceCount { count: items.len() }),
        },
        Some(other) => other,
    };
    match found.as_str() {
        Some(text) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err(malformed),
    }
}

/// RFC 8705 §3.1. Another confirmation method alone leaves the token unbound for us.
fn confirmation(claims: &Map<String, Value>) -> Result<Option<CertThumbprint>, TokenError> {
    let malformed = || TokenError::ClaimShape { claim: "cnf" };
    let Some(cnf) = claims.get("cnf") else {
        return Ok(None);
    };
    let Some(thumbprint) = cnf.as_object().ok_or_else(malformed)?.get("x5t#S256") else {
        return Ok(None);
    };
    let text = thumbprint.as_str().ok_or_else(malformed)?;
    text.parse().map(Some).map_err(|_| malformed())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{ISSUER, NOW, World};
    use super::*;
    use crate::crypto::{Algorithm, SigningKey};
    use crate::jose::JwkSet;

    fn outcome(result: Result<VerifiedToken, TokenError>) -> &'static str {
        result.map_or_else(|error| error.reason(), |_| "accepted")
    }

    fn nested(levels: usize) -> Value {
        (0..levels).fold(json!(1), |inner, _| json!([inner]))
    }

    #[test]
    fn a_good_token_tells_what_its_issuer_signed() {
        let world = World::good();
        let token = world.check().expect("accepted");
        assert_eq!(token.issuer(), ISSUER);
        assert_eq!(token.subject(), "alice");
        assert_eq!(token.jti(), "token-1");
        assert_eq!(token.scopes().to_string(), "payments.charge payments.read");
        assert_eq!(token.expires().secs(), NOW.secs() + 300);
        assert_eq!(token.bound_to(), world.peer.certificate());
        assert!(token.act().is_some());
        assert_eq!(token.audience(), world.rules.audience);
    }

    #[test]
    fn one_changed_claim_is_refused_with_its_reason() {
        let other = CertThumbprint::of(b"another certificate");
        let us = super::super::testing::PAYMENTS;
        let cases = [
            ("iss", json!("https://other.test"), "token.issuer"),
            ("iss", json!("https://authority.test/"), "token.issuer"),
            (
                "iss",
                json!(["https://authority.test"]),
                "token.claim_shape",
            ),
            ("sub", json!(""), "token.claim_shape"),
            ("sub", json!(7), "token.claim_shape"),
            ("client_id", json!(null), "token.claim_shape"),
            ("jti", json!({}), "token.claim_shape"),
            ("exp", json!("1800000300"), "token.claim_shape"),
            ("exp", json!(-1), "token.claim_shape"),
            ("exp", json!(1e300), "token.claim_shape"),
            ("iat", json!(true), "token.claim_shape"),
            ("nbf", json!(null), "token.claim_shape"),
            ("nbf", json!(NOW.secs() as f64 - 0.5), "accepted"),
            ("scope", json!(["a", "b"]), "token.claim_shape"),
            ("scope", json!("a  b"), "token.scope"),
            ("scope", json!(""), "accepted"),
            ("aud", json!([us]), "accepted"),
            ("aud", json!([us, us]), "token.audience"),
            ("aud", json!([us, "https://x.test"]), "token.audience"),
            ("aud", json!([]), "token.audience"),
            ("aud", json!([7]), "token.claim_shape"),
            ("aud", json!(""), "token.claim_shape"),
            ("aud", json!(us.to_uppercase()), "token.audience"),
            ("aud", json!(format!("{us}/")), "token.audience"),
            (
                "aud",
                json!("spiffe://travel.test/agent/hotel"),
                "token.audience",
            ),
            ("cnf", json!({"x5t#S256": other}), "token.not_bound"),
            ("cnf", json!({"jkt": other}), "token.unbound"),
            ("cnf", json!({}), "token.unbound"),
            ("cnf", json!("x"), "token.claim_shape"),
            ("cnf", json!({"x5t#S256": "short"}), "token.claim_shape"),
            ("cnf", json!({"x5t#S256": [other]}), "token.claim_shape"),
            ("unknown", json!({"a": [1]}), "accepted"),
            ("unknown", nested(63), "accepted"),
            ("unknown", nested(64), "token.malformed"),
        ];
        for (claim, value, want) in cases {
            let mut world = World::good();
            world.claims[claim] = value.clone();
            assert_eq!(outcome(world.check()), want, "{claim} {value}");
        }
    }

    #[test]
    fn every_required_claim_is_missed() {
        for claim in ["iss", "sub", "aud", "client_id", "jti", "exp", "iat"] {
            let mut world = World::good();
            let claims = world.claims.as_object_mut().expect("an object");
            claims.remove(claim);
            assert_eq!(outcome(world.check()), "token.claim_missing", "{claim}");
        }
        for (claim, want) in [
            ("cnf", "token.unbound"),
            ("nbf", "accepted"),
            ("scope", "accepted"),
        ] {
            let mut world = World::good();
            let claims = world.claims.as_object_mut().expect("an object");
            claims.remove(claim);
            assert_eq!(outcome(world.check()), want, "{claim}");
        }
    }

    #[test]
    fn only_access_tokens_of_listed_algorithms_are_taken() {
        for (member, value, want) in [
            ("typ", json!("AT+JWT"), "accepted"),
            ("typ", json!("application/at+jwt"), "accepted"),
            ("typ", json!("Application/AT+jwt"), "accepted"),
            ("typ", json!("JWT"), "token.type"),
            ("typ", json!(""), "token.type"),
            ("typ", json!("at+jwt; x=1"), "token.type"),
            ("typ", json!(null), "token.type"),
            ("alg", json!("none"), "token.algorithm"),
            ("alg", json!("HS256"), "token.algorithm"),
            ("alg", json!("EdDSA"), "token.algorithm"),
            ("kid", json!("unknown"), "token.unknown_key"),
            ("kid", json!(null), "accepted"),
        ] {
            let mut world = World::good();
            world.header[member] = value.clone();
            assert_eq!(outcome(world.check()), want, "{member} {value}");
        }
        let mut world = World::good();
        world.claims = json!(["iss"]);
        assert_eq!(outcome(world.check()), "token.malformed");
    }

    #[test]
    fn a_token_without_kid_needs_an_issuer_with_one_key_of_its_algorithm() {
        let mut world = World::good();
        world.header["kid"] = Value::Null;
        let ed25519 = SigningKey::generate(Algorithm::Ed25519).expect("generates");
        let p256 = SigningKey::generate(Algorithm::EcdsaP256Sha256).expect("generates");
        let own = world.issuer_key.verifying_key();
        for (second, want) in [(&ed25519, None), (&p256, Some("token.unknown_key"))] {
            let keys = JwkSet::of([own, second.verifying_key()]);
            let presented = world.present();
            let parsed = presented.parse(4096).expect("parses");
            let got = parsed.verify(&keys, ISSUER).map_err(|e| e.reason());
            assert_eq!(got.err(), want);
        }
    }

    #[test]
    fn a_token_signed_by_somebody_else_or_changed_is_refused() {
        let world = World::good();
        let keys = JwkSet::of([SigningKey::generate(Algorithm::EcdsaP256Sha256)
            .expect("generates")
            .verifying_key()]);
        let mut nameless = World::good();
        nameless.header["kid"] = Value::Null;
        let presented = nameless.present();
        let parsed = presented.parse(4096).expect("parses");
        let got = parsed.verify(&keys, ISSUER).map_err(|e| e.reason());
        assert_eq!(got.err(), Some("token.signature"));

        let mut other = World::good();
        other.header["kid"] = world.header["kid"].clone();
        other.claims["sub"] = json!("mallory");
        let (changed, signed) = (other.present().into_secret(), world.present().into_secret());
        let (input, _) = changed.expose().rsplit_once('.').expect("three parts");
        let (_, signature) = signed.expose().rsplit_once('.').expect("three parts");
        let presented =
            PresentedToken::from_text(&format!("{input}.{signature}")).expect("well formed");
        let got = world.claims_of(&presented).map_err(|e| e.reason());
        assert_eq!(got.err(), Some("token.signature"));
    }

    #[test]
    fn times_have_exact_edges() {
        let at = |secs: u64| {
            let mut world = World::good();
            world.claims["nbf"] = json!(NOW.secs() + 1);
            world.claims["iat"] = json!(NOW.secs());
            outcome(world.check_at(UnixTime::from_secs(secs)))
        };
        // exp is NOW + 300, nbf is NOW + 1, the skew is 5 s.
        assert_eq!(at(NOW.secs() + 304), "accepted");
        assert_eq!(at(NOW.secs() + 305), "token.expired");
        assert_eq!(at(NOW.secs() - 4), "accepted");
        assert_eq!(at(NOW.secs() - 5), "token.not_yet_valid");

        let issued = |secs: u64| {
            let mut world = World::good();
            world.claims["iat"] = json!(NOW.secs() + secs);
            outcome(world.check())
        };
        assert_eq!(issued(5), "accepted");
        assert_eq!(issued(6), "token.issued_in_future");
    }

    #[test]
    fn fractions_of_seconds_shorten_the_validity() {
        let mut world = World::good();
        world.rules.skew = Skew::ZERO;
        world.claims["exp"] = json!(NOW.secs() as f64 + 0.9);
        assert_eq!(outcome(world.check()), "token.expired");
        let mut world = World::good();
        world.rules.skew = Skew::ZERO;
        world.claims["nbf"] = json!(NOW.secs() as f64 + 0.1);
        assert_eq!(outcome(world.check()), "token.not_yet_valid");
    }

    #[test]
    fn the_parse_limit_has_an_exact_edge() {
        let world = World::good();
        let presented = world.present();
        let len = world.present().into_secret().expose().len();
        // ES256 signatures have one length, so both tokens are equally long.
        assert!(presented.parse(len).is_ok());
        let refused = presented.parse(len - 1).map(drop).map_err(|e| e.reason());
        assert_eq!(refused, Err("token.too_long"));
    }

    #[test]
    fn claims_of_one_token_do_not_vouch_for_another() {
        let mut world = World::good();
        let first = world.present();
        let claims = world.claims_of(&first).expect("signed");
        world.claims["sub"] = json!("mallory");
        let other = world.present();
        let got = claims.check(other, &world.rules, &world.peer, NOW);
        assert_eq!(outcome(got), "token.other_token");
    }

    #[test]
    fn nothing_printed_holds_the_token() {
        let world = World::good();
        let presented = world.present();
        let text = world.present().into_secret();
        let signing_input = text.expose().rsplit_once('.').expect("three parts").0;
        let payload = signing_input.split_once('.').expect("two parts").1;
        let parsed = format!("{:?} {:?}", presented, presented.parse(4096));
        let token = world.check().expect("accepted");
        for shown in [parsed, format!("{token:?}")] {
            assert!(!shown.contains(payload), "{shown}");
        }
        assert!(token.subject_token().expose().contains(payload));
    }

    #[test]
    fn the_peer_learns_less_than_the_record() {
        let missing = TokenError::Missing.challenge().to_string();
        assert_eq!(missing, "Bearer");
        let unbound = TokenError::Unbound.challenge().to_string();
        assert_eq!(unbound, "Bearer error=\"invalid_token\"");
    }
}
