//! Bodies in pieces: right ones, wrong ones, and what is seen of them.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use http_body::{Body, Frame, SizeHint};

use super::*;
use crate::clock::{Skew, UnixTime};
use crate::httpsig::replay::conformance::wait;
use crate::httpsig::{
    ComponentId, DigestAlgorithm, Digests, HttpAlgorithm, HttpSigningKey, MessageView, Origin,
    PresentedSignature, Profile, RequestView, ResponseView, SignatureError, SignatureParams,
    Signer, sign_message, verify_message,
};

const NOW: UnixTime = UnixTime::from_secs(1_735_689_600);

/// A body in pieces, of which each may be an error.
#[derive(Clone)]
struct Pieces {
    frames: VecDeque<Result<Frame2, &'static str>>,
    length: Option<u64>,
}

#[derive(Clone)]
enum Frame2 {
    Data(&'static str),
    Trailers(HeaderMap),
}

#[derive(Debug, PartialEq, thiserror::Error)]
#[error("{0}")]
struct Broke(&'static str);

fn pieces(data: &[&'static str]) -> Pieces {
    let frames = data.iter().map(|data| Ok(Frame2::Data(data)));
    Pieces {
        frames: frames.collect(),
        length: None,
    }
}

impl Pieces {
    fn then(mut self, frame: Result<Frame2, &'static str>) -> Self {
        self.frames.push_back(frame);
        self
    }

    fn of_length(mut self, length: u64) -> Self {
        self.length = Some(length);
        self
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Broke;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broke>>> {
        Poll::Ready(self.frames.pop_front().map(|frame| match frame {
            Ok(Frame2::Data(data)) => Ok(Frame::data(Bytes::from_static(data.as_bytes()))),
            Ok(Frame2::Trailers(trailers)) => Ok(Frame::trailers(trailers)),
            Err(why) => Err(Broke(why)),
        }))
    }

    fn size_hint(&self) -> SizeHint {
        self.length
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

fn digests(data: &str) -> Digests {
    let fields = DigestAlgorithm::ALL.map(|algorithm| algorithm.field(data.as_bytes()));
    Digests::parse(&fields.join(", ")).expect("a field")
}

/// What a reader sees: the data, the trailers, and the word of each error, in order.
fn seen<B>(mut body: B) -> Vec<String>
where
    B: Body<Data = Bytes, Error = BodyError<Broke>> + Unpin,
{
    let mut seen = Vec::new();
    for _ in 0..8 {
        assert_eq!(body.size_hint().exact(), None, "no length is promised");
        let ended = body.is_end_stream();
        let frame = wait(std::future::poll_fn(|cx| {
            Pin::new(&mut body).poll_frame(cx)
        }));
        assert!(!ended || frame.is_none(), "said to have ended");
        seen.push(match frame {
            None => {
                seen.push("end".to_owned());
                assert!(body.is_end_stream());
                return seen;
            }
            Some(Err(error)) => error.reason().to_owned(),
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => String::from_utf8(data.to_vec()).expect("text"),
                Err(_) => "trailers".to_owned(),
            },
        });
    }
    seen
}

/// The first six things that a reader sees of a body that failed.
fn failed(first: &[&str], why: &str) -> Vec<String> {
    let mut all: Vec<&str> = first.to_vec();
    all.push(why);
    all.resize(8, "body.over");
    all.into_iter().map(str::to_owned).collect()
}

fn trailers(data: &str) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    let field = DigestAlgorithm::Sha512.field(data.as_bytes());
    trailers.insert("content-digest", field.parse().expect("a value"));
    trailers
}

#[test]
fn nothing_of_a_body_that_does_not_match_is_given_out() {
    let read = |body: Pieces, said: &str, max| {
        let read = wait(collect(body, &digests(said), max));
        read.map(|(body, _)| body).map_err(|error| error.reason())
    };
    let whole = |text: &'static str| Ok(Bytes::from_static(text.as_bytes()));
    assert_eq!(read(pieces(&["abc"]), "abc", 3), whole("abc"));
    assert_eq!(read(pieces(&["a", "", "bc"]), "abc", 3), whole("abc"));
    assert_eq!(read(pieces(&[]), "", 0), whole(""));
    let no = |reason| Err(reason);
    assert_eq!(read(pieces(&["ab", "d"]), "abc", 3), no("digest.mismatch"));
    assert_eq!(read(pieces(&["ab"]), "abc", 3), no("digest.mismatch"));
    assert_eq!(read(pieces(&[]), "abc", 3), no("digest.mismatch"));
    assert_eq!(read(pieces(&["ab", "c"]), "abc", 2), no("body.too_long"));
    let announced = pieces(&["abc"]).of_length(u64::MAX);
    assert_eq!(read(announced, "abc", 3), no("body.too_long"));
    let broken = pieces(&["abc"]).then(Err("reset"));
    assert_eq!(read(broken, "abc", 3), no("body.truncated"));
}

#[test]
fn a_body_that_flows_ends_only_when_it_matched() {
    let good = CheckedBody::new(pieces(&["ab", "c"]).of_length(3), &digests("abc"));
    assert_eq!(seen(good), ["ab", "c", "end"]);
    let empty = CheckedBody::new(pieces(&[]), &digests(""));
    assert_eq!(seen(empty), ["end"]);
    let behind = pieces(&["abc"]).then(Ok(Frame2::Trailers(HeaderMap::new())));
    let good = CheckedBody::new(behind.clone(), &digests("abc"));
    assert_eq!(seen(good), ["abc", "trailers", "end"]);

    let wrong = CheckedBody::new(pieces(&["ab", "d"]).of_length(3), &digests("abc"));
    assert_eq!(seen(wrong), failed(&["ab", "d"], "digest.mismatch"));
    let short = CheckedBody::new(pieces(&["ab"]), &digests("abc"));
    assert_eq!(seen(short), failed(&["ab"], "digest.mismatch"));
    // The trailers of a wrong body are not seen either.
    let wrong = CheckedBody::new(behind, &digests("abd"));
    assert_eq!(seen(wrong), failed(&["abc"], "digest.mismatch"));
    let broken = pieces(&["abc"]).then(Err("reset"));
    let broken = CheckedBody::new(broken, &digests("abc"));
    assert_eq!(seen(broken), failed(&["abc"], "body.truncated"));
}

#[test]
fn a_digest_behind_the_body_is_checked_or_missed() {
    let body = |trailers| {
        let body = pieces(&["ab", "c"]).then(Ok(Frame2::Trailers(trailers)));
        seen(CheckedBody::with_digest_behind(body))
    };
    assert_eq!(body(trailers("abc")), ["ab", "c", "trailers", "end"]);
    let no = |why| failed(&["ab", "c"], why);
    assert_eq!(body(trailers("abd")), no("digest.mismatch"));
    assert_eq!(body(HeaderMap::new()), no("digest.missing"));
    let mut old = HeaderMap::new();
    old.insert("content-digest", "md5=:AAAA:".parse().expect("a value"));
    assert_eq!(body(old), no("digest.unsupported"));
    let cut = CheckedBody::with_digest_behind(pieces(&["ab", "c"]));
    assert_eq!(seen(cut), no("digest.missing"));
}

#[test]
fn a_stream_is_sealed_behind_its_end() {
    let key = HttpSigningKey::generate(HttpAlgorithm::Ed25519).expect("a key");
    let public = key.verifying_key().clone();
    let mut header = HeaderMap::new();
    DigestingBody::<Pieces>::announce(&mut header);
    let announced = header.clone();
    let sent = DigestingBody::with_algorithm(pieces(&["ab", "c"]), DigestAlgorithm::Sha512);
    let mut sent = sent.seal(move |trailers| {
        let response = ResponseView::new(StatusCode::OK, &announced, None).with_trailers(trailers);
        let message: MessageView<'_> = response.into();
        let covered = ["\"@status\"", "\"content-digest\";tr"].map(ComponentId::parse);
        let covered: Result<Vec<_>, _> = covered.into_iter().collect();
        let params = SignatureParams::new().created(NOW);
        let signed = sign_message(&message, &key, "end", &covered?, &params)?;
        trailers.insert("signature-input", signed.signature_input);
        trailers.insert("signature", signed.signature);
        Ok(())
    });
    let mut last = None;
    while let Some(frame) = wait(std::future::poll_fn(|cx| {
        Pin::new(&mut sent).poll_frame(cx)
    })) {
        last = frame.expect("no error").into_trailers().ok();
    }
    assert!(sent.is_end_stream());
    let behind = last.expect("trailers");
    assert_eq!(behind["content-digest"], trailers("abc")["content-digest"]);

    // The receiver: first the body, then who signed its digest.
    let received = pieces(&["a", "bc"]).then(Ok(Frame2::Trailers(behind.clone())));
    let received = CheckedBody::with_digest_behind(received);
    assert_eq!(seen(received), ["a", "bc", "trailers", "end"]);
    let verify = |mut behind: HeaderMap| {
        let mut header = header.clone();
        move_signatures(&mut behind, &mut header);
        let response = ResponseView::new(StatusCode::OK, &header, None).with_trailers(&behind);
        let message: MessageView<'_> = response.into();
        let profile = Profile::rfc9421();
        let verified = verify_message(&message, b"", &public, &profile, NOW, Skew::ZERO);
        verified.map_err(|error| error.reason()).map(drop)
    };
    assert_eq!(verify(behind.clone()), Ok(()));
    // Another body with its own digest, behind the same signature.
    let mut other = behind;
    other.extend(trailers("abd"));
    assert_eq!(verify(other), Err("signature.invalid"));
}

#[test]
fn a_stream_that_cannot_be_sealed_has_no_end() {
    let refused = |_: &mut HeaderMap| Err(SignatureError::Invalid);
    let body = DigestingBody::new(pieces(&["abc"])).seal(refused);
    assert_eq!(seen(body), failed(&["abc"], "signature.invalid"));
    let broken = DigestingBody::new(pieces(&["abc"]).then(Err("reset")));
    assert_eq!(seen(broken), failed(&["abc"], "body.truncated"));
}

#[test]
fn trailers_are_sent_to_who_reads_them() {
    for (te, want) in [
        (&["trailers"][..], true),
        (&["gzip;q=0.5", "deflate, Trailers"], true),
        (&["gzip"], false),
        (&["trailers;q=0"], false),
        (&[], false),
    ] {
        let mut headers = HeaderMap::new();
        for line in te {
            headers.append("te", line.parse().expect("a value"));
        }
        assert_eq!(accepts_trailers(&headers), want, "{te:?}");
    }
}

#[test]
fn a_head_is_verified_before_its_body_comes() {
    let key = HttpSigningKey::generate(HttpAlgorithm::Ed25519).expect("a key");
    let public = key.verifying_key().clone();
    let directory = "https://a.example/.well-known/http-message-signatures-directory";
    let signer = Signer::new(key, directory, Profile::a2a()).expect("a signer");
    let origin = Origin::https("booking.example");
    let head = |signed: &[u8]| {
        let request = http::Request::post("/a2a").body(()).expect("a request");
        let mut parts = request.into_parts().0;
        let done = signer.sign(&mut parts, &origin, signed, NOW, [7; 16]);
        done.expect("signs");
        let message: MessageView<'_> = RequestView::new(&parts, &origin).into();
        let profile = Profile::a2a();
        let presented = PresentedSignature::choose(&message, &profile)?;
        let checked = presented.check_head(NOW, Skew::ZERO)?;
        checked.verify_head(&public)
    };
    let verified = head(b"abc").expect("it verifies");
    assert!(!verified.message().covers_body(), "not yet");
    let (message, body) = wait(verified.clone().collect(pieces(&["ab", "c"]), 3)).expect("whole");
    assert!(message.covers_body() && *body == *b"abc");
    let other = wait(verified.clone().collect(pieces(&["abd"]), 3));
    assert_eq!(other.map_err(|e| e.reason()).err(), Some("digest.mismatch"));
    let (message, body) = verified.flow(pieces(&["abd"]));
    assert!(!message.covers_body());
    assert_eq!(seen(body), failed(&["abd"], "digest.mismatch"));
    // Signed without a body: what comes now was never signed.
    let none = head(b"").map_err(|error| error.reason());
    assert_eq!(none.err(), Some("signature.component_missing"));
}
