//! The decision.

use std::borrow::Cow;

use super::{Action, Denial, DenialReason, Owner, Policy, Requirement, Role};
use crate::a2a::Operation;
use crate::delegation::Caller;
use crate::token::Scopes;

/// The decision to permit an action: the evidence of the policy step, with the rule that made it.
#[derive(Debug)]
pub struct Permit {
    caller: Caller,
    action: Action,
    rule: String,
}

impl Permit {
    /// Who may.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// What.
    pub fn action(&self) -> &Action {
        &self.action
    }

    /// By which rule, as its place in the policy file.
    pub fn rule(&self) -> &str {
        &self.rule
    }
}

type Refused = (Option<String>, DenialReason);

impl Policy {
    /// Decides whether `caller` may do `action`.
    ///
    /// # Errors
    /// The [`Denial`], with the first rule that was broken.
    pub fn decide(&self, caller: Caller, action: Action) -> Result<Permit, Denial> {
        match self.rule_for(&caller, &action) {
            Ok(rule) => Ok(Permit {
                caller,
                action,
                rule,
            }),
            Err((rule, why)) => Err(Denial::new(caller, action, rule, why)),
        }
    }

    /// The name of the rule that permits the action.
    fn rule_for(&self, caller: &Caller, action: &Action) -> Result<String, Refused> {
        let rules = &self.rules;
        let given = rules.agents.get(caller.agent());
        let Some((name, role)) = given.and_then(|name| rules.roles.get_key_value(name)) else {
            let agent = caller.agent().clone();
            return Err((None, DenialReason::NoRule { agent }));
        };
        let mut rule = format!("roles.{name}");

        let operation = action.operation;
        if !role.operations.contains(&operation) {
            let role = name.clone();
            let why = DenialReason::OperationNotAllowed { role, operation };
            return Err((Some(rule), why));
        }
        let skill = self.skill_of(name, role, action)?;
        let theirs = action.resource_owner.as_ref();
        if theirs.is_some_and(|owner| *owner != Owner::of(caller)) {
            return Err((Some(rule), DenialReason::NotOwner));
        }

        let by_operation = rules.operations.get(&operation);
        let parts = [
            by_operation.map(|needs| (format!("operations.{}", operation.as_str()), needs)),
            skill.map(|(id, needs)| (format!("skills.{id}"), needs)),
        ];
        let needed = needed(parts.iter().flatten().map(|(_, needs)| *needs));
        check_scopes(name, role, caller.scopes(), &needed)
            .map_err(|why| (Some(rule.clone()), why))?;
        for (place, needs) in parts.into_iter().flatten() {
            if needs.needs_user && !caller.principal().is_user() {
                return Err((Some(place), DenialReason::NeedsUser));
            }
            rule.push(' ');
            rule.push_str(&place);
        }
        Ok(rule)
    }

    /// The skill's rule, when the action names a skill that the role may use.
    fn skill_of<'a>(
        &'a self,
        name: &str,
        role: &Role,
        action: &'a Action,
    ) -> Result<Option<(&'a str, &'a Requirement)>, Refused> {
        let rules = &self.rules;
        let operation = action.operation;
        let Some(id) = action.skill.as_deref() else {
            // A message that names no skill must not get past what its skill would have needed.
            let is_message = matches!(
                operation,
                Operation::SendMessage | Operation::SendStreamingMessage
            );
            let allowed = rules.skills.is_empty() || rules.operations.contains_key(&operation);
            if is_message && !allowed {
                return Err((None, DenialReason::SkillNotNamed { operation }));
            }
            return Ok(None);
        };
        let skill = id.to_owned();
        let Some(needs) = rules.skills.get(id) else {
            return Err((None, DenialReason::UnknownSkill { skill }));
        };
        if !role.skills.contains(id) {
            let rule = Some(format!("roles.{name}"));
            let role = name.to_owned();
            return Err((rule, DenialReason::SkillNotAllowed { role, skill }));
        }
        Ok(Some((id, needs)))
    }
}

fn needed<'a>(all: impl Iterator<Item = &'a Requirement>) -> Cow<'a, Scopes> {
    all.fold(Cow::Owned(Scopes::default()), |sum, needs| {
        if sum.is_empty() {
            Cow::Borrowed(&needs.scopes)
        } else {
            Cow::Owned(sum.union(&needs.scopes))
        }
    })
}

/// The effective rights are what the token grants and the role may use, both.
fn check_scopes(
    name: &str,
    role: &Role,
    granted: &Scopes,
    needed: &Scopes,
) -> Result<(), DenialReason> {
    if !needed.is_subset(granted) {
        return Err(DenialReason::ScopeNotGranted {
            needed: needed.clone(),
            missing: needed.difference(granted),
        });
    }
    if !needed.is_subset(&role.scopes) {
        return Err(DenialReason::RoleExceeded {
            role: name.to_owned(),
            needed: needed.clone(),
            missing: needed.difference(&role.scopes),
        });
    }
    Ok(())
}
