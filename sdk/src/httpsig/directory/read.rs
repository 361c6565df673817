//! Reading the directory of somebody else.

use indexmap::IndexMap;
use serde::Deserialize as _;
use serde_json::Value;

use super::divergence::{DirectoryWarning, Divergence, Tolerance};
use super::error::DirectoryError;
use crate::clock::UnixTime;
use crate::crypto::KeyThumbprint;
use crate::httpsig::{HttpKeyError, HttpVerifyingKey};
use crate::jose::{JsonLimits, Jwk, parse_json};

/// The most bytes of a directory that are read.
const MAX_BYTES: usize = 64 * 1024;

/// The most keys of a directory that are read.
const MAX_KEYS: usize = 64;

/// No date in seconds is as large as this (the year 5138); dates in milliseconds are.
const MILLISECONDS: u64 = 100_000_000_000;

/// How a directory is read. The default: as one at the well-known path, strictly, at most 64 KiB and
/// 64 keys.
///
/// ```
/// use countersign::httpsig::directory::{Reading, Tolerance};
/// let reading = Reading::default().elsewhere().tolerate(Tolerance::BareJwk);
/// let body = br#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
/// let directory = reading.read(body)?;
/// for warning in directory.warnings() {
///     eprintln!("{warning}");
/// }
/// # assert_eq!(directory.len(), 1);
/// # Ok::<(), countersign::httpsig::directory::DirectoryError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Reading {
    well_known: bool,
    max_bytes: usize,
    max_keys: usize,
    tolerated: Vec<Tolerance>,
}

impl Default for Reading {
    fn default() -> Self {
        Self {
            well_known: true,
            max_bytes: MAX_BYTES,
            max_keys: MAX_KEYS,
            tolerated: Vec::new(),
        }
    }
}

impl Reading {
    /// The document is not at the well-known path: its `kid`s may be any labels.
    #[must_use]
    pub fn elsewhere(mut self) -> Self {
        self.well_known = false;
        self
    }

    /// Takes what the drafts do not allow; it is warned of all the same.
    #[must_use]
    pub fn tolerate(mut self, tolerance: Tolerance) -> Self {
        self.tolerated.push(tolerance);
        self
    }

    /// Reads at most so many bytes. Default 64 KiB.
    #[must_use]
    pub fn max_bytes(mut self, max: usize) -> Self {
        self.max_bytes = max;
        self
    }

    /// Reads at most so many keys. Default 64, which is enough for strangers; the directory of a fleet
    /// of one's own may have thousands, as a look-up does not depend on their number.
    #[must_use]
    pub fn max_keys(mut self, max: usize) -> Self {
        self.max_keys = max;
        self
    }

    /// The most bytes that are read.
    pub fn bytes(&self) -> usize {
        self.max_bytes
    }

    /// Reads a document. Keys that cannot be used are left out, and each has its warning.
    ///
    /// # Errors
    /// [`DirectoryError`] when it is not a directory or exceeds a limit.
    pub fn read(&self, body: &[u8]) -> Result<Directory, DirectoryError> {
        let limits = JsonLimits {
            depth: 8,
            bytes: self.max_bytes,
        };
        let document = parse_json(body, limits)?;
        let mut directory = Directory::default();
        let listed = match document.get("keys") {
            Some(keys) => keys.as_array().ok_or(DirectoryError::NoKeys)?.as_slice(),
            None if self.takes(Tolerance::BareJwk) && document.get("kty").is_some() => {
                directory.warn(None, Divergence::BareJwk, true);
                std::slice::from_ref(&document)
            }
            None => return Err(DirectoryError::NoKeys),
        };
        if listed.len() > self.max_keys {
            return Err(DirectoryError::TooMany {
                keys: listed.len(),
                max: self.max_keys,
            });
        }
        for (index, value) in listed.iter().enumerate() {
            self.read_key(index, value, &mut directory);
        }
        Ok(directory)
    }

    fn takes(&self, tolerance: Tolerance) -> bool {
        self.tolerated.contains(&tolerance)
    }

    fn read_key(&self, index: usize, value: &Value, directory: &mut Directory) {
        let at = Some(index);
        let Ok(jwk) = Jwk::deserialize(value) else {
            return directory.warn(at, Divergence::Key, false);
        };
        let key = match HttpVerifyingKey::from_jwk(&jwk) {
            Ok(key) => key,
            Err(error) => return directory.warn(at, divergence_of(&error), false),
        };
        let mut found = Vec::new();
        match jwk.kid.as_deref() {
            None if self.well_known => found.push((Divergence::KidMissing, true)),
            Some(kid) if self.well_known && kid.parse() != Ok(key.thumbprint()) => {
                found.push((Divergence::KidOther, self.takes(Tolerance::Kid)));
            }
            _ => {}
        }
        // It is the key's, or there would be none; but in which words?
        if jwk.alg.is_some_and(|alg| alg != key.algorithm().name()) {
            found.push((Divergence::AlgJose, true));
        }
        let dates = [jwk.nbf, jwk.exp];
        if dates.iter().flatten().any(|date| *date >= MILLISECONDS) {
            let taken = self.takes(Tolerance::Milliseconds);
            found.push((Divergence::Milliseconds, taken));
        }
        if directory.keys.contains_key(&key.thumbprint()) {
            found.push((Divergence::Repeated, false));
        }
        let used = found.iter().all(|(_, used)| *used);
        for (divergence, _) in found {
            directory.warn(at, divergence, used);
        }
        if used {
            let [from, until] = dates.map(|date| date.map(in_seconds));
            let thumbprint = key.thumbprint();
            let published = Published { key, from, until };
            directory.keys.insert(thumbprint, published);
        }
    }
}

const fn divergence_of(error: &HttpKeyError) -> Divergence {
    match error {
        HttpKeyError::Private => Divergence::PrivateKey,
        HttpKeyError::Use { .. } => Divergence::Use,
        HttpKeyError::Algorithm { .. } => Divergence::AlgOther,
        _ => Divergence::Key,
    }
}

fn in_seconds(date: u64) -> UnixTime {
    let date = if date >= MILLISECONDS {
        date / 1000
    } else {
        date
    };
    UnixTime::from_secs(date)
}

/// The keys of a directory that can be used. A look-up costs the same however many there are.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    keys: IndexMap<KeyThumbprint, Published>,
    warnings: Vec<DirectoryWarning>,
}

#[derive(Clone, Debug)]
struct Published {
    key: HttpVerifyingKey,
    from: Option<UnixTime>,
    until: Option<UnixTime>,
}

impl Published {
    fn usable(&self, now: UnixTime) -> bool {
        self.from.is_none_or(|from| from <= now) && self.until.is_none_or(|until| now < until)
    }
}

impl Directory {
    /// Reads a document as [`Reading::default`] does. Keys of other kinds, for other uses, under a
    /// `kid` that is not their thumbprint, or with dates in milliseconds are left out.
    ///
    /// # Errors
    /// [`DirectoryError`] when it is not a directory or exceeds a limit.
    pub fn parse(body: &[u8]) -> Result<Self, DirectoryError> {
        Reading::default().read(body)
    }

    /// The key with this thumbprint, if it can be used at `now`.
    pub fn key(&self, thumbprint: KeyThumbprint, now: UnixTime) -> Option<&HttpVerifyingKey> {
        let published = self.keys.get(&thumbprint)?;
        published.usable(now).then_some(&published.key)
    }

    /// The keys that can be used at `now`, in the order of the document.
    pub fn keys_at(&self, now: UnixTime) -> impl Iterator<Item = &HttpVerifyingKey> {
        let usable = self.keys.values().filter(move |key| key.usable(now));
        usable.map(|published| &published.key)
    }

    /// How many keys it has, whenever they can be used.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// How the document differs from the drafts, and what was left out.
    pub fn warnings(&self) -> &[DirectoryWarning] {
        &self.warnings
    }

    /// Notes a divergence of what came with the document.
    pub(crate) fn warn(&mut self, key: Option<usize>, divergence: Divergence, used: bool) {
        self.warnings.push(DirectoryWarning {
            key,
            divergence,
            used,
        });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::crypto::{Algorithm, SigningKey};
    use crate::httpsig::{HttpAlgorithm, HttpSigningKey};

    const NOW: UnixTime = UnixTime::from_secs(1_735_689_600);

    fn key(algorithm: Algorithm) -> SigningKey {
        SigningKey::generate(algorithm).expect("a key")
    }

    #[test]
    fn each_divergence_is_named_and_taken_only_when_it_may() {
        let key = key(Algorithm::Ed25519);
        let public = key.verifying_key();
        let with = |name: &str, value: Value| {
            let mut jwk = serde_json::to_value(Jwk::of(public)).expect("a value");
            jwk[name] = value;
            if jwk[name].is_null() {
                jwk.as_object_mut().expect("an object").remove(name);
            }
            json!({ "keys": [jwk] })
        };
        let later = (NOW.secs() + 60) * 1000;
        let twice = json!({ "keys": [Jwk::of(public), Jwk::of(public)] });
        let bare = serde_json::to_value(Jwk::of(public)).expect("a value");
        let every = |reading: Reading| {
            let all = Tolerance::ALL.into_iter();
            all.fold(reading, Reading::tolerate)
        };
        let (strict, elsewhere) = (Reading::default(), Reading::default().elsewhere());
        let tolerant = every(strict.clone());
        let none: &[&str] = &[];
        for (name, document, reading, found, reasons) in [
            ("good", with("use", json!("sig")), &strict, true, none),
            (
                "no kid",
                with("kid", Value::Null),
                &strict,
                true,
                &["directory.kid_missing"],
            ),
            (
                "no kid elsewhere",
                with("kid", Value::Null),
                &elsewhere,
                true,
                none,
            ),
            (
                "kid",
                with("kid", json!("k1")),
                &strict,
                false,
                &["directory.kid_other"],
            ),
            (
                "kid taken",
                with("kid", json!("k1")),
                &tolerant,
                true,
                &["directory.kid_other"],
            ),
            (
                "kid elsewhere",
                with("kid", json!("k1")),
                &elsewhere,
                true,
                none,
            ),
            ("alg", with("alg", json!("ed25519")), &strict, true, none),
            (
                "EdDSA",
                with("alg", json!("EdDSA")),
                &strict,
                true,
                &["directory.alg_jose"],
            ),
            (
                "Ed25519",
                with("alg", json!("Ed25519")),
                &strict,
                true,
                &["directory.alg_jose"],
            ),
            (
                "ES256",
                with("alg", json!("ES256")),
                &tolerant,
                false,
                &["directory.alg_other"],
            ),
            (
                "ms",
                with("exp", json!(later)),
                &strict,
                false,
                &["directory.milliseconds"],
            ),
            (
                "ms taken",
                with("exp", json!(later)),
                &tolerant,
                true,
                &["directory.milliseconds"],
            ),
            ("ms over", with("exp", json!(1000)), &tolerant, false, none),
            (
                "enc",
                with("use", json!("enc")),
                &tolerant,
                false,
                &["directory.use"],
            ),
            (
                "no key",
                with("x", json!("AA")),
                &tolerant,
                false,
                &["directory.key"],
            ),
            (
                "number",
                with("kid", json!(1)),
                &tolerant,
                false,
                &["directory.key"],
            ),
            (
                "private",
                with("d", json!("AA")),
                &tolerant,
                false,
                &["directory.private_key"],
            ),
            ("twice", twice, &strict, true, &["directory.repeated"]),
            (
                "bare",
                bare.clone(),
                &tolerant,
                true,
                &["directory.bare_jwk"],
            ),
        ] {
            let directory = reading.read(document.to_string().as_bytes()).expect(name);
            assert_eq!(
                directory.key(public.thumbprint(), NOW).is_some(),
                found,
                "{name}"
            );
            let warnings = directory.warnings().iter();
            let got: Vec<&str> = warnings.map(|w| w.divergence.reason()).collect();
            assert_eq!(got, reasons, "{name}");
        }
        let refused = strict.read(bare.to_string().as_bytes());
        assert_eq!(
            refused.map_err(|e| e.reason()).err(),
            Some("directory.no_keys")
        );
    }

    #[test]
    fn alg_is_read_in_every_wording_and_must_be_the_keys() {
        let (none, jose) = (None, Some("directory.alg_jose"));
        let other = Some("directory.alg_other");
        let (pss, v15) = (HttpAlgorithm::RsaPssSha512, HttpAlgorithm::RsaV15Sha256);
        let (p256, p384) = (
            HttpAlgorithm::EcdsaP256Sha256,
            HttpAlgorithm::EcdsaP384Sha384,
        );
        let keys = [p256, p384, pss].map(|kind| HttpSigningKey::generate(kind).expect("a key"));
        for (kind, alg, read, warning) in [
            (p256, None, Some(p256), none),
            (p256, Some("ecdsa-p256-sha256"), Some(p256), none),
            (p256, Some("ES256"), Some(p256), jose),
            (p256, Some("ES384"), None, other),
            (p384, None, Some(p384), none),
            (p384, Some("ecdsa-p384-sha384"), Some(p384), none),
            (p384, Some("ES384"), Some(p384), jose),
            (p384, Some("ed25519"), None, other),
            (pss, None, Some(pss), none),
            (pss, Some("rsa-pss-sha512"), Some(pss), none),
            (pss, Some("PS512"), Some(pss), jose),
            (pss, Some("rsa-v1_5-sha256"), Some(v15), none),
            (pss, Some("RS256"), Some(v15), jose),
            (pss, Some("PS256"), None, other),
            (pss, Some("hmac-sha256"), None, other),
        ] {
            let key = keys.iter().find(|key| key.algorithm() == kind);
            let public = key.expect("a key").verifying_key();
            let mut jwk = public.to_jwk().expect("a public key");
            jwk.alg = alg.map(str::to_owned);
            let body = json!({ "keys": [jwk] }).to_string();
            let directory = Directory::parse(body.as_bytes()).expect("a directory");
            let found = directory.key(public.thumbprint(), NOW);
            let found = found.map(HttpVerifyingKey::algorithm);
            let warnings = directory.warnings().iter();
            let warnings: Vec<&str> = warnings.map(|w| w.divergence.reason()).collect();
            let want: Vec<&str> = warning.into_iter().collect();
            assert_eq!((found, warnings), (read, want), "{kind} {alg:?}");
        }
    }

    #[test]
    fn the_limit_of_keys_is_a_setting() {
        let one = key(Algorithm::Ed25519);
        let mut keys = vec![json!({"kty": "RSA"}); 999];
        keys.push(serde_json::to_value(Jwk::of(one.verifying_key())).expect("a value"));
        let body = json!({ "keys": keys }).to_string();
        let refused = Directory::parse(body.as_bytes());
        assert_eq!(
            refused.map_err(|e| e.reason()).err(),
            Some("directory.too_many")
        );
        let reading = Reading::default().max_keys(1000).max_bytes(1 << 20);
        let directory = reading.read(body.as_bytes()).expect("a directory");
        assert!(
            directory
                .key(one.verifying_key().thumbprint(), NOW)
                .is_some()
        );
        let refused = reading.max_keys(999).read(body.as_bytes());
        assert_eq!(
            refused.map_err(|e| e.reason()).err(),
            Some("directory.too_many")
        );
    }

    #[test]
    fn keys_that_are_not_plainly_usable_are_left_out() {
        let key = key(Algorithm::Ed25519);
        let public = key.verifying_key();
        let good = || serde_json::to_value(Jwk::of(public)).expect("a value");
        let with = |name: &str, value: Value| {
            let mut jwk = good();
            jwk[name] = value;
            jwk
        };
        let secs = NOW.secs();
        let cases = [
            (good(), true),
            (with("alg", json!("ed25519")), true),
            (with("kid", Value::Null), true),
            (with("kid", json!("mine")), false),
            (with("use", json!("enc")), false),
            (with("kty", json!("RSA")), false),
            (with("nbf", json!(secs)), true),
            (with("nbf", json!(secs + 1)), false),
            (with("exp", json!(secs + 1)), true),
            (with("exp", json!(secs)), false),
            (with("exp", json!((secs + 1) * 1000)), false),
        ];
        for (jwk, want) in cases {
            let body = json!({ "keys": [jwk] }).to_string();
            let directory = Directory::parse(body.as_bytes()).expect("a directory");
            let found = directory.key(public.thumbprint(), NOW).is_some();
            assert_eq!(found, want, "{body}");
        }
    }

    #[test]
    fn a_directory_has_limits() {
        let reason = |body: &[u8]| Directory::parse(body).map_or_else(|e| e.reason(), |_| "fine");
        let keys = |n: usize| json!({ "keys": vec![json!({"kty": "RSA"}); n] }).to_string();
        assert_eq!(reason(keys(64).as_bytes()), "fine");
        assert_eq!(reason(keys(65).as_bytes()), "directory.too_many");
        assert_eq!(reason(b"{}"), "directory.no_keys");
        assert_eq!(reason(b"{"), "directory.json");
        let mut long = br#"{"keys":[]}"#.to_vec();
        long.resize(MAX_BYTES, b' ');
        assert_eq!(reason(&long), "fine");
        long.push(b' ');
        assert_eq!(reason(&long), "directory.json");
    }
}
