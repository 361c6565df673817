//! The HTTP+JSON binding (A2A §11): paths, queries and bodies, in both directions.
//!
//! Paths are those below the URL of the interface. What comes from a path or a query is
//! percent-decoded on reading and encoded on writing, so that no ID can change where a request goes.
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
mod media;
mod query;
mod read;
mod route;
mod write;

pub use answer::{read_error, read_event, read_response, write_error, write_event, write_response};
pub use error::HttpJsonError;
pub use media::check_content_type;
pub use read::read_request;
pub use write::{HttpJsonRequest, write_request};
