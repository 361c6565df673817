//! The body of a request, read whole or passed on.

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http_body::Body;
use http_body_util::{BodyExt as _, Either, Full, LengthLimitError, Limited};

pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The body that goes on: on the left one that was read whole, and compared with the digest where a
/// signature covers it; on the right the one that came, unread. Trailers of the former, which no
/// signature covers, are gone.
pub type HeldBody<B> = Either<Full<Bytes>, B>;

/// Why a body was not read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum Unread {
    #[error("the body has more than {max} bytes")]
    TooLarge { max: usize },
    #[error("the body did not come within {within:?}")]
    Slow { within: Duration },
    #[error("the body ended before its end")]
    Broken,
}

impl Unread {
    pub(super) const fn status(self) -> StatusCode {
        match self {
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Slow { .. } => StatusCode::REQUEST_TIMEOUT,
            Self::Broken => StatusCode::BAD_REQUEST,
        }
    }
}

/// The whole body, at most `max` bytes of it.
pub(super) async fn read<B>(body: B, max: usize, within: Duration) -> Result<Bytes, Unread>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    // One that says that it is too long is not begun with.
    if body.size_hint().lower() > max as u64 {
        return Err(Unread::TooLarge { max });
    }
    let whole = Limited::new(body, max).collect();
    match tokio::time::timeout(within, whole).await {
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Unread::TooLarge { max }),
        Ok(Err(_)) => Err(Unread::Broken),
        Err(_) => Err(Unread::Slow { within }),
    }
}
