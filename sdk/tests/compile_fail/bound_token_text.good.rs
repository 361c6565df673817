use countersign::oauth::BoundToken;

pub fn text(got: &BoundToken) -> Option<&str> {
    Some(got.audience())
}
