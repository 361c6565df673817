use countersign::oauth::BoundToken;

pub fn make(got: &BoundToken) -> Option<BoundToken> {
    Some(got.clone())
}
