//! What an agent asks for when a task waits for an authorization (A2A §7.6).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::EXTENSION_URI;
use crate::a2a::{Message, StreamResponse, Struct, Task, TaskState, TaskStatus, new_id};
use crate::token::Scopes;

/// The member of the extension's metadata that carries the request.
const MEMBER: &str = "authorizationRequest";

/// What a task in `TASK_STATE_AUTH_REQUIRED` waits for: a token with more scopes.
///
/// A2A defines no form for it, so it is carried in the status message's metadata under
/// [`EXTENSION_URI`]. It is answered by a message to the same task whose request brings such a token
/// in `Authorization`, never in its parts; or out of band. It is a question and gives no right.
///
/// ```
/// use countersign::a2a::{Message, Part};
/// use countersign::card::AuthorizationRequest;
///
/// let request = AuthorizationRequest::new("trip:pay".parse()?, "The train costs 80 euros");
/// let message = request.write_to(Message::agent(Part::text("May I pay?")));
/// assert_eq!(AuthorizationRequest::of(&message), Some(request));
/// # Ok::<(), countersign::token::ScopeError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizationRequest {
    /// Tells it from other requests.
    pub id: String,
    /// What the token must grant.
    pub scopes: Scopes,
    /// Who will act with that authority in the end, when it is not the agent that asks. It is for
    /// whoever decides: the token that answers is for the agent that asks, always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// Why, for people.
    pub reason: String,
}

impl AuthorizationRequest {
    /// Asks for `scopes`, under a fresh ID.
    pub fn new(scopes: Scopes, reason: impl Into<String>) -> Self {
        Self {
            id: new_id(),
            scopes,
            audience: None,
            reason: reason.into(),
        }
    }

    /// The same request, saying who will act in the end: an agent further on.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    /// The request that a message carries, if it carries one that can be read.
    pub fn of(message: &Message) -> Option<Self> {
        let carried = message.metadata.get(EXTENSION_URI)?.get(MEMBER)?;
        let read = Self::deserialize(carried).ok();
        read.filter(|request| !request.id.is_empty() && !request.scopes.is_empty())
    }

    /// The request that a task waits for, if it waits for one.
    pub fn of_task(task: &Task) -> Option<Self> {
        Self::of_status(&task.status)
    }

    /// The request that an event tells of, if it tells of one.
    pub fn of_event(event: &StreamResponse) -> Option<Self> {
        match event {
            StreamResponse::Task(task) => Self::of_task(task),
            StreamResponse::StatusUpdate(update) => Self::of_status(&update.status),
            StreamResponse::Message(_) | StreamResponse::ArtifactUpdate(_) => None,
        }
    }

    fn of_status(status: &TaskStatus) -> Option<Self> {
        let waits = status.state == TaskState::AuthRequired;
        Self::of(status.message.as_ref().filter(|_| waits)?)
    }

    /// The same message with this request.
    #[must_use]
    pub fn write_to(&self, mut message: Message) -> Message {
        let Ok(written) = serde_json::to_value(self) else {
            return message;
        };
        let place = message.metadata.entry(EXTENSION_URI);
        let place = place.or_insert_with(|| Value::Object(Struct::new()));
        if let Value::Object(members) = place {
            members.insert(MEMBER.to_owned(), written);
        }
        if !message.extensions.iter().any(|uri| uri == EXTENSION_URI) {
            message.extensions.push(EXTENSION_URI.to_owned());
        }
        message
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::a2a::Part;

    fn request() -> AuthorizationRequest {
        let scopes = "trip:pay trip:read".parse().expect("scopes");
        AuthorizationRequest::new(scopes, "It costs 80 euros").audience("spiffe://a.test/agent/pay")
    }

    #[test]
    fn a_request_travels_in_the_metadata_of_its_message_and_nowhere_else() {
        let request = request();
        let mut message = Message::agent(Part::text("May I?"));
        message
            .metadata
            .insert(EXTENSION_URI.into(), json!({"skill": "pay"}));
        let message = request.write_to(message);
        assert_eq!(AuthorizationRequest::of(&message), Some(request.clone()));
        let carried = &message.metadata[EXTENSION_URI];
        assert_eq!(carried["skill"], "pay");
        assert_eq!(carried[MEMBER]["scopes"], "trip:pay trip:read");
        assert_eq!(message.extensions, [EXTENSION_URI]);
        assert_eq!(request.write_to(message.clone()), message, "once is enough");
    }

    #[test]
    fn only_a_task_that_waits_for_an_authorization_has_a_request() {
        let message = request().write_to(Message::agent(Part::text("May I?")));
        for (state, waits) in [
            (TaskState::AuthRequired, true),
            (TaskState::InputRequired, false),
            (TaskState::Working, false),
        ] {
            let status = TaskStatus {
                state,
                message: Some(message.clone()),
                timestamp: None,
            };
            let task = Task::new("t-1", "c-1", status);
            let read = AuthorizationRequest::of_event(&StreamResponse::Task(task));
            assert_eq!(read.is_some(), waits, "{state}");
        }
    }

    #[test]
    fn what_is_no_request_reads_as_none() {
        let good = request().write_to(Message::agent(Part::text("May I?")));
        for (name, value) in [
            ("another type", json!("trip:pay")),
            ("no ID", json!({"scopes": "a", "reason": "b"})),
            (
                "an empty ID",
                json!({"id": "", "scopes": "a", "reason": "b"}),
            ),
            ("no scopes", json!({"id": "1", "scopes": "", "reason": "b"})),
            (
                "bad scopes",
                json!({"id": "1", "scopes": "a  b", "reason": "c"}),
            ),
        ] {
            let mut message = good.clone();
            message.metadata[EXTENSION_URI][MEMBER] = value;
            assert_eq!(AuthorizationRequest::of(&message), None, "{name}");
        }
        assert_eq!(
            AuthorizationRequest::of(&Message::agent(Part::text("x"))),
            None
        );
    }
}
