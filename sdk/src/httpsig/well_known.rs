//! Where a key directory is.

/// Where an agent publishes the keys it signs requests with.
pub const DIRECTORY_PATH: &str = "/.well-known/http-message-signatures-directory";

/// The media type of a key directory at [`DIRECTORY_PATH`].
pub const DIRECTORY_CONTENT_TYPE: &str = "application/http-message-signatures-directory+json";
