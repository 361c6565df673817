//! Receivers on the public web.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use countersign::jose::JwkSet;
use countersign::server::async_trait;
use countersign::server::push::{
    NotificationHandler, NotificationReceiver, PinnedKeys, PushPolicy, PushSettings, TrustedSender,
};
use countersign::web::Resolver;
use countersign_fixtures::ca::{Ca, Kind, Leaf};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::door::Door;
use crate::world::{Failure, TASK, World, next, number_of, numbers};

/// A server of the public web, on the loopback.
struct WebServer {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
    accepted: Arc<AtomicUsize>,
    refused: Arc<AtomicUsize>,
}

impl axum::serve::Listener for WebServer {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let Ok((stream, address)) = self.tcp.accept().await else {
                continue;
            };
            match self.acceptor.accept(stream).await {
                Ok(stream) => {
                    self.accepted.fetch_add(1, Ordering::SeqCst);
                    return (stream, address);
                }
                Err(_) => drop(self.refused.fetch_add(1, Ordering::SeqCst)),
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

/// Every name is this machine.
struct Here;

#[async_trait]
impl Resolver for Here {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        Ok(vec![IpAddr::from([127, 0, 0, 1])])
    }
}

/// A receiver on the public web under the name `hooks.example`, with a certificate for `name`.
struct OnTheWeb {
    receiver: NotificationReceiver,
    root: CertificateDer<'static>,
    accepted: Arc<AtomicUsize>,
    refused: Arc<AtomicUsize>,
}

impl OnTheWeb {
    async fn start(
        world: &World,
        name: &str,
        handler: impl NotificationHandler,
    ) -> Result<Self, Failure> {
        let ca = Ca::new("web.example");
        let mut leaf = Leaf::of("spiffe://web.example/hooks");
        leaf.uris = Vec::new();
        leaf.addresses = Vec::new();
        leaf.dns = vec![name.to_owned()];
        leaf.kind = Kind::P256;
        let issued = ca.issue(&leaf);
        let key = PrivateKeyDer::Pkcs8(issued.pkcs8.clone().into());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(issued.chain.clone(), key)?;
        let tcp = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("https://hooks.example:{}/n", tcp.local_addr()?.port());
        let receiver = NotificationReceiver::new(&url, world.clock.clone(), handler)?;
        let (accepted, refused) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let server = WebServer {
            tcp,
            acceptor: TlsAcceptor::from(Arc::new(config)),
            accepted: accepted.clone(),
            refused: refused.clone(),
        };
        let router = receiver.router();
        tokio::spawn(async move { axum::serve(server, router).await });
        Ok(Self {
            receiver,
            root: ca.root().clone(),
            accepted,
            refused,
        })
    }

    fn settings(&self, world: &World) -> Result<PushSettings, Failure> {
        let policy = PushPolicy::default().web("hooks.example")?;
        Ok(world
            .settings()
            .policy(policy.danger().allow_loopback())
            .resolver(Arc::new(Here))
            .web_roots(vec![self.root.clone()]))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_on_the_public_web_is_told_by_its_name_and_knows_the_signer()
-> Result<(), Failure> {
    let world = World::new().await?;
    let (sender, mut notifications) = mpsc::channel(9);
    let web = OnTheWeb::start(&world, "hooks.example", sender).await?;
    let push = world.push(web.settings(&world)?);
    world.task(TASK, 3).await?;
    // A key that the receiver does not know yet.
    let two = world.workload("two").await?;
    let keys = PinnedKeys::new(JwkSet::of([two.current().key().verifying_key()]));
    let config = web.receiver.expect(TrustedSender::keys(keys.clone()))?;
    push.register(&world.owner, TASK, config, 0).await?;
    // A second attempt says that the first one failed.
    let tried = || web.accepted.load(Ordering::SeqCst) >= 2;
    world.pass_until("it is tried again", tried).await?;
    assert!(notifications.try_recv().is_err());
    let worker = world.worker.workload().current();
    keys.replace(JwkSet::of([worker.key().verifying_key()]));
    world
        .pass_until("all are told", || notifications.len() == 3)
        .await?;
    let first = next(&mut notifications).await?;
    assert_eq!((number_of(&first), first.from), (1, None));
    assert_eq!(numbers(&mut notifications, 2).await?, [2, 3]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_for_another_name_or_from_another_root_is_refused() -> Result<(), Failure> {
    for (name, same_root) in [("other.example", true), ("hooks.example", false)] {
        let world = World::new().await?;
        let door = Door::with_room(9, true);
        let mut web = OnTheWeb::start(&world, name, door.clone()).await?;
        if !same_root {
            web.root = Ca::new("another.example").root().clone();
        }
        let push = world.push(web.settings(&world)?);
        world.task(TASK, 1).await?;
        let worker = world.worker.workload().current();
        let keys = PinnedKeys::new(JwkSet::of([worker.key().verifying_key()]));
        let config = web.receiver.expect(TrustedSender::keys(keys))?;
        push.register(&world.owner, TASK, config, 0).await?;
        let refused = || web.refused.load(Ordering::SeqCst) >= 2;
        world.pass_until("the handshake fails", refused).await?;
        assert_eq!(door.asked(), 0, "{name}");
    }
    Ok(())
}
