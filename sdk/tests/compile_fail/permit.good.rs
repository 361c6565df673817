use countersign::delegation::Caller;
use countersign::policy::{Action, Denial, Permit, Policy};

pub fn decide(policy: &Policy, caller: Caller, action: Action) -> Result<Permit, Denial> {
    policy.decide(caller, action)
}
