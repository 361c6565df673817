//! The outbound pipeline: from an intent to an answer, each step only with the evidence of the last.

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, Method};
use http_body_util::Full;
use hyper::body::Incoming;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::answer::{self, EventStream};
use super::call::{Authority, Intent};
use super::connect::{Client, Peer};
use super::error::ClientError;
use super::plans::wanted_scopes;
use crate::a2a::jsonrpc::{self, Id};
use crate::a2a::{
    EVENT_STREAM, EXTENSIONS_HEADER, JSON, Operation, SendMessageRequest, VERSION, VERSION_HEADER,
};
use crate::audit::TraceContext;
use crate::card::{EXTENSION_URI, Plan};
use crate::crypto::random;
use crate::oauth::BoundToken;
use crate::token::Scopes;
use crate::workload::Snapshot;

// Known when this is compiled: a name from a text is checked and copied for every request.
const VERSION_NAME: HeaderName = HeaderName::from_static(VERSION_HEADER);
const EXTENSIONS_NAME: HeaderName = HeaderName::from_static(EXTENSIONS_HEADER);

/// How many header fields a call has, with those that signing and the connection add.
const HEADERS: usize = 12;

impl Client {
    /// The steps of a call, in their order.
    async fn perform(
        &self,
        intent: &Intent,
        operation: Operation,
        params: &impl Serialize,
    ) -> Result<http::Response<Incoming>, ClientError> {
        let workload = &self.0.workload;
        let own = workload.usable(workload.clock().now())?;
        // 1, 2: who is there, by its own card: over mutual TLS, signed, bound to the TLS peer.
        let kept = self.kept_card(&intent.peer).await?;
        // 3: which of the card's alternatives we can meet.
        let planned = kept.plans.of(intent, &kept.card, self.0.oauth.issuer())?;
        // 4: a token for this agent, bound to our certificate.
        let token = self.obtain(intent, &planned.plan, &planned.scopes).await?;
        // 5: the request in the binding's form.
        let body = Bytes::from(jsonrpc::request(
            &Id::from(answer::REQUEST_ID),
            operation,
            params,
        ));
        let mut request = http::Request::new(());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = planned.interface.clone();
        *request.headers_mut() = HeaderMap::with_capacity(HEADERS);
        let (mut parts, ()) = request.into_parts();
        let headers = &mut parts.headers;
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
        headers.insert(ACCEPT, accepts(operation));
        headers.insert(VERSION_NAME, HeaderValue::from_static(VERSION));
        if intent.skill.is_some() {
            // A2A §4.6: an extension that a message uses is named in the request.
            headers.insert(EXTENSIONS_NAME, HeaderValue::from_static(EXTENSION_URI));
        }
        intent.authority.trace().insert(headers);
        if let Some(token) = &token {
            headers.insert(AUTHORIZATION, token.authorization_header().clone());
        }
        // 6: signed last, over the final bytes.
        self.sign(&own, &intent.peer, &mut parts, &body)?;
        // 7: on a connection that proves the expected peer.
        let request = http::Request::from_parts(parts, Full::new(body));
        let sent = self.0.transport.send(intent.peer.endpoint(), request);
        let after = self.0.deadline;
        let received = tokio::time::timeout(after, sent)
            .await
            .map_err(|_| ClientError::Deadline { after })??;
        // 8: the answer, or the peer's refusal with its challenge.
        answer::accepted(received.response)
    }

    pub(super) async fn unary<T: DeserializeOwned>(
        &self,
        intent: &Intent,
        operation: Operation,
        params: &impl Serialize,
    ) -> Result<T, ClientError> {
        let response = self.perform(intent, operation, params).await?;
        let after = self.0.deadline;
        let body = answer::whole(response.into_body(), self.0.max_answer);
        let body = tokio::time::timeout(after, body)
            .await
            .map_err(|_| ClientError::Deadline { after })??;
        answer::result(&body)
    }

    /// The scopes that the card of `peer` demands for `skill`, or for its only skill.
    ///
    /// # Errors
    /// [`ClientError`] when the card cannot be had or has no such skill.
    pub async fn demanded_scopes(
        &self,
        peer: &Peer,
        skill: Option<&str>,
    ) -> Result<Scopes, ClientError> {
        let card = self.card(peer).await?;
        let intent = Intent {
            peer: peer.clone(),
            authority: Authority::Own,
            skill: skill.map(str::to_owned),
            scopes: None,
        };
        wanted_scopes(&intent, &card)
    }

    pub(super) async fn streaming(
        &self,
        intent: &Intent,
        request: &SendMessageRequest,
    ) -> Result<EventStream, ClientError> {
        let response = self
            .perform(intent, Operation::SendStreamingMessage, request)
            .await?;
        let after = self.0.deadline;
        let stream = EventStream::of(response, self.0.max_answer);
        tokio::time::timeout(after, stream)
            .await
            .map_err(|_| ClientError::Deadline { after })?
    }

    /// Signs with the certificate's key (design: the workload key signs requests).
    pub(super) fn sign(
        &self,
        own: &Snapshot,
        peer: &Peer,
        parts: &mut http::request::Parts,
        body: &[u8],
    ) -> Result<(), ClientError> {
        let signer = self.0.signer.of(own)?;
        let now = self.0.workload.clock().now();
        signer.1.sign(parts, peer.target(), body, now, random())?;
        Ok(())
    }

    async fn obtain(
        &self,
        intent: &Intent,
        plan: &Plan,
        scopes: &Scopes,
    ) -> Result<Option<BoundToken>, ClientError> {
        let Some(named) = plan.issuer() else {
            return Ok(None);
        };
        let oauth = &self.0.oauth;
        if named != oauth.issuer() {
            return Err(ClientError::Issuer {
                named: named.to_owned(),
                known: oauth.issuer().to_owned(),
            });
        }
        let audience = plan.audience();
        let token = match &intent.authority {
            Authority::Own => oauth.app_token(audience, scopes).await?,
            Authority::User(grant) => oauth.exchange_grant(grant, audience, scopes).await?,
            Authority::Caller(admitted) => {
                let inbound = admitted.caller().token();
                oauth.exchange(inbound, audience, scopes).await?
            }
        };
        Ok(Some(token))
    }
}

impl Authority {
    /// The trace this call belongs to (W3C Trace Context): the inbound call's, or a new one.
    fn trace(&self) -> TraceContext {
        match self {
            Self::Caller(admitted) => TraceContext::within(admitted.record().trace_id),
            Self::Own | Self::User(_) => TraceContext::fresh(),
        }
    }
}

fn accepts(operation: Operation) -> HeaderValue {
    HeaderValue::from_static(if operation.is_streaming() {
        EVENT_STREAM
    } else {
        JSON
    })
}
