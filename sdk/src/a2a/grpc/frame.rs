//! The frames around messages: a flag, four bytes of length, the message.

use bytes::{Buf as _, Bytes, BytesMut};

use super::Code;

/// Bytes before each message.
const PREFIX: usize = 5;

/// Why bytes were not taken as messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FrameError {
    /// The message is compressed, and no compression was agreed on.
    #[error("the message is compressed")]
    Compressed,
    /// The first byte is neither 0 nor 1.
    #[error("a frame begins with {flag}, not with 0 or 1")]
    Flag {
        /// The byte.
        flag: u8,
    },
    /// The message is longer than allowed.
    #[error("the message has {len} bytes, {max} are allowed")]
    TooLong {
        /// Its length in bytes.
        len: usize,
        /// The limit.
        max: usize,
    },
    /// The bytes end inside a frame, or before the first.
    #[error("the message is not whole")]
    Truncated,
    /// Bytes follow the only message.
    #[error("{len} bytes follow the message")]
    Trailing {
        /// How many.
        len: usize,
    },
}

impl FrameError {
    /// The fixed word for the audit record.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Compressed => "grpc.compressed",
            Self::Flag { .. } => "grpc.flag",
            Self::TooLong { .. } => "grpc.too_long",
            Self::Truncated => "grpc.truncated",
            Self::Trailing { .. } => "grpc.trailing",
        }
    }

    /// The status that a call with such bytes ends with.
    pub const fn code(self) -> Code {
        match self {
            Self::Compressed => Code::Unimplemented,
            Self::TooLong { .. } => Code::ResourceExhausted,
            Self::Flag { .. } | Self::Truncated | Self::Trailing { .. } => Code::InvalidArgument,
        }
    }
}

/// A message in its frame.
pub fn frame(message: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(PREFIX + message.len());
    out.push(0);
    // A message beyond 4 GiB cannot be framed; nothing here makes one.
    let len = u32::try_from(message.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(message);
    out.into()
}

/// The one message of a body, which is at most `max` bytes long.
///
/// # Errors
/// [`FrameError`]; also when another message follows.
///
/// ```
/// use countersign::a2a::grpc::{FrameError, frame, unframe};
/// assert_eq!(unframe(&frame(b"hello"), 5), Ok(&b"hello"[..]));
/// assert_eq!(unframe(&frame(b"hello"), 4), Err(FrameError::TooLong { len: 5, max: 4 }));
/// ```
pub fn unframe(body: &[u8], max: usize) -> Result<&[u8], FrameError> {
    let len = length(body, max)?.ok_or(FrameError::Truncated)?;
    let rest = body.get(PREFIX..).unwrap_or_default();
    let (message, after) = rest.split_at_checked(len).ok_or(FrameError::Truncated)?;
    match after.len() {
        0 => Ok(message),
        len => Err(FrameError::Trailing { len }),
    }
}

/// The length that the frame at the start names, as soon as it can be read.
fn length(bytes: &[u8], max: usize) -> Result<Option<usize>, FrameError> {
    match bytes.first() {
        None | Some(0) => {}
        Some(1) => return Err(FrameError::Compressed),
        Some(&flag) => return Err(FrameError::Flag { flag }),
    }
    let Some(&[_, a, b, c, d]) = bytes.first_chunk::<PREFIX>() else {
        return Ok(None);
    };
    let len = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
    if len > max {
        return Err(FrameError::TooLong { len, max });
    }
    Ok(Some(len))
}

/// Takes messages out of a stream of bytes, however it was cut.
///
/// It holds what was pushed and not yet taken. Take until there is no message before pushing on:
/// then that is one message of at most `max` bytes and the last chunk.
///
/// ```
/// use countersign::a2a::grpc::{Deframer, frame};
/// let mut frames = Deframer::new(1024);
/// let bytes = frame(b"hello");
/// frames.push(&bytes[..7]);
/// assert_eq!(frames.take()?, None);
/// frames.push(&bytes[7..]);
/// assert_eq!(frames.take()?.as_deref(), Some(&b"hello"[..]));
/// frames.end()?;
/// # Ok::<(), countersign::a2a::grpc::FrameError>(())
/// ```
#[derive(Debug)]
pub struct Deframer {
    max: usize,
    held: BytesMut,
}

impl Deframer {
    /// For messages of at most `max` bytes.
    pub fn new(max: usize) -> Self {
        Self {
            max,
            held: BytesMut::new(),
        }
    }

    /// Adds what arrived.
    pub fn push(&mut self, chunk: &[u8]) {
        self.held.extend_from_slice(chunk);
    }

    /// The next message; `None` when it is not whole yet.
    ///
    /// # Errors
    /// [`FrameError`] as soon as the frame's first five bytes show it; nothing can be read after.
    pub fn take(&mut self) -> Result<Option<Bytes>, FrameError> {
        let Some(len) = length(&self.held, self.max)? else {
            return Ok(None);
        };
        if self.held.len() - PREFIX < len {
            return Ok(None);
        }
        self.held.advance(PREFIX);
        Ok(Some(self.held.split_to(len).freeze()))
    }

    /// Says that nothing more comes.
    ///
    /// # Errors
    /// `Truncated` when a message has begun.
    pub fn end(&self) -> Result<(), FrameError> {
        if self.held.is_empty() {
            Ok(())
        } else {
            Err(FrameError::Truncated)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELLO: &[u8] = b"\0\0\0\0\x05hello";

    fn changed(at: usize, byte: u8) -> Vec<u8> {
        let mut bytes = HELLO.to_vec();
        bytes[at] = byte;
        bytes
    }

    #[test]
    fn a_hostile_frame_is_refused_with_its_reason() {
        assert_eq!(frame(b"hello"), HELLO);
        assert_eq!(unframe(HELLO, 5), Ok(&b"hello"[..]));
        assert_eq!(unframe(&frame(b""), 0), Ok(&b""[..]));
        let longer = [HELLO, b"\0"].concat();
        let twice = [HELLO, HELLO].concat();
        for (body, max, want, code) in [
            (&[][..], 5, "grpc.truncated", Code::InvalidArgument),
            (&HELLO[..4], 5, "grpc.truncated", Code::InvalidArgument),
            (&HELLO[..9], 5, "grpc.truncated", Code::InvalidArgument),
            (&longer, 5, "grpc.trailing", Code::InvalidArgument),
            (&twice, 5, "grpc.trailing", Code::InvalidArgument),
            (HELLO, 4, "grpc.too_long", Code::ResourceExhausted),
            (
                &changed(1, 255),
                5,
                "grpc.too_long",
                Code::ResourceExhausted,
            ),
            (&changed(0, 1), 5, "grpc.compressed", Code::Unimplemented),
            (&[1], 5, "grpc.compressed", Code::Unimplemented),
            (&changed(0, 2), 5, "grpc.flag", Code::InvalidArgument),
        ] {
            let error = unframe(body, max).expect_err(want);
            assert_eq!((error.reason(), error.code()), (want, code), "{body:?}");
        }
    }

    #[test]
    fn messages_come_out_however_the_bytes_were_cut() {
        let stream = [&frame(b"one")[..], &frame(b""), &frame(b"three")].concat();
        for size in 1..=stream.len() {
            let mut frames = Deframer::new(5);
            let mut found = Vec::new();
            for chunk in stream.chunks(size) {
                frames.push(chunk);
                while let Some(message) = frames.take().expect("good frames") {
                    found.push(message);
                }
            }
            assert_eq!(found, [&b"one"[..], b"", b"three"], "chunks of {size}");
            assert_eq!(frames.end(), Ok(()));
        }
    }

    #[test]
    fn a_stream_is_refused_before_its_message_is_kept() {
        for (bytes, want) in [
            (&b"\0\0\0\0\x06"[..], Err("grpc.too_long")),
            (b"\0\0\0\0\x05", Ok(None)),
            (b"\x01", Err("grpc.compressed")),
            (b"\x02", Err("grpc.flag")),
        ] {
            let mut frames = Deframer::new(5);
            frames.push(bytes);
            assert_eq!(frames.take().map_err(FrameError::reason), want, "{bytes:?}");
            assert_eq!(frames.end(), Err(FrameError::Truncated));
        }
    }
}
