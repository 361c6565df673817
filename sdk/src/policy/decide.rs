//! The decision.

use super::{Action, Denial, DenialReason, Owner, Policy, Requirement, Role};
use crate::a2a::Operation;
use crate::delegation::Caller;
use crate::token::Scopes;

/// The decision to permit an action: the evidence of the policy step, with the rule that made it.
#[derive(Debug)]
pub struct Permit {
    caller: Caller,
    owner: Owner,
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

    /// To whom belongs what the action makes, and whose tasks it may touch.
    pub fn owner(&self) -> &Owner {
        &self.owner
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
                owner: Owner::shared(&caller, self.rules.sharing),
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
        if let Some(theirs) = &action.resource_owner {
            // A tenant divides what one owner has; it is no right, so it decides nothing here.
            let ours = Owner::shared(caller, rules.sharing).at_tenant(theirs.tenant());
            if *theirs != ours {
                return Err((Some(rule), DenialReason::NotOwner));
            }
        }

        let by_operation = rules.operations.get(&operation);
        let parts = [
            by_operation.map(|needs| (format!("operations.{}", operation.as_str()), needs)),
            skill.map(|(id, needs)| (format!("skills.{id}"), needs)),
        ];
        let parts = || parts.iter().flatten();
        let needed = parts().fold(Scopes::default(), |all, (_, needs)| {
            all.union(&needs.scopes)
        });
        let granted = caller.scopes();
        // The effective rights are what the token grants and the role may use, both.
        if let Some((place, _)) = parts().find(|(_, needs)| !needs.scopes.is_subset(granted)) {
            let missing = needed.difference(granted);
            let why = DenialReason::ScopeNotGranted { needed, missing };
            return Err((Some(place.clone()), why));
        }
        if !needed.is_subset(&role.scopes) {
            let missing = needed.difference(&role.scopes);
            let role = name.clone();
            let why = DenialReason::RoleExceeded {
                role,
                needed,
                missing,
            };
            return Err((Some(rule), why));
        }
        for (place, needs) in parts() {
            if needs.needs_user && !caller.principal().is_user() {
                return Err((Some(place.clone()), DenialReason::NeedsUser));
            }
            rule.push(' ');
            rule.push_str(place);
        }
        if let Some(also) = action.also {
            self.rule_for(caller, &Action::new(also))?;
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

#[cfg(test)]
mod tests {
    use super::super::Sharing;
    use super::*;
    use crate::delegation::testing::{app_only, delegated};

    /// Booking may charge and read; approving is declared, but not for its role.
    const GOOD: &str = r#"
        [roles.booker]
        scopes = ["payments.charge", "payments.read"]
        operations = ["SendMessage", "GetTask"]
        skills = ["charge", "report", "approve"]
        [agents."spiffe://travel.test/agent/booking"]
        role = "booker"
        [skills.charge]
        scopes = ["payments.charge"]
        needs_user = true
        [skills.report]
        scopes = ["payments.read"]
        [skills.approve]
        scopes = ["payments.approve"]
        [skills.audit]
        [operations.GetTask]
        scopes = ["payments.read"]
    "#;
    const ALL: &str = "payments.approve payments.charge payments.read";

    fn decide(policy: &str, caller: Caller, action: Action) -> Result<Permit, Denial> {
        let policy = Policy::from_toml(policy).expect("a policy");
        policy.decide(caller, action)
    }

    fn outcome(policy: &str, caller: Caller, action: Action) -> String {
        match decide(policy, caller, action) {
            Ok(permit) => permit.rule().to_owned(),
            Err(denial) => denial.reason().to_owned(),
        }
    }

    fn skill(id: &str) -> Action {
        Action::new(Operation::SendMessage).with_skill(id)
    }

    #[test]
    fn the_rule_that_permits_is_named() {
        let permit = decide(GOOD, delegated(ALL), skill("charge")).expect("permitted");
        assert_eq!(permit.rule(), "roles.booker skills.charge");
        assert_eq!(permit.action().skill.as_deref(), Some("charge"));
        assert_eq!(permit.caller().on_behalf_of(), Some("alice"));
        let read = outcome(GOOD, delegated(ALL), Action::new(Operation::GetTask));
        assert_eq!(read, "roles.booker operations.GetTask");
        assert_eq!(
            outcome(GOOD, app_only("payments.read"), skill("report")),
            "roles.booker skills.report"
        );
    }

    #[test]
    fn every_rule_refuses_with_its_own_reason() {
        let other = GOOD.replace("agent/booking", "agent/other");
        for (policy, action, want) in [
            ("", skill("charge"), "policy.no_rule"),
            (&other, skill("charge"), "policy.no_rule"),
            (
                GOOD,
                Action::new(Operation::CancelTask),
                "policy.operation_not_allowed",
            ),
            (
                GOOD,
                Action::new(Operation::SendMessage),
                "policy.skill_not_named",
            ),
            (GOOD, skill("refund"), "policy.unknown_skill"),
            (GOOD, skill("Charge"), "policy.unknown_skill"),
            (GOOD, skill(""), "policy.unknown_skill"),
            (GOOD, skill("audit"), "policy.skill_not_allowed"),
            (GOOD, skill("approve"), "policy.role_exceeded"),
        ] {
            assert_eq!(outcome(policy, delegated(ALL), action), want);
        }
        let charge = |caller| outcome(GOOD, caller, skill("charge"));
        assert_eq!(
            charge(delegated("payments.read")),
            "policy.scope_not_granted"
        );
        assert_eq!(charge(delegated("")), "policy.scope_not_granted");
        assert_eq!(charge(delegated("payments.*")), "policy.scope_not_granted");
        assert_eq!(charge(app_only(ALL)), "policy.needs_user");
        let empty = Policy::empty().decide(delegated(ALL), skill("charge"));
        assert_eq!(empty.map_err(|d| d.reason()).err(), Some("policy.no_rule"));
    }

    #[test]
    fn what_a_message_brings_along_is_permitted_like_the_operation_it_stands_for() {
        let push = Operation::CreateTaskPushNotificationConfig;
        let both = || skill("charge").with_also(push);
        let allowed = GOOD.replace(
            "\"GetTask\"]",
            "\"GetTask\", \"CreateTaskPushNotificationConfig\"]",
        );
        let ruled = format!(
            "{allowed}\n[operations.CreateTaskPushNotificationConfig]\nscopes = [\"payments.read\"]"
        );
        for (policy, scopes, want) in [
            (GOOD, ALL, "policy.operation_not_allowed"),
            (&allowed, ALL, "roles.booker skills.charge"),
            (&ruled, ALL, "roles.booker skills.charge"),
            (&ruled, "payments.charge", "policy.scope_not_granted"),
        ] {
            assert_eq!(outcome(policy, delegated(scopes), both()), want);
        }
    }

    #[test]
    fn a_message_without_skill_needs_a_rule_of_its_own() {
        let message = || Action::new(Operation::SendMessage);
        let stream = Action::new(Operation::SendStreamingMessage);
        let sends = GOOD.replace(
            "\"SendMessage\"",
            "\"SendMessage\", \"SendStreamingMessage\"",
        );
        for action in [message(), stream] {
            let got = outcome(&sends, delegated(ALL), action);
            assert_eq!(got, "policy.skill_not_named");
        }
        let ruled = format!("{GOOD}\n[operations.SendMessage]\nscopes = [\"payments.charge\"]");
        assert_eq!(
            outcome(&ruled, delegated(ALL), message()),
            "roles.booker operations.SendMessage"
        );
        let got = outcome(&ruled, delegated("payments.read"), message());
        assert_eq!(got, "policy.scope_not_granted");
        let no_skills = "[roles.r]\noperations = [\"SendMessage\"]\n\
            [agents.\"spiffe://travel.test/agent/booking\"]\nrole = \"r\"";
        assert_eq!(outcome(no_skills, delegated(""), message()), "roles.r");
    }

    #[test]
    fn a_denial_says_which_scope_to_ask_for_when_asking_can_help() {
        let ruled = format!("{GOOD}\n[operations.SendMessage]\nscopes = [\"payments.read\"]");
        let denial = decide(&ruled, delegated("payments.read"), skill("charge"));
        let denial = denial.expect_err("refused");
        let needed = denial.needs().expect("a scope").to_string();
        assert_eq!(needed, "payments.charge payments.read");
        assert_eq!(denial.rule(), Some("skills.charge"));
        assert_eq!(
            denial.challenge().map(|c| c.to_string()).as_deref(),
            Some(r#"Bearer error="insufficient_scope", scope="payments.charge payments.read""#)
        );
        assert!(denial.to_string().contains("lacks \"payments.charge\""));

        let denial = decide(GOOD, delegated(ALL), skill("approve")).expect_err("refused");
        assert_eq!(denial.rule(), Some("roles.booker"));
        assert!(denial.needs().is_none() && denial.challenge().is_none());
    }

    #[test]
    fn rights_are_what_user_and_agent_have_in_common() {
        // The user may do everything in procurement, the agent may create and read.
        let policy = r#"
            [roles.buyer]
            scopes = ["procurement.create", "procurement.read"]
            operations = ["SendMessage"]
            skills = ["create", "read", "approve"]
            [agents."spiffe://travel.test/agent/booking"]
            role = "buyer"
            [skills.create]
            scopes = ["procurement.create"]
            [skills.read]
            scopes = ["procurement.read"]
            [skills.approve]
            scopes = ["procurement.approve"]
        "#;
        let user: Scopes = "procurement.approve procurement.create procurement.read"
            .parse()
            .expect("scopes");
        let agent: Scopes = "procurement.create procurement.read"
            .parse()
            .expect("scopes");
        // What the issuer grants, and what it would grant if it forgot the agent's half.
        let (right, wrong) = (user.intersection(&agent).to_string(), user.to_string());
        for (scope, skill_id, want) in [
            (&right, "create", "roles.buyer skills.create"),
            (&right, "read", "roles.buyer skills.read"),
            (&right, "approve", "policy.scope_not_granted"),
            (&wrong, "approve", "policy.role_exceeded"),
        ] {
            let got = outcome(policy, delegated(scope), skill(skill_id));
            assert_eq!(got, want, "{skill_id} with {scope}");
        }
    }

    #[test]
    fn a_task_of_another_caller_is_out_of_reach() {
        let read = |owner: &Caller, asks: Caller| {
            let action = Action::new(Operation::GetTask).with_owner(Owner::of(owner));
            outcome(GOOD, asks, action)
        };
        let rule = "roles.booker operations.GetTask";
        assert_eq!(read(&delegated(ALL), delegated(ALL)), rule);
        assert_eq!(read(&app_only(ALL), delegated(ALL)), "policy.not_owner");
        assert_eq!(read(&delegated(ALL), app_only(ALL)), "policy.not_owner");
    }

    #[test]
    fn tasks_are_shared_as_the_policy_says_and_by_default_with_nobody() {
        let (alice, itself) = (delegated(ALL), app_only(ALL));
        let read = |sharing: &str, owner: Owner, asks: Caller| {
            let policy = format!("{GOOD}\n{sharing}");
            let action = Action::new(Operation::GetTask).with_owner(owner);
            outcome(&policy, asks, action)
        };
        let permitted = "roles.booker operations.GetTask";
        for (sharing, how, across) in [
            ("", Sharing::Nobody, "policy.not_owner"),
            ("[tasks]", Sharing::Nobody, "policy.not_owner"),
            (
                "[tasks]\nshared = \"nobody\"",
                Sharing::Nobody,
                "policy.not_owner",
            ),
            (
                "[tasks]\nshared = \"principal\"",
                Sharing::Principal,
                "policy.not_owner",
            ),
            ("[tasks]\nshared = \"agent\"", Sharing::Agent, permitted),
        ] {
            let own = Owner::shared(&alice, how);
            assert_eq!(
                read(sharing, own.clone(), alice.clone()),
                permitted,
                "{sharing}"
            );
            let at_tenant = own.clone().at_tenant(Some("acme"));
            assert_eq!(
                read(sharing, at_tenant, alice.clone()),
                permitted,
                "{sharing}"
            );
            assert_eq!(
                read(sharing, own.clone(), itself.clone()),
                across,
                "{sharing}"
            );
            let policy = format!("{GOOD}\n{sharing}");
            let permit = decide(&policy, alice.clone(), Action::new(Operation::GetTask));
            assert_eq!(*permit.expect("permitted").owner(), own, "{sharing}");
            let nobody = Owner::unauthenticated();
            assert_eq!(read(sharing, nobody, alice.clone()), "policy.not_owner");
        }
    }
}
