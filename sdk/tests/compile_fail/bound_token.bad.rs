//~ E0624
use countersign::oauth::BoundToken;
use countersign::secret::Secret;

pub fn make(got: &BoundToken) -> Option<BoundToken> {
    BoundToken::new(
        &Secret::new("stolen".to_owned()),
        got.audience(),
        got.scopes().clone(),
        got.expires(),
        got.certificate(),
    )
}
