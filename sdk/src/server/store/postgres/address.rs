//! Where the database is, out of a URL that may hold a password.

use std::net::IpAddr;

use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::server::store::StoreError;

/// The parameters that a URL may have. Any other is refused: a misspelt `sslmode` would go unseen,
/// and a misspelt password would be logged.
const PARAMETERS: [&str; 12] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "password",
    "port",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
    "user",
];

/// How long a statement, and one that waits for a lock, may take.
const STATEMENT_TIMEOUT: &str = "30s";
const LOCK_TIMEOUT: &str = "10s";
/// How long a transaction may stand idle: its program hangs.
const IDLE_TIMEOUT: &str = "60s";

fn unusable(what: &str) -> StoreError {
    StoreError::Unavailable {
        what: format!("the address of the database {what}"),
    }
}

/// Reads `url`; everything is in `schema`.
pub(super) fn read(url: &str, schema: &str) -> Result<PgConnectOptions, StoreError> {
    if !is_schema_name(schema) {
        return Err(unusable("names a schema that is not of a-z, 0-9 and _"));
    }
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(unusable("does not begin with postgres://"));
    }
    let parameters = url.split_once('?').map_or("", |(_, parameters)| parameters);
    let parameters = parameters.split('#').next().unwrap_or_default();
    let mut names = parameters
        .split('&')
        .filter(|parameter| !parameter.is_empty());
    let mut tells_tls = false;
    let is_known = names.all(|parameter| {
        let name = parameter.split('=').next().unwrap_or_default();
        tells_tls |= name == "sslmode";
        PARAMETERS.contains(&name)
    });
    if !is_known {
        return Err(unusable("has a parameter that is not known"));
    }
    // The reader's own error could quote the URL.
    let options: PgConnectOptions = url.parse().map_err(|_| unusable("is no URL"))?;
    let options = if tells_tls {
        options
    } else if is_on_this_machine(&options) {
        options.ssl_mode(PgSslMode::Prefer)
    } else {
        options.ssl_mode(PgSslMode::VerifyFull)
    };
    Ok(options.options([
        ("search_path", schema),
        ("statement_timeout", STATEMENT_TIMEOUT),
        ("lock_timeout", LOCK_TIMEOUT),
        ("idle_in_transaction_session_timeout", IDLE_TIMEOUT),
    ]))
}

/// A name that needs no quotes and leaves room for more behind it.
fn is_schema_name(name: &str) -> bool {
    let is_plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
    let starts = name
        .bytes()
        .next()
        .is_some_and(|first| !first.is_ascii_digit());
    starts && name.len() <= 48 && name.bytes().all(is_plain)
}

fn is_on_this_machine(options: &PgConnectOptions) -> bool {
    let host = options.get_host().trim_matches(['[', ']']);
    let address: Option<IpAddr> = host.parse().ok();
    options.get_socket().is_some()
        || host == "localhost"
        || address.is_some_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(url: &str) -> String {
        let options = read(url, "countersign").expect(url);
        format!("{:?}", options.get_ssl_mode())
    }

    #[test]
    fn without_a_word_another_machine_is_verified() {
        for (url, want) in [
            ("postgres://db.example/tasks", "VerifyFull"),
            ("postgres://10.0.0.7/tasks", "VerifyFull"),
            ("postgres://db.example/tasks?user=sslmode", "VerifyFull"),
            ("postgres://db.example/tasks?sslmode=require", "Require"),
            ("postgres://db.example/tasks?sslmode=disable", "Disable"),
            ("postgres://localhost/tasks", "Prefer"),
            ("postgres://127.0.0.9:5433/tasks", "Prefer"),
            ("postgres://[::1]/tasks", "Prefer"),
            ("postgres://localhost/tasks?host=db.example", "VerifyFull"),
            ("postgres:///tasks?host=/run/postgresql", "Prefer"),
            (
                "postgres://localhost/tasks?sslmode=verify-full",
                "VerifyFull",
            ),
        ] {
            assert_eq!(mode(url), want, "{url}");
        }
    }

    #[test]
    fn bad_addresses_are_refused_without_their_password() {
        for url in [
            "db.example:hunter2",
            "mysql://u:hunter2@db.example/tasks",
            "postgres://u:hunter2@db.example:port/tasks",
            "postgres://u:hunter2@[db/tasks",
            "postgres://db.example/tasks?passwd=hunter2",
            "postgres://u:hunter2@db.example/tasks?ssl-mode=disable",
            "postgres://u:hunter2@db.example/tasks?sslmode=none",
            "postgres://u:hunter2@db.example/tasks?options=-csearch_path=x",
        ] {
            let error = read(url, "countersign").expect_err(url);
            assert_eq!(error.reason(), "store.unavailable", "{url}");
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }

    #[test]
    fn a_schema_is_named_plainly() {
        let url = "postgres://localhost/tasks";
        let longest = "a".repeat(48);
        for name in ["countersign", "_a1", longest.as_str()] {
            assert!(read(url, name).is_ok(), "{name}");
        }
        let longer = "a".repeat(49);
        for name in ["", "1a", "A", "a b", "a;", "a\"", "é", longer.as_str()] {
            assert!(read(url, name).is_err(), "{name}");
        }
    }
}
