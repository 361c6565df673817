//~ E0624
use countersign::oauth::BoundToken;

pub fn text(got: &BoundToken) -> Option<&str> {
    got.authorization_header().to_str().ok()
}
