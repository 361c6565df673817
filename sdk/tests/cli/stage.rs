//! What the command is run against: a real authority, real agents, and an identity folder.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign::a2a::AgentSkill;
use countersign::authority::Authority;
use countersign::clock::{Clock, SystemClock, UnixTime};
use countersign::crypto::{Algorithm, SigningKey};
use countersign::policy::Policy;
use countersign::secret::Secret;
use countersign::server::{Agent, RunningAgent, async_trait};
use countersign::tls::{self, ServeOptions};
use countersign::workload::{IdentitySource, Material, Workload, WorkloadError};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::common::obedient::Obedient;
use crate::common::{Failure, World};
use crate::ran::{Ran, run};

pub(crate) const DOMAIN: &str = "spiffe://test.example";

const NEEDS_USER: &str = r#"
[agents]
"spiffe://test.example/agent/one" = { role = "caller" }
[roles.caller]
operations = ["SendMessage"]
skills = ["work"]
scopes = ["work"]
[skills.work]
scopes = ["work"]
needs_user = true
"#;

/// Agents `worker` and `two`, which serves people only, and the folder of `one`.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) two: RunningAgent,
    pub(crate) one: Workload,
    pub(crate) folder: TempDir,
}

impl Stage {
    pub(crate) async fn set() -> Result<Self, Failure> {
        let world = World::with(Obedient).await?;
        let two = tls::enrol(world.authority.enrol("two")?).await?;
        let two = Agent::new("two", "Works", two, world.authority.oauth_endpoint())
            .skill(AgentSkill::new("work", "Work", "Works for people").tagged(["work"]))
            .policy(Policy::from_toml(NEEDS_USER)?)
            .serve("127.0.0.1:0", Obedient)
            .await?;
        let one = tls::enrol(world.authority.enrol("one")?).await?;
        let stage = Self {
            world,
            two,
            one,
            folder: tempfile::tempdir()?,
        };
        let own = stage.one.current();
        stage.write("cert.pem", &own.chain_pem())?;
        stage.write("bundle.pem", &stage.authority().bundle().to_pem())?;
        stage.write_key(&own.expose_key_pem())?;
        let peers = [stage.worker(), stage.strict()];
        let peers = peers.map(|(url, id)| format!("\"{url}\" = \"{id}\"\n"));
        stage.settings(stage.authority().issuer(), &peers.concat())?;
        Ok(stage)
    }

    pub(crate) fn authority(&self) -> &Authority {
        &self.world.authority
    }

    pub(crate) fn worker(&self) -> (String, String) {
        let peer = self.world.worker.peer();
        (peer.origin().to_owned(), peer.id().to_string())
    }

    pub(crate) fn strict(&self) -> (String, String) {
        let peer = self.two.peer();
        (peer.origin().to_owned(), peer.id().to_string())
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    pub(crate) fn write(&self, file: &str, text: &str) -> Result<(), Failure> {
        Ok(fs::write(self.path(file), text)?)
    }

    pub(crate) fn write_key(&self, pem: &Secret) -> Result<(), Failure> {
        self.write("key.pem", pem.expose())?;
        only_owner(&self.path("key.pem"))
    }

    pub(crate) fn settings(&self, issuer: &str, peers: &str) -> Result<(), Failure> {
        let text =
            format!("issuer = \"{issuer}\"\nauthority = \"{DOMAIN}/authority\"\n[peers]\n{peers}");
        self.write("countersign.toml", &text)
    }

    /// `one`'s key with a certificate of these times, counted from now.
    pub(crate) fn write_certificate(&self, from: i64, until: i64) -> Result<(), Failure> {
        let own = self.one.current();
        let (id, key) = (self.one.id(), own.key().verifying_key());
        let made = self
            .authority()
            .danger()
            .certificate(id, key, at(from), at(until))?;
        self.write("cert.pem", &pem("CERTIFICATE", &made))
    }

    /// Runs a command with this folder, without holding up the agents of this process.
    pub(crate) async fn run(&self, args: &[&str]) -> Result<Ran, Failure> {
        let mut args: Vec<_> = args.iter().map(|arg| (*arg).to_owned()).collect();
        args.push("--identity".into());
        args.push(self.folder.path().display().to_string());
        let ran = tokio::task::spawn_blocking(move || {
            let args: Vec<_> = args.iter().map(String::as_str).collect();
            run(&args)
        });
        let ran = ran.await?;
        let key = self.one.current().expose_key_pem();
        let secret = key.expose().lines().nth(1).ok_or("a key")?.to_owned();
        for text in [&ran.out, &ran.err] {
            assert!(!text.contains(&secret), "a key: {ran:?}");
            assert!(!text.contains("eyJ0eX"), "a token: {ran:?}");
        }
        Ok(ran)
    }

    /// A server with any routes that shows a certificate for `name`.
    pub(crate) async fn serve(&self, name: &str, routes: Router) -> Result<SocketAddr, Failure> {
        self.serve_by(name, routes, Arc::new(SystemClock)).await
    }

    /// The same, by another clock than this machine's.
    pub(crate) async fn serve_by(
        &self,
        name: &str,
        routes: Router,
        clock: Arc<dyn Clock>,
    ) -> Result<SocketAddr, Failure> {
        let key = Arc::new(SigningKey::generate(Algorithm::Ed25519)?);
        let id = format!("{DOMAIN}{name}").parse()?;
        let forge = self.authority().danger();
        let chain = vec![forge.certificate(&id, key.verifying_key(), at(-60), at(3600))?];
        let bundles = self.one.current().bundles().clone();
        let source = Fixed(Material {
            chain,
            key,
            bundles,
        });
        let workload = Workload::start(Arc::new(source), clock).await?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let options = ServeOptions::default();
        tokio::spawn(tls::serve(
            listener,
            workload,
            options,
            routes,
            std::future::pending(),
        ));
        Ok(address)
    }
}

struct Fixed(Material);

#[async_trait]
impl IdentitySource for Fixed {
    async fn fetch(&self) -> Result<Material, WorkloadError> {
        Ok(self.0.clone())
    }
}

/// A time counted from now, in seconds.
pub(crate) fn at(seconds: i64) -> UnixTime {
    let now = i64::try_from(SystemClock.now().secs()).expect("a time");
    UnixTime::from_secs(u64::try_from(now + seconds).expect("a time"))
}

pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}

#[cfg(unix)]
pub(crate) fn only_owner(path: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(fs::set_permissions(
        path,
        fs::Permissions::from_mode(0o600),
    )?)
}

#[cfg(not(unix))]
pub(crate) fn only_owner(_: &Path) -> Result<(), Failure> {
    Ok(())
}
