//! One notification: written, signed, sent to an address that was checked, and its answer.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName};
use http::{HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;

use super::error::{DeliveryError, WebhookError};
use super::fields::SecretFields;
use super::guard::{Guard, Webhook};
use super::policy::Proof;
use super::profile::{IDEMPOTENCY_KEY, TOKENS, notification_profile};
use super::settings::PushSettings;
use super::web::{Connection, Web};
use crate::a2a::{A2A_JSON, VERSION, VERSION_HEADER};
use crate::client::{Client, CurrentSigner};
use crate::crypto::random;
use crate::id::SpiffeId;
use crate::server::store::{PushDelivery, StoredEvent};
use crate::tls::{Endpoint, TlsError, Transport, Waiting};

const VERSION_NAME: HeaderName = HeaderName::from_static(VERSION_HEADER);

/// How much of an answer's body is read, so that the connection can be used again.
const MAX_ANSWER: usize = 64 << 10;
/// And for how long.
const ANSWER_TIME: Duration = Duration::from_millis(500);

/// Sends notifications as one workload.
pub(super) struct Sender {
    guard: Guard,
    /// None for an agent without an identity of its own: what it sends is not signed.
    own: Option<(Transport, CurrentSigner)>,
    web: Web,
    timeout: Duration,
}

impl Sender {
    pub(super) fn new(settings: &PushSettings, client: Option<&Client>) -> Self {
        let (policy, resolver) = (settings.policy.clone(), settings.resolver.clone());
        Self {
            guard: Guard::new(policy, resolver),
            own: client.map(|client| {
                let signer = client.signer().under(notification_profile());
                (client.transport().clone(), signer)
            }),
            web: Web::new(settings.roots.clone()),
            timeout: settings.timeout,
        }
    }

    pub(super) fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Whether we have what the receiver asks of us: an agent is called by nobody without an identity.
    pub(super) fn can_prove(&self, webhook: &Webhook) -> Result<(), WebhookError> {
        match (webhook.proof(), &self.own) {
            (Proof::Agent(_), None) => Err(WebhookError::NotAllowed {
                origin: webhook.url().to_string(),
                why: "it is an agent, and this one has no identity to call it with",
            }),
            _ => Ok(()),
        }
    }

    /// How long one attempt takes at most.
    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Posts `event`, and gives the status of the answer. `kept` is the connection of the event
    /// before, and of the next.
    pub(super) async fn send(
        &self,
        delivery: &PushDelivery,
        event: &StoredEvent,
        kept: &mut Option<Connection>,
    ) -> Result<StatusCode, DeliveryError> {
        let attempt = self.attempt(delivery, event, kept);
        let done = tokio::time::timeout(self.timeout, attempt).await;
        done.unwrap_or(Err(DeliveryError::Timeout(self.timeout)))
    }

    async fn attempt(
        &self,
        delivery: &PushDelivery,
        event: &StoredEvent,
        kept: &mut Option<Connection>,
    ) -> Result<StatusCode, DeliveryError> {
        // Taken out: a connection whose request was not answered whole is not used again.
        let before = kept.take();
        let webhook = self
            .guard
            .check(&delivery.config.url, &delivery.owner)
            .await?;
        self.can_prove(&webhook)?;
        let request = self.request(delivery, event, &webhook)?;
        let (response, connection) = match webhook.proof() {
            Proof::Agent(id) => (self.to_agent(&webhook, id, request).await?, None),
            Proof::Web | Proof::Nothing => {
                let mut connection = match before.filter(|c| c.serves(&webhook)) {
                    Some(connection) => connection,
                    None => self.web.connect(&webhook).await?,
                };
                let response = connection.send(&webhook, request).await?;
                (response, Some(connection))
            }
        };
        let status = response.status();
        if read_out(response.into_body()).await {
            *kept = connection;
        }
        Ok(status)
    }

    /// A2A §4.3.3, signed last.
    fn request(
        &self,
        delivery: &PushDelivery,
        event: &StoredEvent,
        webhook: &Webhook,
    ) -> Result<Request<Full<Bytes>>, DeliveryError> {
        // An event is made of texts, numbers and maps with text keys, which are always JSON.
        let body = Bytes::from(serde_json::to_vec(&*event.event).unwrap_or_default());
        let (mut parts, ()) = Request::new(()).into_parts();
        parts.method = Method::POST;
        parts.uri = Uri::from(webhook.url().target.clone());
        let headers = &mut parts.headers;
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(A2A_JSON));
        headers.insert(VERSION_NAME, HeaderValue::from_static(VERSION));
        headers.insert(&IDEMPOTENCY_KEY, key_of(event));
        let secrets = SecretFields::of(&delivery.config)?;
        if let Some(authorization) = secrets.authorization {
            headers.insert(AUTHORIZATION, authorization);
        }
        if let Some(token) = secrets.token {
            for name in &TOKENS {
                headers.insert(name, token.clone());
            }
        }
        if let Some((transport, signer)) = &self.own {
            let workload = transport.workload();
            let now = workload.clock().now();
            let own = workload.usable(now)?;
            let signer = signer.of(&own)?;
            let origin = webhook.url().origin();
            signer.1.sign(&mut parts, &origin, &body, now, random())?;
        }
        Ok(Request::from_parts(parts, Full::new(body)))
    }

    /// Over mutual TLS, at the addresses that were checked, to this agent and nobody else.
    async fn to_agent(
        &self,
        webhook: &Webhook,
        id: &SpiffeId,
        request: Request<Full<Bytes>>,
    ) -> Result<http::Response<Incoming>, DeliveryError> {
        let rule = "cannot be called";
        let (transport, _) = self.own.as_ref().ok_or(WebhookError::Url { rule })?;
        let base: Result<Uri, _> = webhook.url().to_string().parse();
        let base = base.map_err(|_| WebhookError::Url { rule })?;
        let endpoint = Endpoint::new(base, id.clone())?;
        let (parts, body) = request.into_parts();
        let mut last = None;
        for address in webhook.addresses() {
            let request = Request::from_parts(parts.clone(), body.clone());
            match transport
                .send(&endpoint.clone().at(*address), request)
                .await
            {
                Ok(received) => return Ok(received.response),
                Err(error) if is_unreachable(&error) => last = Some(error),
                Err(error) => return Err(error.into()),
            }
        }
        Err(last.map_or(WebhookError::Url { rule }.into(), DeliveryError::from))
    }
}

/// Nobody answered at this address, so the next one may be tried.
fn is_unreachable(error: &TlsError) -> bool {
    matches!(
        error,
        TlsError::Connect { .. }
            | TlsError::Timeout {
                waiting: Waiting::Connecting,
                ..
            }
    )
}

/// The number of an event within its task names it, however often it is sent
/// (draft-ietf-httpapi-idempotency-key-header: a string of RFC 9651).
fn key_of(event: &StoredEvent) -> HeaderValue {
    let text = format!("\"{}\"", event.number);
    // Digits and quotes are a value.
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("\"0\""))
}

/// Whether the body ended within its limits. What the answer says is in its head, so a body that does
/// not end makes no delivery fail; it costs the connection.
async fn read_out(body: Incoming) -> bool {
    let read = Limited::new(body, MAX_ANSWER).collect();
    let read = tokio::time::timeout(ANSWER_TIME, read).await;
    read.is_ok_and(|read| read.is_ok())
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("guard", &self.guard)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
