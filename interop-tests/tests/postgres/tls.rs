//! Who the server is, over TLS.

use countersign::server::store::PostgresStore;
use countersign_interop_tests::{Postgres, PostgresError, ServerTls};
use libtest_mimic::Failed;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;

/// A server with a certificate for `localhost`, and two roots: its own and another.
pub(crate) struct Tls {
    server: Postgres,
    folder: TempDir,
}

type Issuer = CertifiedIssuer<'static, KeyPair>;

fn root() -> Issuer {
    let mut about = CertificateParams::default();
    about.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    CertifiedIssuer::self_signed(about, key).expect("a root")
}

pub(crate) fn start() -> Result<Tls, PostgresError> {
    let own = root();
    let key = KeyPair::generate().expect("a key");
    let about = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    let leaf = about.signed_by(&key, &own).expect("a certificate");
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("own.pem"), own.pem())?;
    std::fs::write(folder.path().join("other.pem"), root().pem())?;
    let server = Postgres::start(Some(&ServerTls {
        certificate: leaf.pem(),
        key: key.serialize_pem(),
    }))?;
    Ok(Tls { server, folder })
}

impl Tls {
    pub(crate) fn check(&self) -> Result<(), Failed> {
        let runtime = tokio::runtime::Runtime::new()?;
        runtime.block_on(async {
            for (host, mode, root, want) in [
                ("localhost", "verify-full", "own", Ok(())),
                (
                    "localhost",
                    "verify-full",
                    "other",
                    Err("store.unavailable"),
                ),
                ("127.0.0.1", "verify-full", "own", Err("store.unavailable")),
                ("127.0.0.1", "verify-ca", "own", Ok(())),
                ("127.0.0.1", "require", "own", Ok(())),
            ] {
                let root_file = self.folder.path().join(format!("{root}.pem"));
                let root_file = root_file.display();
                let parameters = format!("sslmode={mode}&sslrootcert={root_file}");
                let url = self.server.url(host, &parameters);
                let connected = PostgresStore::connect(&url).await;
                let reason = connected.map(drop).map_err(|error| error.reason());
                assert_eq!(reason, want, "{host}, {mode}, root {root}");
            }
            Ok(())
        })
    }
}
