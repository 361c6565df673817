//! What signing and verifying a request cost above the cryptography they cannot do without.
//!
//! One run measures, in turn and in small batches, ours and the raw work: the Ed25519 or P-256
//! primitive over the very same signature base, and one SHA-256 over the 1 KiB body. The medians
//! of the batches are printed, and their ratios.
#![allow(missing_docs, reason = "a bench is no library")]

use std::convert::Infallible;
use std::future::poll_fn;
use std::hint::black_box;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair,
    Ed25519KeyPair, ParsedPublicKey,
};
use bytes::Bytes;
use countersign::clock::{Skew, UnixTime};
use countersign::crypto::{Algorithm, SigningKey};
use countersign::httpsig::body::{BodyError, CheckedBody, DigestingBody, collect};
use countersign::httpsig::directory::{Reading, document};
use countersign::httpsig::replay::conformance::wait;
use countersign::httpsig::{
    Digests, Origin, Profile, RequestView, Signer, Verifier, content_digest, signature_base,
};
use http::request::Parts;
use http::{HeaderMap, Request};
use http_body::{Body, Frame};

const NOW: UnixTime = UnixTime::from_secs(1_735_689_600);
const BATCH: usize = 8;
const BATCHES: usize = 1500;
const BODIES: usize = 400;
const DIRECTORY: &str = "https://planner.example/.well-known/http-message-signatures-directory";

fn request() -> Parts {
    let request = Request::post("https://booking.example/a2a/v1?tenant=eu-central")
        .header("host", "booking.example")
        .header("accept", "application/json, text/event-stream")
        .header("content-type", "application/json")
        .header("content-length", "1024")
        .header("user-agent", "countersign")
        .header("authorization", format!("Bearer {}", "x".repeat(600)))
        .header("a2a-version", "1.0")
        .header("a2a-extensions", "urn:countersign:a2a:identity:v1")
        .header(
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        );
    request.body(()).expect("a request").into_parts().0
}

fn clone(parts: &Parts) -> Parts {
    let (mut copy, ()) = Request::new(()).into_parts();
    copy.method = parts.method.clone();
    copy.uri = parts.uri.clone();
    let mut headers = HeaderMap::with_capacity(parts.headers.len() + 8);
    headers.extend(parts.headers.clone());
    copy.headers = headers;
    copy
}

/// Nanoseconds for each call of `work`, with what `prepare` makes outside of the measurement.
fn batch<T>(prepare: impl Fn() -> T, mut work: impl FnMut(T)) -> f64 {
    let inputs: Vec<T> = (0..BATCH).map(|_| prepare()).collect();
    let start = Instant::now();
    for input in inputs {
        work(input);
    }
    start.elapsed().as_nanos() as f64 / BATCH as f64
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

enum Raw {
    Ed25519(Ed25519KeyPair, ParsedPublicKey),
    P256(EcdsaKeyPair, ParsedPublicKey, SystemRandom),
}

impl Raw {
    fn new(key: &SigningKey) -> Self {
        let (pkcs8, public) = (key.expose_pkcs8(), key.verifying_key().as_bytes());
        match key.algorithm() {
            Algorithm::Ed25519 => Self::Ed25519(
                Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8).expect("a key"),
                ParsedPublicKey::new(&ED25519, public).expect("a key"),
            ),
            Algorithm::EcdsaP256Sha256 => Self::P256(
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).expect("a key"),
                ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public).expect("a key"),
                SystemRandom::new(),
            ),
        }
    }

    fn sign(&self, base: &[u8]) {
        let base = black_box(base);
        let signature = match self {
            Self::Ed25519(pair, _) => pair.sign(base),
            Self::P256(pair, _, random) => pair.sign(random, base).expect("signs"),
        };
        black_box(signature);
    }

    fn verify(&self, base: &[u8], signature: &[u8]) {
        let (Self::Ed25519(_, key) | Self::P256(_, key, _)) = self;
        key.verify_sig(black_box(base), black_box(signature))
            .expect("verifies");
    }
}

fn hash(body: &[u8]) {
    let _ = black_box(digest::digest(&digest::SHA256, black_box(body)));
}

fn measure(algorithm: Algorithm) {
    let key = Arc::new(SigningKey::generate(algorithm).expect("a key"));
    let raw = Raw::new(&key);
    let origin = Origin::https("booking.example");
    let signer = Signer::new(key.clone(), DIRECTORY, Profile::a2a()).expect("a signer");
    let verifier = Verifier::new(Profile::a2a(), origin.clone(), Skew::default());
    let (plain, body) = (request(), vec![b'x'; 1024]);

    let mut signed = clone(&plain);
    signer
        .sign(&mut signed, &origin, &body, NOW, [7; 16])
        .expect("signs");
    let member = signed.headers["signature-input"].to_str().expect("text");
    let member = member.strip_prefix("sig1=").expect("our label");
    let view = RequestView::new(&signed, &origin).into();
    let base = signature_base(&view, member).expect("a base");
    let signature = key.sign(base.as_bytes()).expect("signs");

    let mut times: [Vec<f64>; 4] = Default::default();
    for _ in 0..BATCHES {
        times[0].push(batch(
            || (),
            |()| {
                hash(&body);
                raw.sign(base.as_bytes());
            },
        ));
        times[1].push(batch(
            || clone(&plain),
            |mut parts| {
                let done = signer.sign(&mut parts, &origin, black_box(&body), NOW, [7; 16]);
                done.expect("signs");
                black_box(parts);
            },
        ));
        times[2].push(batch(
            || (),
            |()| {
                raw.verify(base.as_bytes(), signature.as_bytes());
                hash(&body);
            },
        ));
        times[3].push(batch(
            || (),
            |()| {
                let parts = black_box(&signed);
                let done = verifier.verify_with_key(parts, &body, key.verifying_key(), NOW);
                black_box(done.expect("verifies"));
            },
        ));
    }
    let [raw_sign, sign, raw_verify, verify] = times.map(median);
    let name = algorithm.http_name();
    println!(
        "{name}: base of {} bytes, body of {} bytes",
        base.len(),
        body.len()
    );
    print("sign", sign, raw_sign);
    print("verify", verify, raw_verify);
}

/// What a body of 1 MiB costs above its hash: read whole, flowing, and digested on its way out.
fn measure_bodies() {
    let body = Bytes::from(vec![b'x'; 1 << 20]);
    let field = content_digest(&body);
    let digests = Digests::parse(&field).expect("a field");
    // As it comes from a connection.
    let pieces = || Pieces(body.clone(), 16 << 10);
    let mut times: [Vec<f64>; 5] = Default::default();
    let one = |work: &dyn Fn()| {
        let start = Instant::now();
        work();
        start.elapsed().as_nanos() as f64
    };
    for _ in 0..BODIES {
        times[0].push(one(&|| hash(&body)));
        times[1].push(one(&|| digests.verify(black_box(&body)).expect("matches")));
        times[2].push(one(&|| {
            let whole = wait(collect(Pieces(body.clone(), 1 << 20), &digests, 1 << 20));
            black_box(whole.expect("matches"));
        }));
        times[3].push(one(&|| drain(CheckedBody::new(pieces(), &digests))));
        times[4].push(one(&|| drain(DigestingBody::new(pieces()))));
    }
    let [raw, verify, whole, flowing, digesting] = times.map(median);
    println!("bodies of 1 MiB, SHA-256, in pieces of 16 KiB:");
    print("slice", verify, raw);
    print("whole", whole, raw);
    print("flow", flowing, raw);
    print("sent", digesting, raw);
}

struct Pieces(Bytes, usize);

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let len = self.1.min(self.0.len());
        let piece = self.0.split_to(len);
        Poll::Ready((len > 0).then_some(Ok(Frame::data(piece))))
    }
}

fn drain<B: Body<Data = Bytes, Error = BodyError<Infallible>> + Unpin>(mut body: B) {
    while let Some(frame) = wait(poll_fn(|cx| Pin::new(&mut body).poll_frame(cx))) {
        black_box(frame.expect("matches"));
    }
}

fn print(name: &str, ours: f64, raw: f64) {
    println!(
        "  {name:6} {:7.2} us   raw {:7.2} us   ratio {:.3}   above {:5.0} ns",
        ours / 1000.0,
        raw / 1000.0,
        ours / raw,
        ours - raw
    );
}

/// What it costs to find a key among `many` of one directory, in nanoseconds.
fn look_up(many: usize) -> f64 {
    let keys: Vec<SigningKey> = (0..many)
        .map(|_| SigningKey::generate(Algorithm::Ed25519).expect("a key"))
        .collect();
    let body = document(keys.iter().map(SigningKey::verifying_key));
    // 64 are read of strangers.
    let reading = Reading::default().max_keys(many).max_bytes(1 << 20);
    let directory = reading.read(&body).expect("a directory");
    let last = keys[many - 1].verifying_key().thumbprint();
    let once = || {
        batch(
            || (),
            |()| {
                let found = directory.key(black_box(last), NOW);
                assert!(black_box(found).is_some());
            },
        )
    };
    median((0..BATCHES).map(|_| once()).collect())
}

fn directories() {
    println!("a key of a directory");
    let one = look_up(1);
    for many in [1, 64, 1000] {
        let found = look_up(many);
        println!(
            "  {many:5} keys {found:6.1} ns   ratio to one key {:.2}",
            found / one
        );
    }
}

fn main() {
    measure(Algorithm::Ed25519);
    measure(Algorithm::EcdsaP256Sha256);
    directories();
    measure_bodies();
}
