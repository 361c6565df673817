//! The status at the end of a call, with its details (A2A §10.6).

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::{HeaderMap, HeaderName, HeaderValue};
use prost::Message as _;
use prost_types::Any;

use super::generated::rpc;
use super::{Code, percent};
use super::{GRPC_MESSAGE, GRPC_STATUS, GRPC_STATUS_DETAILS};
use crate::a2a::error::{BAD_REQUEST, DOMAIN, ERROR_INFO};
use crate::a2a::peer_error::{LIST_MAX, cut};
use crate::a2a::{A2aError, ErrorKind, FieldViolation};

/// Bytes of details that are sent: many peers take no more than 8 KiB of headers.
const DETAILS_MAX: usize = 4 << 10;

/// Written without padding, read with or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// How a call ended, as its trailers say it.
///
/// ```
/// use countersign::a2a::grpc::{Code, Status};
/// use countersign::a2a::{A2aError, ErrorKind};
/// let status = Status::from(&A2aError::task_not_found());
/// assert_eq!(status.code(), Code::NotFound);
/// let mut trailers = http::HeaderMap::new();
/// status.write(&mut trailers);
/// let read = Status::read(&trailers).and_then(|status| status.error());
/// assert_eq!(read.map(|error| error.kind()), Some(ErrorKind::TaskNotFound));
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Status {
    code: Code,
    /// `None` when the code is `Ok`.
    error: Option<A2aError>,
}

impl Status {
    /// The call was done.
    pub const fn ok() -> Self {
        Self {
            code: Code::Ok,
            error: None,
        }
    }

    /// An error that the protocol has no name for.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            error: Some(A2aError::new(code.kind(), message)),
        }
    }

    /// The same error with another code.
    #[must_use]
    pub fn with_code(mut self, code: Code) -> Self {
        self.code = code;
        self
    }

    /// How the call ended.
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The error; `None` when the call was done.
    pub fn error(self) -> Option<A2aError> {
        self.error
    }

    /// Writes it into trailers, or into the headers of an answer that has no body.
    pub fn write(&self, trailers: &mut HeaderMap) {
        trailers.insert(
            HeaderName::from_static(GRPC_STATUS),
            HeaderValue::from(u16::from(self.code.number())),
        );
        let Some(error) = &self.error else {
            return;
        };
        // Percent-encoding and base64 leave only bytes that a header may hold.
        let mut insert = |name, text: String| {
            if let Ok(value) = HeaderValue::try_from(text) {
                trailers.insert(HeaderName::from_static(name), value);
            }
        };
        insert(GRPC_MESSAGE, percent::encode(&cut(error.message())));
        if let ErrorKind::Foreign { .. } = error.kind() {
            return;
        }
        let details = details(self.code, error).encode_to_vec();
        insert(GRPC_STATUS_DETAILS, BASE64.encode(details));
    }

    /// Reads it from trailers or headers; `None` when they hold no status.
    ///
    /// What cannot be read is an unknown error, never a success.
    pub fn read(trailers: &HeaderMap) -> Option<Self> {
        let mut all = trailers.get_all(GRPC_STATUS).iter();
        let first = all.next()?;
        let number = first.to_str().ok().and_then(|text| text.parse().ok());
        let code = match (number, all.next()) {
            (Some(number), None) => Code::from_number(number),
            _ => Code::Unknown,
        };
        if code == Code::Ok {
            return Some(Self::ok());
        }
        let message = trailers.get(GRPC_MESSAGE).map(HeaderValue::as_bytes);
        let message = message.map_or_else(
            || format!("gRPC status {code}"),
            |text| cut(&percent::decode(text)),
        );
        let details = trailers.get(GRPC_STATUS_DETAILS).and_then(read_details);
        let error = match details.filter(|status| status.code == i32::from(code.number())) {
            Some(status) => read_error(code, message, status),
            None => A2aError::new(code.kind(), message),
        };
        Some(Self {
            code,
            error: Some(error),
        })
    }
}

/// The status of an error, with the code of A2A §5.4.
impl From<&A2aError> for Status {
    fn from(error: &A2aError) -> Self {
        Self {
            code: error.kind().into(),
            error: Some(error.clone()),
        }
    }
}

/// A2A §10.6: the reason is in an ErrorInfo, wrong fields are in a BadRequest.
fn details(code: Code, error: &A2aError) -> rpc::Status {
    let metadata = error.metadata().iter();
    let info = rpc::ErrorInfo {
        reason: error.kind().name().to_owned(),
        domain: DOMAIN.to_owned(),
        metadata: metadata.map(|(k, v)| (k.clone(), v.clone())).collect(),
    };
    let mut status = rpc::Status {
        code: code.number().into(),
        message: cut(error.message()),
        details: vec![any(ERROR_INFO, &info)],
    };
    let mut room = DETAILS_MAX.saturating_sub(status.encoded_len());
    let named = error
        .violations()
        .iter()
        .map(|violation| rpc::bad_request::FieldViolation {
            field: violation.field.clone(),
            description: violation.description.clone(),
        });
    let fitting = named.take_while(|violation| {
        let len = violation.encoded_len() + 8;
        let fits = len <= room;
        room = room.saturating_sub(len);
        fits
    });
    let bad = rpc::BadRequest {
        field_violations: fitting.collect(),
    };
    if !bad.field_violations.is_empty() {
        status.details.push(any(BAD_REQUEST, &bad));
    }
    status
}

fn any(type_url: &str, message: &impl prost::Message) -> Any {
    Any {
        type_url: type_url.to_owned(),
        value: message.encode_to_vec(),
    }
}

fn read_details(header: &HeaderValue) -> Option<rpc::Status> {
    let bytes = BASE64.decode(header.as_bytes()).ok()?;
    rpc::Status::decode(&bytes[..]).ok()
}

fn read_error(code: Code, message: String, status: rpc::Status) -> A2aError {
    let mut kind = None;
    let mut members = Vec::new();
    let mut violations = Vec::new();
    for detail in status.details.into_iter().take(LIST_MAX) {
        match detail.type_url.as_str() {
            ERROR_INFO => {
                let Ok(info) = rpc::ErrorInfo::decode(&detail.value[..]) else {
                    continue;
                };
                if kind.is_none() && info.domain == DOMAIN {
                    kind = ErrorKind::from_name(&info.reason);
                }
                members.extend(info.metadata.into_iter().take(LIST_MAX));
            }
            BAD_REQUEST => {
                let Ok(bad) = rpc::BadRequest::decode(&detail.value[..]) else {
                    continue;
                };
                let named = bad.field_violations.into_iter().take(LIST_MAX);
                violations.extend(named.map(|violation| FieldViolation {
                    field: cut(&violation.field),
                    description: cut(&violation.description),
                }));
            }
            _ => {}
        }
    }
    members.truncate(LIST_MAX);
    violations.truncate(LIST_MAX);
    let mut error = A2aError::new(kind.unwrap_or(code.kind()), message);
    error.violations = violations;
    let members = members.into_iter();
    error.metadata = members.map(|(k, v)| (cut(&k), cut(&v))).collect();
    error
}
