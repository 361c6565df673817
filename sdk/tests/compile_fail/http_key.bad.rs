//~ E0308
use countersign::httpsig::HttpSigningKey;
use countersign::jose::{Header, sign_compact};

pub fn sign(key: &HttpSigningKey, header: &Header) -> bool {
    sign_compact(header, &Default::default(), key).is_ok()
}
