//! As much of DER (X.690 §10) as keys need: nested values of known tags, in their shortest form.

use zeroize::Zeroizing;

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OID: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;

/// Reads values from the front.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The only value in `bytes`, which has this tag.
    pub(super) fn only(bytes: &'a [u8], tag: u8) -> Option<&'a [u8]> {
        let mut reader = Self(bytes);
        let value = reader.take(tag)?;
        reader.is_empty().then_some(value)
    }

    /// The next value, when it has this tag.
    pub(super) fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let rest = self.0.strip_prefix(&[tag])?;
        let (&first, mut rest) = rest.split_first()?;
        let len = if first < 0x80 {
            usize::from(first)
        } else {
            let (digits, after) = rest.split_at_checked(usize::from(first & 0x7f))?;
            rest = after;
            // No key is longer than two bytes can say.
            let (len, fewest) = match *digits {
                [one] => (usize::from(one), 0x80),
                [high, low] => (usize::from(high) << 8 | usize::from(low), 0x100),
                _ => return None,
            };
            if len < fewest {
                return None;
            }
            len
        };
        let (value, rest) = rest.split_at_checked(len)?;
        self.0 = rest;
        Some(value)
    }

    /// The magnitude of the next value, a positive number.
    pub(super) fn positive(&mut self) -> Option<&'a [u8]> {
        match self.take(INTEGER)? {
            [0, digits @ ..] => digits
                .first()
                .is_some_and(|first| *first >= 0x80)
                .then_some(digits),
            digits => digits
                .first()
                .is_some_and(|first| *first < 0x80)
                .then_some(digits),
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What was not read.
    pub(super) const fn rest(&self) -> &'a [u8] {
        self.0
    }
}

/// A value with this tag; it may be a private key, so it is wiped.
pub(super) fn write(tag: u8, parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let len: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = Zeroizing::new(Vec::with_capacity(len + 6));
    out.push(tag);
    let bytes = len.to_be_bytes();
    let digits = &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..];
    match digits {
        [] => out.push(0),
        [one @ ..0x80] => out.push(*one),
        // At most eight digits.
        more => {
            out.push(0x80 | more.len() as u8);
            out.extend_from_slice(more);
        }
    }
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

/// A positive number, from its magnitude.
pub(super) fn write_positive(magnitude: &[u8]) -> Zeroizing<Vec<u8>> {
    let zeros = magnitude.iter().take_while(|byte| **byte == 0).count();
    let digits = &magnitude[zeros..];
    if digits.first().is_none_or(|first| *first >= 0x80) {
        write(INTEGER, &[&[0], digits])
    } else {
        write(INTEGER, &[digits])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_at_every_length() {
        for len in [0, 1, 127, 128, 255, 256, 65_535] {
            let content = vec![7; len];
            let written = write(OCTET_STRING, &[&content]);
            let read = Reader::only(&written, OCTET_STRING);
            assert_eq!(read, Some(&content[..]), "{len}");
            assert_eq!(Reader::only(&written[..written.len() - 1], 4), None);
        }
        for magnitude in [&[1][..], &[0x80], &[0x7f, 0xff], &[0, 0, 9]] {
            let written = write_positive(magnitude);
            let zeros = magnitude.iter().take_while(|byte| **byte == 0).count();
            let read = Reader::new(&written).positive().map(<[u8]>::to_vec);
            assert_eq!(read.as_deref(), Some(&magnitude[zeros..]));
        }
    }

    #[test]
    fn only_the_shortest_form_is_read() {
        for wrong in [
            &[4, 0x81, 1, 7][..],
            &[4, 0x82, 0, 1, 7],
            &[4, 0x80, 0, 0],
            &[4, 0x83, 0, 0, 1, 7],
            &[4, 2, 7],
            &[4, 1, 7, 7],
            &[4],
            &[],
        ] {
            assert_eq!(Reader::only(wrong, OCTET_STRING), None, "{wrong:?}");
        }
        for wrong in [
            &[2, 0][..],
            &[2, 1, 0],
            &[2, 1, 0x80],
            &[2, 2, 0, 0x7f],
            &[4, 1, 1],
        ] {
            assert_eq!(Reader::new(wrong).positive(), None, "{wrong:?}");
        }
    }
}
