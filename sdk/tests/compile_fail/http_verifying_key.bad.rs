//~ E0308
use countersign::httpsig::HttpVerifyingKey;
use countersign::jose::ParsedJws;

pub fn verify(jws: ParsedJws<'_>, key: &HttpVerifyingKey) -> bool {
    jws.verify(key).is_ok()
}
