//! A body that is read whole.

use std::future::poll_fn;
use std::pin::Pin;

use bytes::{Buf, Bytes, BytesMut};
use http::HeaderMap;
use http_body::Body;

use super::error::BodyError;
use crate::httpsig::Digests;

/// The most that is set aside for what a peer only says that it will send.
const MAX_ROOM: usize = 1 << 20;

/// Reads a body of at most `max` bytes and the trailers behind it; nothing is given out unless it is
/// what `digests` say. It is hashed while it comes.
///
/// # Errors
/// [`BodyError`] when it is longer, another, or broke off.
pub async fn collect<B: Body + Unpin>(
    mut body: B,
    digests: &Digests,
    max: usize,
) -> Result<(Bytes, Option<HeaderMap>), BodyError<B::Error>> {
    let mut check = digests.begin();
    let mut whole = Whole::Nothing;
    let mut trailers = None;
    let room = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if room > max {
        return Err(BodyError::TooLong { max });
    }
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        match frame.map_err(BodyError::Broken)?.into_data() {
            Ok(mut data) => {
                if data.remaining() > max - whole.len() {
                    return Err(BodyError::TooLong { max });
                }
                let piece = data.copy_to_bytes(data.remaining());
                check.update(&piece);
                whole = whole.with(piece, room.min(MAX_ROOM));
            }
            Err(frame) => trailers = frame.into_trailers().ok().or(trailers),
        }
    }
    check.finish()?;
    Ok((whole.into_bytes(), trailers))
}

/// What has come; a body in one piece is not copied.
enum Whole {
    Nothing,
    One(Bytes),
    More(BytesMut),
}

impl Whole {
    fn len(&self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::One(piece) => piece.len(),
            Self::More(pieces) => pieces.len(),
        }
    }

    fn with(self, piece: Bytes, room: usize) -> Self {
        let mut pieces = match self {
            Self::Nothing => return Self::One(piece),
            Self::One(first) => {
                let room = room.max(first.len() + piece.len());
                let mut pieces = BytesMut::with_capacity(room);
                pieces.extend_from_slice(&first);
                pieces
            }
            Self::More(pieces) => pieces,
        };
        pieces.extend_from_slice(&piece);
        Self::More(pieces)
    }

    fn into_bytes(self) -> Bytes {
        match self {
            Self::Nothing => Bytes::new(),
            Self::One(piece) => piece,
            Self::More(pieces) => pieces.freeze(),
        }
    }
}
