//! Two instances of one agent behind one name, and a client whose requests are recorded.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use countersign::a2a::jsonrpc::{self, Id};
use countersign::a2a::{A2aError, AgentSkill, Message, Operation, Part, SendMessageRequest};
use countersign::audit::{AuditLog, MemoryLog};
use countersign::authority::{Authority, AuthorityConfig};
use countersign::client::{Client, Peer};
use countersign::clock::{Clock, SystemClock};
use countersign::crypto::{CertThumbprint, random};
use countersign::httpsig::{Profile, Signer};
use countersign::policy::Policy;
use countersign::server::{
    Agent, AgentExecutor, EventQueue, RequestContext, RunningAgent, async_trait,
};
use countersign::tls::enrol;
use countersign_interop_tests::RedisServer;
use http::Request;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::request::Parts;
use http_body_util::Full;
use libtest_mimic::Failed;
use serde_json::json;

use crate::rows::store;

const ORIGIN: &str = "https://worker.example";
const DIRECTORY: &str = "https://one.example/.well-known/http-message-signatures-directory";
const POLICY: &str = r#"
[agents]
"spiffe://test.example/agent/one" = { role = "caller" }
[roles.caller]
operations = ["SendMessage"]
skills = ["work"]
scopes = ["work"]
[skills.work]
scopes = ["work"]
"#;

/// Counts what it was asked to do.
struct Counting(Arc<AtomicUsize>);

#[async_trait]
impl AgentExecutor for Counting {
    async fn execute(&self, _: RequestContext, events: EventQueue) -> Result<(), A2aError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        events.reply("done");
        Ok(())
    }
}

struct World {
    authority: Authority,
    instances: [RunningAgent; 2],
    log: Arc<MemoryLog>,
    worked: Arc<AtomicUsize>,
    client: Client,
}

/// A request as it was recorded.
struct Signed {
    parts: Parts,
    body: Vec<u8>,
}

fn wrong(error: impl std::fmt::Display) -> Failed {
    error.to_string().into()
}

impl World {
    async fn new(server: &RedisServer) -> Result<Self, Failed> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let config = AuthorityConfig::new("test.example".parse().map_err(wrong)?)
            .agent("one", "work".parse().map_err(wrong)?)
            .agent("worker", "work".parse().map_err(wrong)?)
            .user("alice", "work".parse().map_err(wrong)?);
        let authority = Authority::start(config, clock, Arc::new(MemoryLog::default()));
        let authority = authority.await.map_err(wrong)?;
        let (log, worked) = (Arc::new(MemoryLog::default()), Arc::default());
        let start = async || -> Result<RunningAgent, Failed> {
            let workload = enrol(authority.enrol("worker").map_err(wrong)?).await;
            let workload = workload.map_err(wrong)?;
            let skill = AgentSkill::new("work", "Work", "Works").tagged(["work"]);
            let agent = Agent::new("worker", "Works", workload, authority.oauth_endpoint())
                .skill(skill)
                .policy(Policy::from_toml(POLICY).map_err(wrong)?)
                .audit(log.clone() as Arc<dyn AuditLog>)
                .public_origin(ORIGIN)
                .replay_store(Arc::new(store(server).await));
            let executor = Counting(Arc::clone(&worked));
            agent.serve("127.0.0.1:0", executor).await.map_err(wrong)
        };
        let instances = [start().await?, start().await?];
        let workload = enrol(authority.enrol("one").map_err(wrong)?).await;
        let client = Client::new(workload.map_err(wrong)?, authority.oauth_endpoint());
        Ok(Self {
            client: client.map_err(wrong)?,
            authority,
            instances,
            log,
            worked,
        })
    }

    /// A new request of `one` for alice, signed for the name that both instances have.
    fn signed(&self) -> Result<Signed, Failed> {
        let (workload, peer) = (self.client.workload(), self.instances[0].peer());
        let now = workload.clock().now();
        let jti: [u8; 8] = random();
        let (issuer, agent) = (self.authority.issuer(), workload.id());
        let claims = json!({
            "iss": issuer, "sub": "alice", "aud": peer.id(), "client_id": agent,
            "iat": now.secs(), "exp": now.secs() + 60, "jti": format!("{jti:x?}"), "scope": "work",
            "act": { "iss": issuer, "sub": agent },
            "cnf": { "x5t#S256": CertThumbprint::of(&workload.current().chain()[0]) },
        });
        let token = self.authority.danger().token(&claims).map_err(wrong)?;
        let (mut parts, ()) = Request::post(format!("{ORIGIN}/a2a"))
            .header(CONTENT_TYPE, "application/json")
            .header("a2a-version", "1.0")
            .header(AUTHORIZATION, format!("Bearer {}", token.expose()))
            .body(())?
            .into_parts();
        let message = SendMessageRequest::new(Message::user(Part::text("work")));
        let body = jsonrpc::request(&Id::from(1), Operation::SendMessage, &message);
        let key = workload.current().key().clone();
        let signer = Signer::new(key, DIRECTORY, Profile::a2a())?;
        signer.sign(&mut parts, peer.target(), &body, now, random())?;
        Ok(Signed { parts, body })
    }

    /// The status that an instance answers with, and the reason it recorded for it.
    async fn send(&self, instance: usize, signed: &Signed) -> Result<(u16, String), Failed> {
        let instance = &self.instances[instance];
        let url = format!("https://{}", instance.local_addr());
        let at = Peer::new(&url, instance.peer().id().as_str()).map_err(wrong)?;
        let body = Full::new(Bytes::from(signed.body.clone()));
        // What is in front of both hands it on: the connection is another, the signed origin is not.
        let mut parts = signed.parts.clone();
        parts.uri = at.uri("/a2a").map_err(wrong)?;
        let request = Request::from_parts(parts, body);
        let sent = self.client.transport().send(at.endpoint(), request).await;
        let status = sent.map_err(wrong)?.response.status().as_u16();
        let records = self.log.records();
        let last = records.last().ok_or("nothing was recorded")?;
        Ok((status, last.to_string()))
    }

    fn worked(&self) -> usize {
        self.worked.load(Ordering::SeqCst)
    }
}

/// Refused with this status and reason.
fn assert_refused((status, record): (u16, String), want: (u16, &str)) {
    assert_eq!(status, want.0, "{record}");
    assert!(record.contains(want.1), "{record}");
}

pub(crate) async fn shared(server: Arc<RedisServer>) -> Result<(), Failed> {
    let world = World::new(&server).await?;
    for first in [0, 1] {
        let signed = world.signed()?;
        let (status, record) = world.send(first, &signed).await?;
        assert_eq!(status, 200, "{record}");
        let at_the_other = world.send(1 - first, &signed).await?;
        assert_refused(at_the_other, (429, "replay.seen"));
        let at_the_same = world.send(first, &signed).await?;
        assert_refused(at_the_same, (429, "replay.seen"));
    }
    assert_eq!(world.worked(), 2);
    Ok(())
}

pub(crate) async fn killed(server: Arc<RedisServer>) -> Result<(), Failed> {
    let world = World::new(&server).await?;
    let before = world.signed()?;
    assert_eq!(world.send(0, &before).await?.0, 200);
    server.kill()?;
    for instance in [0, 1] {
        let new = world.send(instance, &world.signed()?).await?;
        assert_refused(new, (503, "replay.unavailable"));
        let again = world.send(instance, &before).await?;
        assert_refused(again, (503, "replay.unavailable"));
    }
    assert_eq!(world.worked(), 1, "nobody was let in");
    server.go()?;
    // Each connects anew with the next request.
    for instance in [0, 1] {
        let signed = world.signed()?;
        let (status, record) = world.send(instance, &signed).await?;
        assert_eq!(status, 200, "{record}");
        let again = world.send(1 - instance, &signed).await?;
        assert_refused(again, (429, "replay.seen"));
    }
    assert_eq!(world.worked(), 3);
    Ok(())
}
