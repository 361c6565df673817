//! Server-sent events, written and read (HTML §9.2, A2A §9.4.2, §11.7).
//!
//! ```
//! use countersign::a2a::sse;
//! let mut parser = sse::Parser::default();
//! let events = parser.feed(&sse::encode_event(br#"{"task":{}}"#))?;
//! assert_eq!(events[0].data, r#"{"task":{}}"#);
//! parser.finish()?;
//! # Ok::<(), sse::SseError>(())
//! ```

use bytes::{BufMut as _, Bytes, BytesMut};

/// Why a stream was not read on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SseError {
    /// A line is over the limit.
    #[error("a line of the event stream has over {max} bytes")]
    LineTooLong {
        /// The limit.
        max: usize,
    },
    /// The data of one event is over the limit.
    #[error("an event of the stream has over {max} bytes")]
    EventTooLong {
        /// The limit.
        max: usize,
    },
    /// A line is not UTF-8.
    #[error("a line of the event stream is not UTF-8")]
    NotUtf8,
    /// The stream ended inside an event, which is therefore not given out.
    #[error("the event stream ended inside an event")]
    Truncated,
}

impl SseError {
    /// The fixed word for the audit record.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::LineTooLong { .. } => "sse.line_too_long",
            Self::EventTooLong { .. } => "sse.event_too_long",
            Self::NotUtf8 => "sse.not_utf8",
            Self::Truncated => "sse.truncated",
        }
    }
}

/// The event with this data. JSON as serde writes it takes one line.
pub fn encode_event(data: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(data.len() + 8);
    put_data(&mut out, data);
    out.freeze()
}

/// The same with an ID, from which a client can go on after a lost connection.
pub fn encode_numbered(id: u64, data: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(data.len() + 32);
    out.put_slice(format!("id: {id}\n").as_bytes());
    put_data(&mut out, data);
    out.freeze()
}

/// A comment that keeps the connection alive and that no client sees.
pub fn keep_alive() -> Bytes {
    Bytes::from_static(b": keep-alive\n\n")
}

fn put_data(out: &mut BytesMut, data: &[u8]) {
    let mut rest = data;
    loop {
        let end = rest.iter().position(|b| matches!(b, b'\n' | b'\r'));
        let (line, after) = rest.split_at(end.unwrap_or(rest.len()));
        out.put_slice(b"data: ");
        out.put_slice(line);
        out.put_slice(b"\n");
        rest = match after {
            [] => break,
            [b'\r', b'\n', after @ ..] | [_, after @ ..] => after,
        };
    }
    out.put_slice(b"\n");
}

/// How much of a stream is held at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SseLimits {
    /// Bytes of one line; 4 MiB by default.
    pub line: usize,
    /// Bytes of one event's data; 4 MiB by default.
    pub event: usize,
}

impl Default for SseLimits {
    fn default() -> Self {
        Self {
            line: 4 << 20,
            event: 4 << 20,
        }
    }
}

/// One event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// Its type, `message` when the stream names none.
    pub name: String,
    /// Its data, lines joined by `\n`.
    pub data: String,
    /// The last ID the stream named, this event's or an earlier one's.
    pub id: Option<String>,
    /// The reconnection time the stream asked for last, in milliseconds.
    pub retry: Option<u64>,
}

/// Reads a stream piece by piece; how it is cut into pieces does not matter.
#[derive(Debug, Default)]
pub struct Parser {
    limits: SseLimits,
    /// The unfinished line.
    line: Vec<u8>,
    after_cr: bool,
    begun: bool,
    name: String,
    data: Option<String>,
    /// A field was read since the last event.
    open: bool,
    id: Option<String>,
    retry: Option<u64>,
    broken: Option<SseError>,
}

impl Parser {
    /// A parser with these limits.
    pub fn new(limits: SseLimits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    /// Takes the next piece and gives out the events that it completes.
    ///
    /// # Errors
    /// [`SseError`]. Events completed before the fault are given out first; the error then comes
    /// with the next call, and with every later one.
    pub fn feed(&mut self, piece: &[u8]) -> Result<Vec<Event>, SseError> {
        let mut events = Vec::new();
        if self.broken.is_none() {
            self.broken = self.read(piece, &mut events).err();
        }
        match self.broken {
            Some(error) if events.is_empty() => Err(error),
            _ => Ok(events),
        }
    }

    /// Says whether the stream, which ended now, ended between two events.
    ///
    /// # Errors
    /// [`SseError::Truncated`], or the fault that a call of [`Parser::feed`] put off.
    pub fn finish(self) -> Result<(), SseError> {
        match self.broken {
            Some(error) => Err(error),
            // HTML §9.2.6: an event without its blank line is discarded.
            None if self.open || !self.line.is_empty() => Err(SseError::Truncated),
            None => Ok(()),
        }
    }

    fn read(&mut self, piece: &[u8], events: &mut Vec<Event>) -> Result<(), SseError> {
        let mut rest = piece;
        while !rest.is_empty() {
            if std::mem::take(&mut self.after_cr) && rest[0] == b'\n' {
                rest = &rest[1..];
                continue;
            }
            let end = rest.iter().position(|b| matches!(b, b'\n' | b'\r'));
            let (part, after) = rest.split_at(end.unwrap_or(rest.len()));
            if self.line.len() + part.len() > self.limits.line {
                let max = self.limits.line;
                return Err(SseError::LineTooLong { max });
            }
            self.line.extend_from_slice(part);
            let Some((end, after)) = after.split_first() else {
                break;
            };
            self.after_cr = *end == b'\r';
            rest = after;
            let line = std::mem::take(&mut self.line);
            self.end_line(&line, events)?;
            // The buffer is used again for the next line.
            self.line = line;
            self.line.clear();
        }
        Ok(())
    }

    fn end_line(&mut self, line: &[u8], events: &mut Vec<Event>) -> Result<(), SseError> {
        let mut line = std::str::from_utf8(line).map_err(|_| SseError::NotUtf8)?;
        if !std::mem::replace(&mut self.begun, true) {
            line = line.strip_prefix('\u{feff}').unwrap_or(line);
        }
        if line.is_empty() {
            self.dispatch(events);
            return Ok(());
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            // A line that begins with a colon is a comment.
            "" => return Ok(()),
            "data" => self.add_data(value)?,
            "event" => value.clone_into(&mut self.name),
            "id" if !value.contains('\0') => self.id = Some(value.to_owned()),
            "retry" if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) => {
                self.retry = value.parse().ok();
            }
            _ => {}
        }
        self.open = true;
        Ok(())
    }

    fn add_data(&mut self, value: &str) -> Result<(), SseError> {
        let held = self.data.as_ref().map_or(0, |data| data.len() + 1);
        if held + value.len() > self.limits.event {
            let max = self.limits.event;
            return Err(SseError::EventTooLong { max });
        }
        match &mut self.data {
            Some(data) => {
                data.push('\n');
                data.push_str(value);
            }
            None => self.data = Some(value.to_owned()),
        }
        Ok(())
    }

    fn dispatch(&mut self, events: &mut Vec<Event>) {
        self.open = false;
        let name = std::mem::take(&mut self.name);
        // HTML §9.2.6: without data there is no event.
        let Some(data) = self.data.take().filter(|data| !data.is_empty()) else {
            return;
        };
        events.push(Event {
            name: if name.is_empty() {
                "message".into()
            } else {
                name
            },
            data,
            id: self.id.clone().filter(|id| !id.is_empty()),
            retry: self.retry,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds `stream` cut at `cuts`, giving the events and how it ended.
    fn read(
        stream: &[u8],
        cuts: &[usize],
        limits: SseLimits,
    ) -> (Vec<Event>, Result<(), SseError>) {
        let mut parser = Parser::new(limits);
        let mut events = Vec::new();
        let mut from = 0;
        for to in cuts.iter().copied().chain([stream.len()]) {
            match parser.feed(&stream[from..to]) {
                Ok(more) => events.extend(more),
                Err(error) => return (events, Err(error)),
            }
            from = to;
        }
        (events, parser.finish())
    }

    fn whole(stream: &[u8]) -> (Vec<Event>, Result<(), SseError>) {
        read(stream, &[], SseLimits::default())
    }

    fn data(stream: &[u8]) -> Vec<String> {
        whole(stream)
            .0
            .into_iter()
            .map(|event| event.data)
            .collect()
    }

    const STREAMS: [&[u8]; 12] = [
        b"data: one\n\ndata: two\n\n",
        b"data: one\r\ndata:two\r\n\r\n",
        b"data: one\rdata: two\r\rdata: three\r\r",
        b"\xef\xbb\xbfdata: one\n\n",
        b": ping\n\nid: 7\nevent: status\nretry: 3000\ndata: {}\n\ndata: {}\n\n",
        b"data\ndata\n\ndata:\n\ndata: x\nunknown: y\n\n",
        b"data: a\r\n\rdata: b\n\r\ndata: c\n\n",
        "data: gr\u{fc}n \u{1f98a}\n\n".as_bytes(),
        b"data: cut off",
        b"data: cut off\n",
        b"data: good\n\ndata: \xff\n\ndata: never\n\n",
        b"",
    ];

    #[test]
    fn how_a_stream_is_cut_does_not_matter() {
        for stream in STREAMS {
            let want = whole(stream);
            for first in 0..=stream.len() {
                for second in first..=stream.len() {
                    let got = read(stream, &[first, second], SseLimits::default());
                    assert_eq!(got, want, "{stream:?} cut at {first} and {second}");
                }
            }
            let every: Vec<_> = (0..stream.len()).collect();
            assert_eq!(read(stream, &every, SseLimits::default()), want);
        }
    }

    #[test]
    fn lines_end_in_any_of_the_three_ways() {
        assert_eq!(data(STREAMS[0]), ["one", "two"]);
        assert_eq!(data(STREAMS[1]), ["one\ntwo"]);
        assert_eq!(data(STREAMS[2]), ["one\ntwo", "three"]);
        assert_eq!(data(STREAMS[6]), ["a", "b", "c"]);
    }

    #[test]
    fn a_byte_order_mark_is_skipped_at_the_begin_only() {
        assert_eq!(data(STREAMS[3]), ["one"]);
        let later = "data: one\n\n\u{feff}data: two\n\n";
        assert_eq!(data(later.as_bytes()), ["one"]);
    }

    #[test]
    fn fields_belong_to_their_event_and_ids_stay() {
        let (events, end) = whole(STREAMS[4]);
        assert_eq!(end, Ok(()));
        let first = Event {
            name: "status".into(),
            data: "{}".into(),
            id: Some("7".into()),
            retry: Some(3000),
        };
        let second = Event {
            name: "message".into(),
            ..first.clone()
        };
        assert_eq!(events, [first, second]);
    }

    #[test]
    fn odd_fields_are_ignored() {
        let stream = b"id: a\0b\nretry: 5s\ndata:  two spaces\n\n";
        let (events, _) = whole(stream);
        assert_eq!(events[0].data, " two spaces");
        assert_eq!((&events[0].id, events[0].retry), (&None, None));
        // An event needs data; empty data is none.
        assert_eq!(data(STREAMS[5]), ["\n", "x"]);
    }

    #[test]
    fn a_stream_that_ends_inside_an_event_is_truncated() {
        for cut in [
            &b"data: x"[..],
            b"data: x\n",
            b"data: x\r",
            b"id: 5\n",
            b"data: x\n\ndata",
            b": comment",
        ] {
            assert_eq!(whole(cut).1, Err(SseError::Truncated), "{cut:?}");
        }
        for complete in [&b"data: x\n\n"[..], b"data: x\r\r", b": comment\n", b"\n"] {
            assert_eq!(whole(complete).1, Ok(()), "{complete:?}");
        }
    }

    #[test]
    fn what_is_not_utf8_is_refused_and_nothing_after_it_is_read() {
        let (events, end) = whole(STREAMS[10]);
        assert_eq!(events.len(), 1);
        assert_eq!(end, Err(SseError::NotUtf8));
        let mut parser = Parser::default();
        assert_eq!(parser.feed(b"data: \xff\n"), Err(SseError::NotUtf8));
        assert_eq!(parser.feed(b"data: x\n\n"), Err(SseError::NotUtf8));
    }

    #[test]
    fn a_line_ends_at_its_limit() {
        let limits = SseLimits {
            line: 10,
            event: 100,
        };
        let fits = b"data: 1234\n\n";
        assert_eq!(read(fits, &[], limits).0[0].data, "1234");
        let over = b"data: 12345\n\n";
        for cut in 0..over.len() {
            let (events, end) = read(over, &[cut], limits);
            assert_eq!(events, []);
            assert_eq!(end, Err(SseError::LineTooLong { max: 10 }), "cut at {cut}");
        }
    }

    #[test]
    fn an_event_ends_at_its_limit() {
        let limits = SseLimits {
            line: 100,
            event: 5,
        };
        let fits = b"data: 12\ndata: 34\n\ndata: 12345\n\n";
        assert_eq!(read(fits, &[], limits).0.len(), 2);
        for over in [&b"data: 12\ndata: 345\n\n"[..], b"data: 123456\n\n"] {
            let end = read(over, &[], limits).1;
            assert_eq!(end, Err(SseError::EventTooLong { max: 5 }));
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        for text in ["{}", "two\nlines", "three\r\nold\rlines", "\nempty first"] {
            let (events, end) = whole(&encode_event(text.as_bytes()));
            assert_eq!(end, Ok(()));
            let want = text.replace("\r\n", "\n").replace('\r', "\n");
            assert_eq!(events[0].data, want);
        }
        let numbered = [keep_alive(), encode_numbered(3, b"{}")].concat();
        let (events, _) = whole(&numbered);
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].id.as_deref(), Some("3"));
    }

    #[test]
    fn a_line_without_an_end_is_refused_once_it_is_too_long() {
        let limits = SseLimits {
            line: 64,
            event: 64,
        };
        for begin in [&b"data: "[..], b": ", b"id: ", b""] {
            let mut parser = Parser::new(limits);
            assert_eq!(parser.feed(begin), Ok(Vec::new()));
            let mut fed = begin.len();
            let error = loop {
                match parser.feed(b"x") {
                    Ok(_) => fed += 1,
                    Err(error) => break error,
                }
            };
            assert_eq!((fed, error), (64, SseError::LineTooLong { max: 64 }));
        }
        // Nor may one event be fed line by line for ever.
        let mut parser = Parser::new(limits);
        let error = (0..1000).find_map(|_| parser.feed(b"data: x\n").err());
        assert_eq!(error, Some(SseError::EventTooLong { max: 64 }));
    }
}
