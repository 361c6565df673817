//! The identities of a call, each right or wrong, in all 64 combinations, as real requests over
//! real TLS: one is served, each other is refused with the reason of its first wrong proof.

use std::net::Ipv4Addr;
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use bytes::Bytes;
use countersign::a2a::jsonrpc::{self, Id};
use countersign::a2a::{
    A2aError, AGENT_CARD_PATH, AgentSkill, Message, Operation, Part, SendMessageRequest,
};
use countersign::audit::{AuditLog, MemoryLog};
use countersign::authority::{Authority, AuthorityConfig};
use countersign::client::Peer;
use countersign::clock::SystemClock;
use countersign::crypto::{CertThumbprint, random};
use countersign::httpsig::{Profile, Signer};
use countersign::policy::Policy;
use countersign::server::{
    Agent, AgentExecutor, EventQueue, RequestContext, RunningAgent, async_trait,
};
use countersign::tls::{self, ServeOptions, Transport, TransportConfig};
use countersign::workload::Workload;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use serde_json::json;
use tokio::net::TcpListener;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The identities, in the order in which they are proved: the card by the caller before it sends
/// anything, the others by the called agent.
const PROOFS: [(&str, &str); 6] = [
    ("card", "card.not_peers"),
    ("TLS", "peer.not_admitted"),
    ("signature", "signature.owner"),
    ("audience", "token.audience"),
    ("cnf", "token.not_bound"),
    ("actor", "delegation.actor_not_peer"),
];

struct Served;

#[async_trait]
impl AgentExecutor for Served {
    async fn execute(&self, ctx: RequestContext, events: EventQueue) -> Result<(), A2aError> {
        events.reply(Part::text(format!("served {}", ctx.caller())));
        Ok(())
    }
}

struct World {
    authority: Authority,
    booking: RunningAgent,
    log: Arc<MemoryLog>,
    /// Who should call, and a workload of the same domain that should not.
    planner: Workload,
    mallory: Workload,
    /// Booking's certificate behind a card of booking's own, and behind a card of another agent.
    card_right: Peer,
    card_wrong: Peer,
}

impl World {
    async fn new() -> Result<Self, Failure> {
        let scopes = || "trip:book".parse();
        let config = AuthorityConfig::new("matrix.example".parse()?)
            .agent("planner", scopes()?)
            .agent("mallory", scopes()?)
            .agent("booking", scopes()?);
        let authority = Authority::start(
            config,
            Arc::new(SystemClock),
            Arc::new(MemoryLog::default()),
        )
        .await?;
        let enrol = async |name: &str| {
            tls::enrol(authority.enrol(name)?)
                .await
                .map_err(Failure::from)
        };
        let policy = Policy::from_toml(
            "[agents]\n\"spiffe://matrix.example/agent/planner\" = { role = \"planner\" }\n\
             [roles.planner]\noperations = [\"SendMessage\"]\nskills = [\"book\"]\nscopes = [\"trip:book\"]\n\
             [skills.book]\nscopes = [\"trip:book\"]\nneeds_user = true\n",
        )?;
        let log = Arc::new(MemoryLog::default());
        let own = enrol("booking").await?;
        let skill = AgentSkill::new("book", "Book", "Books trains").tagged(["travel"]);
        let booking = Agent::new(
            "booking",
            "Books trains",
            own.clone(),
            authority.oauth_endpoint(),
        )
        .skill(skill)
        .policy(policy.clone())
        .audit(log.clone() as Arc<dyn AuditLog>)
        .serve("127.0.0.1:0", Served)
        .await?;
        let (planner, mallory) = (enrol("planner").await?, enrol("mallory").await?);
        // A genuine card of mallory's, then served by booking's own certificate.
        let other = Agent::new(
            "mallory",
            "Books trains",
            mallory.clone(),
            authority.oauth_endpoint(),
        )
        .skill(AgentSkill::new("book", "Book", "Books trains").tagged(["travel"]))
        .policy(policy)
        .serve("127.0.0.1:0", Served)
        .await?;
        let card = fetch_card(&planner, other.peer()).await?;
        let card_wrong = impostor(own, card).await?;
        Ok(Self {
            card_right: booking.peer().clone(),
            card_wrong,
            authority,
            booking,
            log,
            planner,
            mallory,
        })
    }

    fn pick(&self, right: bool) -> &Workload {
        if right { &self.planner } else { &self.mallory }
    }

    /// Sends the call of one row. Gives the reason of its refusal, or `None` when it was served.
    async fn send(&self, right: [bool; 6]) -> Result<Option<String>, Failure> {
        let [card, peer, signature, audience, cnf, actor] = right;
        let sender = self.pick(peer);
        // The caller's own side: it looks at the card before it sends anything.
        let client =
            countersign::client::Client::new(sender.clone(), self.authority.oauth_endpoint())?;
        let target = if card {
            &self.card_right
        } else {
            &self.card_wrong
        };
        if let Err(refused) = client.card(target).await {
            return Ok(Some(refused.reason().to_owned()));
        }
        let actor = self.pick(actor).id();
        let audience = if audience {
            self.booking.peer().id()
        } else {
            self.mallory.id()
        };
        let bound = CertThumbprint::of(&self.pick(cnf).current().chain()[0]);
        let now = sender.clock().now().secs();
        let claims = json!({
            "iss": self.authority.issuer(), "sub": "alice", "aud": audience, "client_id": actor,
            "iat": now, "exp": now + 60, "jti": format!("row-{right:?}"), "scope": "trip:book",
            "act": { "iss": self.authority.issuer(), "sub": actor },
            "cnf": { "x5t#S256": bound },
        });
        let token = self.authority.danger().token(&claims)?;
        let before = self.log.records().len();
        let request = SendMessageRequest::new(Message::user(Part::text("a train")));
        let body = jsonrpc::request(&Id::from(1), Operation::SendMessage, &request);
        let (mut parts, ()) = Request::post(target.uri("/a2a")?)
            .header(CONTENT_TYPE, "application/json")
            .header("a2a-version", "1.0")
            .header(AUTHORIZATION, format!("Bearer {}", token.expose()))
            .body(())?
            .into_parts();
        let key = self.pick(signature).current().key().clone();
        let directory = "https://matrix.example/.well-known/http-message-signatures-directory";
        let signer = Signer::new(key, directory, Profile::a2a())?;
        signer.sign(
            &mut parts,
            target.target(),
            &body,
            sender.clock().now(),
            random(),
        )?;
        let request = Request::from_parts(parts, Full::new(Bytes::from(body)));
        let received = client.transport().send(target.endpoint(), request).await?;
        let status = received.response.status();
        let body = received.response.into_body().collect().await?.to_bytes();
        let records = self.log.records();
        let [record] = &records[before..] else {
            return Err(format!("{} records for one call", records.len() - before).into());
        };
        if record.is_refusal() {
            assert_ne!(status, StatusCode::OK, "a refused call was answered");
            return Ok(record.reason.as_ref().map(|word| word.as_str().to_owned()));
        }
        assert_eq!(status, StatusCode::OK);
        assert!(String::from_utf8_lossy(&body).contains("served planner for alice"));
        Ok(None)
    }
}

async fn fetch_card(as_whom: &Workload, of: &Peer) -> Result<Bytes, Failure> {
    let transport = Transport::new(as_whom.clone(), TransportConfig::default());
    let request = Request::get(of.uri(AGENT_CARD_PATH)?).body(Full::default())?;
    let received = transport.send(of.endpoint(), request).await?;
    Ok(received.response.into_body().collect().await?.to_bytes())
}

/// A server with `own`'s certificate that serves `card`.
async fn impostor(own: Workload, card: Bytes) -> Result<Peer, Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let url = format!("https://{}", listener.local_addr()?);
    let peer = Peer::new(&url, own.id().as_str())?;
    let router = Router::new().route(
        AGENT_CARD_PATH,
        get(move || std::future::ready(card.clone())),
    );
    let options = ServeOptions::default();
    tokio::spawn(tls::serve(
        listener,
        own,
        options,
        router,
        std::future::pending(),
    ));
    Ok(peer)
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_call_whose_six_identities_agree_is_served() -> Result<(), Failure> {
    let world = World::new().await?;
    let mut served = 0;
    for row in 0..64_u8 {
        let right: [bool; 6] = std::array::from_fn(|bit| row & (1 << bit) != 0);
        let first_wrong = right.iter().position(|right| !right);
        let want = first_wrong.map(|at| PROOFS[at].1.to_owned());
        let names: Vec<_> = PROOFS
            .iter()
            .zip(right)
            .filter(|(_, r)| !r)
            .map(|(p, _)| p.0)
            .collect();
        assert_eq!(world.send(right).await?, want, "wrong: {names:?}");
        served += usize::from(want.is_none());
    }
    assert_eq!(served, 1);
    Ok(())
}
