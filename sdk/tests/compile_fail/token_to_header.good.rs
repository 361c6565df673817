use countersign::token::{PresentedToken, TokenError, VerifiedToken};
use http::{HeaderMap, HeaderValue};

pub fn read(headers: &HeaderMap) -> Result<PresentedToken, TokenError> {
    PresentedToken::from_headers(headers)
}

pub fn name(token: VerifiedToken) -> Option<HeaderValue> {
    HeaderValue::try_from(token.client_id()).ok()
}
