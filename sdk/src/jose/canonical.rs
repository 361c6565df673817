//! The JSON Canonicalization Scheme (RFC 8785).

use serde_json::{Map, Value};

/// Why a value has no canonical form that all implementations share.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CanonicalError {
    /// An integer that a double cannot hold exactly (RFC 8785 §3.2.2.3, RFC 7493 §2.2).
    #[error("the number {number} at {path} does not fit a double exactly")]
    Number {
        /// The number as written.
        number: String,
        /// JSON pointer to it.
        path: String,
    },
}

/// The largest integer up to which doubles hold every integer.
const EXACT: u64 = (1 << 53) - 1;

/// The canonical bytes of `value`: members by UTF-16 order, ECMAScript numbers, no white space.
///
/// # Errors
/// [`CanonicalError`] when a number would lose digits.
pub fn canonicalize(value: &Value) -> Result<Vec<u8>, CanonicalError> {
    let mut out = Vec::new();
    write(value, &mut out, &mut String::new())?;
    Ok(out)
}

fn write(value: &Value, out: &mut Vec<u8>, path: &mut String) -> Result<(), CanonicalError> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => {
            let exact = number.is_f64()
                || number.as_u64().is_some_and(|n| n <= EXACT)
                || number.as_i64().is_some_and(|n| n.unsigned_abs() <= EXACT);
            let double = number.as_f64().filter(|_| exact);
            let double = double.ok_or_else(|| CanonicalError::Number {
                number: number.to_string(),
                path: path.clone(),
            })?;
            out.extend_from_slice(ryu_js::Buffer::new().format(double).as_bytes());
        }
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            out.push(b'[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                let len = path.len();
                path.push_str(&format!("/{at}"));
                write(item, out, path)?;
                path.truncate(len);
            }
            out.push(b']');
        }
        Value::Object(members) => write_object(members, out, path)?,
    }
    Ok(())
}

fn write_object(
    members: &Map<String, Value>,
    out: &mut Vec<u8>,
    path: &mut String,
) -> Result<(), CanonicalError> {
    let mut sorted: Vec<_> = members.iter().collect();
    // RFC 8785 §3.2.3: names are compared as UTF-16 code units, not as UTF-8.
    sorted.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
    out.push(b'{');
    for (at, (name, value)) in sorted.into_iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write_string(name, out);
        out.push(b':');
        let len = path.len();
        path.push('/');
        path.push_str(name);
        write(value, out, path)?;
        path.truncate(len);
    }
    out.push(b'}');
    Ok(())
}

/// RFC 8785 §3.2.2.2: only what must be escaped is, the rest stands literally in UTF-8.
fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for c in text.chars() {
        match c {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\u{8}' => out.extend_from_slice(b"\\b"),
            '\t' => out.extend_from_slice(b"\\t"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\u{c}' => out.extend_from_slice(b"\\f"),
            '\r' => out.extend_from_slice(b"\\r"),
            c if c < ' ' => out.extend_from_slice(format!("\\u{:04x}", u32::from(c)).as_bytes()),
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn canonical(value: &Value) -> String {
        String::from_utf8(canonicalize(value).expect("canonical")).expect("UTF-8")
    }

    #[test]
    fn numbers_and_strings_follow_rfc_8785() {
        let value: Value = serde_json::from_str(
            r#"{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001,-0,-0.0],
                "string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}"#,
        )
        .expect("JSON");
        assert_eq!(
            canonical(&value),
            "{\"literals\":[null,true,false],\
             \"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27,0,0],\
             \"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}"
        );
    }

    #[test]
    fn members_are_sorted_by_utf_16_units() {
        // U+1F600 is D83D DE00 in UTF-16, before U+FB33; in UTF-8 it would come after.
        let value = json!({"\u{fb33}": 1, "\u{1f600}": 2, "\u{20ac}": 3, "1": 4, "\r": 5});
        assert_eq!(
            canonical(&value),
            "{\"\\r\":5,\"1\":4,\"€\":3,\"\u{1f600}\":2,\"\u{fb33}\":1}"
        );
    }

    #[test]
    fn integers_that_a_double_would_round_are_refused() {
        assert_eq!(
            canonical(&json!(9_007_199_254_740_991_u64)),
            "9007199254740991"
        );
        let refused = canonicalize(&json!({"a": [9_007_199_254_740_992_u64]}));
        let error = refused.expect_err("too large").to_string();
        assert!(error.contains("/a/0"), "{error}");
        assert!(canonicalize(&json!(i64::MIN)).is_err());
    }
}
