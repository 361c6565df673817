//! The text that says where the next page of a list begins.

use serde_json::json;

use crate::a2a::A2aError;
use crate::crypto::sha256;
use crate::jose::{decode_base64url, encode_base64url};
use crate::policy::Owner;
use crate::server::store::{TaskCursor, TaskQuery};

/// Bytes of the digest that ties a token to its list.
const TIE: usize = 16;

/// The token for what comes after `cursor` in the owner's list of so many tasks. It tells nothing that
/// the list did not, and is of no use in another one.
pub(super) fn token_of(
    owner: &Owner,
    query: &TaskQuery,
    cursor: &TaskCursor,
    total: u64,
) -> String {
    let mut bytes = tie(owner, query, cursor, total).to_vec();
    bytes.extend(cursor.status_ms.to_be_bytes());
    bytes.extend(total.to_be_bytes());
    bytes.extend(cursor.id.as_bytes());
    encode_base64url(&bytes)
}

/// The place that `token` names in this very list, and the total that was told with it.
///
/// # Errors
/// `InvalidParams` when it is a token of another owner, of another filter, or none at all.
pub(super) fn place_of(
    owner: &Owner,
    query: &TaskQuery,
    token: &str,
) -> Result<(TaskCursor, u64), A2aError> {
    let wrong = || A2aError::invalid_param("pageToken", "is no token of this list");
    let bytes = decode_base64url(token).map_err(|_| wrong())?;
    let (tied, rest) = bytes.split_at_checked(TIE).ok_or_else(wrong)?;
    let (time, rest) = rest.split_first_chunk::<8>().ok_or_else(wrong)?;
    let (total, id) = rest.split_first_chunk::<8>().ok_or_else(wrong)?;
    let total = u64::from_be_bytes(*total);
    let id = std::str::from_utf8(id).map_err(|_| wrong())?;
    let cursor = TaskCursor {
        status_ms: i64::from_be_bytes(*time),
        id: id.to_owned(),
    };
    if tied == tie(owner, query, &cursor, total) {
        Ok((cursor, total))
    } else {
        Err(wrong())
    }
}

/// A digest of the list and the place. It is no secret: who makes one up for a list of their own gets
/// a place in that list and the total that they said, and for another's list there is no way to use it.
fn tie(owner: &Owner, query: &TaskQuery, cursor: &TaskCursor, total: u64) -> [u8; TIE] {
    let what = json!([
        "countersign page token 2",
        owner.to_text(),
        query.context_id,
        query.state,
        query.not_before_ms,
        cursor.status_ms,
        cursor.id,
        total,
    ]);
    let digest = sha256(what.to_string().as_bytes());
    let mut out = [0; TIE];
    out.copy_from_slice(&digest[..TIE]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::a2a::TaskState;
    use crate::delegation::testing::{app_only, delegated};

    fn good() -> (Owner, TaskQuery, TaskCursor) {
        let query = TaskQuery {
            context_id: Some("c".into()),
            state: Some(TaskState::Working),
            not_before_ms: Some(5),
            page_size: 10,
            after: None,
            total: None,
        };
        let cursor = TaskCursor {
            status_ms: -7,
            id: "täsk".into(),
        };
        (Owner::of(&delegated("work")), query, cursor)
    }

    #[test]
    fn a_token_reads_back_in_its_own_list_whatever_the_page_size() {
        let (owner, mut query, cursor) = good();
        let token = token_of(&owner, &query, &cursor, 7);
        query.page_size = 99;
        assert_eq!(place_of(&owner, &query, &token), Ok((cursor, 7)));
    }

    #[test]
    fn a_token_is_of_no_use_to_another_owner_or_for_another_list() {
        type Change = fn(&mut Owner, &mut TaskQuery, &mut String);
        let cases: [(&str, Change); 8] = [
            ("another owner", |owner, _, _| {
                *owner = Owner::of(&app_only("work"))
            }),
            ("another tenant", |owner, _, _| {
                *owner = owner.clone().at_tenant(Some("acme"));
            }),
            ("another context", |_, query, _| query.context_id = None),
            ("another state", |_, query, _| query.state = None),
            ("another time", |_, query, _| query.not_before_ms = Some(6)),
            ("a changed place", |_, _, token| {
                token.pop();
                token.pop();
            }),
            ("no base64url", |_, _, token| token.push('+')),
            ("too short", |_, _, token| token.truncate(20)),
        ];
        for (name, change) in cases {
            let (mut owner, mut query, cursor) = good();
            let mut token = token_of(&owner, &query, &cursor, 7);
            change(&mut owner, &mut query, &mut token);
            let read = place_of(&owner, &query, &token);
            let kind = read.map_err(|error| error.kind());
            assert_eq!(kind, Err(crate::a2a::ErrorKind::InvalidParams), "{name}");
        }
    }
}
