//! Tokens, and keys that were made on them.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use countersign::pkcs11::Pkcs11Key;
use countersign::secret::Secret;
use countersign_interop_tests::{SoftHsmError, library, make_token};
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::Attribute;
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;
use libtest_mimic::Failed;

pub(crate) const PIN: &str = "correct horse";

/// What the tests use, each for itself where it would disturb another.
const TOKENS: [&str; 5] = ["agents", "lost", "locked", "twin", "twin"];

const P256: &[u8] = &[0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x06, 5, 0x2b, 0x81, 0x04, 0x00, 0x22];
const P521: &[u8] = &[0x06, 5, 0x2b, 0x81, 0x04, 0x00, 0x23];
const ED25519: &[u8] = b"\x13\x0cedwards25519";

pub(crate) struct World {
    library: PathBuf,
    pub(crate) module: Pkcs11,
}

static SHARED: Mutex<Option<Arc<World>>> = Mutex::new(None);

/// The tokens, made once.
pub(crate) fn shared() -> Result<Arc<World>, SoftHsmError> {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(world) = &*shared {
        return Ok(Arc::clone(world));
    }
    let library = library()?;
    for label in TOKENS {
        make_token(label, PIN)?;
    }
    let module = Pkcs11::new(&library).expect("the module loads");
    let threads = CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK);
    module.initialize(threads).expect("the module starts");
    let world = World { library, module };
    world.make_keys();
    Ok(Arc::clone(shared.insert(Arc::new(world))))
}

impl World {
    /// Runs `test` with the world, on a runtime of its own.
    pub(crate) fn run(
        self: Arc<Self>,
        test: impl AsyncFnOnce(Arc<Self>) -> Result<(), Failed>,
    ) -> Result<(), Failed> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        runtime.block_on(test(self))
    }

    /// The key with this label, on the token that all share.
    pub(crate) fn key(&self, label: &str) -> Pkcs11Key {
        self.on("agents").label(label)
    }

    /// A key on this token.
    pub(crate) fn on(&self, token: &str) -> Pkcs11Key {
        Pkcs11Key::new(&self.library)
            .token(token)
            .pin(Secret::new(PIN.to_owned()))
    }

    pub(crate) fn library(&self) -> &Path {
        &self.library
    }

    pub(crate) fn slot(&self, token: &str) -> Slot {
        let slots = self
            .module
            .get_slots_with_initialized_token()
            .expect("slots");
        let mut slots = slots.into_iter();
        let has = |slot: &Slot| {
            let info = self.module.get_token_info(*slot).expect("a token");
            info.label() == token
        };
        slots.find(has).expect("the token")
    }

    fn make_keys(&self) {
        let session = self.session("agents", Some(PIN));
        let curves = [
            ("p256", Mechanism::EccKeyPairGen, P256),
            ("p384", Mechanism::EccKeyPairGen, P384),
            ("p521", Mechanism::EccKeyPairGen, P521),
            ("ed25519", Mechanism::EccEdwardsKeyPairGen, ED25519),
        ];
        for (label, mechanism, curve) in curves {
            let public = [Attribute::EcParams(curve.to_vec())];
            make(&session, &mechanism, &public, label, 1);
        }
        for (label, bits) in [("rsa", 2048_u64), ("short", 1024)] {
            let bits = bits.into();
            let public = [
                Attribute::ModulusBits(bits),
                Attribute::PublicExponent(vec![1, 0, 1]),
            ];
            make(&session, &Mechanism::RsaPkcsKeyPairGen, &public, label, 1);
        }
        for id in [1, 2] {
            let public = [Attribute::EcParams(P256.to_vec())];
            make(&session, &Mechanism::EccKeyPairGen, &public, "twins", id);
        }
        for token in ["lost", "locked"] {
            let session = self.session(token, Some(PIN));
            let public = [Attribute::EcParams(P256.to_vec())];
            make(&session, &Mechanism::EccKeyPairGen, &public, "p256", 1);
        }
    }

    /// A session of our own; with a PIN, the user is logged in.
    pub(crate) fn session(&self, token: &str, pin: Option<&str>) -> Session {
        let session = self.module.open_rw_session(self.slot(token));
        let session = session.expect("a session");
        if let Some(pin) = pin {
            let pin = AuthPin::from(pin.to_owned());
            session.login(UserType::User, Some(&pin)).expect("the PIN");
        }
        session
    }
}

/// A key pair whose private half stays on the token.
fn make(session: &Session, mechanism: &Mechanism<'_>, public: &[Attribute], label: &str, id: u8) {
    let named = [
        Attribute::Token(true),
        Attribute::Label(label.as_bytes().to_vec()),
        Attribute::Id(vec![id]),
    ];
    let mut public = [&named[..], public].concat();
    public.push(Attribute::Verify(true));
    let mut private = named.to_vec();
    private.extend([
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Sign(true),
    ]);
    let made = session.generate_key_pair(mechanism, &public, &private);
    made.expect("a key pair");
}
