//! Where the keys come from that signatures are verified with.

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use http::HeaderMap;

use crate::discovery::{DirectoryResolver, DiscoveryError};
use crate::httpsig::directory::DirectoryUrl;
use crate::httpsig::{HttpKeySet, ResolvedKey, SignatureError, WantedKey};

/// What a [custom](KeySource::custom) source answers: a key, or that there is none for it here.
pub type KeyAnswer = BoxFuture<'static, Option<ResolvedKey>>;

type Custom = dyn Fn(WantedKey<'_>, &HeaderMap) -> KeyAnswer + Send + Sync;

/// Finds the key that a signature asks for. Sources are asked in their order.
///
/// ```
/// use countersign::discovery::DirectoryResolver;
/// use countersign::httpsig::HttpKeySet;
/// use countersign::webbotauth::KeySource;
///
/// fn keys(partners: HttpKeySet, web: DirectoryResolver) -> KeySource {
///     KeySource::held(partners).or(KeySource::published(web))
/// }
/// ```
#[derive(Clone)]
pub struct KeySource(Vec<Source>);

#[derive(Clone)]
enum Source {
    Held(Arc<HttpKeySet>),
    Published(DirectoryResolver),
    Custom(Arc<Custom>),
}

/// A key, and what discovery knows about it.
pub(super) struct Found {
    pub(super) key: ResolvedKey,
    /// The directory that lists it.
    pub(super) directory: Option<String>,
    pub(super) stale: bool,
}

impl KeySource {
    /// These keys, by `keyid`; a set of one key also answers for a signature without `keyid`. Who
    /// signed is then known by the thumbprint of the key, whatever `Signature-Agent` says.
    pub fn held(keys: HttpKeySet) -> Self {
        Self(vec![Source::Held(Arc::new(keys))])
    }

    /// The key directories that signatures name: who signed is known by the directory's URL. One
    /// that lacks the key is fetched once more, see [`DirectoryResolver::key`].
    pub fn published(resolver: DirectoryResolver) -> Self {
        Self(vec![Source::Published(resolver)])
    }

    /// Whatever the function finds; it is given the fields of the request, too. Under
    /// [`Profile::wimse`](crate::httpsig::Profile::wimse) it verifies the token in
    /// `workload-identity-token` and answers with the key that it confirms.
    pub fn custom(
        find: impl Fn(WantedKey<'_>, &HeaderMap) -> KeyAnswer + Send + Sync + 'static,
    ) -> Self {
        Self(vec![Source::Custom(Arc::new(find))])
    }

    /// Asks `other` for what is not found here.
    #[must_use]
    pub fn or(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    pub(super) async fn find(
        &self,
        wanted: WantedKey<'_>,
        headers: &HeaderMap,
    ) -> Result<Found, (SignatureError, Option<DiscoveryError>)> {
        let mut failure = None;
        for source in &self.0 {
            let key = match source {
                Source::Held(keys) => held(keys, wanted),
                Source::Custom(find) => find(wanted, headers).await,
                Source::Published(resolver) => match published(resolver, wanted).await {
                    Some(Ok(found)) => return Ok(found),
                    Some(Err(error)) => {
                        failure = Some(error);
                        None
                    }
                    None => None,
                },
            };
            if let Some(key) = key {
                return Ok(Found {
                    key,
                    directory: None,
                    stale: false,
                });
            }
        }
        Err((wanted.unknown(), failure))
    }
}

fn held(keys: &HttpKeySet, wanted: WantedKey<'_>) -> Option<ResolvedKey> {
    let key = match wanted.keyid {
        Some(keyid) => keys.by_keyid(keyid),
        None if keys.len() == 1 => keys.iter().map(|(_, key)| key).next(),
        None => None,
    };
    key.cloned().map(ResolvedKey::Held)
}

/// By URL and thumbprint together; `None` when the signature does not name both.
async fn published(
    resolver: &DirectoryResolver,
    wanted: WantedKey<'_>,
) -> Option<Result<Found, DiscoveryError>> {
    let url = DirectoryUrl::of_agent(wanted.agent?).ok()?;
    let keyid = wanted.keyid?.parse().ok()?;
    let found = resolver.key(&url, keyid).await.map(|found| Found {
        key: ResolvedKey::Published(found.key),
        directory: Some(found.directory),
        stale: found.stale,
    });
    Some(found)
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.0.iter().map(|source| match source {
            Source::Held(_) => "held",
            Source::Published(_) => "published",
            Source::Custom(_) => "custom",
        });
        f.debug_tuple("KeySource")
            .field(&names.collect::<Vec<_>>())
            .finish()
    }
}
