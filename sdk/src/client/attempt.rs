//! A call over all its attempts.

use std::time::Duration;

use http::StatusCode;
use tokio::time::Instant;

use super::about::About;
use super::answer;
use super::call::Intent;
use super::connect::Client;
use super::current::CallScope;
use super::error::ClientError;
use super::intercept::AfterCall;
use super::outbound::Begun;
use super::retry::{RetryPolicy, is_worth_it};
use super::stream::Source;
use crate::a2a::{Operation, Request, Response};
use crate::card::SignedCard;
use crate::oauth::BoundToken;

/// What a call brought.
#[expect(
    clippy::large_enum_variant,
    reason = "one is made for each call and handed on at once"
)]
pub(super) enum Got {
    /// The one answer.
    Response(Response),
    /// The beginning of a stream.
    Events(Source),
    /// The extended card, not yet verified.
    Card(SignedCard),
}

/// What one attempt leaves for the next, and for those who watch.
#[derive(Default)]
pub(super) struct Attempt {
    /// The token that was sent.
    pub(super) token: Option<BoundToken>,
    /// The token that was not taken.
    pub(super) rejected: Option<BoundToken>,
    /// The status of the answer.
    pub(super) status: Option<StatusCode>,
}

impl Client {
    /// Makes a call, again where `policy` has it, within the bounds of `scope`.
    pub(super) async fn call(
        &self,
        intent: &Intent,
        request: Request,
        scope: &CallScope,
        policy: &RetryPolicy,
    ) -> Result<Got, ClientError> {
        let attempts = self.attempts(intent, request, scope, policy);
        let most = match scope.deadline {
            Some(_) => Duration::MAX,
            None => self.0.deadline,
        };
        scope.bounded(most, attempts).await
    }

    async fn attempts(
        &self,
        intent: &Intent,
        mut request: Request,
        scope: &CallScope,
        policy: &RetryPolicy,
    ) -> Result<Got, ClientError> {
        let operation = request.operation();
        let mut attempt = Attempt::default();
        let mut failures = 0;
        loop {
            let begun = Instant::now();
            attempt.status = None;
            let done = self.once(intent, &mut request, scope, &mut attempt).await;
            let error = done.as_ref().err();
            self.tell(intent, operation, &attempt, error, begun).await;
            let error = match done {
                Ok(got) => return Ok(got),
                Err(error) => error,
            };
            // RFC 6750 §3.1: the token was not taken, so a fresh one may be; once.
            if is_invalid_token(&error) && attempt.rejected.is_none() && attempt.token.is_some() {
                attempt.rejected = attempt.token.take();
                continue;
            }
            let wait = policy.wait(failures, &error);
            match wait.filter(|_| is_worth_it(&error, operation)) {
                // A wait beyond the deadline is a failure that is told late.
                Some(wait) if wait < scope.left(Duration::MAX) => tokio::time::sleep(wait).await,
                _ => return Err(error),
            }
            failures += 1;
        }
    }

    /// One attempt: the pipeline, and its last step.
    async fn once(
        &self,
        intent: &Intent,
        request: &mut Request,
        scope: &CallScope,
        attempt: &mut Attempt,
    ) -> Result<Got, ClientError> {
        let max = self.0.max_answer;
        let performed = self.perform(intent, request, scope, attempt).await?;
        let Begun {
            binding,
            response,
            peer,
        } = performed;
        // 8: the answer, or the peer's refusal with its challenge.
        let operation = request.operation();
        if operation.is_streaming() {
            let events = Source::of(binding, response, max).await?;
            return Ok(Got::Events(events));
        }
        let told = answer::told(response, max).await?;
        if operation == Operation::GetExtendedAgentCard {
            let bytes = binding.card(&told)?;
            return Ok(Got::Card(SignedCard::received(bytes.into(), peer)));
        }
        let answer = binding.read(operation, &told)?;
        About::of(request).check(&answer)?;
        Ok(Got::Response(answer))
    }

    async fn tell(
        &self,
        intent: &Intent,
        operation: Operation,
        attempt: &Attempt,
        error: Option<&ClientError>,
        begun: Instant,
    ) {
        for interceptor in &self.0.interceptors {
            let call = AfterCall {
                peer: &intent.peer,
                operation,
                status: attempt.status.map(|status| status.as_u16()),
                error,
                took: begun.elapsed(),
            };
            interceptor.after(&call).await;
        }
    }
}

fn is_invalid_token(error: &ClientError) -> bool {
    match error {
        ClientError::Refused {
            status: 401,
            challenge: Some(challenge),
        } => challenge.error() == Some("invalid_token"),
        _ => false,
    }
}
