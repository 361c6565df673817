//! Who the server is, over TLS.

use countersign::redis::{RedisOptions, RedisReplayStore};
use countersign_interop_tests::{RedisServer, RedisServerError, ServerTls};
use libtest_mimic::Failed;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use crate::rows::record;

type Issuer = CertifiedIssuer<'static, KeyPair>;

/// A server with a certificate for `localhost`, its root, and another root.
pub(crate) struct Tls {
    server: RedisServer,
    own: Issuer,
    other: Issuer,
}

fn root() -> Issuer {
    let mut about = CertificateParams::default();
    about.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    CertifiedIssuer::self_signed(about, key).expect("a root")
}

pub(crate) fn start() -> Result<Tls, RedisServerError> {
    let own = root();
    let key = KeyPair::generate().expect("a key");
    let about = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    let leaf = about.signed_by(&key, &own).expect("a certificate");
    let server = RedisServer::start(Some(&ServerTls {
        certificate: leaf.pem(),
        key: key.serialize_pem(),
    }))?;
    let other = root();
    Ok(Tls { server, own, other })
}

impl Tls {
    pub(crate) fn check(&self) -> Result<(), Failed> {
        let runtime = tokio::runtime::Runtime::new()?;
        runtime.block_on(async {
            for (host, root, want) in [
                ("localhost", &self.own, Ok(())),
                ("localhost", &self.other, Err("redis.unavailable")),
                ("127.0.0.1", &self.own, Err("redis.unavailable")),
            ] {
                let options = RedisOptions::new(&self.server.url(host))?;
                let options = options.roots(vec![root.der().clone()]);
                let connected = RedisReplayStore::connect_with(options).await;
                let reason = connected.map_err(|error| error.reason());
                match reason {
                    Ok(store) => {
                        assert_eq!(record(&store, "a").await, want, "{host}");
                        assert_eq!(record(&store, "a").await, Err("replay.seen"), "{host}");
                    }
                    Err(reason) => assert_eq!(Err(reason), want, "{host}"),
                }
            }
            // In clear text the server is none of Redis.
            let plain = self.server.url("localhost").replace("rediss:", "redis:");
            let connected = RedisReplayStore::connect(&plain).await.map(drop);
            let reason = connected.map_err(|error| error.reason());
            assert_eq!(reason, Err("redis.unavailable"), "without TLS");
            Ok(())
        })
    }
}
