//! Where Redis is, out of a URL that may hold a password.

use std::net::IpAddr;

use http::uri::Authority;

use super::error::RedisError;
use crate::secret::Secret;

/// The port of Redis where the URL names none.
const PORT: u16 = 6379;

/// A server and who we are to it.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: bool,
    pub(super) user: Option<String>,
    pub(super) password: Option<Secret>,
    pub(super) database: i64,
}

const fn unusable(what: &'static str) -> RedisError {
    RedisError::Address { what }
}

impl Address {
    /// Reads `redis://` or `rediss://`, `[[user][:password]@]host[:port][/database]`.
    pub(super) fn read(url: &str) -> Result<Self, RedisError> {
        let (tls, rest) = match url.split_once("://") {
            Some(("rediss", rest)) => (true, rest),
            Some(("redis", rest)) => (false, rest),
            _ => return Err(unusable("does not begin with redis:// or rediss://")),
        };
        // A parameter that is not read would go unseen.
        if rest.contains(['?', '#']) {
            return Err(unusable("has parameters, and there are none"));
        }
        let (authority, database) = match rest.split_once('/') {
            Some((authority, "")) => (authority, 0),
            Some((authority, number)) => (authority, database(number)?),
            None => (rest, 0),
        };
        let (login, place) = match authority.rsplit_once('@') {
            Some((login, place)) => (Some(login), place),
            None => (None, authority),
        };
        let place: Authority = place
            .parse()
            .map_err(|_| unusable("names no host, or a port that is none"))?;
        let host = place.host().trim_matches(['[', ']']);
        if host.is_empty() {
            return Err(unusable("names no host"));
        }
        let port = match place.port() {
            Some(port) => port.as_u16(),
            None if place.as_str().ends_with(':') => return Err(unusable("names an empty port")),
            None => PORT,
        };
        let (user, password) = match login {
            Some(login) => read_login(login)?,
            None => (None, None),
        };
        Ok(Self {
            host: host.to_owned(),
            port,
            tls,
            user,
            password,
            database,
        })
    }

    pub(super) fn is_on_this_machine(&self) -> bool {
        let address: Option<IpAddr> = self.host.parse().ok();
        self.host == "localhost" || address.is_some_and(|address| address.is_loopback())
    }
}

fn database(text: &str) -> Result<i64, RedisError> {
    let is_number = text.len() <= 5 && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| is_number);
    number.ok_or(unusable("names a database that is no number"))
}

type Login = (Option<String>, Option<Secret>);

fn read_login(login: &str) -> Result<Login, RedisError> {
    let (user, password) = match login.split_once(':') {
        Some((user, password)) => (user, Some(password)),
        None => (login, None),
    };
    let user = decode(user)?;
    let password = password.map(decode).transpose()?.filter(|p| !p.is_empty());
    if password.is_none() && !user.is_empty() {
        return Err(unusable("has a user without a password"));
    }
    let user = Some(user).filter(|user| !user.is_empty());
    Ok((user, password.map(Secret::new)))
}

/// Undoes percent-encoding.
fn decode(text: &str) -> Result<String, RedisError> {
    let wrong = unusable("has a user or a password that is not percent-encoded");
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let byte = match byte {
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                let (high, low) = (digit().ok_or(wrong)?, digit().ok_or(wrong)?);
                u8::try_from(high << 4 | low).map_err(|_| wrong)?
            }
            byte => byte,
        };
        out.push(byte);
    }
    String::from_utf8(out).map_err(|_| wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Result<String, &'static str> {
        let address = Address::read(url).map_err(|error| {
            assert!(!error.to_string().contains("hunter2"), "{error}");
            error.reason()
        })?;
        Ok(format!(
            "{} {} {} {:?} {:?} {}",
            address.tls,
            address.host,
            address.port,
            address.user,
            address.password.as_ref().map(Secret::expose),
            address.database
        ))
    }

    #[test]
    fn a_url_says_where_and_who() {
        for (url, want) in [
            ("redis://localhost", "false localhost 6379 None None 0"),
            ("rediss://r.example/", "true r.example 6379 None None 0"),
            (
                "redis://127.0.0.1:7000/3",
                "false 127.0.0.1 7000 None None 3",
            ),
            ("redis://[::1]:7000", "false ::1 7000 None None 0"),
            (
                "rediss://:hunter2@r.example",
                "true r.example 6379 None Some(\"hunter2\") 0",
            ),
            (
                "rediss://u:a%40b%3a%2Fc@r.example:1/15",
                "true r.example 1 Some(\"u\") Some(\"a@b:/c\") 15",
            ),
        ] {
            assert_eq!(read(url).as_deref(), Ok(want), "{url}");
        }
    }

    #[test]
    fn bad_addresses_are_refused_without_their_password() {
        for url in [
            "",
            "localhost:6379",
            "http://localhost",
            "redis://",
            "redis://:6379",
            "redis://u:hunter2@",
            "redis://u:hunter2@host:port",
            "redis://u:hunter2@host:",
            "redis://u:hunter2@host:65536",
            "redis://u:hunter2@host/x",
            "redis://u:hunter2@host/-1",
            "redis://u:hunter2@host/1/2",
            "redis://u:hunter2@host?password=hunter2",
            "redis://u:hunter2@host/0#insecure",
            "redis://u:hunter2%4@host",
            "redis://u:hunter2%zz@host",
            "redis://u:hunter2%ff@host",
            "redis://hunter2@host",
        ] {
            assert_eq!(read(url), Err("redis.address"), "{url}");
        }
    }
}
