//! The signer: threads that talk to the token, and a queue before them.

use std::fmt;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::sync::oneshot;

use super::error::Pkcs11Error;
use super::key::Pkcs11Key;
use super::session::{Open, Place};
use crate::httpsig::{HttpVerifyingKey, MessageSignature, MessageSigner, SignerError, Signing};

/// As many signatures wait at most; a token that is so far behind will not catch up.
const WAITING: usize = 256;

/// Signs with a private key on a PKCS#11 token: Ed25519, P-256, P-384 and RSA, as the token has
/// them.
///
/// Tokens are slow and their modules block, so that each session has a thread of its own, and no
/// async thread ever waits for the token. A session that is lost is opened again. The threads end
/// with the last clone.
#[derive(Clone)]
pub struct Pkcs11Signer {
    queue: SyncSender<Job>,
    public: HttpVerifyingKey,
}

struct Job {
    base: Vec<u8>,
    answer: oneshot::Sender<Result<Vec<u8>, Pkcs11Error>>,
}

impl Pkcs11Signer {
    /// Loads the module, logs in and finds the key.
    ///
    /// # Errors
    /// [`Pkcs11Error`] naming what is not there.
    pub async fn open(key: Pkcs11Key) -> Result<Self, Pkcs11Error> {
        let (answer, opened) = oneshot::channel();
        spawn(move || {
            // Nobody waits when the answer cannot be sent.
            let _ = answer.send(Self::open_blocking(key));
        })?;
        opened.await.map_err(|_| Pkcs11Error::Thread)?
    }

    /// [`Self::open`] for programs without a runtime. Blocks.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_blocking(key: Pkcs11Key) -> Result<Self, Pkcs11Error> {
        let sessions = key.sessions;
        let (place, first) = Place::find(key)?;
        let public = place.public.clone();
        let place = Arc::new(place);
        let (queue, jobs) = sync_channel(WAITING);
        let jobs = Arc::new(Mutex::new(jobs));
        let mut first = Some(first);
        for _ in 0..sessions {
            let (place, jobs, open) = (Arc::clone(&place), Arc::clone(&jobs), first.take());
            spawn(move || serve(&place, &jobs, open))?;
        }
        Ok(Self { queue, public })
    }
}

fn spawn(work: impl FnOnce() + Send + 'static) -> Result<(), Pkcs11Error> {
    let thread = thread::Builder::new().name("countersign-pkcs11".to_owned());
    thread
        .spawn(work)
        .map(drop)
        .map_err(|_| Pkcs11Error::Thread)
}

/// Does the jobs one after the other, until nobody can bring more.
fn serve(place: &Place, jobs: &Mutex<Receiver<Job>>, mut open: Option<Open>) {
    loop {
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        // Whoever asked may be gone by now.
        if !job.answer.is_closed() {
            let _ = job.answer.send(place.sign(&mut open, &job.base));
        }
    }
}

impl MessageSigner for Pkcs11Signer {
    fn verifying_key(&self) -> &HttpVerifyingKey {
        &self.public
    }

    fn sign<'a>(&'a self, base: &'a [u8]) -> Signing<'a> {
        let (answer, made) = oneshot::channel();
        let base = base.to_vec();
        let refused = match self.queue.try_send(Job { base, answer }) {
            Ok(()) => None,
            Err(TrySendError::Full(_)) => Some(Pkcs11Error::Busy { max: WAITING }),
            Err(TrySendError::Disconnected(_)) => Some(Pkcs11Error::Thread),
        };
        if let Some(error) = refused {
            return Signing::ready(Err(error.into()));
        }
        Signing::later(async move {
            let made = made.await.map_err(|_| Pkcs11Error::Thread)?;
            Ok::<_, SignerError>(MessageSignature::from(made?))
        })
    }
}

impl fmt::Debug for Pkcs11Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pkcs11Signer({:?})", self.public)
    }
}
