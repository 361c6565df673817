//! Keys as JSON (RFC 7517, RFC 7518 §6, RFC 8037).

use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use super::der::{BIT_STRING, INTEGER, OCTET_STRING, SEQUENCE, write, write_positive};
use super::error::shortened;
use super::pkcs8::{EC, ED25519, P256, P384, write_pkcs8};
use super::verifying::Material;
use super::{HttpAlgorithm, HttpKeyError, HttpSigningKey, HttpVerifyingKey, SharedSecret};
use crate::crypto::VerifyingKey;
use crate::jose::{Jwk, decode_base64url, encode_base64url};

/// The longest JWK that is read: the longest RSA key, and some room.
const MAX_BYTES: usize = 32 * 1024;

impl HttpVerifyingKey {
    /// The key that this JWK describes. Its `alg`, when it has one, must be one of the key's, and
    /// chooses for RSA: `PS512` (so it is without `alg`, too) or `RS256`; names of RFC 9421 §6.2
    /// are read, too. Its `use`, when it has one, must be `sig`.
    ///
    /// ```
    /// use countersign::httpsig::{HttpAlgorithm, HttpVerifyingKey};
    /// use countersign::jose::Jwk;
    /// let jwk: Jwk = serde_json::from_str(
    ///     r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
    /// )?;
    /// let key = HttpVerifyingKey::from_jwk(&jwk)?;
    /// assert_eq!(key.algorithm(), HttpAlgorithm::Ed25519);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`HttpKeyError`] naming the member that is wrong; [`HttpKeyError::Private`] when it has
    /// private members, which must not be published.
    pub fn from_jwk(jwk: &Jwk) -> Result<Self, HttpKeyError> {
        if jwk.is_private() {
            return Err(HttpKeyError::Private);
        }
        let key = match (jwk.kty.as_str(), jwk.crv.as_str()) {
            ("OKP", "Ed25519") => {
                let x = exact("x", jwk.x.as_deref(), 32)?;
                let key = VerifyingKey::ed25519(&x).map_err(|_| HttpAlgorithm::Ed25519);
                Self::from(key.map_err(numbers)?)
            }
            ("EC", "P-256") => {
                let point = point(jwk.x.as_deref(), jwk.y.as_deref(), 32)?;
                let key = VerifyingKey::p256(&point).map_err(|_| HttpAlgorithm::EcdsaP256Sha256);
                Self::from(key.map_err(numbers)?)
            }
            ("EC", "P-384") => Self::p384(&point(jwk.x.as_deref(), jwk.y.as_deref(), 48)?)?,
            ("RSA", _) => Self::rsa(&uint("n", jwk.n.as_deref())?, &uint("e", jwk.e.as_deref())?)?,
            (kty, crv) => return Err(kind(kty, crv, false)),
        };
        check_use(jwk.use_.as_deref())?;
        match named(jwk.alg.as_deref(), key.algorithm())? {
            Some(algorithm) => key.with_algorithm(algorithm),
            None => Ok(key),
        }
    }

    /// The JWK, with the thumbprint as `kid` and `use` `sig`; `None` of a shared secret. It has no
    /// `alg`, because publishers of directories disagree about its names, except `RS256`, without
    /// which the key would be taken for the other algorithm.
    pub fn to_jwk(&self) -> Option<Jwk> {
        let mut jwk = Jwk::default();
        match self.material() {
            Material::Core(key) => jwk = Jwk::of(key),
            Material::P384(point) => {
                (jwk.kty, jwk.crv) = ("EC".to_owned(), "P-384".to_owned());
                jwk.x = Some(encode_base64url(&point[1..49]));
                jwk.y = Some(encode_base64url(&point[49..]));
            }
            Material::Rsa(numbers) => {
                jwk.kty = "RSA".to_owned();
                jwk.n = Some(encode_base64url(&numbers.n));
                jwk.e = Some(encode_base64url(&numbers.e));
            }
            Material::Secret => return None,
        }
        jwk.kid = Some(self.thumbprint().to_string());
        jwk.use_ = Some("sig".to_owned());
        if self.algorithm() == HttpAlgorithm::RsaV15Sha256 {
            jwk.alg = Some("RS256".to_owned());
        }
        Some(jwk)
    }
}

impl HttpSigningKey {
    /// The private key, or the shared secret (`kty` `oct`), in this JWK text. `alg` and `use` are
    /// taken as in [`HttpVerifyingKey::from_jwk`].
    ///
    /// # Errors
    /// [`HttpKeyError`] naming the member that is wrong; [`HttpKeyError::Public`] when there is no
    /// private part.
    pub fn from_jwk(json: &[u8]) -> Result<Self, HttpKeyError> {
        if json.len() > MAX_BYTES {
            return Err(HttpKeyError::Json);
        }
        let jwk: PrivateJwk = serde_json::from_slice(json).map_err(|_| HttpKeyError::Json)?;
        let key = jwk.key()?;
        check_use(jwk.use_.as_deref())?;
        match named(jwk.alg.as_deref(), key.algorithm())? {
            Some(algorithm) => key.with_algorithm(algorithm),
            None => Ok(key),
        }
    }
}

/// Text that is wiped.
struct Wiped(Zeroizing<String>);

impl<'de> Deserialize<'de> for Wiped {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(|text| Self(Zeroizing::new(text)))
    }
}

/// A JWK with private members. A member that stands twice is an error.
#[derive(Deserialize)]
struct PrivateJwk {
    kty: String,
    #[serde(default)]
    crv: String,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    d: Option<Wiped>,
    p: Option<Wiped>,
    q: Option<Wiped>,
    dp: Option<Wiped>,
    dq: Option<Wiped>,
    qi: Option<Wiped>,
    k: Option<Wiped>,
    alg: Option<String>,
    #[serde(rename = "use")]
    use_: Option<String>,
}

impl PrivateJwk {
    fn key(&self) -> Result<HttpSigningKey, HttpKeyError> {
        let key = match (self.kty.as_str(), self.crv.as_str()) {
            ("oct", _) => return Ok(SharedSecret::new(secret("k", &self.k)?.to_vec())?.into()),
            ("OKP" | "EC" | "RSA", _) if self.d.is_none() => return Err(HttpKeyError::Public),
            ("OKP", "Ed25519") => {
                let seed = write(OCTET_STRING, &[&self.private_number(32)?]);
                HttpSigningKey::from_pkcs8(&write_pkcs8(ED25519, &[], &seed))?
            }
            ("EC", "P-256") => self.ecdsa(P256, 32)?,
            ("EC", "P-384") => self.ecdsa(P384, 48)?,
            ("RSA", _) => HttpSigningKey::rsa(&self.rsa()?, false)?,
            (kty, crv) => return Err(kind(kty, crv, true)),
        };
        // The public members must be those of the private ones (RFC 8037 §2, RFC 7518 §6.2.2).
        let x = match key.verifying_key().material() {
            Material::Core(public) if self.kty == "OKP" => Some(public.as_bytes().to_vec()),
            _ => None,
        };
        if x.is_some() && x != Some(exact("x", self.x.as_deref(), 32)?) {
            return Err(numbers(key.algorithm()));
        }
        Ok(key)
    }

    fn private_number(&self, len: usize) -> Result<Zeroizing<Vec<u8>>, HttpKeyError> {
        let d = secret("d", &self.d)?;
        if d.len() != len {
            return Err(HttpKeyError::Member { member: "d" });
        }
        Ok(d)
    }

    /// ECPrivateKey (RFC 5915 §3) in PKCS#8; the provider checks that the halves belong together.
    fn ecdsa(&self, curve: &[u8], len: usize) -> Result<HttpSigningKey, HttpKeyError> {
        let point = point(self.x.as_deref(), self.y.as_deref(), len)?;
        let public = write(BIT_STRING, &[&[0], &point]);
        let key = write(
            SEQUENCE,
            &[
                &write(INTEGER, &[&[1]]),
                &write(OCTET_STRING, &[&self.private_number(len)?]),
                &write(0xa1, &[&public]),
            ],
        );
        HttpSigningKey::from_pkcs8(&write_pkcs8(EC, curve, &key))
    }

    /// RSAPrivateKey (RFC 8017 §A.1.2).
    fn rsa(&self) -> Result<Zeroizing<Vec<u8>>, HttpKeyError> {
        let (n, e) = (uint("n", self.n.as_deref())?, uint("e", self.e.as_deref())?);
        let mut fields = write(INTEGER, &[&[0]]);
        for public in [n, e] {
            fields.extend_from_slice(&write_positive(&public));
        }
        for (name, member) in [
            ("d", &self.d),
            ("p", &self.p),
            ("q", &self.q),
            ("dp", &self.dp),
            ("dq", &self.dq),
            ("qi", &self.qi),
        ] {
            fields.extend_from_slice(&write_positive(&secret(name, member)?));
        }
        Ok(write(SEQUENCE, &[&fields]))
    }
}

fn secret(member: &'static str, value: &Option<Wiped>) -> Result<Zeroizing<Vec<u8>>, HttpKeyError> {
    let value = value.as_ref().map(|wiped| wiped.0.as_str());
    uint(member, value).map(Zeroizing::new)
}

/// A number or bytes in base64url.
fn uint(member: &'static str, value: Option<&str>) -> Result<Vec<u8>, HttpKeyError> {
    let bytes = value.and_then(|text| decode_base64url(text).ok());
    bytes
        .filter(|bytes| !bytes.is_empty())
        .ok_or(HttpKeyError::Member { member })
}

/// RFC 7518 §6.2.1.2: a coordinate has as many bytes as the curve's field, leading zeros included.
fn exact(member: &'static str, value: Option<&str>, len: usize) -> Result<Vec<u8>, HttpKeyError> {
    let bytes = uint(member, value)?;
    if bytes.len() != len {
        return Err(HttpKeyError::Member { member });
    }
    Ok(bytes)
}

fn point(x: Option<&str>, y: Option<&str>, len: usize) -> Result<Vec<u8>, HttpKeyError> {
    Ok([&[4][..], &exact("x", x, len)?, &exact("y", y, len)?].concat())
}

const fn numbers(algorithm: HttpAlgorithm) -> HttpKeyError {
    HttpKeyError::Numbers { algorithm }
}

fn kind(kty: &str, crv: &str, secret: bool) -> HttpKeyError {
    let kind = shortened(&format!("{kty} {crv}")).trim_end().to_owned();
    HttpKeyError::Kind { kind, secret }
}

fn check_use(use_: Option<&str>) -> Result<(), HttpKeyError> {
    match use_ {
        None | Some("sig") => Ok(()),
        Some(other) => Err(HttpKeyError::Use {
            use_: shortened(other),
        }),
    }
}

/// The algorithm that `alg` names.
fn named(alg: Option<&str>, key: HttpAlgorithm) -> Result<Option<HttpAlgorithm>, HttpKeyError> {
    let Some(alg) = alg else { return Ok(None) };
    let known = HttpAlgorithm::from_jwk_alg(alg);
    known.map(Some).ok_or_else(|| HttpKeyError::Algorithm {
        named: shortened(alg),
        key,
    })
}
