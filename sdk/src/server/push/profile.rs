//! What a notification has beside the request of any agent, for both sides.

use http::HeaderName;

use crate::httpsig::{ComponentId, Profile};

/// The header fields that carry the token of a configuration. A2A names none; the SDKs are divided
/// between these two, so both are sent and each is taken.
pub(super) static TOKENS: [HeaderName; 2] = [
    HeaderName::from_static("a2a-notification-token"),
    HeaderName::from_static("x-a2a-notification-token"),
];

/// Names an event within its task.
pub(super) static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// How the signature names that field.
pub(super) const IDEMPOTENCY_COMPONENT: &str = "\"idempotency-key\"";

/// The profile that notifications are signed under: that of calls, and the event's name.
pub(super) fn notification_profile() -> Profile {
    match ComponentId::parse(IDEMPOTENCY_COMPONENT) {
        Ok(component) => Profile::a2a().covering(component),
        // It is an identifier; a test says so.
        Err(_) => Profile::a2a(),
    }
}
