//! Names that lie, a counter of connections, and URLs that must lead to none.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use countersign_fixtures::ca::{Ca, Kind, Leaf};
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::Resolver;

/// URLs, and the word for why each is refused. `PORT` is where connections are counted.
pub(crate) const REFUSED: &[(&str, &str)] = &[
    // This machine, in every form of its address.
    ("https://127.0.0.1:PORT/", "address"),
    ("https://127.0.0.2:PORT/", "address"),
    ("https://127.255.255.254:PORT/", "address"),
    ("http://127.0.0.1:PORT/", "address"),
    ("https://127.1:PORT/", "url"),
    ("https://127.0.1:PORT/", "url"),
    ("https://2130706433:PORT/", "url"),
    ("https://0x7f000001:PORT/", "url"),
    ("https://0x7f.0.0.1:PORT/", "url"),
    ("https://0x7f.0x0.0x0.0x1:PORT/", "url"),
    ("https://017700000001:PORT/", "url"),
    ("https://0177.0.0.1:PORT/", "url"),
    ("https://127.0.0.01:PORT/", "url"),
    ("https://127.0.0.1.:PORT/", "url"),
    ("https://0:PORT/", "url"),
    ("https://0.0.0.0:PORT/", "address"),
    ("https://0.1.2.3:PORT/", "address"),
    ("https://[::1]:PORT/", "address"),
    ("https://[0:0:0:0:0:0:0:1]:PORT/", "address"),
    ("https://[::]:PORT/", "address"),
    ("https://[::ffff:127.0.0.1]:PORT/", "address"),
    ("https://[::ffff:7f00:1]:PORT/", "address"),
    ("https://[::127.0.0.1]:PORT/", "address"),
    ("https://[64:ff9b::127.0.0.1]:PORT/", "address"),
    ("https://[64:ff9b::7f00:1]:PORT/", "address"),
    ("https://[64:ff9b:1::7f00:1]:PORT/", "address"),
    ("https://[2002:7f00:1::]:PORT/", "address"),
    (
        "https://[2001:0:4136:e378:8000:63bf:80ff:fffe]:PORT/",
        "address",
    ),
    ("https://[fe80::1%25lo]:PORT/", "url"),
    ("https://[::1%25lo]:PORT/", "url"),
    ("https://[::1:PORT/", "url"),
    ("https://[127.0.0.1]:PORT/", "url"),
    ("https://::1:PORT/", "url"),
    ("https://localhost:PORT/", "unresolved"),
    ("https://LOCALHOST:PORT/", "unresolved"),
    ("https://localhost.:PORT/", "url"),
    ("https://a.localhost:PORT/", "unresolved"),
    // Networks that are not the public internet.
    ("https://10.0.0.1:PORT/", "address"),
    ("https://172.16.0.1:PORT/", "address"),
    ("https://172.31.255.255:PORT/", "address"),
    ("https://192.168.1.1:PORT/", "address"),
    ("https://100.64.0.1:PORT/", "address"),
    ("https://169.254.169.254/latest/meta-data/", "address"),
    ("https://[fd00:ec2::254]/latest/meta-data/", "address"),
    ("https://[fc00::1]:PORT/", "address"),
    ("https://[fe80::1]:PORT/", "address"),
    ("https://[fec0::1]:PORT/", "address"),
    ("https://192.0.0.192:PORT/", "address"),
    ("https://192.0.2.1:PORT/", "address"),
    ("https://198.18.0.1:PORT/", "address"),
    ("https://198.51.100.1:PORT/", "address"),
    ("https://203.0.113.1:PORT/", "address"),
    ("https://[2001:db8::1]:PORT/", "address"),
    ("https://224.0.0.1:PORT/", "address"),
    ("https://[ff02::1]:PORT/", "address"),
    ("https://240.0.0.1:PORT/", "address"),
    ("https://255.255.255.255:PORT/", "address"),
    // Names that lead there.
    ("https://loopback.example:PORT/", "address"),
    ("https://loopback6.example:PORT/", "address"),
    ("https://mapped.example:PORT/", "address"),
    ("https://metadata.example:PORT/", "address"),
    ("https://private.example:PORT/", "address"),
    ("https://unspecified.example:PORT/", "address"),
    ("https://both.example:PORT/", "address"),
    ("https://nat64.example:PORT/", "address"),
    ("https://nowhere.example:PORT/", "unresolved"),
    ("https://empty.example:PORT/", "unresolved"),
    // Hosts that two programs read differently.
    ("https://hooks.example@127.0.0.1:PORT/", "url"),
    ("https://hooks.example:x@127.0.0.1:PORT/", "url"),
    ("https://127.0.0.1:PORT@hooks.example/", "url"),
    ("https://hooks.example%40127.0.0.1:PORT/", "url"),
    ("https://127.0.0.1:PORT#@hooks.example/", "url"),
    ("https://127.0.0.1:PORT\\@hooks.example/", "url"),
    ("https:\\\\127.0.0.1:PORT/", "url"),
    ("https:///127.0.0.1:PORT/", "url"),
    ("https:/127.0.0.1:PORT/", "url"),
    ("//127.0.0.1:PORT/", "url"),
    ("https://", "url"),
    ("https://:PORT/", "url"),
    ("https://%31%32%37.0.0.1:PORT/", "url"),
    ("https://①②⑦.⓪.⓪.①:PORT/", "url"),
    ("https://127。0。0。1:PORT/", "url"),
    ("https://höoks.example:PORT/", "url"),
    ("https://hooks.example.:PORT/", "url"),
    ("https://hooks..example:PORT/", "url"),
    ("https://-hooks.example:PORT/", "url"),
    ("https://hooks_1.example:PORT/", "url"),
    ("https://hooks.example :PORT/", "url"),
    ("https://127.0.0.1:PORT/\r\nHost: hooks.example", "url"),
    ("https://127.0.0.1:PORT/\0", "url"),
    // Ports.
    ("https://hooks.example:0/", "url"),
    ("https://hooks.example:00443/", "url"),
    ("https://hooks.example:65536/", "url"),
    ("https://hooks.example:PORT:PORT/", "url"),
    ("https://hooks.example:+443/", "url"),
    ("https://hooks.example:/", "url"),
    ("https://hooks.example:22/", "not_allowed"),
    ("https://hooks.example:25/", "not_allowed"),
    ("https://hooks.example:1023/", "not_allowed"),
    // Other schemes.
    ("file:///etc/passwd", "url"),
    ("ftp://127.0.0.1:PORT/", "url"),
    ("gopher://127.0.0.1:PORT/", "url"),
    ("unix:///var/run/docker.sock", "url"),
    ("http+unix://%2fvar%2frun%2fdocker.sock/", "url"),
    ("ws://127.0.0.1:PORT/", "url"),
    ("javascript:alert(1)", "url"),
    ("data:text/plain,x", "url"),
    ("127.0.0.1:PORT", "url"),
    ("", "url"),
];

/// What a name is told to be, one answer after the other; the last one stays.
#[derive(Default)]
pub(crate) struct Names {
    answers: Mutex<HashMap<String, Vec<Vec<IpAddr>>>>,
    asked: AtomicUsize,
}

impl Names {
    pub(crate) fn say(&self, name: &str, answers: &[&[&str]]) {
        let parse = |answer: &&[&str]| answer.iter().map(|a| a.parse().expect("an IP")).collect();
        let answers = answers.iter().map(parse).collect();
        let mut all = self.answers.lock().expect("no panic");
        all.insert(name.to_owned(), answers);
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// Names that lead where [`REFUSED`] says.
    pub(crate) fn say_traps(&self) {
        self.say("hooks.example", &[&["93.184.216.34"]]);
        self.say("loopback.example", &[&["127.0.0.1"]]);
        self.say("loopback6.example", &[&["::1"]]);
        self.say("mapped.example", &[&["::ffff:127.0.0.1"]]);
        self.say("metadata.example", &[&["169.254.169.254"]]);
        self.say("private.example", &[&["10.1.2.3"]]);
        self.say("unspecified.example", &[&["0.0.0.0"]]);
        self.say("both.example", &[&["93.184.216.34", "127.0.0.1"]]);
        self.say("nat64.example", &[&["64:ff9b::7f00:1"]]);
        self.say("empty.example", &[&[]]);
        self.say("localhost", &[&["127.0.0.1"]]);
        self.say("a.localhost", &[&["127.0.0.1"]]);
    }
}

#[async_trait]
impl Resolver for Names {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut all = self.answers.lock().expect("no panic");
        let answers = all.get_mut(name).ok_or(io::ErrorKind::NotFound)?;
        if answers.len() > 1 {
            return Ok(answers.remove(0));
        }
        Ok(answers[0].clone())
    }
}

/// Counts connections.
pub(crate) struct Counter {
    address: SocketAddr,
    seen: Arc<AtomicUsize>,
}

impl Counter {
    /// On every address of this machine, so that no name for it goes uncounted.
    pub(crate) async fn start() -> Self {
        let all = TcpListener::bind("[::]:0").await;
        let listener = match all {
            Ok(listener) => listener,
            Err(_) => TcpListener::bind("0.0.0.0:0").await.expect("a port"),
        };
        let address = listener.local_addr().expect("an address");
        let seen = Arc::new(AtomicUsize::new(0));
        let counting = seen.clone();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                counting.fetch_add(1, Ordering::SeqCst);
                drop(connection);
            }
        });
        Self { address, seen }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn seen(&self) -> usize {
        self.seen.load(Ordering::SeqCst)
    }
}

/// What a host of the web answers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Header lines, each with its line end.
    pub(crate) fields: String,
    pub(crate) body: Vec<u8>,
    /// Whether it answers only half and then nothing more.
    pub(crate) stalls: bool,
}

impl Answer {
    pub(crate) fn new(status: u16, fields: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            fields: fields.to_owned(),
            body: body.into(),
            stalls: false,
        }
    }

    fn to_bytes(&self) -> Vec<u8> {
        let (status, fields, len) = (self.status, &self.fields, self.body.len());
        let head = format!("HTTP/1.1 {status} X\r\n{fields}content-length: {len}\r\n\r\n");
        [head.as_bytes(), &self.body].concat()
    }
}

type Script = Box<dyn Fn(&str) -> Answer + Send + Sync>;

/// A host of the web, on the loopback, over TLS.
pub(crate) struct WebHost {
    address: SocketAddr,
    script: Arc<Mutex<Script>>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl WebHost {
    /// With a certificate of `ca` for these names. It answers 404 until it is told otherwise.
    pub(crate) async fn start(ca: &Ca, names: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let script: Script = Box::new(|_| Answer::new(404, "", ""));
        let script = Arc::new(Mutex::new(script));
        let requests: Arc<Mutex<Vec<String>>> = Arc::default();
        let acceptor = acceptor(ca, names);
        let (scripted, noted) = (script.clone(), requests.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, script, noted) = (acceptor.clone(), scripted.clone(), noted.clone());
                tokio::spawn(async move {
                    let mut stream = acceptor.accept(stream).await.ok()?;
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        head.push(stream.read_u8().await.ok()?);
                    }
                    let head = String::from_utf8_lossy(&head).into_owned();
                    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                    noted.lock().expect("no panic").push(head);
                    let answer = script.lock().expect("no panic")(&path);
                    let bytes = answer.to_bytes();
                    let sent = if answer.stalls {
                        bytes.len() / 2
                    } else {
                        bytes.len()
                    };
                    stream.write_all(&bytes[..sent]).await.ok()?;
                    stream.flush().await.ok()?;
                    if answer.stalls {
                        std::future::pending::<()>().await;
                    }
                    stream.shutdown().await.ok()
                });
            }
        });
        Self {
            address,
            script,
            requests,
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// From now on it answers so, by the path.
    pub(crate) fn answers(&self, script: impl Fn(&str) -> Answer + Send + Sync + 'static) {
        *self.script.lock().expect("no panic") = Box::new(script);
    }

    /// The heads of all requests.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no panic").clone()
    }
}

/// TLS with a certificate of `ca` for these names.
pub(crate) fn acceptor(ca: &Ca, names: &[&str]) -> TlsAcceptor {
    let mut leaf = Leaf::of("spiffe://web.example/host");
    leaf.uris = Vec::new();
    leaf.addresses = Vec::new();
    leaf.dns = names.iter().map(|name| (*name).to_owned()).collect();
    leaf.kind = Kind::P256;
    let issued = ca.issue(&leaf);
    let key = PrivateKeyDer::Pkcs8(issued.pkcs8.clone().into());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(issued.chain.clone(), key);
    TlsAcceptor::from(Arc::new(config.expect("a certificate")))
}
