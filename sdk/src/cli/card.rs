//! `countersign card`.

use serde_json::json;

use super::identity::Identity;
use super::outcome::{Outcome, Stop};
use crate::client::Peer;

pub(super) async fn show(identity: &Identity, peer: &Peer) -> Result<Outcome, Stop> {
    let verified = identity.client.card(peer).await?;
    let card = verified.card();
    let mut text = format!(
        "{} {}\n{}\nagent       {}\n",
        card.name,
        card.version,
        card.description,
        verified.agent()
    );
    for interface in &card.supported_interfaces {
        text += &format!(
            "interface   {} {}\n",
            interface.protocol_binding, interface.url
        );
    }
    for name in card.security_schemes.keys() {
        text += &format!("demands     {name}\n");
    }
    for skill in &card.skills {
        text += &format!("skill       {}: {}\n", skill.id, skill.description);
    }
    let value = serde_json::to_value(card).unwrap_or_default();
    Ok(Outcome::good(
        text,
        json!({ "ok": true, "agent": verified.agent(), "card": value }),
    ))
}

pub(super) async fn verify(identity: &Identity, peer: &Peer) -> Result<Outcome, Stop> {
    let verified = identity.client.card(peer).await?;
    let agent = verified.agent();
    let text = format!(
        "✓ served over mutual TLS by {agent}\n✓ signed by {agent}, whose certificate the trust \
         bundle vouches for\n✓ the signature covers the card as it was received\n"
    );
    Ok(Outcome::good(text, json!({ "ok": true, "agent": agent })))
}
