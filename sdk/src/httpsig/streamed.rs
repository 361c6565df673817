//! A message whose signature was verified before its body came.

use bytes::Bytes;
use http_body::Body;

use super::body::{BodyError, CheckedBody, collect};
use super::digest_field::Digests;
use super::verified::VerifiedMessage;

/// A message whose header was verified, and whose body is still to come. It covers the body's digest.
///
/// ```
/// use bytes::Bytes;
/// use countersign::clock::{Skew, UnixTime};
/// use countersign::httpsig::{HttpVerifyingKey, MessageView, PresentedSignature, Profile, VerifiedMessage};
/// use http_body::Body;
/// # type Error = Box<dyn std::error::Error + Send + Sync>;
///
/// async fn receive<B>(
///     message: MessageView<'_>,
///     body: B,
///     key: HttpVerifyingKey,
///     now: UnixTime,
/// ) -> Result<(VerifiedMessage, Bytes), Error>
/// where
///     B: Body + Unpin,
///     B::Error: std::error::Error + Send + Sync + 'static,
/// {
///     let profile = Profile::a2a();
///     let presented = PresentedSignature::choose(&message, &profile)?;
///     let head = presented.check_head(now, Skew::default())?.verify_head(key)?;
///     // Nothing of a body is read that nobody signed.
///     Ok(head.collect(body, 4 << 20).await?)
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use = "the body was not checked"]
pub struct VerifiedHead {
    message: VerifiedMessage,
    digests: Digests,
}

impl VerifiedHead {
    pub(super) fn new(message: VerifiedMessage, digests: Digests) -> Self {
        Self { message, digests }
    }

    /// What the signature says. [`VerifiedMessage::covers_body`] is false: nothing was checked yet.
    pub fn message(&self) -> &VerifiedMessage {
        &self.message
    }

    /// The signed digests of the body.
    pub fn digests(&self) -> &Digests {
        &self.digests
    }

    /// Reads the body, at most `max` bytes of it; it is given out only when it is the signed one.
    ///
    /// # Errors
    /// [`BodyError`] when it is longer, another, or broke off.
    pub async fn collect<B: Body + Unpin>(
        self,
        body: B,
        max: usize,
    ) -> Result<(VerifiedMessage, Bytes), BodyError<B::Error>> {
        let (body, _) = collect(body, &self.digests, max).await?;
        let mut message = self.message;
        message.body = true;
        Ok((message, body))
    }

    /// The body as it flows; it ends with an error when it is not the signed one. What comes before
    /// the end is not proved, and the message goes on saying so.
    pub fn flow<B>(self, body: B) -> (VerifiedMessage, CheckedBody<B>) {
        let body = CheckedBody::new(body, &self.digests);
        (self.message, body)
    }
}
