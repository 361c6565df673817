//! The gRPC form of the protocol, without any connection (A2A §10).
//!
//! Requests, answers and events as protobuf messages, the frames around them, and the status at
//! the end with its details. Reading bounds what a stranger sent: length by [`Deframer`] and
//! [`unframe`], nesting by the decoder (100 messages deep, which leaves some 30 levels of JSON objects),
//! and parts, objects and arrays of a request by their number (65,536).
//!
//! ```
//! use countersign::a2a::{Message, Part, Request, SendMessageRequest, grpc};
//!
//! let request = SendMessageRequest::new(Message::user(Part::text("Two nights in Lisbon")));
//! let request = Request::SendMessage(request);
//! let (path, message) = grpc::write_request(&request);
//! assert_eq!(path, "/lf.a2a.v1.A2AService/SendMessage");
//! assert_eq!(grpc::read_request(path, &message)?, request);
//! # Ok::<(), countersign::a2a::A2aError>(())
//! ```

mod alike;
mod bulk;
mod card;
mod code;
mod frame;
mod generated;
mod message;
mod names;
mod params;
mod percent;
mod push;
mod request;
mod response;
mod security;
mod status;
mod task;
mod timeout;
pub mod v03;
mod value;
mod wire;

#[cfg(test)]
mod json_tests;
#[cfg(test)]
mod made;
#[cfg(test)]
mod tests;

pub use code::Code;
pub use frame::{Deframer, FrameError, frame, unframe};
pub use names::{
    CONTENT_TYPE, GRPC_MESSAGE, GRPC_STATUS, GRPC_STATUS_DETAILS, GRPC_TIMEOUT, SERVICE,
    SERVICE_V03, is_grpc, path,
};
pub use request::{read_request, write_request};
pub use response::{read_event, read_response, write_event, write_response};
pub use status::Status;
pub use timeout::{read_timeout, write_timeout};
