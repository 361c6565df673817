//! The bindings, written and read without our client.

use std::str::FromStr;

use bytes::Bytes;
use countersign::a2a::{
    A2A_JSON, JSON, Message, Operation, Part, Request, Response, SendMessageRequest, VERSION,
    VERSION_HEADER, grpc, http_json, jsonrpc,
};
use countersign::card::ProtocolBinding;
use countersign::tls::HttpVersion;
use http::Method;
use http::header::{CONTENT_TYPE, HOST, TE};

use crate::common::Failure;

/// A binding over a version of HTTP.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wire {
    pub(crate) name: &'static str,
    pub(crate) binding: ProtocolBinding,
    pub(crate) version: HttpVersion,
}

const fn wire(name: &'static str, binding: ProtocolBinding, version: HttpVersion) -> Wire {
    Wire {
        name,
        binding,
        version,
    }
}

pub(crate) const ALL: [Wire; 5] = [
    wire(
        "HTTP/1.1 JSON-RPC",
        ProtocolBinding::JsonRpc,
        HttpVersion::Http1,
    ),
    wire(
        "HTTP/1.1 HTTP+JSON",
        ProtocolBinding::HttpJson,
        HttpVersion::Http1,
    ),
    wire(
        "h2       JSON-RPC",
        ProtocolBinding::JsonRpc,
        HttpVersion::Http2,
    ),
    wire(
        "h2       HTTP+JSON",
        ProtocolBinding::HttpJson,
        HttpVersion::Http2,
    ),
    wire("h2       gRPC", ProtocolBinding::Grpc, HttpVersion::Http2),
];

/// Those over HTTP/2, by the word of the command line.
impl FromStr for Wire {
    type Err = Failure;

    fn from_str(word: &str) -> Result<Self, Failure> {
        Ok(match word {
            "jsonrpc" => ALL[2],
            "rest" => ALL[3],
            "grpc" => ALL[4],
            _ => return Err(format!("{word:?} is neither jsonrpc, rest nor grpc").into()),
        })
    }
}

pub(crate) fn message(text: String) -> SendMessageRequest {
    SendMessageRequest::new(Message::user(Part::text(text)))
}

impl Wire {
    /// The request to the agent at `origin`.
    pub(crate) fn write(
        self,
        origin: &str,
        request: &Request,
    ) -> Result<http::Request<Bytes>, Failure> {
        let (method, path, media, body) = match self.binding {
            ProtocolBinding::JsonRpc => {
                let body = jsonrpc::write_request(&1.into(), request);
                (Method::POST, "/a2a".to_owned(), JSON, body.into())
            }
            ProtocolBinding::HttpJson => {
                let written = http_json::write_request(request)?;
                let path = format!("/a2a/rest{}", written.path_and_query);
                let body = written.body.unwrap_or_default();
                (written.method, path, A2A_JSON, body.into())
            }
            ProtocolBinding::Grpc => {
                let (path, message) = grpc::write_request(request);
                let body = grpc::frame(&message);
                (Method::POST, path.to_owned(), grpc::CONTENT_TYPE, body)
            }
        };
        let made = http::Request::builder().method(method);
        let mut made = match self.version {
            HttpVersion::Http2 => made.uri(format!("{origin}{path}")),
            _ => made
                .uri(path)
                .header(HOST, origin.trim_start_matches("http://")),
        };
        if self.binding == ProtocolBinding::Grpc {
            made = made.header(TE, "trailers");
        }
        let made = made.header(VERSION_HEADER, VERSION);
        Ok(made.header(CONTENT_TYPE, media).body(body)?)
    }

    /// The one answer to `operation`.
    pub(crate) fn read(self, operation: Operation, body: &[u8]) -> Result<Response, Failure> {
        let limits = Default::default();
        Ok(match self.binding {
            ProtocolBinding::JsonRpc => jsonrpc::read_response(body, limits, &1.into(), operation)?,
            ProtocolBinding::HttpJson => http_json::read_response(operation, body, limits)?,
            ProtocolBinding::Grpc => {
                grpc::read_response(operation, grpc::unframe(body, body.len())?)?
            }
        })
    }
}

/// Counts the events of a stream as they come, without reading what is in them.
pub(crate) enum Counter {
    /// Events end with an empty line.
    Sse {
        newline: bool,
    },
    Grpc(grpc::Deframer),
}

impl Counter {
    pub(crate) fn new(binding: ProtocolBinding) -> Self {
        match binding {
            ProtocolBinding::Grpc => Self::Grpc(grpc::Deframer::new(1 << 24)),
            _ => Self::Sse { newline: false },
        }
    }

    /// How many events end in `piece`.
    pub(crate) fn count(&mut self, piece: &[u8]) -> Result<u64, Failure> {
        let mut count = 0;
        match self {
            Self::Sse { newline } => {
                for &byte in piece {
                    let ends = byte == b'\n';
                    count += u64::from(ends && *newline);
                    *newline = ends && !*newline;
                }
            }
            Self::Grpc(frames) => {
                frames.push(piece);
                while frames.take()?.is_some() {
                    count += 1;
                }
            }
        }
        Ok(count)
    }
}
