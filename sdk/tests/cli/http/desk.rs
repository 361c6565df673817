//! A folder with messages and keys, and commands that work on them.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::ran::{Ran, run_with};

/// When the messages of these tests are signed.
pub(super) const NOW: u64 = 1_735_689_600;

/// Where the key of the signer is said to be.
pub(super) const AGENT: &str = "https://bot.example/keys";

/// A request with a body, with LF.
pub(super) const REQUEST: &str = "POST /a2a?task=7 HTTP/1.1\nHost: booking.example\n\
    Content-Type: application/json\nX-Other: as it was\n\n{\"hello\": \"world\"}";

pub(super) struct Desk(TempDir);

impl Desk {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file and gives its name.
    pub(super) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        std::fs::write(self.path(name), content).expect("a file");
        self.name(name)
    }

    pub(super) fn name(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// A fresh key in this file, made by the command.
    pub(super) fn key(&self, name: &str, alg: &str) -> String {
        let file = self.name(name);
        let format = name.rsplit('.').next().expect("an end");
        let made = http(&["keygen", "--alg", alg, "--format", format, "--out", &file]);
        assert_eq!(made.code, Some(0), "{made:?}");
        file
    }

    /// The directory of a key, made by the command.
    pub(super) fn directory(&self, name: &str, key: &str) -> String {
        let made = http(&["directory", "--key", key]);
        assert_eq!(made.code, Some(0), "{made:?}");
        self.file(name, made.out)
    }
}

pub(super) fn http(args: &[&str]) -> Ran {
    http_with(args, b"")
}

pub(super) fn http_with(args: &[&str], input: &[u8]) -> Ran {
    run_with(&[&["http"], args].concat(), input)
}

/// A command that must go well; what it printed.
pub(super) fn printed(args: &[&str]) -> String {
    let ran = http(args);
    assert_eq!(
        (ran.code, ran.err.as_str()),
        (Some(0), ""),
        "{args:?}: {ran:?}"
    );
    ran.out
}

/// Signs `REQUEST` as `a2a` with this key.
pub(super) fn signed(key: &str, message: &str, more: &[&str]) -> String {
    let now = NOW.to_string();
    let args = [
        "sign",
        "--key",
        key,
        "--signature-agent",
        AGENT,
        "--now",
        &now,
    ];
    printed(&[&args, more, &[message]].concat())
}

/// What `verify --json` says of a message, `secs` after it was signed.
pub(super) fn verified(args: &[&str], message: &str, secs: u64) -> Value {
    let now = (NOW + secs).to_string();
    let args = [&["verify", "--json", "--now", &now], args, &[message]].concat();
    let ran = http(&args);
    let value = ran.json();
    let verified = value["outcome"] == "verified";
    assert_eq!(ran.code, Some(i32::from(!verified)), "{ran:?}");
    value
}

/// The vectors of RFC 9421.
pub(super) fn rfc9421() -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/vectors");
    let text = std::fs::read(root.join("rfc9421/rfc9421_vectors.json")).expect("the vectors");
    serde_json::from_slice(&text).expect("JSON")
}
