//! What a person, or a program, is shown.

use std::path::Path;
use std::time::Duration;

use countersign::a2a::A2aError;
use countersign::audit::Record;
use countersign::authority::Authority;
use countersign::client::ClientError;
use countersign::delegation::ActChain;
use countersign::server::RequestContext;
use serde_json::{Value, json};

use crate::agents::Agents;

/// One call, as the called agent saw it.
#[derive(Clone, Debug)]
pub(crate) struct Hop {
    pub(crate) at: &'static str,
    who: String,
    for_whom: String,
    through: Vec<String>,
    /// What was proved, from the evidence that the called agent was handed.
    proofs: Vec<String>,
    pub(crate) took: Duration,
}

impl Hop {
    pub(crate) fn of(at: &'static str, ctx: &RequestContext) -> Result<Self, A2aError> {
        let admitted = ctx.admitted()?;
        let caller = admitted.caller();
        let through = caller.through().iter().map(|actor| actor.sub.clone());
        let (request, token) = (caller.request(), caller.token());
        let proofs = vec![
            format!("certificate {}", short(caller.peer().certificate())),
            format!(
                "signature over {} by its key {}",
                request.covered().join(" "),
                short(request.keyid())
            ),
            format!("nonce {} seen once", short(request.nonce())),
            format!(
                "token {} for {}, bound to that certificate",
                short(token.jti()),
                at
            ),
            format!("act chain of {}", caller.chain().map_or(0, ActChain::len)),
            format!("policy rule {}", admitted.permit().rule()),
        ];
        Ok(Self {
            at,
            who: caller.agent().to_string(),
            for_whom: caller.on_behalf_of().unwrap_or("nobody").to_owned(),
            through: through.collect(),
            proofs,
            took: Duration::ZERO,
        })
    }
}

/// The first characters of a thumbprint or an ID: enough to compare by eye.
fn short(id: impl ToString) -> String {
    let mut text = id.to_string();
    text.truncate(8);
    text
}

/// One attempt and what became of it.
#[derive(Debug)]
pub(crate) struct Attack {
    title: &'static str,
    want: &'static str,
    recorded: String,
    by: String,
    /// Recorded by a server, or seen by the caller itself before it sent anything.
    how: &'static str,
    refused: bool,
    told: String,
}

impl Attack {
    /// Refused by a server, which recorded why.
    pub(crate) fn at_the_server(
        title: &'static str,
        want: &'static str,
        recorded: Option<(String, String)>,
        refused: bool,
        told: String,
    ) -> Self {
        let (recorded, by) = recorded.unwrap_or_else(|| ("nothing".into(), "nobody".into()));
        Self {
            title,
            want,
            recorded,
            by,
            how: "recorded",
            refused,
            told,
        }
    }

    /// Refused by the caller itself, before anything was sent.
    pub(crate) fn at_the_caller(
        title: &'static str,
        want: &'static str,
        by: &str,
        error: Option<ClientError>,
    ) -> Self {
        let recorded = error.as_ref().map_or("nothing", ClientError::reason);
        Self {
            title,
            want,
            recorded: recorded.to_owned(),
            by: by.to_owned(),
            how: "sent nothing:",
            refused: error.is_some(),
            told: error.map_or("it was served".to_owned(), |e| e.to_string()),
        }
    }

    fn happened(&self) -> bool {
        self.refused && self.recorded == self.want
    }
}

/// Prints text for a person, or JSON lines.
#[derive(Debug)]
pub(crate) struct Show {
    json: bool,
}

impl Show {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    fn line(&self, text: impl AsRef<str>, value: Value) {
        if self.json {
            println!("{value}");
        } else {
            println!("{}", text.as_ref());
        }
    }

    /// Text that a program does not need.
    fn prose(&self, text: &str) {
        if !self.json {
            println!("{text}");
        }
    }

    pub(crate) fn failed(&self, failure: &(dyn std::error::Error + Send + Sync)) {
        let hint = hint(&failure.to_string());
        self.line(
            format!("\nThis should have worked and did not: {failure}{hint}"),
            json!({ "event": "failed", "error": failure.to_string() }),
        );
    }

    pub(crate) fn opening(
        &self,
        banner: &str,
        authority: &Authority,
        agents: &Agents,
        took: Duration,
    ) {
        self.prose(banner);
        self.line(
            format!("  authority    {}   {}", authority.issuer(), authority.id()),
            json!({ "event": "authority", "issuer": authority.issuer(), "id": authority.id() }),
        );
        for agent in agents.all() {
            let peer = agent.peer();
            self.line(
                format!(
                    "  {:<12} {}   {}",
                    peer.id().short_name(),
                    peer.origin(),
                    peer.id()
                ),
                json!({ "event": "agent", "id": peer.id(), "url": peer.origin() }),
            );
        }
        self.prose(&format!("  ready in {took:.0?}"));
    }

    /// The chain and each hop of it. Gives `true` when all three hops were proved.
    pub(crate) fn trip(&self, hops: &[Hop], answer: &str, took: Duration) -> bool {
        self.prose("\nalice asks front-desk for a trip\n");
        self.prose("  alice ──▶ front-desk ──▶ planner ──▶ booking ──▶ payments");
        self.prose(
            "            └──────── one delegated chain, a new token at each arrow ───────┘\n",
        );
        for hop in hops {
            let through = match hop.through.as_slice() {
                [] => "nobody else".to_owned(),
                actors => actors.join(", then "),
            };
            self.line(
                format!(
                    "  {}\n    who           {}\n    for whom      {}\n    through whom  {through}\n    \
                     proved        {}\n    took          {:.1?}",
                    hop.at,
                    hop.who,
                    hop.for_whom,
                    hop.proofs.join("\n                  "),
                    hop.took,
                ),
                json!({
                    "event": "hop", "at": hop.at, "who": hop.who, "for_whom": hop.for_whom,
                    "through_whom": hop.through, "proofs": hop.proofs,
                    "took_us": hop.took.as_micros(),
                }),
            );
        }
        self.line(
            format!("\n  front-desk tells alice: {answer}\n  all of it took {took:.1?}"),
            json!({ "event": "answer", "text": answer, "took_us": took.as_micros() }),
        );
        let expected: [(&str, &str, &[&str]); 3] = [
            ("planner", "front-desk", &[]),
            ("booking", "planner", &["front-desk"]),
            ("payments", "booking", &["planner", "front-desk"]),
        ];
        let name = |id: &str| id.rsplit('/').next().unwrap_or_default().to_owned();
        let right = hops.len() == expected.len()
            && hops.iter().zip(expected).all(|(hop, (at, who, through))| {
                hop.at == at
                    && name(&hop.who) == who
                    && hop.for_whom == "alice"
                    && hop
                        .through
                        .iter()
                        .map(|id| name(id))
                        .eq(through.iter().copied())
            });
        if !right {
            self.line(
                "  NOT as expected: the hops above are not alice's chain",
                json!({ "event": "unexpected", "what": "hops" }),
            );
        }
        right
    }

    pub(crate) fn attacks(&self) {
        self.prose("\nNow what must not work, tried against the same running agents\n");
    }

    /// One attempt; `true` when it was refused for the right reason.
    pub(crate) fn attack(&self, number: &str, attack: &Attack) -> bool {
        let verdict = if attack.happened() {
            "refused"
        } else {
            "NOT REFUSED AS EXPECTED"
        };
        self.line(
            format!(
                "  {number:<3} {}\n      {verdict}: {} {} {}\n      the caller was told: {}",
                attack.title, attack.by, attack.how, attack.recorded, attack.told
            ),
            json!({
                "event": "attack", "number": number, "what": attack.title,
                "refused": attack.refused, "recorded_by": attack.by, "reason": attack.recorded,
                "expected_reason": attack.want, "told": attack.told, "ok": attack.happened(),
            }),
        );
        attack.happened()
    }

    pub(crate) fn trail(&self, records: &[Record], kept: Option<&Path>) {
        self.prose("\nThe audit trail, one line a decision\n");
        for record in records {
            self.line(
                format!("  {record}"),
                json!({ "event": "audit", "record": record, "text": record.to_string() }),
            );
        }
        let kept = match kept {
            Some(file) => format!("kept in {}", file.display()),
            None => "--audit FILE keeps it".to_owned(),
        };
        self.prose(&format!(
            "\n  written to a file and followed: each line is chained to the one before; {kept}"
        ));
    }

    pub(crate) fn closing(&self, all: bool) {
        let text = if all {
            "\nEverything that should work worked, everything else was refused."
        } else {
            "\nSomething above is not as it should be."
        };
        self.line(text, json!({ "event": "end", "ok": all }));
    }

    pub(crate) fn staying(&self, text: &str, value: Value) {
        self.line(text, value);
    }
}

/// What to do about the failures a person may meet on a fresh machine.
fn hint(text: &str) -> &'static str {
    if text.contains("cannot listen") {
        "\nAnother process has the port; leave --port out to take any free one."
    } else if text.contains("expired") || text.contains("not yet valid") {
        "\nThe machine's clock may have jumped; set it right and start again."
    } else {
        ""
    }
}
