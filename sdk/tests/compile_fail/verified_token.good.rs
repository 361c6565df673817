use countersign::clock::UnixTime;
use countersign::svid::PeerIdentity;
use countersign::token::{PresentedToken, SignedClaims, TokenError, TokenRules, VerifiedToken};
use std::sync::Arc;

pub fn make(
    claims: &Arc<SignedClaims>,
    presented: PresentedToken,
    rules: &TokenRules,
    peer: &PeerIdentity,
    now: UnixTime,
) -> Result<VerifiedToken, TokenError> {
    claims.check(presented, rules, peer, now)
}
