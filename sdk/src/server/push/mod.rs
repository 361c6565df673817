//! Push notifications (A2A §3.1.7 to §3.1.10, §4.3, §13.2): an agent posts the events of a task to a
//! webhook of whoever began it.
//!
//! The agent decides what webhooks it tells ([`PushPolicy`]) and where it keeps who is to be told
//! ([`PushSettings`]). By default a webhook is the agent that owns the task, which proves itself by
//! mutual TLS; a name is looked up and its addresses are checked before each request, and no redirect
//! is followed. Each event is sent until it was taken, in order, signed like any request:
//!
//! ```
//! use std::sync::Arc;
//! use countersign::server::push::{PushPolicy, PushSettings};
//! use countersign::server::store::MemoryPushConfigStore;
//!
//! let policy = PushPolicy::default()
//!     .network("10.20.0.0/16".parse()?) // agents here are told too, not just public ones
//!     .web("*.hooks.example")?; // and these servers of the public web
//! let push = PushSettings::new(Arc::new(MemoryPushConfigStore::default())).policy(policy);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The other side waits for what it asked for, and for nothing else ([`NotificationReceiver`]):
//!
//! ```
//! use countersign::a2a::{SendMessageConfiguration, TaskPushNotificationConfig};
//! use countersign::server::push::{NotificationReceiver, TrustedSender, TooManyExpected};
//!
//! /// The configuration of a message to the booking agent, whose task is to be told about.
//! fn told(receiver: &NotificationReceiver) -> Result<SendMessageConfiguration, TooManyExpected> {
//!     let booking = "spiffe://travel.example/agent/booking".parse().expect("a SPIFFE ID");
//!     let config = receiver.expect(TrustedSender::agent(booking))?;
//!     Ok(SendMessageConfiguration {
//!         task_push_notification_config: Some(config),
//!         return_immediately: true,
//!         ..Default::default()
//!     })
//! }
//! ```

mod backoff;
mod error;
mod expected;
mod fields;
mod guard;
mod notification;
mod notifications;
mod page;
mod place;
mod policy;
mod profile;
mod queue;
mod receiver;
mod sender;
mod settings;
mod settle;
mod taking;
#[cfg(test)]
mod tests;
mod turn;
mod turns;
mod unwelcome;
mod web;
mod worker;

pub use error::WebhookError;
pub use notification::{
    NotTaken, Notification, NotificationHandler, PinnedKeys, TrustedSender, TrustedSenderDanger,
};
pub use notifications::PushNotifications;
pub use place::WebhookPath;
pub use policy::{Danger, HostPattern, PushPolicy, WebhookRule};
pub use receiver::{NotificationReceiver, TooManyExpected};
pub use settings::{AtOnce, PushSettings};
