//! Requests per second of a proved call against the least that any implementation must do.
//!
//! One process, one run, the two sides in turns: (a) hyper and rustls with mutual TLS, and per
//! request one raw Ed25519 signature made and verified and two SHA-256 of the body; (b) the whole
//! pipeline: card, token, signature, replay, policy, audit to a file, executor. 32 callers at once,
//! 1 KiB of text, everything warm.
//!
//!     cargo bench -p countersign --features authority,server --bench proved_call [-- SECONDS ROUNDS]
//!
//! The second line for a protocol is processor time for a request, which a busy machine changes less.
//! `ONLY=proved` measures our side alone, for a profile.

use std::fs::File;
use std::hint::black_box;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use countersign::a2a::{A2aError, AgentSkill, Message, Part};
use countersign::audit::{AuditLog, JsonLinesLog, MemoryLog};
use countersign::authority::{Authority, AuthorityConfig};
use countersign::client::{Client, OnBehalfOf};
use countersign::clock::SystemClock;
use countersign::crypto::{Algorithm, SigningKey, VerifyingKey, sha256};
use countersign::policy::Policy;
use countersign::server::{
    Agent, AgentExecutor, EventQueue, RequestContext, RunningAgent, async_trait,
};
use countersign::tls::{HttpVersion, TransportConfig, enrol};
use countersign::workload::Workload;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

type Failure = Box<dyn std::error::Error + Send + Sync>;

const CALLERS: usize = 32;
const TEXT: usize = 1024;
/// As long as the signature base of a proved call here: the token, about 700 bytes, is part of it.
const BASE: [u8; 1300] = [b'b'; 1300];

/// What both sides need: one certificate each, of one authority.
struct World {
    _authority: Authority,
    caller: Workload,
    worker: Workload,
    agent: RunningAgent,
    audit: std::path::PathBuf,
}

struct Echo;

#[async_trait]
impl AgentExecutor for Echo {
    async fn execute(&self, ctx: RequestContext, events: EventQueue) -> Result<(), A2aError> {
        events.reply(Part::text(ctx.text()));
        Ok(())
    }
}

const POLICY: &str = r#"
[agents]
"spiffe://bench.example/agent/caller" = { role = "caller" }
[roles.caller]
operations = ["SendMessage"]
skills = ["echo"]
scopes = ["echo"]
[skills.echo]
scopes = ["echo"]
needs_user = true
"#;

impl World {
    async fn new() -> Result<Self, Failure> {
        let config = AuthorityConfig::new("bench.example".parse()?)
            .agent("caller", "echo".parse()?)
            .agent("worker", "echo".parse()?)
            .user("alice", "echo".parse()?)
            .login("caller");
        let authority = Authority::start(
            config,
            Arc::new(SystemClock),
            Arc::new(MemoryLog::default()),
        )
        .await?;
        let caller = enrol(authority.enrol("caller")?).await?;
        let worker = enrol(authority.enrol("worker")?).await?;
        let audit = std::env::temp_dir().join(format!("countersign-bench-{}", std::process::id()));
        let log: Arc<dyn AuditLog> = Arc::new(JsonLinesLog::new(File::create(&audit)?));
        let skill = AgentSkill::new("echo", "Echo", "Says it again").tagged(["echo"]);
        let agent = Agent::new(
            "worker",
            "Echoes",
            worker.clone(),
            authority.oauth_endpoint(),
        )
        .skill(skill)
        .policy(Policy::from_toml(POLICY)?)
        .audit(log)
        .serve("127.0.0.1:0", Echo)
        .await?;
        Ok(Self {
            caller,
            worker,
            agent,
            audit,
            _authority: authority,
        })
    }

    async fn proved(&self, version: HttpVersion) -> Result<OnBehalfOf, Failure> {
        let config = TransportConfig {
            http: version,
            ..TransportConfig::default()
        };
        let endpoint = self._authority.oauth_endpoint();
        let builder = Client::builder(self.caller.clone(), endpoint).transport(config);
        let client = builder.build()?;
        let alice = client.oauth().login("alice", &"echo".parse()?).await?;
        Ok(client.on_behalf_of_user(alice))
    }
}

/// What one turn of one side came to.
#[derive(Clone, Copy)]
struct Turn {
    /// Requests per second.
    rate: f64,
    /// Microseconds of processor time for a request, both ends together.
    cost: f64,
}

/// Processor seconds of this process so far, to the clock tick; nothing where Linux does not tell.
fn processor_seconds() -> f64 {
    /// Fixed for programs (`USER_HZ`).
    const TICKS: f64 = 100.0;
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The second field is a name in parentheses; user and system time are the 14th and 15th.
    let rest = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = rest.split_whitespace().skip(11).take(2);
    ticks.filter_map(|t| t.parse::<f64>().ok()).sum::<f64>() / TICKS
}

/// Counts what `CALLERS` tasks get done in `window`.
async fn measure<F, Fut>(window: Duration, make: F) -> Result<Turn, Failure>
where
    F: Fn() -> Fut,
    Fut: Future<Output = Result<Box<dyn Caller>, Failure>>,
{
    let stop = Arc::new(AtomicBool::new(false));
    let done = Arc::new(AtomicU64::new(0));
    let mut tasks = Vec::new();
    for _ in 0..CALLERS {
        let mut caller = make().await?;
        caller.call().await?;
        let (stop, done) = (stop.clone(), done.clone());
        tasks.push(tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                caller.call().await?;
                done.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<_, Failure>(())
        }));
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    let (before, began, spent) = (
        done.load(Ordering::Relaxed),
        Instant::now(),
        processor_seconds(),
    );
    tokio::time::sleep(window).await;
    let calls = (done.load(Ordering::Relaxed) - before) as f64;
    let rate = calls / began.elapsed().as_secs_f64();
    let cost = (processor_seconds() - spent) * 1e6 / calls;
    stop.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await??;
    }
    Ok(Turn { rate, cost })
}

#[async_trait]
trait Caller: Send {
    async fn call(&mut self) -> Result<(), Failure>;
}

/// (b)
struct Proved {
    on_behalf: OnBehalfOf,
    peer: countersign::client::Peer,
    text: String,
}

#[async_trait]
impl Caller for Proved {
    async fn call(&mut self) -> Result<(), Failure> {
        let message = Message::user(Part::text(self.text.clone()));
        let answer = self
            .on_behalf
            .call(&self.peer)
            .skill("echo")
            .send(message)
            .await?;
        if answer.text().len() != TEXT {
            return Err("a short answer".into());
        }
        Ok(())
    }
}

/// (a): the sender of one connection, or of one stream among many.
enum Sender {
    Http1(hyper::client::conn::http1::SendRequest<Full<Bytes>>),
    Http2(hyper::client::conn::http2::SendRequest<Full<Bytes>>),
}

struct Bare {
    sender: Sender,
    key: Arc<SigningKey>,
    body: Bytes,
}

#[async_trait]
impl Caller for Bare {
    async fn call(&mut self) -> Result<(), Failure> {
        black_box(sha256(&self.body));
        let signature = self.key.sign(&BASE)?;
        let header = countersign::jose::encode_base64url(signature.as_bytes());
        let request = http::Request::post("https://127.0.0.1/").header("signature", header);
        let request = request.body(Full::new(self.body.clone()))?;
        let response = match &mut self.sender {
            Sender::Http1(sender) => {
                // The last answer may be read before its connection is free again.
                sender.ready().await?;
                sender.send_request(request).await?
            }
            Sender::Http2(sender) => sender.send_request(request).await?,
        };
        if response.into_body().collect().await?.to_bytes().len() != self.body.len() {
            return Err("a short answer".into());
        }
        Ok(())
    }
}

fn key_of(workload: &Workload) -> PrivateKeyDer<'static> {
    let pkcs8 = workload.current().key().expose_pkcs8().to_vec();
    PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pkcs8))
}

fn roots(workload: &Workload) -> Result<Arc<rustls::RootCertStore>, Failure> {
    let own = workload.current();
    let mut roots = rustls::RootCertStore::empty();
    let bundle = own
        .bundles()
        .get(workload.id().trust_domain_name())
        .ok_or("a bundle")?;
    for root in bundle.roots() {
        roots.add(root.clone())?;
    }
    Ok(Arc::new(roots))
}

fn chain(workload: &Workload) -> Vec<CertificateDer<'static>> {
    workload.current().chain().to_vec()
}

async fn bare_answer(
    request: http::Request<Incoming>,
    public: VerifyingKey,
) -> Result<http::Response<Full<Bytes>>, Failure> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    black_box(sha256(&body));
    let header = head.headers.get("signature").ok_or("no signature")?;
    let signature = countersign::jose::decode_base64url(header.to_str()?)?;
    public.verify(&BASE, &signature)?;
    Ok(http::Response::new(Full::new(body)))
}

/// The bare server: verifies one signature and one digest, and echoes.
async fn bare_server(world: &World, key: &Arc<SigningKey>) -> Result<SocketAddr, Failure> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(
        roots(&world.worker)?,
        provider.clone(),
    );
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(verifier.build()?)
        .with_single_cert(chain(&world.worker), key_of(&world.worker))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let public = key.verifying_key().clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            let (acceptor, public) = (acceptor.clone(), public.clone());
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else {
                    return;
                };
                let service = service_fn(move |request: http::Request<Incoming>| {
                    bare_answer(request, public.clone())
                });
                let _ = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
    Ok(address)
}

async fn bare_connection(
    world: &World,
    address: SocketAddr,
    version: HttpVersion,
) -> Result<Sender, Failure> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_root_certificates(roots(&world.caller)?)
        .with_client_auth_cert(chain(&world.caller), key_of(&world.caller))?;
    let h2 = version == HttpVersion::Http2;
    config.alpn_protocols = vec![if h2 {
        b"h2".to_vec()
    } else {
        b"http/1.1".to_vec()
    }];
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let name = ServerName::from(address.ip());
    let stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await?;
    let io = TokioIo::new(stream);
    Ok(if h2 {
        let builder = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
        let (sender, connection) = builder.handshake(io).await?;
        tokio::spawn(connection);
        Sender::Http2(sender)
    } else {
        let (sender, connection) = hyper::client::conn::http1::handshake(io).await?;
        tokio::spawn(connection);
        Sender::Http1(sender)
    })
}

async fn bare(world: &World, version: HttpVersion, window: Duration) -> Result<Turn, Failure> {
    let key = Arc::new(SigningKey::generate(Algorithm::Ed25519)?);
    let address = bare_server(world, &key).await?;
    let shared = match bare_connection(world, address, version).await? {
        Sender::Http2(sender) => Some(sender),
        Sender::Http1(_) => None,
    };
    let body = Bytes::from(vec![b'x'; TEXT]);
    measure(window, || async {
        let sender = match &shared {
            Some(sender) => Sender::Http2(sender.clone()),
            None => bare_connection(world, address, version).await?,
        };
        let (key, body) = (key.clone(), body.clone());
        Ok(Box::new(Bare { sender, key, body }) as Box<dyn Caller>)
    })
    .await
}

async fn proved(world: &World, version: HttpVersion, window: Duration) -> Result<Turn, Failure> {
    let on_behalf = world.proved(version).await?;
    measure(window, || async {
        let on_behalf = on_behalf.clone();
        let peer = world.agent.peer().clone();
        let text = "x".repeat(TEXT);
        Ok(Box::new(Proved {
            on_behalf,
            peer,
            text,
        }) as Box<dyn Caller>)
    })
    .await
}

fn median(turns: &[Turn], of: impl Fn(&Turn) -> f64) -> f64 {
    let mut all: Vec<f64> = turns.iter().map(of).collect();
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

fn main() -> Result<(), Failure> {
    let numbers: Vec<u64> = std::env::args()
        .filter_map(|arg| arg.parse().ok())
        .collect();
    let window = Duration::from_secs(numbers.first().copied().unwrap_or(3));
    let rounds = numbers.get(1).copied().unwrap_or(5);
    let only = std::env::var("ONLY").ok();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let world = World::new().await?;
        println!("{CALLERS} callers, {TEXT} bytes, {window:?} a turn, median of {rounds}");
        for (name, version) in [("HTTP/1.1", HttpVersion::Http1), ("h2", HttpVersion::Http2)] {
            let (mut a, mut b) = (Vec::new(), Vec::new());
            for _ in 0..rounds {
                if only.as_deref() != Some("proved") {
                    a.push(bare(&world, version, window).await?);
                }
                b.push(proved(&world, version, window).await?);
            }
            let of = |turns: &[Turn]| (median(turns, |t| t.rate), median(turns, |t| t.cost));
            let (rate, cost) = of(&b);
            if a.is_empty() {
                println!("{name:<9} proved {rate:>8.0} req/s {cost:>5.0} us of processor time");
                continue;
            }
            let (bare_rate, bare_cost) = of(&a);
            println!(
                "{name:<9} bare {bare_rate:>8.0} req/s   proved {rate:>8.0} req/s   ratio {:.2}",
                rate / bare_rate
            );
            println!(
                "{name:<9} bare {bare_cost:>8.0} us      proved {cost:>8.0} us      ratio {:.2}",
                bare_cost / cost
            );
        }
        std::fs::remove_file(&world.audit)?;
        Ok(())
    })
}
