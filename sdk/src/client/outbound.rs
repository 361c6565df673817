//! The outbound pipeline: from an intent to an answer, each step only with the evidence of the last.

use http::header::AUTHORIZATION;
use http_body_util::Full;
use hyper::body::Incoming;

use super::answer;
use super::binding::{Binding, JsonRpc};
use super::call::{Authority, Intent};
use super::connect::{Client, Peer};
use super::current::CallScope;
use super::error::ClientError;
use super::plans::wanted_scopes;
use super::stream::EventStream;
use crate::a2a::{Request, Response, ServiceParameters, VERSION};
use crate::audit::TraceContext;
use crate::card::{EXTENSION_URI, Plan};
use crate::crypto::random;
use crate::oauth::BoundToken;
use crate::token::Scopes;
use crate::workload::Snapshot;

/// The head of an answer, and the binding that reads the rest.
type Begun = (&'static dyn Binding, http::Response<Incoming>);

impl Client {
    /// The steps of a call, in their order.
    async fn perform(
        &self,
        intent: &Intent,
        request: &Request,
        scope: &CallScope,
    ) -> Result<Begun, ClientError> {
        let workload = &self.0.workload;
        let own = workload.usable(workload.clock().now())?;
        // 1, 2: who is there, by its own card: over mutual TLS, signed, bound to the TLS peer.
        let kept = self.kept_card(&intent.peer).await?;
        // 3: which of the card's alternatives we can meet.
        let planned = kept.plans.of(intent, &kept.card, self.0.oauth.issuer())?;
        // 4: a token for this agent, bound to our certificate.
        let token = self.obtain(intent, &planned.plan, &planned.scopes).await?;
        // 5: the request in the binding's form.
        let binding: &'static dyn Binding = &JsonRpc;
        let parameters = intent.parameters();
        let left = scope.deadline.map(|_| scope.left(self.0.deadline));
        let outgoing = binding.write(request, &planned.interface, &parameters, left)?;
        let mut request = http::Request::new(());
        *request.method_mut() = outgoing.method;
        *request.uri_mut() = outgoing.uri;
        *request.headers_mut() = outgoing.headers;
        let (mut parts, ()) = request.into_parts();
        intent.authority.trace().insert(&mut parts.headers);
        if let Some(token) = &token {
            let value = token.authorization_header().clone();
            parts.headers.insert(AUTHORIZATION, value);
        }
        // 6: signed last, over the final bytes.
        self.sign(&own, &intent.peer, &mut parts, &outgoing.body)?;
        // 7: on a connection that proves the expected peer.
        let request = http::Request::from_parts(parts, Full::new(outgoing.body));
        let sent = self.0.transport.send(intent.peer.endpoint(), request);
        Ok((binding, sent.await?.response))
    }

    /// Makes a call that is answered once.
    pub(super) async fn unary(
        &self,
        intent: &Intent,
        request: &Request,
    ) -> Result<Response, ClientError> {
        let scope = CallScope::current();
        let max = self.0.max_answer;
        let call = async {
            let (binding, response) = self.perform(intent, request, &scope).await?;
            // 8: the answer, or the peer's refusal with its challenge.
            binding.read(request.operation(), &answer::told(response, max).await?)
        };
        scope.bounded(self.0.deadline, call).await
    }

    /// Makes a call that is answered with a stream.
    pub(super) async fn streaming(
        &self,
        intent: &Intent,
        request: &Request,
    ) -> Result<EventStream, ClientError> {
        let scope = CallScope::current();
        let max = self.0.max_answer;
        let call = async {
            let (binding, response) = self.perform(intent, request, &scope).await?;
            EventStream::of(binding, response, max).await
        };
        scope.bounded(self.0.deadline, call).await
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

impl Intent {
    /// What goes beside the request.
    fn parameters(&self) -> ServiceParameters {
        // A2A §4.6: an extension that a message uses is named in the request.
        let used = self.skill.is_some().then(|| EXTENSION_URI.to_owned());
        ServiceParameters {
            version: Some(VERSION.to_owned()),
            extensions: used.into_iter().collect(),
        }
    }
}
