//! What comes back from the token endpoint, checked before anything uses it.

use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use crate::clock::UnixTime;
use crate::crypto::CertThumbprint;
use crate::jose::{JsonLimits, ParsedJws, parse_json, parse_typed};
use crate::secret::Secret;
use crate::token::Scopes;

use super::OAuthError;

/// The longest answer that is read, in bytes.
pub(super) const ANSWER_MAX: usize = 64 << 10;
/// The longest token that is taken, in bytes.
const TOKEN_MAX: usize = 16 << 10;
/// RFC 8693 §3.
pub(super) const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// What the token that was asked for must say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) audience: &'a str,
    /// Who asked.
    pub(super) me: &'a str,
    /// The certificate that asked.
    pub(super) certificate: CertThumbprint,
    /// What was asked for; empty leaves the choice to the server.
    pub(super) asked: &'a Scopes,
    pub(super) kind: Kind<'a>,
}

/// For whom the token speaks.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind<'a> {
    /// For the agent itself (RFC 6749 §4.4).
    App,
    /// For a user who logged in; it is not delegated yet.
    Login { user: &'a str },
    /// For the subject of another token, in whose chain the agent now stands first (RFC 8693 §4.1).
    Exchange {
        subject: &'a str,
        prior: Option<&'a Value>,
        scopes: &'a Scopes,
        expires: UnixTime,
    },
}

/// An answer that keeps every rule.
#[derive(Debug)]
pub(super) struct Accepted {
    pub(super) token: Secret,
    pub(super) scopes: Scopes,
    pub(super) expires: UnixTime,
}

/// RFC 6749 §5.1, RFC 8693 §2.2.1.
#[derive(Deserialize)]
struct Answer {
    access_token: String,
    token_type: String,
    issued_token_type: Option<String>,
    scope: Option<String>,
}

/// The claims of a token that we will only pass on: read to check what the server did, not to
/// trust it.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Value,
    client_id: String,
    exp: u64,
    scope: Option<String>,
    cnf: Option<Value>,
    act: Option<Value>,
}

/// Reads the answer and holds it against what was asked.
pub(super) fn accept(
    status: StatusCode,
    body: &[u8],
    expected: &Expected<'_>,
) -> Result<Accepted, OAuthError> {
    if status != StatusCode::OK {
        return Err(refused(status, body));
    }
    let limits = JsonLimits {
        depth: 16,
        bytes: ANSWER_MAX,
    };
    let malformed = |what| OAuthError::Answer { what };
    let answer: Answer = parse_typed(body, limits).map_err(|_| malformed("body"))?;
    let token = Secret::new(answer.access_token);
    // RFC 6749 §7.1: a token of a type that is not understood must not be used.
    if !answer.token_type.eq_ignore_ascii_case("bearer") {
        return Err(malformed("token_type"));
    }
    if matches!(expected.kind, Kind::Exchange { .. })
        && answer.issued_token_type.as_deref() != Some(ACCESS_TOKEN)
    {
        return Err(malformed("issued_token_type"));
    }
    let jws = ParsedJws::parse(token.expose(), TOKEN_MAX).map_err(|_| malformed("access_token"))?;
    let claims: Claims =
        parse_typed(jws.unverified_payload(), limits).map_err(|_| malformed("claims"))?;
    drop(jws);
    check_parties(&claims, expected)?;
    let scopes = check_scopes(answer.scope, &claims, expected)?;
    let expires = UnixTime::from_secs(claims.exp);
    if let Kind::Exchange { expires: until, .. } = expected.kind
        && expires > until
    {
        return Err(OAuthError::Outlives { expires, until });
    }
    Ok(Accepted {
        token,
        scopes,
        expires,
    })
}

/// Who, for whom, through whom, bound to what.
fn check_parties(claims: &Claims, expected: &Expected<'_>) -> Result<(), OAuthError> {
    let same = |claim: &'static str, found: &str, wanted: &str| {
        if found == wanted {
            return Ok(());
        }
        Err(OAuthError::Claim {
            claim,
            found: found.to_owned(),
            wanted: wanted.to_owned(),
        })
    };
    let audience = match &claims.aud {
        Value::Array(many) if many.len() == 1 => &many[0],
        other => other,
    };
    same("iss", &claims.iss, expected.issuer)?;
    same("client_id", &claims.client_id, expected.me)?;
    same(
        "aud",
        audience.as_str().unwrap_or_default(),
        expected.audience,
    )?;
    // RFC 8705 §3.1: a token that is bound to anything but our certificate is lost on us, or stolen.
    let bound = claims.cnf.as_ref().and_then(|cnf| cnf.get("x5t#S256"));
    let bound = bound.and_then(Value::as_str).unwrap_or_default();
    if bound.parse() != Ok(expected.certificate) {
        return Err(OAuthError::BindingLost {
            found: bound.to_owned(),
            own: expected.certificate,
        });
    }
    let chain_lost = |what| Err(OAuthError::ChainLost { what });
    match (expected.kind, &claims.act) {
        (Kind::App, None) => same("sub", &claims.sub, expected.me),
        (Kind::Login { user }, None) => same("sub", &claims.sub, user),
        (Kind::App | Kind::Login { .. }, Some(_)) => chain_lost("nobody was to act"),
        (Kind::Exchange { .. }, None) => chain_lost("there is no actor"),
        (Kind::Exchange { subject, prior, .. }, Some(act)) => {
            same("sub", &claims.sub, subject)?;
            // RFC 8693 §4.1: the current actor is the outermost, and that is us.
            if act.get("sub").and_then(Value::as_str) != Some(expected.me) {
                return chain_lost("the outermost actor is not us");
            }
            if act.get("act") != prior {
                return chain_lost("who acted before was changed");
            }
            Ok(())
        }
    }
}

/// Never more than was asked for, and never more than the subject token had.
fn check_scopes(
    answered: Option<String>,
    claims: &Claims,
    expected: &Expected<'_>,
) -> Result<Scopes, OAuthError> {
    let malformed = |_| OAuthError::Answer { what: "scope" };
    let granted: Scopes = match &claims.scope {
        Some(scope) => scope.parse().map_err(malformed)?,
        None => Scopes::default(),
    };
    // RFC 6749 §5.1: the answer names the scope where it differs from what was asked for.
    let answered: Scopes = match answered {
        Some(scope) => scope.parse().map_err(malformed)?,
        None if expected.asked.is_empty() => granted.clone(),
        None => expected.asked.clone(),
    };
    let asked = expected.asked.is_empty() || granted.is_subset(expected.asked);
    let had = match expected.kind {
        Kind::Exchange { scopes, .. } => granted.is_subset(scopes),
        Kind::App | Kind::Login { .. } => true,
    };
    if granted != answered {
        return Err(OAuthError::Answer { what: "scope" });
    }
    if !asked || !had {
        return Err(OAuthError::ScopeWidened {
            asked: expected.asked.clone(),
            granted,
        });
    }
    Ok(granted)
}

/// RFC 6749 §5.2: the code of an error answer, and nothing of its free text.
fn refused(status: StatusCode, body: &[u8]) -> OAuthError {
    let limits = JsonLimits {
        depth: 4,
        bytes: ANSWER_MAX,
    };
    let code = parse_json(body, limits).ok();
    let code = code.as_ref().and_then(|value| value.get("error")?.as_str());
    let known = |code: &&str| {
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        !code.is_empty() && code.len() <= 64 && code.bytes().all(fits)
    };
    match code.filter(known) {
        Some(code) => OAuthError::Refused {
            error: code.to_owned(),
            status,
        },
        None => OAuthError::Status { status },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::crypto::{Algorithm, SigningKey};
    use crate::jose::{Header, sign_compact};

    const ISSUER: &str = "https://127.0.0.1:1";
    const ME: &str = "spiffe://travel.example/agent/planner";
    const BOOKING: &str = "spiffe://travel.example/agent/booking";

    fn own() -> CertThumbprint {
        CertThumbprint::of(b"planner's certificate")
    }

    fn prior() -> Value {
        json!({"iss": ISSUER, "sub": "spiffe://travel.example/agent/front-desk"})
    }

    fn scopes(text: &str) -> Scopes {
        text.parse().expect("scopes")
    }

    /// What a good server answers to an exchange: the body, and the claims in its token.
    fn good() -> (Value, Value) {
        let body = json!({
            "token_type": "Bearer", "issued_token_type": ACCESS_TOKEN, "expires_in": 60,
            "scope": "trips:read",
        });
        let claims = json!({
            "iss": ISSUER, "sub": "alice", "aud": BOOKING, "client_id": ME, "exp": 1000,
            "iat": 940, "jti": "1", "scope": "trips:read", "cnf": {"x5t#S256": own()},
            "act": {"iss": ISSUER, "sub": ME, "act": prior()},
        });
        (body, claims)
    }

    fn outcome(mut body: Value, claims: &Value, kind: Option<Kind<'_>>) -> &'static str {
        let key = SigningKey::generate(Algorithm::Ed25519).expect("generates");
        let header = Header::for_key(key.verifying_key(), "at+jwt");
        if body.get("access_token").is_none() {
            body["access_token"] = json!(sign_compact(&header, claims, &key).expect("signs"));
        }
        let (asked, had, prior) = (scopes("trips:read"), scopes("trips:read a"), prior());
        let exchange = Kind::Exchange {
            subject: "alice",
            prior: Some(&prior),
            scopes: &had,
            expires: UnixTime::from_secs(1000),
        };
        let expected = Expected {
            issuer: ISSUER,
            audience: BOOKING,
            me: ME,
            certificate: own(),
            asked: &asked,
            kind: kind.unwrap_or(exchange),
        };
        let text = body.to_string();
        let accepted = accept(StatusCode::OK, text.as_bytes(), &expected);
        accepted.map_or_else(|error| error.reason(), |_| "accepted")
    }

    #[test]
    fn each_changed_member_of_the_answer_is_refused() {
        let (body, claims) = good();
        assert_eq!(outcome(body.clone(), &claims, None), "accepted");
        for (member, value, want) in [
            ("token_type", json!("bearer"), "accepted"),
            ("token_type", json!("DPoP"), "oauth.answer"),
            ("token_type", Value::Null, "oauth.answer"),
            ("issued_token_type", Value::Null, "oauth.answer"),
            ("issued_token_type", json!("urn:x"), "oauth.answer"),
            ("access_token", json!("opaque"), "oauth.answer"),
            ("access_token", json!("e30.e30.AA"), "oauth.answer"),
            ("access_token", json!(7), "oauth.answer"),
            ("scope", Value::Null, "accepted"),
            ("scope", json!("trips:read a"), "oauth.answer"),
            ("scope", json!("a  b"), "oauth.answer"),
        ] {
            let mut changed = body.clone();
            changed[member] = value;
            assert_eq!(outcome(changed.clone(), &claims, None), want, "{changed}");
        }
    }

    #[test]
    fn each_changed_claim_is_refused() {
        let (body, good) = good();
        let other = CertThumbprint::of(b"another certificate");
        let inverted = json!({"sub": prior()["sub"], "act": {"sub": ME}});
        for (claim, value, want) in [
            ("iss", json!("https://127.0.0.1:2"), "oauth.claim"),
            ("sub", json!("bob"), "oauth.claim"),
            ("aud", json!(ME), "oauth.claim"),
            ("aud", json!([BOOKING]), "accepted"),
            ("aud", json!([BOOKING, ME]), "oauth.claim"),
            ("client_id", prior()["sub"].clone(), "oauth.claim"),
            ("cnf", json!({"x5t#S256": other}), "oauth.binding_lost"),
            ("cnf", json!({"jkt": own()}), "oauth.binding_lost"),
            ("cnf", Value::Null, "oauth.binding_lost"),
            ("act", Value::Null, "oauth.chain_lost"),
            ("act", json!({"sub": ME}), "oauth.chain_lost"),
            ("act", prior(), "oauth.chain_lost"),
            ("act", inverted, "oauth.chain_lost"),
            ("act", json!({"sub": ME, "act": prior()}), "accepted"),
            (
                "act",
                json!({"sub": ME, "act": {"sub": "x"}}),
                "oauth.chain_lost",
            ),
            ("exp", json!(1001), "oauth.outlives_subject"),
            ("exp", json!("1000"), "oauth.answer"),
            ("scope", json!("trips:read a"), "oauth.answer"),
            ("scope", Value::Null, "oauth.answer"),
        ] {
            let mut claims = good.clone();
            claims[claim] = value;
            assert_eq!(outcome(body.clone(), &claims, None), want, "{claims}");
        }
    }

    #[test]
    fn more_scope_than_asked_for_or_than_the_subject_had_is_refused() {
        let (body, claims) = good();
        let wide = |scope: &str| {
            let (mut body, mut claims) = (body.clone(), claims.clone());
            (body["scope"], claims["scope"]) = (json!(scope), json!(scope));
            outcome(body, &claims, None)
        };
        assert_eq!(wide("trips:read a"), "oauth.scope_widened");
        assert_eq!(wide("payments"), "oauth.scope_widened");
        let had = scopes("a");
        let kind = Kind::Exchange {
            subject: "alice",
            prior: Some(&prior()),
            scopes: &had,
            expires: UnixTime::from_secs(1000),
        };
        assert_eq!(outcome(body, &claims, Some(kind)), "oauth.scope_widened");
    }

    #[test]
    fn a_token_for_ourselves_or_of_a_login_names_no_actor() {
        let (body, mut claims) = good();
        let login = Kind::Login { user: "alice" };
        let app = |claims: &Value| outcome(body.clone(), claims, Some(Kind::App));
        assert_eq!(app(&claims), "oauth.chain_lost");
        claims.as_object_mut().expect("an object").remove("act");
        assert_eq!(app(&claims), "oauth.claim");
        assert_eq!(outcome(body.clone(), &claims, Some(login)), "accepted");
        claims["sub"] = json!(ME);
        assert_eq!(app(&claims), "accepted");
        assert_eq!(outcome(body.clone(), &claims, Some(login)), "oauth.claim");
    }

    #[test]
    fn of_an_error_only_a_well_formed_code_is_kept() {
        let refused = |body: &str| {
            let error = refused(StatusCode::BAD_REQUEST, body.as_bytes());
            (error.reason(), error.code().map(str::to_owned))
        };
        let code = Some("invalid_scope".to_owned());
        let told = r#"{"error":"invalid_scope","error_description":"free text"}"#;
        assert_eq!(refused(told), ("oauth.refused", code));
        for body in [
            "",
            "{}",
            r#"{"error":7}"#,
            r#"{"error":"a b"}"#,
            r#"{"error":""}"#,
        ] {
            assert_eq!(refused(body), ("oauth.status", None), "{body}");
        }
        let long = |len: usize| format!(r#"{{"error":"{}"}}"#, "x".repeat(len));
        assert_eq!(refused(&long(64)).0, "oauth.refused");
        assert_eq!(refused(&long(65)).0, "oauth.status");
    }
}
