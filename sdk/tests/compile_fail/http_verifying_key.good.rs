use countersign::crypto::VerifyingKey;
use countersign::jose::ParsedJws;

pub fn verify(jws: ParsedJws<'_>, key: &VerifyingKey) -> bool {
    jws.verify(key).is_ok()
}
