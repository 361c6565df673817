//! Step 4, kept warm: a token's signature is checked once, everything that can change every time.

use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;

use super::refusal::Refusal;
use crate::oauth::OAuth;
use crate::token::{PresentedToken, SignedClaims, TokenError};

/// How long a checked signature is believed before the issuer's keys are asked again: the time
/// within which a withdrawn issuer key takes effect.
const BELIEVED: Duration = Duration::from_secs(60);
/// How many tokens are kept.
const KEPT: u64 = 10_000;

/// Tokens whose signature was checked, by the SHA-256 of their text.
#[derive(Debug)]
pub(super) struct Tokens {
    oauth: OAuth,
    max_len: usize,
    kept: Cache<[u8; 32], Arc<SignedClaims>>,
}

impl Tokens {
    pub(super) fn new(oauth: OAuth, max_len: usize) -> Self {
        let kept = Cache::builder()
            .max_capacity(KEPT)
            .time_to_live(BELIEVED)
            .build();
        Self {
            oauth,
            max_len,
            kept,
        }
    }

    pub(super) fn with_max_len(self, max_len: usize) -> Self {
        Self { max_len, ..self }
    }

    pub(super) async fn claims(
        &self,
        presented: &PresentedToken,
    ) -> Result<Arc<SignedClaims>, Refusal> {
        let digest = presented.digest();
        if let Some(claims) = self.kept.get(&digest) {
            return Ok(claims);
        }
        let parsed = presented.parse(self.max_len)?;
        let known = self.oauth.issuer();
        // RFC 9068 §4: the issuer is matched before its keys are fetched.
        if parsed.issuer() != known {
            return Err(TokenError::Issuer {
                found: parsed.issuer().to_owned(),
                expected: known.to_owned(),
            }
            .into());
        }
        let keys = Box::pin(self.oauth.issuer_keys(parsed.kid())).await?;
        let claims = Arc::new(parsed.verify(&keys, known)?);
        self.kept.insert(digest, claims.clone());
        Ok(claims)
    }
}
