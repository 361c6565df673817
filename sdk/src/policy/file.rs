//! The policy as TOML.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Policy, PolicyError, Requirement, Role, Sharing};
use crate::a2a::Operation;
use crate::token::Scopes;

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct File {
    roles: BTreeMap<String, FileRole>,
    agents: BTreeMap<String, FileAgent>,
    skills: BTreeMap<String, FileNeeds>,
    operations: BTreeMap<String, FileNeeds>,
    tasks: FileTasks,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct FileTasks {
    shared: Sharing,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct FileRole {
    scopes: Vec<String>,
    operations: Vec<String>,
    skills: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileAgent {
    role: String,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct FileNeeds {
    scopes: Vec<String>,
    needs_user: bool,
}

pub(super) fn read(text: &str) -> Result<Policy, PolicyError> {
    let file: File = toml::from_str(text).map_err(|e| PolicyError::Syntax(Box::new(e)))?;
    let mut policy = Policy::builder().sharing(file.tasks.shared);
    for (name, role) in file.roles {
        let place = format!("roles.{name:?}");
        let operations = role.operations.iter();
        let operations = operations.map(|operation| self::operation(&place, operation));
        let read = Role {
            scopes: scopes(&place, &role.scopes)?,
            operations: operations.collect::<Result<_, _>>()?,
            skills: role.skills.into_iter().collect(),
        };
        policy = policy.role(name, read);
    }
    for (id, needs) in file.skills {
        let needs = requirement(&format!("skills.{id:?}"), &needs)?;
        policy = policy.skill(id, needs);
    }
    for (name, needs) in file.operations {
        let needs = requirement(&format!("operations.{name:?}"), &needs)?;
        policy = policy.operation(operation("operations", &name)?, needs);
    }
    for (name, agent) in file.agents {
        match name.parse() {
            Ok(id) => policy = policy.agent(id, agent.role),
            Err(error) => return Err(PolicyError::Agent { name, error }),
        }
    }
    policy.build()
}

fn requirement(place: &str, needs: &FileNeeds) -> Result<Requirement, PolicyError> {
    Ok(Requirement {
        scopes: scopes(place, &needs.scopes)?,
        needs_user: needs.needs_user,
    })
}

fn scopes(place: &str, listed: &[String]) -> Result<Scopes, PolicyError> {
    Scopes::of(listed).map_err(|error| PolicyError::Scope {
        place: place.to_owned(),
        error,
    })
}

fn operation(place: &str, name: &str) -> Result<Operation, PolicyError> {
    name.parse().map_err(|_| PolicyError::UnknownOperation {
        place: place.to_owned(),
        name: name.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        [roles.buyer]
        scopes = ["p.create", "p.read"]
        operations = ["SendMessage", "GetTask"]
        skills = ["create"]
        [agents."spiffe://a.test/agent/buyer"]
        role = "buyer"
        [skills.create]
        scopes = ["p.create"]
        needs_user = true
        [operations.GetTask]
        scopes = ["p.read"]
        [tasks]
        shared = "principal"
    "#;

    #[test]
    fn a_good_file_is_read_and_an_empty_one_admits_nobody() {
        let policy = Policy::from_toml(GOOD).expect("good");
        let buyer = "spiffe://a.test/agent/buyer".parse().expect("an ID");
        assert!(policy.admits_peer(&buyer));
        let other = "spiffe://a.test/agent/other".parse().expect("an ID");
        assert!(!policy.admits_peer(&other));
        assert!(!Policy::empty().admits_peer(&buyer));
        let empty = Policy::from_toml("").expect("good");
        assert!(!empty.admits_peer(&buyer));
        assert!(policy.generation() > 0);
        assert!(empty.generation() > policy.generation());
        assert_eq!(Policy::default().generation(), 0);
    }

    #[test]
    fn one_mistake_is_refused_with_its_place() {
        for (from, to, want) in [
            ("needs_user = true", "needs_users = true", "policy.syntax"),
            ("[skills.create]", "[skill.create]", "policy.syntax"),
            ("skills = [\"create\"]", "skill = []", "policy.syntax"),
            (
                "role = \"buyer\"",
                "role = \"buyer\"\nrank = 1",
                "policy.syntax",
            ),
            ("role = \"buyer\"", "", "policy.syntax"),
            ("needs_user = true", "needs_user = 1", "policy.syntax"),
            ("\"principal\"", "\"everybody\"", "policy.syntax"),
            ("shared =", "share =", "policy.syntax"),
            ("[roles.buyer]", "[roles.seller]", "policy.undeclared_role"),
            ("[\"create\"]", "[\"approve\"]", "policy.undeclared_skill"),
            (
                "spiffe://a.test/agent",
                "https://a.test/agent",
                "policy.agent_name",
            ),
            ("\"GetTask\"", "\"getTask\"", "policy.unknown_operation"),
            (
                "[operations.GetTask]",
                "[operations.X]",
                "policy.unknown_operation",
            ),
            ("\"p.create\", ", "\"p create\", ", "policy.scope"),
            ("[\"p.read\"]", "[\"\"]", "policy.scope"),
        ] {
            let text = GOOD.replacen(from, to, 1);
            assert_ne!(text, GOOD, "{from} is not in the file");
            let got = Policy::from_toml(&text).map(drop).map_err(|e| e.reason());
            assert_eq!(got, Err(want), "{from} to {to}");
        }
        let twice = GOOD.replace(
            "[skills.create]",
            "[agents.\"spiffe://A.test/agent/buyer\"]\nrole = \"buyer\"\n[skills.create]",
        );
        let got = Policy::from_toml(&twice).map(drop).map_err(|e| e.reason());
        assert_eq!(got, Err("policy.repeated"));
    }
}
