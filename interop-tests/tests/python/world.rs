//! An authority of ours, an agent to be called, and what Python needs to be the planner.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign::audit::MemoryLog;
use countersign::authority::{Authority, AuthorityConfig};
use countersign::clock::{Clock, Skew, SystemClock};
use countersign::svid::PeerIdentity;
use countersign::tls::AuthoritySource;
use countersign::token::{MAX_TOKEN_BYTES, PresentedToken, TokenError, TokenRules, VerifiedToken};
use countersign::workload::Workload;
use libtest_mimic::Failed;
use tempfile::TempDir;
use tokio::runtime::Runtime;

pub(crate) const SCOPE: &str = "trips:book";
pub(crate) const USER: &str = "alice";

/// Everything runs until it is dropped.
pub(crate) struct World {
    pub(crate) runtime: Runtime,
    pub(crate) authority: Authority,
    /// The agent to be called.
    pub(crate) booking: Workload,
    /// Who Python is.
    pub(crate) planner: PeerIdentity,
    files: TempDir,
}

impl World {
    /// Starts an authority that knows planner, booking and a user, and enrols both agents.
    pub(crate) fn start() -> Result<Self, Failed> {
        let runtime = Runtime::new()?;
        let (authority, planner, booking) = runtime.block_on(async {
            let mut config = AuthorityConfig::new("travel.example".parse()?);
            for agent in ["planner", "booking"] {
                config.agents.insert(agent.to_owned(), SCOPE.parse()?);
            }
            config.users.insert(USER.to_owned(), SCOPE.parse()?);
            config.logins.insert("planner".to_owned());
            let (clock, log) = (Arc::new(SystemClock), Arc::new(MemoryLog::default()));
            let authority = Authority::start(config, clock, log).await?;
            let planner = enrol(&authority, "planner").await?;
            let booking = enrol(&authority, "booking").await?;
            Ok::<_, Failed>((authority, planner, booking))
        })?;
        let files = tempfile::tempdir()?;
        let snapshot = planner.current();
        let key = pem("PRIVATE KEY", snapshot.key().expose_pkcs8());
        let chain = snapshot.chain().iter();
        let chain: String = chain.map(|link| pem("CERTIFICATE", link)).collect();
        fs::write(files.path().join("key.pem"), key)?;
        fs::write(files.path().join("chain.pem"), chain)?;
        fs::write(files.path().join("bundle.pem"), authority.bundle().to_pem())?;
        Ok(Self {
            runtime,
            authority,
            booking,
            planner: snapshot.identity().clone(),
            files,
        })
    }

    /// What makes a script the planner that wants to call booking.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let file = |name: &str| self.file(name).display().to_string();
        let pairs = [
            ("--certificate", file("chain.pem")),
            ("--key", file("key.pem")),
            ("--bundle", file("bundle.pem")),
            ("--issuer", self.authority.issuer().to_owned()),
            ("--client-id", self.planner.id().to_string()),
            ("--audience", self.booking.id().to_string()),
            ("--scope", SCOPE.to_owned()),
        ];
        let pairs = pairs.into_iter();
        pairs
            .flat_map(|(name, value)| [name.to_owned(), value])
            .collect()
    }

    /// The token as booking sees it when the planner presents it.
    pub(crate) fn check(&self, text: &str) -> Result<VerifiedToken, TokenError> {
        let rules = TokenRules {
            audience: self.booking.id().to_string(),
            skew: Skew::default(),
        };
        let presented = PresentedToken::from_text(text)?;
        let parsed = presented.parse(MAX_TOKEN_BYTES)?;
        let claims = Arc::new(parsed.verify(self.authority.keys(), self.authority.issuer())?);
        claims.check(presented, &rules, &self.planner, SystemClock.now())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }
}

async fn enrol(authority: &Authority, name: &str) -> Result<Workload, Failed> {
    let clock = Arc::new(SystemClock);
    let source = AuthoritySource::new(authority.enrol(name)?, clock.clone());
    Ok(Workload::start(Arc::new(source), clock).await?)
}

/// RFC 7468: base64 in lines of 64.
fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines = text.as_bytes().chunks(64).map(String::from_utf8_lossy);
    let body: String = lines.map(|line| format!("{line}\n")).collect();
    format!("-----BEGIN {label}-----\n{body}-----END {label}-----\n")
}
