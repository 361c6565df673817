//! The outbound pipeline: from an intent to an answer, each step only with the evidence of the last.

use std::time::Duration;

use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, Uri};
use http_body_util::Full;
use hyper::body::Incoming;

use super::attempt::Attempt;
use super::binding::{Binding, Outgoing, speaker};
use super::call::{Authority, Intent};
use super::connect::Client;
use super::credentials::{self, CredentialRequest};
use super::current::CallScope;
use super::error::ClientError;
use super::intercept::BeforeCall;
use super::peer::Peer;
use super::plans::Planned;
use crate::a2a::{Request, ServiceParameters};
use crate::audit::TraceContext;
use crate::card::{EXTENSION_URI, Plan, VerifiedCard};
use crate::crypto::random;
use crate::oauth::{BoundToken, Whom};
use crate::svid::PeerIdentity;
use crate::token::Scopes;
use crate::workload::Snapshot;

/// The head of an answer, the binding that reads the rest, and who gave it.
pub(super) struct Begun {
    pub(super) binding: &'static dyn Binding,
    pub(super) response: http::Response<Incoming>,
    pub(super) peer: PeerIdentity,
}

/// What goes with a request beside what its binding wrote.
struct Carried<'a> {
    own: &'a Snapshot,
    card: &'a VerifiedCard,
    planned: &'a Planned,
    token: Option<&'a BoundToken>,
    headers: HeaderMap,
    trace: TraceContext,
}

impl Client {
    /// The steps of a call, in their order.
    pub(super) async fn perform(
        &self,
        intent: &Intent,
        request: &mut Request,
        scope: &CallScope,
        attempt: &mut Attempt,
    ) -> Result<Begun, ClientError> {
        let workload = &self.0.workload;
        let own = workload.usable(workload.clock().now())?;
        // 1, 2: who is there, by its own card: over mutual TLS, signed, bound to the TLS peer.
        let kept = match intent.extended.of(&intent.peer, self) {
            Some(extended) => extended,
            None => self.kept_card(&intent.peer).await?,
        };
        // 3: which of the card's alternatives we can meet, and at which interface.
        let planned = self.planned(intent, &kept).await?;
        let protocol = planned.plan.protocol();
        let binding = speaker(protocol).ok_or(ClientError::NotInBinding {
            operation: request.operation(),
            binding: protocol.binding.as_str(),
        })?;
        // 4: a token for this agent, bound to our certificate.
        let rejected = attempt.rejected.as_ref();
        let token = self.obtain(intent, &planned, rejected).await?;
        attempt.token.clone_from(&token);
        // 5: the request in the binding's form. A2A §4.4.6: the interface's tenant is echoed.
        request.set_tenant(planned.plan.tenant().map(str::to_owned));
        let parameters = ServiceParameters {
            version: Some(protocol.version.as_str().to_owned()),
            extensions: intent.extensions(request),
        };
        let left = scope.deadline.map(|_| scope.left(Duration::MAX));
        let outgoing = binding.write(request, &planned.interface, &parameters, left)?;
        let carried = Carried {
            own: &own,
            card: &kept.card,
            planned: &planned,
            token: token.as_ref(),
            headers: self.intercepted(intent, request).await?,
            trace: intent.authority.trace(scope),
        };
        // 6, 7: signed last, and sent on a connection that proves the expected peer.
        let begun = self.send(intent, binding, outgoing, &carried).await?;
        let status = begun.response.status();
        attempt.status = Some(status);
        let at = &planned.interface;
        match binding.otherwise(request, at, &parameters, status) {
            None => Ok(begun),
            Some(other) => {
                let begun = self.send(intent, binding, other, &carried).await?;
                attempt.status = Some(begun.response.status());
                Ok(begun)
            }
        }
    }

    async fn send(
        &self,
        intent: &Intent,
        binding: &'static dyn Binding,
        outgoing: Outgoing,
        carried: &Carried<'_>,
    ) -> Result<Begun, ClientError> {
        let mut request = http::Request::new(());
        *request.method_mut() = outgoing.method;
        // The host is the peer's, whatever way the card writes it; so no error can quote a URL.
        let target = outgoing.uri.into_parts().path_and_query;
        *request.uri_mut() = target.map(Uri::from).unwrap_or_default();
        *request.headers_mut() = outgoing.headers;
        *request.version_mut() = outgoing.version;
        let (mut parts, ()) = request.into_parts();
        carried.trace.insert(&mut parts.headers);
        for (name, value) in &carried.headers {
            parts.headers.insert(name, value.clone());
        }
        if let Some(token) = carried.token {
            let value = token.authorization_header().clone();
            parts.headers.insert(AUTHORIZATION, value);
        }
        self.place_credentials(&mut parts, carried).await?;
        self.sign(carried.own, &intent.peer, &mut parts, &outgoing.body)?;
        let request = http::Request::from_parts(parts, Full::new(outgoing.body));
        let sent = self.0.transport.send(intent.peer.endpoint(), request);
        let received = sent.await?;
        Ok(Begun {
            binding,
            response: received.response,
            peer: received.peer,
        })
    }

    /// The keys and passwords that the plan has, each in its place.
    async fn place_credentials(
        &self,
        parts: &mut Parts,
        carried: &Carried<'_>,
    ) -> Result<(), ClientError> {
        for (name, place) in carried.planned.plan.credentials() {
            let missing = || ClientError::Credential {
                scheme: name.clone(),
                what: "is not held any more",
            };
            let scheme = carried.card.card().security_schemes.get(name);
            let asked = CredentialRequest {
                card: carried.card,
                scheme_name: name,
                scheme: scheme.ok_or_else(missing)?,
                interface: &carried.planned.interface,
            };
            let provider = self.0.credentials.as_ref().ok_or_else(missing)?;
            let secret = provider.get_credentials(asked).await;
            credentials::place(parts, name, place, &secret.ok_or_else(missing)?)?;
        }
        Ok(())
    }

    /// The headers that the application adds.
    async fn intercepted(
        &self,
        intent: &Intent,
        request: &Request,
    ) -> Result<HeaderMap, ClientError> {
        let mut call = BeforeCall {
            peer: &intent.peer,
            request,
            headers: HeaderMap::new(),
        };
        for interceptor in &self.0.interceptors {
            interceptor.before(&mut call).await?;
        }
        Ok(call.headers)
    }

    /// The scopes that the card of `peer` demands for `skill`, or for its only skill.
    ///
    /// # Errors
    /// [`ClientError`] when the card cannot be had, has no such skill or demands what we do not
    /// hold.
    pub async fn demanded_scopes(
        &self,
        peer: impl AsRef<Peer>,
        skill: Option<&str>,
    ) -> Result<Scopes, ClientError> {
        let mut intent = Intent::new(peer.as_ref(), Authority::Own);
        intent.skill = skill.map(str::to_owned);
        let kept = self.kept_card(&intent.peer).await?;
        Ok(self.planned(&intent, &kept).await?.scopes.clone())
    }

    /// Signs with the certificate's key (design: the workload key signs requests).
    pub(super) fn sign(
        &self,
        own: &Snapshot,
        peer: &Peer,
        parts: &mut Parts,
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
        planned: &Planned,
        rejected: Option<&BoundToken>,
    ) -> Result<Option<BoundToken>, ClientError> {
        let plan: &Plan = &planned.plan;
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
        let whom = match &intent.authority {
            Authority::Own => Whom::Own,
            Authority::User(grant) => Whom::User(grant),
            Authority::Caller(admitted) => Whom::Caller(admitted.caller().token()),
        };
        let (audience, scopes) = (plan.audience(), &planned.scopes);
        let token = oauth.token_for(whom, audience, scopes, rejected).await?;
        Ok(Some(token))
    }
}

impl Authority {
    /// The trace this call belongs to (W3C Trace Context): the inbound call's, or a new one.
    fn trace(&self, scope: &CallScope) -> TraceContext {
        let inbound = match self {
            Self::Caller(admitted) => Some(admitted),
            Self::Own | Self::User(_) => scope.admitted.as_ref(),
        };
        match inbound {
            Some(admitted) => TraceContext::within(admitted.record().trace_id),
            None => TraceContext::fresh(),
        }
    }
}

impl Intent {
    /// A2A §4.6: an extension that a message uses is named in the request.
    fn extensions(&self, request: &Request) -> Vec<String> {
        let ours = EXTENSION_URI;
        let used = match request {
            Request::SendMessage(r) | Request::SendStreamingMessage(r) => &r.message.extensions[..],
            _ => &[],
        };
        let mut named: Vec<String> = Vec::new();
        for uri in used {
            if !named.contains(uri) {
                named.push(uri.clone());
            }
        }
        if self.skill.is_some() && !named.iter().any(|uri| uri == ours) {
            named.push(ours.to_owned());
        }
        named
    }
}

impl CallScope {
    /// Whether the call was taken back.
    pub(super) fn was_taken_back(&self) -> bool {
        self.cancelled.as_ref().is_some_and(|c| *c.borrow())
    }
}
