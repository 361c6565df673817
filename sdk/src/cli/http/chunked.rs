//! The chunked transfer coding (RFC 9112 §7.1), read whole.

use http::HeaderMap;

use super::parse::{Lines, Malformed, fields, whole};

/// The content of a chunked body, and its trailers.
pub(super) fn decode(rest: &[u8]) -> Result<(Vec<u8>, HeaderMap), Malformed> {
    let mut lines = Lines { rest, number: 0 };
    let mut body = Vec::new();
    loop {
        let (line, _) = lines.next().map_err(|_| whole("a chunk has no size"))?;
        // §7.1.1: extensions that are not known are ignored.
        let size = line.split(|byte| *byte == b';').next().unwrap_or_default();
        let size = size_of(size.trim_ascii()).ok_or(whole("a chunk has no size"))?;
        if size == 0 {
            break;
        }
        let short = whole("a chunk is shorter than its size");
        let (chunk, after) = lines.rest.split_at_checked(size).ok_or(short)?;
        body.extend_from_slice(chunk);
        let after = after.strip_prefix(b"\r").unwrap_or(after);
        let unended = whole("a chunk does not end with a line end");
        lines.rest = after.strip_prefix(b"\n").ok_or(unended)?;
    }
    let read = fields(&mut lines).map_err(|error| whole(error.rule))?;
    if !matches!(lines.rest, b"" | b"\n" | b"\r\n") {
        return Err(whole("there is more after the last chunk"));
    }
    Ok((body, read.0))
}

fn size_of(digits: &[u8]) -> Option<usize> {
    let hex = !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit);
    let digits = std::str::from_utf8(digits).ok().filter(|_| hex)?;
    usize::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_and_trailers_are_read_whole_or_refused() {
        let good = "4;x=y\r\nWiki\r\nB\r\npedia in 10\r\n0\r\nExpires: soon\r\n\r\n";
        for text in [good.to_owned(), good.replace("\r\n", "\n")] {
            let (body, trailers) = decode(text.as_bytes()).expect("chunks");
            assert_eq!(body, b"Wikipedia in 10");
            assert_eq!(trailers["expires"], "soon");
        }
        for (from, to, want) in [
            ("4;", "+4;", "a chunk has no size"),
            ("4;", "FFFFFFFFFFFFFFFFF;", "a chunk has no size"),
            ("4;", "3;", "a chunk does not end with a line end"),
            ("B\r", "FF\r", "a chunk is shorter than its size"),
            ("0\r\n", "", "a chunk has no size"),
            ("\r\n\r\n", "\r\n", "no empty line ends the fields"),
            (
                "\r\n\r\n",
                "\r\n\r\nmore",
                "there is more after the last chunk",
            ),
        ] {
            let found = decode(good.replacen(from, to, 1).as_bytes());
            assert_eq!(found.map(drop), Err(whole(want)), "{from:?} {to:?}");
        }
    }
}
