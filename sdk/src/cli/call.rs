//! `countersign call`.

use serde_json::{Value, json};

use super::identity::Identity;
use super::outcome::{Outcome, Stop, say};
use super::plain;
use crate::a2a::{StreamResponse, Task, TaskState};
use crate::card::ProtocolBinding;
use crate::client::{Call, ClientError, Peer};
use crate::token::{ScopeError, Scopes};

/// What to ask for, and for whom.
#[derive(Debug)]
pub(super) struct Wish {
    pub(super) text: String,
    pub(super) skill: Option<String>,
    pub(super) scope: Option<String>,
    pub(super) binding: Option<ProtocolBinding>,
    pub(super) user: Option<String>,
    pub(super) stream: bool,
    /// Whether the events of a stream are for a program: then all at the end, in one object.
    pub(super) json: bool,
}

pub(super) async fn call(identity: &Identity, peer: &Peer, wish: Wish) -> Result<Outcome, Stop> {
    let client = &identity.client;
    let scopes = wish.scope.as_deref().map(str::parse).transpose();
    let scopes: Option<Scopes> = scopes.map_err(|error: ScopeError| {
        let what = format!("--scope: {error}");
        Stop::usage(what, "give scopes separated by spaces")
    })?;
    let on_behalf = match &wish.user {
        None => client.on_own_behalf(),
        Some(user) => {
            let asked = match &scopes {
                Some(scopes) => scopes.clone(),
                None => client.demanded_scopes(peer, wish.skill.as_deref()).await?,
            };
            let grant = client.oauth().login(user, &asked).await;
            client.on_behalf_of_user(grant.map_err(ClientError::from)?)
        }
    };
    let mut call = on_behalf.call(peer);
    if let Some(skill) = &wish.skill {
        call = call.skill(skill);
    }
    if let Some(scopes) = scopes {
        call = call.scopes(scopes);
    }
    if let Some(binding) = wish.binding {
        call = call.binding(binding);
    }
    if wish.stream {
        return stream(call, wish).await;
    }
    let answer = call.send(wish.text).await?;
    let text = answer.text();
    match answer.task() {
        None => Ok(Outcome::good(
            text.clone(),
            json!({ "ok": true, "text": text, "task": null }),
        )),
        Some(task) => Ok(of_task(task, &text)),
    }
}

/// A task that is neither done nor on its way was not carried out.
fn of_task(task: &Task, text: &str) -> Outcome {
    let state = task.status.state;
    let good = went_well(state);
    let mut value = json!({
        "ok": good, "text": text, "task": { "id": task.id, "state": state },
    });
    let mut shown = text.to_owned();
    if state != TaskState::Completed {
        shown = format!("{text}\ntask {}: {state}", plain::line(&task.id));
    }
    if !good {
        give_up(&mut value, state);
    }
    Outcome {
        text: shown,
        json: value,
        good,
    }
}

fn went_well(state: TaskState) -> bool {
    !matches!(
        state,
        TaskState::Failed | TaskState::Canceled | TaskState::Rejected
    )
}

fn give_up(value: &mut Value, state: TaskState) {
    value["reason"] = "cli.task".into();
    value["error"] = format!("the task ended as {state}").into();
    value["advice"] = "read its text; the agent's log says more".into();
}

async fn stream(call: Call, wish: Wish) -> Result<Outcome, Stop> {
    let mut events = call.stream(wish.text).await?;
    let (mut values, mut last) = (Vec::new(), None);
    while let Some(event) = events.next().await {
        let event = match event {
            Ok(event) => event,
            Err(error) => return Err(Stop::from(error).with("events", values)),
        };
        last = event.state().or(last);
        if wish.json {
            values.push(serde_json::to_value(&event).unwrap_or_default());
        } else {
            say(&plain::lines(&line(&event)));
        }
    }
    let good = last.is_none_or(went_well);
    let mut value = json!({ "ok": good, "events": values });
    if let (false, Some(state)) = (good, last) {
        give_up(&mut value, state);
    }
    Ok(Outcome {
        text: String::new(),
        json: value,
        good,
    })
}

fn line(event: &StreamResponse) -> String {
    match event {
        StreamResponse::Message(message) => message.text(),
        StreamResponse::Task(task) => format!("task {}: {}", task.id, task.status.state),
        StreamResponse::StatusUpdate(update) => {
            let word = update.status.message.as_ref().map(|word| word.text());
            let word = word.map(|word| format!(": {word}")).unwrap_or_default();
            format!("state: {}{word}", update.status.state)
        }
        StreamResponse::ArtifactUpdate(update) => {
            let parts = update.artifact.parts.iter();
            let texts: Vec<_> = parts.filter_map(|part| part.as_text()).collect();
            format!("artifact: {}", texts.join("\n"))
        }
    }
}
