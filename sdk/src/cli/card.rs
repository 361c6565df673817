//! `countersign card`.

use serde_json::json;

use super::identity::Identity;
use super::outcome::{Outcome, Stop};
use super::plain::line;
use crate::client::Peer;

pub(super) async fn show(identity: &Identity, peer: &Peer) -> Result<Outcome, Stop> {
    let verified = identity.client.card(peer).await?;
    let card = verified.card();
    let mut rows = vec![
        ("name", format!("{} {}", card.name, card.version)),
        ("about", card.description.clone()),
        ("agent", verified.agent().to_string()),
    ];
    for interface in &card.supported_interfaces {
        let at = format!("{} {}", interface.protocol_binding, interface.url);
        rows.push(("interface", at));
    }
    for name in card.security_schemes.keys() {
        rows.push(("demands", name.clone()));
    }
    for skill in &card.skills {
        rows.push(("skill", format!("{}: {}", skill.id, skill.description)));
    }
    let rows = rows
        .iter()
        .map(|(name, value)| format!("{name:<11} {}\n", line(value)));
    let value = serde_json::to_value(card).unwrap_or_default();
    Ok(Outcome::good(
        rows.collect::<String>(),
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
    Ok(Outcome::good(
        text,
        json!({ "ok": true, "agent": agent, "url": peer.origin() }),
    ))
}
