//! The members of a configuration that become header fields.

use http::HeaderValue;

use super::error::WebhookError;
use crate::a2a::TaskPushNotificationConfig;

/// The longest token and the longest credentials, in bytes.
const MAX_FIELD: usize = 8 << 10;

/// What a notification carries besides its body; marked as secret, so that no log of the HTTP stack
/// shows it.
#[derive(Clone, Default)]
pub(super) struct SecretFields {
    pub(super) authorization: Option<HeaderValue>,
    pub(super) token: Option<HeaderValue>,
}

impl SecretFields {
    /// Reads the fields; a value that is no well-formed field is refused.
    pub(super) fn of(config: &TaskPushNotificationConfig) -> Result<Self, WebhookError> {
        let mut fields = Self::default();
        if let Some(authentication) = &config.authentication {
            let scheme = &authentication.scheme;
            // RFC 9110 §11.1: a scheme is a token.
            if scheme.is_empty() || scheme.len() > 64 || !scheme.bytes().all(is_token_byte) {
                return Err(wrong(
                    "authentication.scheme",
                    "is no authentication scheme",
                ));
            }
            let credentials = authentication.credentials.as_deref().unwrap_or_default();
            if !credentials.is_empty() {
                let name = "authentication.credentials";
                visible(name, credentials)?;
                let value = HeaderValue::try_from(format!("{scheme} {credentials}"));
                fields.authorization = Some(secret(value.ok(), name)?);
            }
        }
        if let Some(token) = config.token.as_deref().filter(|token| !token.is_empty()) {
            visible("token", token)?;
            fields.token = Some(secret(HeaderValue::from_str(token).ok(), "token")?);
        }
        Ok(fields)
    }
}

/// RFC 9110 §5.5: visible ASCII with spaces in between, so that what is sent is what is received.
fn visible(field: &'static str, text: &str) -> Result<(), WebhookError> {
    if text.len() > MAX_FIELD {
        return Err(wrong(field, "is longer than 8 KiB"));
    }
    let outer = [text.as_bytes().first(), text.as_bytes().last()];
    if outer.contains(&Some(&b' ')) || !text.bytes().all(|b| matches!(b, b' '..=b'~')) {
        return Err(wrong(field, "has characters that a header field has not"));
    }
    Ok(())
}

fn secret(value: Option<HeaderValue>, field: &'static str) -> Result<HeaderValue, WebhookError> {
    let mut value = value.ok_or(wrong(field, "is no value of a header field"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// RFC 9110 §5.6.2.
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

const fn wrong(field: &'static str, rule: &'static str) -> WebhookError {
    WebhookError::Header { field, rule }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::a2a::AuthenticationInfo;

    fn good() -> TaskPushNotificationConfig {
        TaskPushNotificationConfig {
            url: "https://hooks.example/".into(),
            token: Some("t0ken".into()),
            authentication: Some(AuthenticationInfo {
                scheme: "Bearer".into(),
                credentials: Some("s3cret".into()),
            }),
            ..Default::default()
        }
    }

    type Change = fn(&mut TaskPushNotificationConfig, &mut AuthenticationInfo);

    #[test]
    fn only_well_formed_values_become_header_fields() {
        let cases: [(&str, Change, &str); 14] = [
            ("as it is", |_, _| {}, "fine"),
            ("no token", |c, _| c.token = None, "fine"),
            (
                "a token with a space inside",
                |c, _| c.token = Some("a b".into()),
                "fine",
            ),
            (
                "a token that ends with one",
                |c, _| c.token = Some("a ".into()),
                "token",
            ),
            (
                "a token of two lines",
                |c, _| c.token = Some("a\r\nX: y".into()),
                "token",
            ),
            (
                "a token that is not ASCII",
                |c, _| c.token = Some("é".into()),
                "token",
            ),
            (
                "a token of 8 KiB",
                |c, _| c.token = Some("a".repeat(8192)),
                "fine",
            ),
            (
                "a token of a byte more",
                |c, _| c.token = Some("a".repeat(8193)),
                "token",
            ),
            (
                "no scheme",
                |_, a| a.scheme = String::new(),
                "authentication.scheme",
            ),
            (
                "a scheme with a space",
                |_, a| a.scheme = "Bearer x".into(),
                "authentication.scheme",
            ),
            (
                "a scheme of two lines",
                |_, a| a.scheme = "Bearer\n".into(),
                "authentication.scheme",
            ),
            ("no credentials", |_, a| a.credentials = None, "fine"),
            (
                "credentials of two lines",
                |_, a| a.credentials = Some("a\nb".into()),
                "authentication.credentials",
            ),
            (
                "credentials with NUL",
                |_, a| a.credentials = Some("a\0".into()),
                "authentication.credentials",
            ),
        ];
        for (name, change, want) in cases {
            let mut config = good();
            let mut authentication = config.authentication.take().expect("it is there");
            change(&mut config, &mut authentication);
            config.authentication = Some(authentication);
            let got = match SecretFields::of(&config) {
                Ok(_) => "fine",
                Err(WebhookError::Header { field, .. }) => field,
                Err(other) => other.reason(),
            };
            assert_eq!(got, want, "{name}");
        }
    }

    #[test]
    fn the_fields_are_scheme_and_credentials_and_are_not_shown() {
        let fields = SecretFields::of(&good()).expect("well-formed");
        let authorization = fields.authorization.expect("it is there");
        assert_eq!(authorization, "Bearer s3cret");
        assert!(!format!("{authorization:?}").contains("s3cret"));
        assert!(!format!("{:?}", fields.token).contains("t0ken"));
        let without = TaskPushNotificationConfig {
            authentication: None,
            token: None,
            ..good()
        };
        let fields = SecretFields::of(&without).expect("well-formed");
        assert!(fields.authorization.is_none() && fields.token.is_none());
    }
}
