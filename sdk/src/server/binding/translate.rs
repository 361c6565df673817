//! What a binding does: it translates, and decides nothing.

use std::time::Duration;

use axum::response::Response;
use http::request::Parts;

use super::super::handler::Events;
use super::super::refusal::Refusal;
use crate::a2a::{self, A2aError, ServiceParameters, Version, Versions};

/// A request as a binding read it.
#[derive(Clone, Debug)]
pub(in crate::server) struct Call {
    /// What is asked for, with its parameters checked ([`a2a::Request`]).
    pub(in crate::server) request: a2a::Request,
    /// What came beside it; from [`read_parameters`].
    pub(in crate::server) parameters: ServiceParameters,
    /// How long the caller waits, when the binding has a place to say so (`grpc-timeout`).
    pub(in crate::server) time_left: Option<Duration>,
}

impl Call {
    /// A request without a time limit.
    pub(in crate::server) fn new(request: a2a::Request, parameters: ServiceParameters) -> Self {
        Self {
            request,
            parameters,
            time_left: None,
        }
    }
}

/// One form of the protocol on the wire (A2A §9 to §11). [`serve`](super::serve()) calls its
/// functions in the order in which they stand here.
pub(in crate::server) trait Binding: Clone + Send + Sync + 'static {
    /// What an answer needs of its request: the ID for JSON-RPC.
    type Exchange: Default + Clone + Send + 'static;

    /// Reads a request whose caller was proved: what its answer needs first, into `exchange`, then
    /// media type, version, parameters.
    ///
    /// # Errors
    /// The protocol's error, for [`Binding::error`].
    fn read(
        &self,
        parts: &Parts,
        body: &[u8],
        exchange: &mut Self::Exchange,
    ) -> Result<Call, A2aError>;

    /// The one answer.
    fn response(&self, exchange: &Self::Exchange, response: &a2a::Response) -> Response;

    /// A stream of events, which begins at once.
    fn events(&self, exchange: Self::Exchange, events: Events) -> Response;

    /// An error of the protocol, instead of an answer or of a stream.
    fn error(&self, exchange: &Self::Exchange, error: &A2aError) -> Response;

    /// What the pipeline refused before anything was read (or, by policy, after): the status with
    /// its challenge, in the binding's form. [`Refusal::Protocol`] does not come here.
    fn refusal(&self, exchange: &Self::Exchange, refusal: &Refusal) -> Response;
}

/// The service parameters of a request to a binding that speaks `version` (A2A §3.2.6, §3.6).
///
/// # Errors
/// `VersionNotSupported` when another one is asked for; absent or empty means 0.3.
pub(in crate::server) fn read_parameters(
    parts: &Parts,
    version: Version,
) -> Result<ServiceParameters, A2aError> {
    let read = ServiceParameters::read(&parts.headers, parts.uri.query())?;
    let v0_3 = version == Version::V0_3;
    read.choose(Versions { v0_3 })?;
    Ok(read)
}
