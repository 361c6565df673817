//! Push notifications (A2A §3.1.7 to §3.1.10, §4.3, §13.2).

mod address;
mod backoff;
mod error;
mod expected;
mod fields;
mod guard;
mod notification;
mod notifications;
mod page;
mod policy;
mod profile;
mod queue;
mod receiver;
mod resolve;
mod sender;
mod settings;
#[cfg(test)]
mod tests;
mod turn;
mod unwelcome;
mod web;
mod webhook_url;
mod worker;

pub use address::{Class, Network, NetworkError};
pub use error::WebhookError;
pub use notification::{
    NotTaken, Notification, NotificationHandler, NotificationSender, PinnedKeys, SenderDanger,
};
pub use notifications::PushNotifications;
pub use policy::{Danger, HostPattern, PushPolicy, WebhookRule};
pub use receiver::{NotificationReceiver, TooManyExpected};
pub use resolve::{Resolver, SystemResolver};
pub use settings::{AtOnce, PushSettings};
