//! The JSON-RPC binding (JSON-RPC 2.0, A2A §9).
//!
//! ```
//! use countersign::a2a::{Request, jsonrpc};
//! let body = br#"{"jsonrpc":"2.0","id":7,"method":"GetTask","params":{"id":"t-1"}}"#;
//! let received = jsonrpc::parse_request(body, Default::default())?;
//! let id = received.id.clone();
//! let Request::GetTask(request) = jsonrpc::read_request(received)? else {
//!     panic!("another operation");
//! };
//! assert_eq!((id, &*request.id), (7.into(), "t-1"));
//! # Ok::<(), countersign::a2a::A2aError>(())
//! ```

mod call;
mod envelope;

pub use call::{read_request, read_response, read_result_json, write_request, write_response};
pub use envelope::{
    Id, Refused, Request, Response, failure, parse_request, parse_response, parse_result, request,
    success,
};
