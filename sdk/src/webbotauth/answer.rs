//! The answer to who is not let through.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use http::{HeaderValue, Response, StatusCode};
use serde_json::json;

use super::body::Unread;
use super::problem::{ALGORITHMS, Code, is_malformed};
use super::recognition::Recognition;
use crate::httpsig::{AcceptSignature, Profile, ReplayError, SignatureError};

const ACCEPT_SIGNATURE: HeaderName = HeaderName::from_static("accept-signature");
const SIGNATURE_ERROR: HeaderName = HeaderName::from_static("signature-error");

/// The tag of WIMSE's signatures, whose draft has 400 where others have 403.
const WIMSE: &str = "wimse-workload-to-workload";

/// How much the answer says about what is wrong. Whoever forges signatures learns from it, too.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub enum Detail {
    /// The status, and which signature is wanted. A forged, an expired and an unknown signature
    /// cannot be told apart.
    #[default]
    Status,
    /// `Signature-Error` and a problem's `type`, too: which kind of rule was broken.
    Code,
    /// The fixed reason word, too.
    Reason,
}

/// Makes the answers.
#[derive(Clone, Debug)]
pub(super) struct Answers {
    pub(super) detail: Detail,
    wish: Option<HeaderValue>,
    required: Option<String>,
    /// The draft of the profile discourages 401 and 403.
    wimse: bool,
}

impl Answers {
    pub(super) fn new(profile: &Profile) -> Self {
        let wish = AcceptSignature::of(profile);
        let wish = wish.and_then(|wish| wish.to_header()).ok();
        let required = wish.as_ref().and_then(required);
        Self {
            detail: Detail::default(),
            wish,
            required,
            wimse: profile.tag() == Some(WIMSE),
        }
    }

    pub(super) fn unread(&self, unread: Unread) -> Response<Bytes> {
        problem(unread.status(), None, None)
    }

    pub(super) fn refused(&self, known: &Recognition) -> Response<Bytes> {
        let status = self.status(known);
        let code = match known.error() {
            Some(error) => Code::of(error),
            // RFC 9421 §7.2.2: it was a good signature once.
            None => Code::InvalidSignature,
        };
        let told = self.detail >= Detail::Code && status != StatusCode::SERVICE_UNAVAILABLE;
        let reason = known
            .reason()
            .filter(|_| told && self.detail >= Detail::Reason);
        let mut answer = problem(status, told.then_some(code), reason);
        let headers = answer.headers_mut();
        let asks = [StatusCode::FORBIDDEN, StatusCode::BAD_REQUEST].contains(&status);
        if let (true, Some(wish)) = (asks, &self.wish) {
            headers.insert(ACCEPT_SIGNATURE, wish.clone());
        }
        if let (true, Some(error)) = (told, self.signature_error(code)) {
            headers.insert(SIGNATURE_ERROR, error);
        }
        answer
    }

    fn status(&self, known: &Recognition) -> StatusCode {
        // draft-ietf-wimse-http-signature: 400, and not 401, whose challenge there is none of.
        let refused = match self.wimse {
            true => StatusCode::BAD_REQUEST,
            false => StatusCode::FORBIDDEN,
        };
        if let Recognition::Spent(_, error) = known {
            return match error {
                ReplayError::Seen { .. } => StatusCode::TOO_MANY_REQUESTS,
                ReplayError::Late { .. } => refused,
                // Nobody knows whether it was: no replay protection is claimed that is not there.
                ReplayError::Full { .. } | ReplayError::Unavailable { .. } => {
                    StatusCode::SERVICE_UNAVAILABLE
                }
            };
        }
        match known.error() {
            Some(SignatureError::Origin { .. }) => StatusCode::MISDIRECTED_REQUEST,
            Some(error) if is_malformed(error) => StatusCode::BAD_REQUEST,
            _ => refused,
        }
    }

    fn signature_error(&self, code: Code) -> Option<HeaderValue> {
        let more = match (code, &self.required) {
            (Code::UnsupportedAlgorithm, _) => format!(", supported_algorithms={ALGORITHMS}"),
            (Code::InvalidInput, Some(required)) => format!(", required_input={required}"),
            _ => String::new(),
        };
        HeaderValue::try_from(format!("error={}{more}", code.as_str())).ok()
    }
}

/// The components of the wish, as they stand in it.
fn required(wish: &HeaderValue) -> Option<String> {
    let (_, list) = wish.to_str().ok()?.split_once('=')?;
    let end = list.find(')')?;
    Some(list[..=end].to_owned())
}

/// RFC 9457.
fn problem(
    status: StatusCode,
    code: Option<Code>,
    reason: Option<&'static str>,
) -> Response<Bytes> {
    let mut body = json!({ "status": status.as_u16() });
    body["title"] = match code {
        Some(code) => code.title().into(),
        None => status.canonical_reason().unwrap_or_default().into(),
    };
    if let Some(code) = code {
        body["type"] = format!("urn:ietf:params:sig-error:{}", code.as_str()).into();
    }
    if let Some(reason) = reason {
        body["reason"] = reason.into();
    }
    let mut answer = Response::new(Bytes::from(body.to_string()));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
