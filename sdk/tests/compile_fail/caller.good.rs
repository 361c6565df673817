use countersign::delegation::{Caller, ChainLimits, DelegationError, caller};
use countersign::httpsig::Fresh;
use countersign::token::VerifiedToken;

pub fn join(token: VerifiedToken, request: Fresh) -> Result<Caller, DelegationError> {
    caller(token, request, ChainLimits::default())
}
