//! The HTTP+JSON binding (A2A §11): paths, queries and bodies, in both directions.
//!
//! Paths are those below the URL of the interface. What comes from a path or a query is
//! percent-decoded on reading and encoded on writing, so that no ID can change where a request goes.
//!
//! Where the specification leaves it open, or says two things:
//!
//! - A path is read without a tenant first, as the order of the rules in `a2a.proto` has it. Any
//!   first segment that is no part of a path is a tenant; which tenants there are, the server
//!   knows. A tenant may also stand in the body or the query, if it is the same.
//! - A subscription is read by GET (proto) and by POST (text), and written as GET.
//! - The verbs `:cancel` and `:subscribe` are verbs only when their colon is not escaped; any other
//!   colon belongs to the ID.
//! - In a query `+` is a space, as forms write it, but in numbers and times, which have none.
//! - A deletion may be answered with nothing.
//!
//! ```
//! use countersign::a2a::{GetTaskRequest, Request, http_json};
//! use http::Method;
//!
//! let request = Request::GetTask(GetTaskRequest {
//!     id: "../../admin?x=".into(),
//!     history_length: Some(2),
//!     ..Default::default()
//! });
//! let written = http_json::write_request(&request)?;
//! assert_eq!(written.path_and_query, "/tasks/..%2F..%2Fadmin%3Fx%3D?historyLength=2");
//!
//! let (path, query) = written.path_and_query.split_once('?').unwrap();
//! let read = http_json::read_request(&Method::GET, path, Some(query), b"", Default::default())?;
//! assert_eq!(read, request);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answer;
mod error;
mod query;
mod read;
mod route;
mod write;

pub use answer::{read_error, read_event, read_response, write_error, write_event, write_response};
pub use error::HttpJsonError;
pub use read::read_request;
pub(in crate::a2a) use route::names_tenant;
pub use write::{HttpJsonRequest, write_request};
