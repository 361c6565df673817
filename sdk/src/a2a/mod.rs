//! The protocol's own words: messages, tasks, events, errors, wire forms (A2A 1.0.1).
//!
//! Types keep the names of `a2a.proto`; their JSON is ProtoJSON. What comes from a stranger goes
//! through [`jsonrpc::parse_request`] and [`FromParams`], which bound and check it.
//!
//! ```
//! use countersign::a2a::{FromParams, Message, Operation, Part, SendMessageRequest, jsonrpc};
//!
//! let request = SendMessageRequest::new(Message::user(Part::text("Two nights in Lisbon")));
//! let body = jsonrpc::request(&"1".into(), Operation::SendMessage, &request);
//! let received = jsonrpc::parse_request(&body, Default::default())?;
//! assert_eq!(received.operation()?, Operation::SendMessage);
//! assert_eq!(SendMessageRequest::from_params(received.params)?, request);
//! # Ok::<(), countersign::a2a::A2aError>(())
//! ```

mod call;
mod card;
mod card_read;
mod convert;
mod error;
mod error_kind;
mod event;
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
mod push;
mod request;
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
pub use security::{
    APIKeySecurityScheme, AuthorizationCodeOAuthFlow, ClientCredentialsOAuthFlow,
    DeviceCodeOAuthFlow, HTTPAuthSecurityScheme, ImplicitOAuthFlow, MutualTlsSecurityScheme,
    OAuth2SecurityScheme, OAuthFlows, OpenIdConnectSecurityScheme, PasswordOAuthFlow,
    SecurityRequirement, SecurityScheme, StringList,
};
pub use service::{ServiceParameters, extensions_header};
pub use task::{Artifact, Task, TaskState, TaskStatus};
pub use timestamp::{Timestamp, TimestampError};
pub use version::{
    A2A_JSON, AGENT_CARD_PATH, BINDING_GRPC, BINDING_HTTP_JSON, BINDING_JSONRPC, EVENT_STREAM,
    EXTENSIONS_HEADER, JSON, LEGACY_EXTENSIONS_HEADER, VERSION, VERSION_HEADER, Version, Versions,
    check_version,
};
