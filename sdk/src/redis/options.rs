//! What may be said about Redis.

use std::fmt;
use std::time::Duration;

use rustls_pki_types::CertificateDer;

use super::address::Address;
use super::error::RedisError;
use crate::secret::Secret;

/// Where Redis is and how it is asked.
///
/// ```
/// use std::time::Duration;
/// use countersign::redis::RedisOptions;
/// use countersign::secret::Secret;
///
/// let password = Secret::new("from your own store".to_owned());
/// let options = RedisOptions::new("rediss://redis.example:6380/2")?
///     .login("booking", password)
///     .prefix("booking:")
///     .timeout(Duration::from_millis(500));
/// # Ok::<(), countersign::redis::RedisError>(())
/// ```
#[derive(Clone)]
pub struct RedisOptions {
    pub(super) address: Address,
    pub(super) prefix: String,
    pub(super) roots: Option<Vec<CertificateDer<'static>>>,
    pub(super) timeout: Duration,
    plain: bool,
}

impl RedisOptions {
    /// Reads a URL: `redis://` or, over TLS, `rediss://`, then
    /// `[[user][:password]@]host[:port][/database]`, user and password percent-encoded.
    ///
    /// # Errors
    /// [`RedisError::Address`] when it is not of that form. The text quotes nothing of it.
    pub fn new(url: &str) -> Result<Self, RedisError> {
        Ok(Self {
            address: Address::read(url)?,
            prefix: "countersign:".to_owned(),
            roots: None,
            timeout: Duration::from_secs(1),
            plain: false,
        })
    }

    /// Who we are to the server, instead of what the URL says.
    #[must_use]
    pub fn login(mut self, user: impl Into<String>, password: Secret) -> Self {
        let user = Some(user.into()).filter(|user| !user.is_empty());
        (self.address.user, self.address.password) = (user, Some(password));
        self
    }

    /// What the name of every key begins with. Default `countersign:`. Instances that share nonces
    /// have the same; two agents in one database need not differ, since nonces are kept by key.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// The roots that the server's certificate must lead to. Default: those of the system.
    #[must_use]
    pub fn roots(mut self, roots: Vec<CertificateDer<'static>>) -> Self {
        self.roots = Some(roots);
        self
    }

    /// How long one request waits for Redis, a new connection included. Default 1 s, at least 1 ms
    /// and at most 30 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.clamp(Duration::from_millis(1), Duration::from_secs(30));
        self
    }

    /// Ways to make this weaker.
    pub fn danger(self) -> Danger {
        Danger(self)
    }

    /// A connection without TLS leaves this machine only when somebody said so: whoever is on the
    /// way could read the password, and answer that every nonce is new.
    pub(super) fn check(&self) -> Result<(), RedisError> {
        let apart = !self.address.tls && !self.address.is_on_this_machine();
        if apart && !self.plain {
            let what = "is on another machine and without TLS: use rediss://";
            return Err(RedisError::Address { what });
        }
        Ok(())
    }
}

impl fmt::Debug for RedisOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Address { host, port, .. } = &self.address;
        write!(f, "RedisOptions({host}:{port})")
    }
}

/// Ways to make [`RedisOptions`] weaker, all in one place that is easy to search for.
#[derive(Debug)]
pub struct Danger(RedisOptions);

impl Danger {
    /// Goes to another machine without TLS. Whoever is on the way can let replays in.
    pub fn allow_plain_text(mut self) -> RedisOptions {
        self.0.plain = true;
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_machine_is_reached_over_tls_only() {
        let check = |url: &str| {
            let options = RedisOptions::new(url).expect("a URL");
            options.check().map_err(|error| error.reason())
        };
        for url in [
            "redis://localhost",
            "redis://127.0.0.9",
            "redis://[::1]",
            "rediss://redis.example",
        ] {
            assert_eq!(check(url), Ok(()), "{url}");
        }
        for url in [
            "redis://redis.example",
            "redis://10.0.0.7",
            "redis://localhost.example",
        ] {
            assert_eq!(check(url), Err("redis.address"), "{url}");
        }
        let options = RedisOptions::new("redis://redis.example").expect("a URL");
        assert_eq!(options.danger().allow_plain_text().check(), Ok(()));
    }

    #[test]
    fn options_do_not_show_the_password() {
        let options = RedisOptions::new("rediss://u:hunter2@redis.example").expect("a URL");
        let shown = format!("{options:?} {:?}", options.clone().danger());
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
