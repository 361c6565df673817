//~ E0308
use countersign::httpsig::{Fresh, VerifiedRequest};

pub fn look(fresh: &Fresh) -> VerifiedRequest {
    fresh.request().clone()
}
