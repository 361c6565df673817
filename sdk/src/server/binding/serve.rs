//! The way of a call through any binding: prove, read, check, act, answer.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::Request;
use axum::response::Response;
use http::HeaderValue;
use http::request::Parts;
use serde_json::Value;

use super::super::handler::{Events, Reply, RequestHandler, ServerCallContext};
use super::super::inbound::{Inbound, Limits, read_body};
use super::super::lifetime;
use super::super::refusal::Refusal;
use super::super::requester::Requester;
use super::{Binding, Call};
use crate::a2a::{
    self, A2aError, AgentExtension, EXTENSIONS_HEADER, ErrorKind, Message, Operation,
};
use crate::card::EXTENSION_URI;
use crate::clock::UnixTime;
use crate::policy::{Action, Owner};

/// What all bindings of an agent share.
pub(in crate::server) struct Front {
    /// Who is let in.
    pub(in crate::server) gate: Gate,
    /// What requests are held to.
    pub(in crate::server) terms: Terms,
    /// What answers them.
    pub(in crate::server) handler: Arc<dyn RequestHandler>,
}

/// Who is let in.
pub(in crate::server) enum Gate {
    /// Callers whose every proof is checked.
    Proving(Box<Inbound>),
    /// Anybody; made behind `danger()` only.
    Open(Limits),
}

impl Gate {
    /// Lets one request in: steps 1 to 7, or none of them.
    async fn enter(
        &self,
        parts: &Parts,
        body: axum::body::Body,
        classify: impl FnOnce(&Parts, &[u8]) -> Result<(Action, Call), A2aError>,
    ) -> Result<(Requester, Owner, Call), Refusal> {
        match self {
            Self::Proving(inbound) => {
                // Boxed: the pipeline is large, and whoever serves a call moves it around.
                let received = Box::pin(inbound.receive(parts, body, classify));
                let (admitted, _, call) = received.await?;
                let owner = admitted.owner().clone();
                Ok((Requester::Proved(Arc::new(admitted)), owner, call))
            }
            Self::Open(limits) => {
                let body = read_body(body, *limits).await?;
                let (_, call) = classify(parts, &body)?;
                Ok((Requester::Unauthenticated, Owner::unauthenticated(), call))
            }
        }
    }

    /// `events` for as long as the requester's proofs are good, if there are any.
    fn bounded(&self, events: Events, until: Option<UnixTime>) -> Events {
        match (self, until) {
            (Self::Proving(inbound), Some(until)) => {
                lifetime::bounded(events, until, inbound.clock().clone())
            }
            _ => events,
        }
    }
}

/// What a request is held to besides its proofs: what the card says of tenants, extensions, skills.
#[derive(Clone, Debug, Default)]
pub(in crate::server) struct Terms {
    /// The tenants that interfaces name; a request names one of them or none.
    pub(in crate::server) tenants: Vec<String>,
    /// The extensions that the card declares, besides our own.
    pub(in crate::server) extensions: Vec<AgentExtension>,
    /// The skills, by their IDs.
    pub(in crate::server) skills: Vec<String>,
    /// Whether requests of 0.3 are taken too.
    pub(in crate::server) v03: bool,
}

impl Terms {
    /// What `call` asks the policy for, and the extensions that are in force.
    pub(in crate::server) fn check(&self, call: &Call) -> Result<(Action, Vec<String>), A2aError> {
        if let Some(tenant) = call.request.tenant()
            && !self.tenants.iter().any(|known| known == tenant)
        {
            let why = "is no tenant of this agent";
            return Err(A2aError::invalid_param("tenant", why));
        }
        let named = &call.parameters.extensions;
        // A2A §4.6.3: a required extension that the client does not name refuses the call.
        let mut required = self.extensions.iter().filter(|known| known.required);
        if let Some(missing) = required.find(|needed| !named.contains(&needed.uri)) {
            let message = format!("The extension {} is required", missing.uri);
            let error = A2aError::new(ErrorKind::ExtensionSupportRequired, message);
            return Err(error.with_metadata("requiredExtension", &*missing.uri));
        }
        let ours = |uri: &String| {
            uri == EXTENSION_URI || self.extensions.iter().any(|known| known.uri == *uri)
        };
        let active = named.iter().filter(|uri| ours(uri)).cloned().collect();
        let mut action = Action::new(call.request.operation());
        if let a2a::Request::SendMessage(asked) | a2a::Request::SendStreamingMessage(asked) =
            &call.request
        {
            action.skill = self.skill_of(&asked.message)?;
            // A role without that operation does not get it by another way.
            let configuration = asked.configuration.as_ref();
            if configuration.is_some_and(|c| c.task_push_notification_config.is_some()) {
                action.also = Some(Operation::CreateTaskPushNotificationConfig);
            }
        }
        Ok((action, active))
    }

    /// The skill that a message names, or the only one there is.
    fn skill_of(&self, message: &Message) -> Result<Option<String>, A2aError> {
        let field = "message.metadata.skill";
        let wrong = |why| Err(A2aError::invalid_param(field, why));
        let ours = match message.metadata.get(EXTENSION_URI) {
            None => None,
            Some(Value::Object(ours)) => ours.get("skill"),
            Some(_) => return wrong("stands in what is not an object"),
        };
        match (ours, self.skills.as_slice()) {
            (Some(Value::String(skill)), _) => Ok(Some(skill.clone())),
            (Some(_), _) => wrong("is not a text"),
            (None, [only]) => Ok(Some(only.clone())),
            (None, _) => Ok(None),
        }
    }
}

/// Serves one request by `binding`.
pub(in crate::server) async fn serve<B: Binding>(
    front: &Front,
    binding: &B,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let came = Instant::now();
    // Kept outside: an error of the protocol names the request it answers.
    let mut exchange = B::Exchange::default();
    let mut active = Vec::new();
    let classify = |parts: &Parts, body: &[u8]| {
        let call = binding.read(parts, body, &mut exchange)?;
        let (action, extensions) = front.terms.check(&call)?;
        active = extensions;
        Ok((action, call))
    };
    let mut response = match front.gate.enter(&parts, body, classify).await {
        Ok((requester, owner, call)) => {
            let owner = owner.at_tenant(call.request.tenant());
            let until = requester.proved().map(lifetime::end_of_proof);
            let deadline = call.time_left.and_then(|left| came.checked_add(left));
            let context = ServerCallContext::new(requester, owner, call.parameters, deadline);
            match front.handler.handle(context, call.request).await {
                Ok(Reply::Response(answer)) => binding.response(&exchange, &answer),
                Ok(Reply::Events(events)) => {
                    binding.events(exchange, front.gate.bounded(events, until))
                }
                Err(error) => binding.error(&exchange, &error),
            }
        }
        Err(Refusal::Protocol(error)) => binding.error(&exchange, &error),
        Err(refusal) => binding.refusal(&exchange, &refusal),
    };
    // A2A §3.2.6: what is in force is told.
    if !active.is_empty()
        && let Ok(value) = HeaderValue::try_from(active.join(", "))
    {
        response.headers_mut().insert(EXTENSIONS_HEADER, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::a2a::{
        ListTasksRequest, Part, SendMessageConfiguration, SendMessageRequest, ServiceParameters,
        TaskPushNotificationConfig,
    };

    fn terms() -> Terms {
        let extension = |uri: &str, required| AgentExtension {
            uri: uri.to_owned(),
            required,
            ..AgentExtension::default()
        };
        Terms {
            tenants: vec!["acme".into()],
            extensions: vec![extension("urn:must", true), extension("urn:may", false)],
            skills: vec!["work".into(), "rest".into()],
            v03: false,
        }
    }

    fn call(tenant: Option<&str>, extensions: &[&str]) -> Call {
        let mut request = a2a::Request::ListTasks(ListTasksRequest::default());
        request.set_tenant(tenant.map(str::to_owned));
        let extensions = extensions.iter().map(|&uri| uri.to_owned()).collect();
        let version = Some("1.0".to_owned());
        Call::new(
            request,
            ServiceParameters {
                version,
                extensions,
            },
        )
    }

    #[test]
    fn tenants_and_extensions_are_those_of_the_card() {
        type Case<'a> = (
            Option<&'a str>,
            &'a [&'a str],
            Result<&'a [&'a str], ErrorKind>,
        );
        let cases: [Case<'_>; 7] = [
            (None, &["urn:must"], Ok(&["urn:must"])),
            (Some("acme"), &["urn:must"], Ok(&["urn:must"])),
            (Some("Acme"), &["urn:must"], Err(ErrorKind::InvalidParams)),
            (None, &[], Err(ErrorKind::ExtensionSupportRequired)),
            (None, &["urn:may"], Err(ErrorKind::ExtensionSupportRequired)),
            (
                None,
                &["urn:may", "urn:unknown", EXTENSION_URI, "urn:must"],
                Ok(&["urn:may", EXTENSION_URI, "urn:must"]),
            ),
            (None, &["urn:must", "urn:else"], Ok(&["urn:must"])),
        ];
        for (tenant, named, want) in cases {
            let got = terms().check(&call(tenant, named));
            let got = got.map(|(_, active)| active).map_err(|error| error.kind());
            let want = want.map(|uris| uris.iter().map(|&uri| uri.to_owned()).collect());
            assert_eq!(got, want, "{tenant:?} {named:?}");
        }
    }

    #[test]
    fn a_push_configuration_that_comes_with_a_message_is_asked_for_too() {
        let terms = Terms::default();
        for push in [None, Some(TaskPushNotificationConfig::default())] {
            let want = push
                .is_some()
                .then_some(Operation::CreateTaskPushNotificationConfig);
            let mut asked = SendMessageRequest::new(Message::user(Part::text("go")));
            asked.configuration = Some(SendMessageConfiguration {
                task_push_notification_config: push,
                ..SendMessageConfiguration::default()
            });
            for request in [
                a2a::Request::SendMessage(asked.clone()),
                a2a::Request::SendStreamingMessage(asked.clone()),
            ] {
                let call = Call::new(request, ServiceParameters::default());
                let (action, _) = terms.check(&call).expect("a good call");
                assert_eq!(action.also, want);
            }
        }
    }

    #[test]
    fn a_message_names_its_skill_unless_there_is_only_one() {
        let one = Terms {
            skills: vec!["work".into()],
            ..Terms::default()
        };
        let named = json!({ "skill": "rest" });
        for (terms, about, want) in [
            (&one, None, Ok(Some("work"))),
            (&one, Some(named.clone()), Ok(Some("rest"))),
            (&terms(), Some(named), Ok(Some("rest"))),
            (&terms(), None, Ok(None)),
            (&one, Some(json!({ "skill": 1 })), Err(())),
            (
                &one,
                Some(json!({ "deadline": "2026-11-22T14:00:00Z" })),
                Ok(Some("work")),
            ),
            (&terms(), Some(json!({})), Ok(None)),
            (&one, Some(json!("work")), Err(())),
        ] {
            let mut message = Message::user(Part::text("go"));
            if let Some(about) = &about {
                message.metadata.insert(EXTENSION_URI.into(), about.clone());
            }
            let asked = SendMessageRequest::new(message);
            let got = terms.skill_of(&asked.message).map_err(drop);
            assert_eq!(got, want.map(|id| id.map(str::to_owned)), "{about:?}");
        }
    }
}
