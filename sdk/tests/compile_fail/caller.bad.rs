//~ E0308
use countersign::delegation::{Caller, ChainLimits, DelegationError, caller};
use countersign::httpsig::VerifiedRequest;
use countersign::token::VerifiedToken;

pub fn join(token: VerifiedToken, request: VerifiedRequest) -> Result<Caller, DelegationError> {
    caller(token, request, ChainLimits::default())
}
