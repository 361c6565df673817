//! Why a key could not be read or used.

use super::HttpAlgorithm;

/// Why a key for message signatures could not be read or used. Nothing in it is secret.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum HttpKeyError {
    /// The text is no PEM file with the key that is wanted.
    #[error("no key in the PEM text: {what}")]
    Pem {
        /// What it is instead, and what to do.
        what: &'static str,
    },
    /// The bytes are not the structure that they should be.
    #[error("the key is not {wanted} in DER")]
    Der {
        /// `PKCS#8` or `SubjectPublicKeyInfo`.
        wanted: &'static str,
    },
    /// The text is no JSON object with the members of a JWK, or is too large.
    #[error("the key is not a JWK")]
    Json,
    /// A kind of key that no algorithm of the list uses.
    #[error(
        "a key of the kind {kind}; taken are Ed25519, P-256, P-384 and RSA{}",
        if *.secret { ", and shared secrets" } else { "" }
    )]
    Kind {
        /// What it calls itself, shortened.
        kind: String,
        /// Whether a shared secret would do, too.
        secret: bool,
    },
    /// A member of a JWK is missing, not base64url, or of the wrong length.
    #[error("the JWK member {member:?} is missing or malformed")]
    Member {
        /// Its name.
        member: &'static str,
    },
    /// A private key, or a shared secret, where a public key is wanted: it must not be published.
    #[error("this is a private key or a shared secret, a public key is wanted")]
    Private,
    /// A public key where a private one is wanted.
    #[error("this is a public key, a private key is wanted")]
    Public,
    /// The numbers are no key: no point of the curve, or halves that do not belong together.
    #[error("the numbers are no {algorithm} key, or its halves do not belong together")]
    Numbers {
        /// What it should be for.
        algorithm: HttpAlgorithm,
    },
    /// The RSA modulus is too short or too long.
    #[error("an RSA key of {bits} bits; {min} to {max} are taken")]
    RsaSize {
        /// Its bits.
        bits: usize,
        /// The fewest.
        min: usize,
        /// The most.
        max: usize,
    },
    /// The RSA exponent is even, or not from 65537 to 33 bits.
    #[error("the RSA public exponent is not an odd number from 65537 to 33 bits")]
    RsaExponent,
    /// The key is for another algorithm than the one named.
    #[error("{named:?} is not an algorithm of this key, which is for {key}")]
    Algorithm {
        /// What was named, shortened.
        named: String,
        /// What the key is for.
        key: HttpAlgorithm,
    },
    /// The JWK's `use` says that it does not sign.
    #[error("the JWK is for {use_:?}, not for signatures")]
    Use {
        /// What it is for, shortened.
        use_: String,
    },
    /// A shared secret that could be guessed.
    #[error("a shared secret of {len} bytes; {min} are needed")]
    Short {
        /// Its bytes.
        len: usize,
        /// The fewest.
        min: usize,
    },
    /// The signature does not verify.
    #[error("the signature does not verify")]
    Signature,
    /// The provider could not make a key or a signature.
    #[error("the cryptographic provider failed")]
    Provider,
}

impl HttpKeyError {
    /// The fixed word for the audit record.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Pem { .. } => "key.pem",
            Self::Der { .. } => "key.der",
            Self::Json => "key.json",
            Self::Kind { .. } => "key.kind",
            Self::Member { .. } => "key.member",
            Self::Private => "key.private",
            Self::Public => "key.public",
            Self::Numbers { .. } => "key.numbers",
            Self::RsaSize { .. } => "key.rsa_size",
            Self::RsaExponent => "key.rsa_exponent",
            Self::Algorithm { .. } => "key.algorithm",
            Self::Use { .. } => "key.use",
            Self::Short { .. } => "key.short",
            Self::Signature => "key.signature",
            Self::Provider => "key.provider",
        }
    }
}

/// The beginning of a text from outside, for an error.
pub(super) fn shortened(text: &str) -> String {
    text.chars().take(64).collect()
}
