//! What a caller is told, read from the bytes of each binding, and the errors as A2A §5.4 lists them.

use std::fmt::Debug;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;

use crate::common::Failure;
use crate::common::wire::Wire;

/// An error of the protocol: its reason, its number in JSON-RPC, HTTP and gRPC, and the last one's
/// name.
pub(crate) type Named = (&'static str, i64, u16, u8, &'static str);

// The table of A2A §5.4, and JSON-RPC's own errors with the statuses that fit them.
pub(crate) const TASK_NOT_FOUND: Named = ("TASK_NOT_FOUND", -32001, 404, 5, "NOT_FOUND");
pub(crate) const CONTENT_TYPE: Named = (
    "CONTENT_TYPE_NOT_SUPPORTED",
    -32005,
    400,
    3,
    "INVALID_ARGUMENT",
);
pub(crate) const EXTENSION: Named = (
    "EXTENSION_SUPPORT_REQUIRED",
    -32008,
    400,
    9,
    "FAILED_PRECONDITION",
);
pub(crate) const VERSION: Named = (
    "VERSION_NOT_SUPPORTED",
    -32009,
    400,
    9,
    "FAILED_PRECONDITION",
);
pub(crate) const PARSE: Named = ("PARSE_ERROR", -32700, 400, 3, "INVALID_ARGUMENT");
pub(crate) const REQUEST: Named = ("INVALID_REQUEST", -32600, 400, 3, "INVALID_ARGUMENT");
pub(crate) const METHOD: Named = ("METHOD_NOT_FOUND", -32601, 404, 12, "UNIMPLEMENTED");
pub(crate) const PARAMS: Named = ("INVALID_PARAMS", -32602, 400, 3, "INVALID_ARGUMENT");

/// An answer with its whole body.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) trailers: HeaderMap,
}

/// What an answer says.
#[derive(PartialEq, Eq, Debug)]
pub(crate) enum Told {
    /// What was asked for.
    Answer,
    /// An error of the protocol: its reason, its number on this binding, the fields it names.
    Error(String, i64, Vec<String>),
    /// A status, and no word of the protocol.
    Status(i64),
}

impl Told {
    /// That error, as it looks over `wire`.
    pub(crate) fn error(wire: Wire, (reason, code, http, grpc, _): Named, fields: &[&str]) -> Self {
        let number = match wire {
            Wire::JsonRpc => code,
            Wire::HttpJson => http.into(),
            #[cfg(feature = "grpc")]
            Wire::Grpc => grpc.into(),
        };
        let _ = grpc;
        let fields = fields.iter().map(|&field| field.to_owned()).collect();
        Self::Error(reason.to_owned(), number, fields)
    }
}

impl Got {
    fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).and_then(|v| v.to_str().ok());
        value.unwrap_or_default()
    }

    /// Reads it as an answer over `wire`; an answer that is not of the binding's form is a failure.
    pub(crate) fn told(&self, wire: Wire) -> Result<Told, Failure> {
        let read = match wire {
            Wire::JsonRpc => self.over_json_rpc(),
            Wire::HttpJson => self.over_http(),
            #[cfg(feature = "grpc")]
            Wire::Grpc => self.over_grpc(),
        };
        read.map_err(|error| format!("{error}: {self:?}").into())
    }

    fn over_json_rpc(&self) -> Result<Told, Failure> {
        if self.status != 200 {
            return Ok(Told::Status(self.status.into()));
        }
        if self.header("content-type") == "text/event-stream" {
            return Ok(Told::Answer);
        }
        must(
            "a media type",
            self.header("content-type"),
            "application/json",
        )?;
        let body: Value = serde_json::from_slice(&self.body)?;
        must("a version", body["jsonrpc"].as_str(), Some("2.0"))?;
        if body.get("result").is_some() && body.get("error").is_none() {
            return Ok(Told::Answer);
        }
        let error = &body["error"];
        let number = error["code"].as_i64().ok_or("no code")?;
        error["message"].as_str().ok_or("no message")?;
        named(&error["data"], number)
    }

    fn over_http(&self) -> Result<Told, Failure> {
        let media = self.header("content-type");
        if self.status == 200 && media == "text/event-stream" {
            return Ok(Told::Answer);
        }
        let number = i64::from(self.status);
        if media != "application/a2a+json" && media != "application/json" {
            return Ok(Told::Status(number));
        }
        let body: Value = serde_json::from_slice(&self.body)?;
        if self.status == 200 {
            return Ok(Told::Answer);
        }
        let error = &body["error"];
        must("a code", error["code"].as_i64(), Some(number))?;
        error["message"].as_str().ok_or("no message")?;
        error["status"].as_str().ok_or("no status")?;
        if error["details"].as_array().is_some_and(Vec::is_empty) {
            return Ok(Told::Status(number));
        }
        named(&error["details"], number)
    }

    #[cfg(feature = "grpc")]
    fn over_grpc(&self) -> Result<Told, Failure> {
        use countersign::a2a::grpc::Status;
        if self.status != 200 {
            return Ok(Told::Status(self.status.into()));
        }
        must(
            "a media type",
            self.header("content-type"),
            "application/grpc",
        )?;
        let at_once = self.headers.contains_key("grpc-status");
        let ending = if at_once {
            &self.headers
        } else {
            &self.trailers
        };
        let number = ending.get("grpc-status").ok_or("no status")?.to_str()?;
        let number: i64 = number.parse()?;
        if number == 0 {
            return Ok(Told::Answer);
        }
        must("a body", self.body.len(), 0)?;
        if !ending.contains_key("grpc-status-details-bin") {
            return Ok(Told::Status(number));
        }
        let error = Status::read(ending).and_then(Status::error);
        let error = error.ok_or("no error")?;
        let fields = error.violations().iter().map(|v| v.field.clone());
        let reason = error.kind().name().to_owned();
        Ok(Told::Error(reason, number, fields.collect()))
    }
}

/// The reason and the fields of an error in JSON.
fn named(details: &Value, number: i64) -> Result<Told, Failure> {
    let details = details.as_array().ok_or("no details")?;
    let of = |name: &str| {
        let type_url = format!("type.googleapis.com/google.rpc.{name}");
        details
            .iter()
            .find(move |d| d["@type"] == type_url.as_str())
    };
    let info = of("ErrorInfo").ok_or("no ErrorInfo")?;
    must(
        "a domain",
        info["domain"].as_str(),
        Some("a2a-protocol.org"),
    )?;
    let reason = info["reason"].as_str().ok_or("no reason")?;
    let fields = of("BadRequest").and_then(|bad| bad["fieldViolations"].as_array());
    let fields = fields.into_iter().flatten().map(|violation| {
        let field = violation["field"].as_str();
        field.unwrap_or("a field without a name").to_owned()
    });
    Ok(Told::Error(reason.to_owned(), number, fields.collect()))
}

fn must<T: PartialEq + Debug>(what: &str, got: T, want: T) -> Result<(), Failure> {
    if got == want {
        return Ok(());
    }
    Err(format!("{what}: {got:?} instead of {want:?}").into())
}
