//! The protocol's own words: messages, tasks, events, errors, wire forms (A2A 1.0.1).
//!
//! Types keep the names of `a2a.proto`; their JSON is ProtoJSON. [`Request`] and [`Response`] are
//! what every binding reads its bytes into and writes them from: [`jsonrpc`], [`http_json`] and
//! gRPC. What comes from a stranger is bounded and checked on the way, by the same rules on each.
//!
//! ```
//! use countersign::a2a::{Request, SendMessageRequest, jsonrpc};
//!
//! let request = Request::SendMessage(SendMessageRequest::new("Two nights in Lisbon".into()));
//! let body = jsonrpc::write_request(&1.into(), &request);
//! let received = jsonrpc::parse_request(&body, Default::default())?;
//! assert_eq!(jsonrpc::read_request(received)?, request);
//! # Ok::<(), countersign::a2a::A2aError>(())
//! ```

#[cfg(test)]
mod bad_input;
mod call;
mod card;
mod card_read;
mod convert;
mod error;
mod error_kind;
mod event;
mod flow;
#[cfg(feature = "grpc")]
pub mod grpc;
pub mod http_json;
pub mod jsonrpc;
mod located;
mod message;
mod operation;
mod params;
mod peer_error;
mod percent;
#[cfg(test)]
mod protojson;
mod push;
mod request;
mod requirement;
mod security;
mod service;
pub mod sse;
mod task;
mod timestamp;
pub mod v03;
mod version;
mod wire;

pub use call::{Request, Response};
pub use card::{
    AgentCapabilities, AgentCard, AgentCardSignature, AgentExtension, AgentInterface,
    AgentProvider, AgentSkill,
};
pub use error::{A2aError, FieldViolation};
pub use error_kind::ErrorKind;
pub use event::{
    SendMessageResponse, StreamResponse, TaskArtifactUpdateEvent, TaskStatusUpdateEvent,
};
pub use flow::{
    AuthorizationCodeOAuthFlow, ClientCredentialsOAuthFlow, DeviceCodeOAuthFlow, ImplicitOAuthFlow,
    OAuthFlows, PasswordOAuthFlow,
};
pub use message::{Message, Part, PartContent, Role, Struct, new_id};
pub use operation::{Operation, UnknownOperation};
pub use params::FromParams;
pub use push::{
    AuthenticationInfo, DeleteTaskPushNotificationConfigRequest,
    GetTaskPushNotificationConfigRequest, ListTaskPushNotificationConfigsRequest,
    ListTaskPushNotificationConfigsResponse, TaskPushNotificationConfig,
};
pub use request::{
    CancelTaskRequest, GetExtendedAgentCardRequest, GetTaskRequest, ListTasksRequest,
    ListTasksResponse, SendMessageConfiguration, SendMessageRequest, SubscribeToTaskRequest,
};
pub use requirement::{SecurityRequirement, StringList};
pub use security::{
    APIKeySecurityScheme, HTTPAuthSecurityScheme, MutualTlsSecurityScheme, OAuth2SecurityScheme,
    OpenIdConnectSecurityScheme, SecurityScheme,
};
pub use service::{ServiceParameters, extensions_header};
pub use task::{Artifact, Task, TaskState, TaskStatus};
pub use timestamp::{Timestamp, TimestampError};
pub use version::{
    A2A_JSON, AGENT_CARD_PATH, BINDING_GRPC, BINDING_HTTP_JSON, BINDING_JSONRPC, EVENT_STREAM,
    EXTENSIONS_HEADER, JSON, LEGACY_EXTENSIONS_HEADER, VERSION, VERSION_HEADER, Version, Versions,
    check_version,
};
