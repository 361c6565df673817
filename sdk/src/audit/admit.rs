//! From a decision to its record.

use super::{AuditError, AuditLog, Context, Decision, Draft, Record, SignatureEvidence};
use crate::delegation::Caller;
use crate::policy::{Action, Denial, Permit};
use crate::svid::PeerIdentity;
use crate::token::SignedClaims;

/// A permitted action whose record is stored: what an executor gets, and the last evidence of the
/// way in.
#[derive(Debug)]
pub struct Admitted {
    permit: Permit,
    record: Record,
}

impl Admitted {
    /// The decision.
    pub fn permit(&self) -> &Permit {
        &self.permit
    }

    /// Who is calling, for whom and through whom.
    pub fn caller(&self) -> &Caller {
        self.permit.caller()
    }

    /// What was asked for.
    pub fn action(&self) -> &Action {
        self.permit.action()
    }

    /// The record.
    pub fn record(&self) -> &Record {
        &self.record
    }
}

/// Records that an action is permitted; only then it is admitted.
///
/// # Errors
/// [`AuditError`] when the record could not be stored; the action must then not happen.
pub fn admit(permit: Permit, log: &dyn AuditLog, context: Context) -> Result<Admitted, AuditError> {
    let draft = Draft::new(context, Record::CALL, Decision::Permitted)
        .caller(permit.caller())
        .action(permit.action())
        .rule(permit.rule());
    let record = log.append(draft)?;
    Ok(Admitted { permit, record })
}

/// A request that was turned away, and what was known of it by then.
///
/// ```
/// use countersign::audit::Refused;
/// use countersign::svid::PeerIdentity;
/// use countersign::token::TokenError;
/// fn describe<'a>(error: &TokenError, peer: &'a PeerIdentity) -> Refused<'a> {
///     Refused {
///         detail: Some(error.to_string()),
///         peer: Some(peer),
///         ..Refused::new(error.reason())
///     }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Refused<'a> {
    /// The fixed word.
    pub reason: &'a str,
    /// The reason at length: the error's text.
    pub detail: Option<String>,
    /// The peer, once its certificate was checked.
    pub peer: Option<&'a PeerIdentity>,
    /// The signature, once it was verified.
    pub signature: Option<SignatureEvidence>,
    /// The token, once its issuer's signature was verified; whether it is the peer's is not said.
    pub token: Option<&'a SignedClaims>,
    /// The caller, once all proofs named one agent; it says more than the three above.
    pub caller: Option<&'a Caller>,
    /// What was asked for.
    pub action: Option<&'a Action>,
    /// The rule of the policy that decided.
    pub rule: Option<&'a str>,
}

impl<'a> Refused<'a> {
    /// A refusal of which nothing else is known.
    pub const fn new(reason: &'a str) -> Self {
        Self {
            reason,
            detail: None,
            peer: None,
            signature: None,
            token: None,
            caller: None,
            action: None,
            rule: None,
        }
    }
}

impl<'a> From<&'a Denial> for Refused<'a> {
    fn from(denial: &'a Denial) -> Self {
        Self {
            detail: Some(denial.to_string()),
            caller: Some(denial.caller()),
            action: Some(denial.action()),
            rule: denial.rule(),
            ..Self::new(denial.reason())
        }
    }
}

/// Records a refusal, with as much as is known.
///
/// # Errors
/// [`AuditError`] when the record could not be stored; the request stays refused.
pub fn refuse(
    log: &dyn AuditLog,
    context: Context,
    refused: Refused<'_>,
) -> Result<Record, AuditError> {
    let mut draft = Draft::new(context, Record::CALL, Decision::Refused).reason(refused.reason);
    if let Some(detail) = &refused.detail {
        draft = draft.detail(detail);
    }
    if let Some(peer) = refused.peer {
        draft = draft.peer(peer);
    }
    if let Some(signature) = refused.signature {
        draft = draft.signature(signature);
    }
    if let Some(token) = refused.token {
        draft = draft.token(token.into());
    }
    if let Some(caller) = refused.caller {
        draft = draft.caller(caller);
    }
    if let Some(action) = refused.action {
        draft = draft.action(action);
    }
    if let Some(rule) = refused.rule {
        draft = draft.rule(rule);
    }
    log.append(draft)
}
