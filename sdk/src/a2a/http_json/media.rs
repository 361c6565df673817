//! The media types of bodies (A2A §11.1, §14.1.1).

use crate::a2a::{A2A_JSON, A2aError, ErrorKind, JSON};

/// Checks the `Content-Type` of a request whose body is `body`.
///
/// An empty body needs none, and may have either.
///
/// # Errors
/// `ContentTypeNotSupported` for anything but `application/a2a+json` and `application/json`.
///
/// ```
/// use countersign::a2a::http_json::check_content_type;
/// assert!(check_content_type(Some("application/a2a+json; charset=utf-8"), b"{}").is_ok());
/// assert!(check_content_type(None, b"").is_ok());
/// assert!(check_content_type(Some("text/plain"), b"").is_err());
/// ```
pub fn check_content_type(content_type: Option<&str>, body: &[u8]) -> Result<(), A2aError> {
    let media = content_type.map(|text| text.split(';').next().unwrap_or(text).trim());
    let known = match media {
        None | Some("") => body.is_empty(),
        Some(media) => [A2A_JSON, JSON]
            .iter()
            .any(|known| media.eq_ignore_ascii_case(known)),
    };
    if known {
        return Ok(());
    }
    let message = format!("The content type must be {A2A_JSON} or {JSON}");
    Err(A2aError::new(ErrorKind::ContentTypeNotSupported, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_json_of_either_name() {
        for (media, body, good) in [
            (Some("application/a2a+json"), &b"{}"[..], true),
            (Some("Application/JSON;charset=utf-8"), b"{}", true),
            (Some("application/json"), b"", true),
            (None, b"", true),
            (Some(""), b"", true),
            (None, b"{}", false),
            (Some(""), b"{}", false),
            (Some("text/plain"), b"{}", false),
            (Some("application/jsonp"), b"{}", false),
            (Some("application/x-www-form-urlencoded"), b"", false),
        ] {
            let checked = check_content_type(media, body).map_err(|error| error.kind());
            let want = if good {
                Ok(())
            } else {
                Err(ErrorKind::ContentTypeNotSupported)
            };
            assert_eq!(checked, want, "{media:?} {body:?}");
        }
    }
}
