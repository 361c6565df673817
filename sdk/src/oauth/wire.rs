//! Requests to the authorization server.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use http::response::Parts;
use http::uri::PathAndQuery;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};

use crate::clock::UnixTime;
use crate::tls::{Endpoint, Transport};

use super::OAuthError;
use super::answer::ANSWER_MAX;
use super::form::{FORM, encode_form};

/// How long one request may take, from connecting to the last byte.
const DEADLINE: Duration = Duration::from_secs(10);

/// The way to one server. Nothing is sent twice here: what never left is sent again by the
/// transport, and whatever may have arrived is not.
#[derive(Debug)]
pub(super) struct Wire {
    transport: Transport,
    to: Endpoint,
}

impl Wire {
    pub(super) fn new(transport: Transport, to: Endpoint) -> Self {
        Self { transport, to }
    }

    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.to
    }

    /// A document, which must be there.
    pub(super) async fn get(&self, path: &PathAndQuery) -> Result<Bytes, OAuthError> {
        let (Parts { status, .. }, body) = self.send(Method::GET, path, None).await?;
        if status != StatusCode::OK {
            return Err(OAuthError::Status { status });
        }
        Ok(body)
    }

    /// The answer to a form, whatever it is.
    pub(super) async fn post(
        &self,
        path: &PathAndQuery,
        form: &[(&str, &str)],
    ) -> Result<(StatusCode, Bytes), OAuthError> {
        let form = Some(encode_form(form));
        let (Parts { status, .. }, body) = self.send(Method::POST, path, form).await?;
        Ok((status, body))
    }

    /// What the server's clock shows (RFC 9110 §6.6.1), in an answer of any status.
    pub(super) async fn time(&self, path: &PathAndQuery) -> Result<Option<UnixTime>, OAuthError> {
        let (Parts { headers, .. }, _) = self.send(Method::GET, path, None).await?;
        let date = headers.get(header::DATE);
        let date = date.and_then(|value| httpdate::parse_http_date(value.to_str().ok()?).ok());
        let since = date.and_then(|date| date.duration_since(UNIX_EPOCH).ok());
        Ok(since.map(|since| UnixTime::from_secs(since.as_secs())))
    }

    async fn send(
        &self,
        method: Method,
        path: &PathAndQuery,
        form: Option<String>,
    ) -> Result<(Parts, Bytes), OAuthError> {
        let mut request = Request::builder().method(method).uri(path.as_str());
        request = request.header(header::ACCEPT, "application/json");
        if form.is_some() {
            request = request.header(header::CONTENT_TYPE, FORM);
        }
        let body = Full::new(Bytes::from(form.unwrap_or_default()));
        let wrong = |_| OAuthError::Address { what: "path" };
        let request = request.body(body).map_err(wrong)?;
        let exchange = async {
            let sent = self.transport.send(&self.to, request);
            let received = sent
                .await
                .map_err(|error| OAuthError::Connection(Arc::new(error)))?;
            let (parts, body) = received.response.into_parts();
            let body = Limited::new(body, ANSWER_MAX).collect().await;
            let body = body.map_err(|_| OAuthError::Body { max: ANSWER_MAX })?;
            Ok((parts, body.to_bytes()))
        };
        let exchange = tokio::time::timeout(DEADLINE, exchange).await;
        exchange.map_err(|_| OAuthError::Deadline { after: DEADLINE })?
    }
}
