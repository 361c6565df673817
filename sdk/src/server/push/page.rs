//! Where a page of configurations ended, as text that is no use to anybody else.

use crate::a2a::A2aError;
use crate::crypto::{same_bytes, sha256};
use crate::jose::{decode_base64url, encode_base64url};
use crate::policy::Owner;

/// How much of the digest a token carries, in bytes.
const MARK: usize = 16;

/// The token behind the configuration `id` in the list of `task_id`.
pub(super) fn token_after(owner: &Owner, task_id: &str, id: &str) -> String {
    let mut bytes = mark(owner, task_id, id).to_vec();
    bytes.extend_from_slice(id.as_bytes());
    encode_base64url(&bytes)
}

/// The ID behind which the page begins.
///
/// # Errors
/// Invalid parameters, when the token was made for another owner, for another task or by nobody.
pub(super) fn after(owner: &Owner, task_id: &str, token: &str) -> Result<String, A2aError> {
    let read = || {
        let bytes = decode_base64url(token).ok()?;
        let (found, id) = bytes.split_at_checked(MARK)?;
        let id = std::str::from_utf8(id).ok()?;
        same_bytes(found, &mark(owner, task_id, id)).then(|| id.to_owned())
    };
    read().ok_or_else(|| A2aError::invalid_param("pageToken", "is not one of this list"))
}

fn mark(owner: &Owner, task_id: &str, id: &str) -> [u8; MARK] {
    let text = serde_json::json!([owner.to_text(), task_id, id]).to_string();
    let mut mark = [0; MARK];
    mark.copy_from_slice(&sha256(text.as_bytes())[..MARK]);
    mark
}
