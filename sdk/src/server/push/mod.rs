//! Push notifications (A2A §3.1.7 to §3.1.10, §4.3, §13.2).

mod address;
mod backoff;
mod error;
mod fields;
mod guard;
mod notifications;
mod page;
mod policy;
mod profile;
mod queue;
mod resolve;
mod sender;
mod settings;
mod turn;
mod web;
mod webhook_url;
mod worker;

pub use address::{Class, Network, NetworkError};
pub use error::WebhookError;
pub use notifications::PushNotifications;
pub use policy::{Danger, HostPattern, PushPolicy, WebhookRule};
pub use resolve::{Resolver, SystemResolver};
pub use settings::{AtOnce, PushSettings};
