//! What checking an access token costs: cold, warm, and the raw signature check it cannot do without.
//!
//! One run measures the three in turn and in small batches. Cold: the header is read, the token is
//! parsed, its signature and its claims are checked. Warm: the signature was checked before, so the
//! claims are found by the token's SHA-256 in a cache of the kind that the server has, and everything
//! that depends on the time, on us and on the peer is checked again. Raw: the P-256 or Ed25519
//! primitive over the very same signing input. The medians of the batches are printed.
//!
//!     cargo bench -p countersign --bench token
#![allow(missing_docs, reason = "a bench is no library")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey};
use countersign::clock::{Skew, UnixTime};
use countersign::crypto::{Algorithm, SigningKey};
use countersign::jose::{Header, JwkSet, decode_base64url, sign_compact};
use countersign::svid::{PeerIdentity, TrustBundle, TrustBundles, Usage, verify_svid};
use countersign::token::{
    MAX_TOKEN_BYTES, PresentedToken, SignedClaims, TokenError, TokenRules, VerifiedToken,
};
use countersign_fixtures::ca::{self, Ca};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use serde_json::json;

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Warm = moka::sync::Cache<[u8; 32], Arc<SignedClaims>>;

const ISSUER: &str = "https://authority.example";
const AUDIENCE: &str = "spiffe://travel.example/agent/payments";
const BATCH: usize = 32;
const BATCHES: usize = 400;

struct World {
    headers: HeaderMap,
    keys: JwkSet,
    rules: TokenRules,
    peer: PeerIdentity,
    now: UnixTime,
}

impl World {
    /// A token of `issuer_key` for a user through two agents, bound to the peer's certificate.
    fn new(issuer_key: &SigningKey) -> Result<(Self, String), Failure> {
        let ca = Ca::new("travel.example");
        let issued = ca.leaf("/agent/booking");
        let bundle = TrustBundle::new(ca.domain().parse()?, vec![ca.root().clone()])?;
        let bundles = TrustBundles::default().with(bundle);
        let now = UnixTime::from_secs(ca::now());
        let peer = verify_svid(&issued.chain, &bundles, Usage::Client, now)?;
        let me = peer.id().as_str();
        let claims = json!({
            "iss": ISSUER, "sub": "alice", "aud": AUDIENCE, "client_id": me,
            "jti": "f81d4fae-7dec-41d0-a765-00a0c91e6bf6", "scope": "payments.charge",
            "iat": now.secs(), "nbf": now.secs(), "exp": now.secs() + 300,
            "cnf": {"x5t#S256": peer.certificate().to_string()},
            "act": {"iss": ISSUER, "sub": me, "act": {
                "iss": ISSUER, "sub": "spiffe://travel.example/agent/planner",
            }},
        });
        let header = Header::for_key(issuer_key.verifying_key(), "at+jwt");
        let text = sign_compact(&header, &claims, issuer_key)?;
        let mut headers = HeaderMap::new();
        headers.insert(
            AUTHORIZATION,
            HeaderValue::try_from(format!("Bearer {text}"))?,
        );
        let world = Self {
            headers,
            keys: JwkSet::of([issuer_key.verifying_key()]),
            rules: TokenRules {
                audience: AUDIENCE.to_owned(),
                skew: Skew::default(),
            },
            peer,
            now,
        };
        Ok((world, text))
    }

    fn cold(&self) -> Result<VerifiedToken, TokenError> {
        let presented = PresentedToken::from_headers(black_box(&self.headers))?;
        let claims = presented
            .parse(MAX_TOKEN_BYTES)?
            .verify(&self.keys, ISSUER)?;
        Arc::new(claims).check(presented, &self.rules, &self.peer, self.now)
    }

    fn warm(&self, kept: &Warm) -> Result<VerifiedToken, Failure> {
        let presented = PresentedToken::from_headers(black_box(&self.headers))?;
        let claims = kept.get(&presented.digest()).ok_or("not kept")?;
        Ok(claims.check(presented, &self.rules, &self.peer, self.now)?)
    }
}

/// Nanoseconds for each call of `work`.
fn batch<T>(mut work: impl FnMut() -> Result<T, Failure>) -> Result<f64, Failure> {
    let start = Instant::now();
    for _ in 0..BATCH {
        black_box(work()?);
    }
    Ok(start.elapsed().as_nanos() as f64 / BATCH as f64)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn measure(algorithm: Algorithm) -> Result<(), Failure> {
    let key = SigningKey::generate(algorithm)?;
    let (world, text) = World::new(&key)?;
    let (input, signature) = text.rsplit_once('.').ok_or("a compact JWS")?;
    let signature = decode_base64url(signature)?;
    let public = key.verifying_key().as_bytes();
    let raw = match algorithm {
        Algorithm::Ed25519 => ParsedPublicKey::new(&ED25519, public)?,
        Algorithm::EcdsaP256Sha256 => ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public)?,
    };
    // As the server keeps them.
    let kept: Warm = moka::sync::Cache::builder()
        .max_capacity(10_000)
        .time_to_live(Duration::from_secs(60))
        .build();
    let presented = PresentedToken::from_text(&text)?;
    let claims = presented
        .parse(MAX_TOKEN_BYTES)?
        .verify(&world.keys, ISSUER)?;
    kept.insert(presented.digest(), Arc::new(claims));

    let mut times: [Vec<f64>; 3] = Default::default();
    for _ in 0..BATCHES {
        times[0].push(batch(|| {
            raw.verify_sig(black_box(input.as_bytes()), black_box(&signature))?;
            Ok(())
        })?);
        times[1].push(batch(|| Ok(world.cold()?))?);
        times[2].push(batch(|| world.warm(&kept))?);
    }
    let [raw, cold, warm] = times.map(median);
    println!(
        "{}: a token of {} bytes, raw signature check {:.2} us",
        algorithm.http_name(),
        text.len(),
        raw / 1000.0
    );
    for (name, ours) in [("cold", cold), ("warm", warm)] {
        let (micros, ratio) = (ours / 1000.0, ours / raw);
        println!("  {name}  {micros:7.2} us   ratio to raw {ratio:.3}");
    }
    Ok(())
}

fn main() -> Result<(), Failure> {
    measure(Algorithm::EcdsaP256Sha256)?;
    measure(Algorithm::Ed25519)
}
