//! How much there is in a message, counted before it is decoded: an empty part takes two bytes on
//! the wire and a hundred times that in memory.

use crate::a2a::{A2aError, ErrorKind};

/// Parts, objects and arrays in one request.
const MAX: usize = 1 << 16;
/// Deeper than the decoder goes, which refuses what is nested so deep.
const DEPTH: usize = 128;

/// The messages in which others can be repeated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// `SendMessageRequest` of 1.0.
    Send,
    /// `SendMessageRequest` of 0.3.
    SendV03,
    /// `CancelTaskRequest`.
    Cancel,
    Message,
    Part,
    /// `Part` of 0.3.
    PartV03,
    DataV03,
    Struct,
    Entry,
    Value,
    List,
    MessageV03,
}

impl Kind {
    /// The message in the field of this number.
    const fn of_field(self, number: u64) -> Option<Self> {
        Some(match (self, number) {
            (Self::Send, 2) => Self::Message,
            (Self::SendV03, 1) => Self::MessageV03,
            (Self::Message, 5) => Self::Part,
            (Self::MessageV03, 5) => Self::PartV03,
            (Self::Part, 4) | (Self::Entry, 2) | (Self::List, 1) => Self::Value,
            (Self::PartV03, 3) => Self::DataV03,
            (Self::Struct, 1) => Self::Entry,
            (Self::Value, 6) => Self::List,
            (Self::Send, 4)
            | (Self::SendV03 | Self::Cancel, 3)
            | (Self::Message | Self::MessageV03, 6)
            | (Self::Part | Self::Value, 5)
            | (Self::DataV03, 1) => Self::Struct,
            _ => return None,
        })
    }

    const fn counts(self) -> bool {
        matches!(self, Self::Part | Self::PartV03 | Self::Struct | Self::List)
    }
}

/// Refuses a message of this kind that holds more than any honest one.
///
/// # Errors
/// `InvalidRequest`; `Parse` when the bytes are no protobuf message.
pub(super) fn check(kind: Kind, message: &[u8]) -> Result<(), A2aError> {
    let mut left = MAX;
    count(kind, message, &mut left, DEPTH).map_err(|stopped| match stopped {
        Stopped::Many => {
            let text = format!("The message has over {MAX} parts, objects and arrays");
            A2aError::new(ErrorKind::InvalidRequest, text)
        }
        Stopped::Broken => A2aError::new(ErrorKind::Parse, "Invalid protobuf message"),
    })
}

enum Stopped {
    Many,
    Broken,
}

fn count(kind: Kind, message: &[u8], left: &mut usize, depth: usize) -> Result<(), Stopped> {
    let Some(depth) = depth.checked_sub(1) else {
        return Ok(());
    };
    if kind.counts() {
        *left = left.checked_sub(1).ok_or(Stopped::Many)?;
    }
    let mut rest = message;
    while !rest.is_empty() {
        let key = varint(&mut rest)?;
        // Protocol Buffers, Encoding: the wire type is in the last three bits.
        match key & 7 {
            0 => drop(varint(&mut rest)?),
            1 => drop(take(&mut rest, 8)?),
            5 => drop(take(&mut rest, 4)?),
            2 => {
                let len = varint(&mut rest)?;
                let inside = take(&mut rest, len)?;
                if let Some(kind) = kind.of_field(key >> 3) {
                    count(kind, inside, left, depth)?;
                }
            }
            // Groups: no proto of A2A has any.
            _ => return Err(Stopped::Broken),
        }
    }
    Ok(())
}

fn varint(rest: &mut &[u8]) -> Result<u64, Stopped> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first().ok_or(Stopped::Broken)?;
        *rest = after;
        let bits = u64::from(byte & 0x7f);
        // The tenth byte has room for one bit.
        if shift == 63 && bits > 1 {
            return Err(Stopped::Broken);
        }
        value |= bits << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(Stopped::Broken)
}

fn take<'a>(rest: &mut &'a [u8], len: u64) -> Result<&'a [u8], Stopped> {
    let len = usize::try_from(len).map_err(|_| Stopped::Broken)?;
    let (inside, after) = rest.split_at_checked(len).ok_or(Stopped::Broken)?;
    *rest = after;
    Ok(inside)
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use prost_types::value::Kind as Content;
    use prost_types::{ListValue, Value};

    use super::*;
    use crate::a2a::grpc::generated::{v1, v03};
    use crate::a2a::grpc::{read_request, v03 as old};

    /// The parts of a message are two bytes each.
    fn parts(len: usize) -> Vec<u8> {
        let request = v1::SendMessageRequest {
            message: Some(v1::Message {
                parts: vec![v1::Part::default(); len],
                ..v1::Message::default()
            }),
            ..v1::SendMessageRequest::default()
        };
        request.encode_to_vec()
    }

    fn parts_v03(len: usize) -> Vec<u8> {
        let request = v03::SendMessageRequest {
            request: Some(v03::Message {
                content: vec![v03::Part::default(); len],
                ..v03::Message::default()
            }),
            ..v03::SendMessageRequest::default()
        };
        request.encode_to_vec()
    }

    /// An object, an array and in it `len - 2` others.
    fn metadata(len: usize) -> prost_types::Struct {
        let value = |kind| Value { kind: Some(kind) };
        let empty = value(Content::ListValue(ListValue::default()));
        let values = vec![empty; len - 2];
        let list = value(Content::ListValue(ListValue { values }));
        prost_types::Struct {
            fields: [("x".to_owned(), list)].into(),
        }
    }

    fn kind(read: Result<impl Sized, A2aError>) -> Option<ErrorKind> {
        read.map_err(|error| error.kind()).err()
    }

    #[test]
    fn a_request_with_too_much_in_it_is_refused_before_it_is_decoded() {
        let send = "/lf.a2a.v1.A2AService/SendMessage";
        let stream = "/lf.a2a.v1.A2AService/SendStreamingMessage";
        for (path, len, want) in [
            // A part without content is wrong, too, but only what is decoded can be found so.
            (send, MAX, ErrorKind::InvalidParams),
            (send, MAX + 1, ErrorKind::InvalidRequest),
            (stream, MAX + 1, ErrorKind::InvalidRequest),
        ] {
            let read = read_request(path, &parts(len));
            assert_eq!(kind(read), Some(want), "{path} {len}");
        }
        let send = "/a2a.v1.A2AService/SendMessage";
        for (len, want) in [
            (MAX, ErrorKind::InvalidParams),
            (MAX + 1, ErrorKind::InvalidRequest),
        ] {
            let read = old::read_request(send, &parts_v03(len));
            assert_eq!(kind(read), Some(want), "{len}");
        }
        let cancel = "/lf.a2a.v1.A2AService/CancelTask";
        for (len, want) in [(MAX, None), (MAX + 1, Some(ErrorKind::InvalidRequest))] {
            let request = v1::CancelTaskRequest {
                id: "t".into(),
                metadata: Some(metadata(len)),
                ..v1::CancelTaskRequest::default()
            };
            let read = read_request(cancel, &request.encode_to_vec());
            assert_eq!(kind(read), want, "{len}");
        }
    }

    #[test]
    fn nothing_hides_behind_bytes_that_cannot_be_counted() {
        let good = parts(2);
        assert!(check(Kind::Send, &good).is_ok());
        // A key of ten bytes with more bits than there is room for, and a value: cut, it would be a field.
        let wide = [128, 128, 128, 128, 128, 128, 128, 128, 128, 2, 1];
        // A group, a field of no known type, a varint without end, a length beyond the message.
        for odd in [&[0x0b][..], &[0x0f], &[0x80; 11], &wide, &[0x12, 0x7f]] {
            let message = [odd, &good].concat();
            assert_eq!(kind(check(Kind::Send, &message)), Some(ErrorKind::Parse));
        }
    }
}
