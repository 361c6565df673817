//! `@query-param`: one parameter of the query, decoded and encoded again (RFC 9421 §2.2.8).

/// Appends the value of the parameter whose encoded name is `name`. `None` when there is no such
/// parameter, or more than one.
pub(super) fn write_param(query: &str, name: &str, out: &mut Vec<u8>) -> Option<()> {
    let mut value = None;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, found) = pair.split_once('=').unwrap_or((pair, ""));
        if recode(key) == name.as_bytes() {
            // §2.2.8: a parameter that occurs more than once cannot be covered.
            if value.is_some() {
                return None;
            }
            value = Some(found);
        }
    }
    out.extend_from_slice(&recode(value?));
    Some(())
}

/// Reads `application/x-www-form-urlencoded` and percent-encodes the result, space as `%20`.
fn recode(text: &str) -> Vec<u8> {
    let decoded = decode(text.as_bytes());
    // The URL standard decodes UTF-8 with replacement of what is not.
    let decoded = String::from_utf8_lossy(&decoded);
    let mut out = Vec::with_capacity(decoded.len());
    for byte in decoded.bytes() {
        if byte.is_ascii_alphanumeric() || b"*-._".contains(&byte) {
            out.push(byte);
        } else {
            let digit = |nibble: u8| b"0123456789ABCDEF"[usize::from(nibble & 15)];
            out.extend_from_slice(&[b'%', digit(byte >> 4), digit(byte)]);
        }
    }
    out
}

fn decode(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        out.push(match (first, after) {
            (b'+', _) => b' ',
            (b'%', [high, low, ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    rest = &after[2..];
                    high << 4 | low
                }
                _ => b'%',
            },
            _ => first,
        });
    }
    out
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|d| u8::try_from(d).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded_and_encoded_again() {
        let query = "var=this%20is%0Abig&bar=with+plus&fa%C3%A7ade%22%3A%20=something&t=~%7e&bad=%zz%f&e&a=1&a=2&=x";
        let cases = [
            ("var", Some("this%20is%0Abig")),
            ("bar", Some("with%20plus")),
            ("fa%C3%A7ade%22%3A%20", Some("something")),
            ("t", Some("%7E%7E")),
            ("bad", Some("%25zz%25f")),
            ("e", Some("")),
            ("a", None),
            ("b", None),
            ("", Some("x")),
        ];
        for (name, want) in cases {
            let mut out = Vec::new();
            let got = write_param(query, name, &mut out).map(|()| String::from_utf8_lossy(&out));
            assert_eq!(got.as_deref(), want, "{name}");
        }
    }
}
