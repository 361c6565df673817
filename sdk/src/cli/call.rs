//! `countersign call`.

use serde_json::json;

use super::identity::Identity;
use super::outcome::{Outcome, Stop};
use crate::a2a::StreamResponse;
use crate::client::{ClientError, Peer};
use crate::token::Scopes;

/// What to ask for, and for whom.
#[derive(Debug)]
pub(super) struct Wish {
    pub(super) text: String,
    pub(super) skill: Option<String>,
    pub(super) scope: Option<String>,
    pub(super) user: Option<String>,
    pub(super) stream: bool,
}

pub(super) async fn call(identity: &Identity, peer: &Peer, wish: Wish) -> Result<Outcome, Stop> {
    let client = &identity.client;
    let scopes: Option<Scopes> = match &wish.scope {
        Some(text) => Some(
            text.parse()
                .map_err(|e| Stop::usage(format!("--scope: {e}")))?,
        ),
        None => None,
    };
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
    if !wish.stream {
        let answer = call.send(wish.text).await?;
        let task = answer
            .task()
            .map(|task| json!({ "id": task.id, "state": task.status.state }));
        let value = json!({ "ok": true, "text": answer.text(), "task": task });
        return Ok(Outcome::good(answer.text(), value));
    }
    let mut events = call.stream(wish.text).await?;
    let (mut lines, mut values) = (Vec::new(), Vec::new());
    while let Some(event) = events.next().await {
        let event = event?;
        lines.push(line(&event));
        values.push(serde_json::to_value(&event).unwrap_or_default());
    }
    Ok(Outcome::good(
        lines.join("\n"),
        json!({ "ok": true, "events": values }),
    ))
}

fn line(event: &StreamResponse) -> String {
    match event {
        StreamResponse::Message(message) => message.text(),
        StreamResponse::Task(task) => format!("task {}: {}", task.id, task.status.state),
        StreamResponse::StatusUpdate(update) => format!("state: {}", update.status.state),
        StreamResponse::ArtifactUpdate(update) => {
            let parts = update.artifact.parts.iter();
            let texts: Vec<_> = parts.filter_map(|part| part.as_text()).collect();
            format!("artifact: {}", texts.join("\n"))
        }
    }
}
