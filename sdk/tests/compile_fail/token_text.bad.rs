//~ E0624
use countersign::token::VerifiedToken;

pub fn text(token: &VerifiedToken) -> &str {
    token.subject_token().expose()
}
