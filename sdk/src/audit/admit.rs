//! From a decision to its record.

use super::{AuditError, AuditLog, Context, Decision, Draft, Record, SignatureEvidence};
use crate::delegation::Caller;
use crate::policy::{Action, Denial, Owner, Permit};
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

    /// To whom belongs what the call makes, and whose tasks it may touch.
    pub fn owner(&self) -> &Owner {
        self.permit.owner()
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

#[cfg(test)]
mod tests {
    use super::super::testing::context;
    use super::super::{AccessMode, MemoryLog};
    use super::*;
    use crate::a2a::Operation;
    use crate::delegation::testing::{app_only, delegated};
    use crate::policy::Policy;
    use crate::token::testing::World;

    fn decide(caller: Caller) -> Result<Permit, Denial> {
        let policy = Policy::from_toml(
            r#"
            [roles.booker]
            scopes = ["payments.charge"]
            operations = ["SendMessage"]
            skills = ["charge"]
            [agents."spiffe://travel.test/agent/booking"]
            role = "booker"
            [skills.charge]
            scopes = ["payments.charge"]
            "#,
        );
        let action = Action::new(Operation::SendMessage).with_skill("charge");
        policy.expect("a policy").decide(caller, action)
    }

    #[test]
    fn what_is_permitted_is_recorded_and_then_admitted() {
        let log = MemoryLog::default();
        let permit = decide(delegated("payments.charge")).expect("permitted");
        let admitted = admit(permit, &log, context()).expect("stored");
        assert_eq!(log.records(), [admitted.record().clone()]);
        assert_eq!(
            admitted.record().to_string(),
            "payments: booking for alice through planner, front-desk requested charge: permitted"
        );
        let rule = admitted.record().rule.as_ref().expect("a rule");
        assert_eq!(rule.as_str(), "roles.booker skills.charge");
        assert_eq!(admitted.caller().on_behalf_of(), Some("alice"));
        assert_eq!(admitted.action().skill.as_deref(), Some("charge"));

        let permit = decide(app_only("payments.charge")).expect("permitted");
        let admitted = admit(permit, &log, context()).expect("stored");
        assert_eq!(
            admitted.record().to_string(),
            "payments: booking for itself requested charge: permitted"
        );
        assert_eq!(admitted.record().access_mode, Some(AccessMode::AppOnly));
        assert!(admitted.record().chain.is_empty());
    }

    #[test]
    fn what_cannot_be_recorded_is_not_admitted() {
        let full = MemoryLog::with_capacity(0);
        let permit = decide(delegated("payments.charge")).expect("permitted");
        let refused = admit(permit, &full, context()).map(drop);
        assert_eq!(refused.map_err(|e| e.reason()), Err("audit.full"));
    }

    #[test]
    fn a_denial_is_recorded_with_its_reason() {
        let log = MemoryLog::default();
        let denial = decide(delegated("payments.read")).expect_err("refused");
        let record = refuse(&log, context(), Refused::from(&denial)).expect("stored");
        assert_eq!(
            record.to_string(),
            "payments: booking for alice through planner, front-desk requested charge: refused \
             (policy.scope_not_granted)"
        );
        let detail = record.detail.expect("a detail");
        assert!(detail.as_str().contains("payments.charge"), "{detail}");
        assert_eq!(record.rule.expect("a rule").as_str(), "skills.charge");
    }

    #[test]
    fn a_refusal_holds_what_was_known_by_then() {
        let log = MemoryLog::default();
        let world = World::good();
        let presented = world.present();
        let claims = world.claims_of(&presented).expect("signed");
        let caller = delegated("x");
        let action = Action::new(Operation::GetTask);
        let record = |refused| refuse(&log, context(), refused).expect("stored");

        let nothing = record(Refused::new("tls.no_certificate"));
        assert_eq!(
            nothing.to_string(),
            "payments: an unproved caller requested a call: refused (tls.no_certificate)"
        );
        let peer = Refused {
            peer: Some(&world.peer),
            ..Refused::new("signature.missing")
        };
        assert_eq!(
            record(peer.clone()).to_string(),
            "payments: booking requested a call: refused (signature.missing)"
        );
        let signed = record(Refused {
            signature: Some(caller.request().into()),
            action: Some(&action),
            ..peer.clone()
        });
        assert_eq!(
            signed.to_string(),
            "payments: booking requested GetTask: refused (signature.missing)"
        );
        assert!(signed.signature.is_some() && signed.token.is_none());
        let stolen = record(Refused {
            token: Some(&claims),
            reason: "token.not_bound",
            ..peer
        });
        // Whose token it is says nothing about the one who presented it.
        assert_eq!(
            stolen.to_string(),
            "payments: booking requested a call: refused (token.not_bound)"
        );
        assert_eq!(stolen.token.expect("a token").id.as_str(), "token-1");
        assert!(stolen.subject.is_none() && stolen.access_mode.is_none());
    }
}
