//! Runs of the command.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// No command of these tests may take longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a run of the command left.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// The only thing on standard output: one JSON object, on one line.
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.out.lines().count(), 1, "{self:?}");
        let value: Value = serde_json::from_str(&self.out).expect("one JSON object");
        assert!(value.is_object(), "{self:?}");
        assert_eq!(self.err, "", "{self:?}");
        assert_eq!(value["ok"], self.code == Some(0), "{self:?}");
        value
    }
}

/// The reason of an error, which also says what broke and what to do.
pub(crate) fn reason(value: &Value) -> &str {
    for member in ["error", "advice"] {
        let text = value[member].as_str().unwrap_or_default();
        assert!(!text.is_empty(), "{member}: {value}");
    }
    value["reason"].as_str().unwrap_or_default()
}

/// Runs the real binary.
pub(crate) fn run_with(args: &[&str], input: &[u8]) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(args)
        .env_remove("COUNTERSIGN_IDENTITY")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let began = Instant::now();
    let mut stdin = child.stdin.take().expect("a pipe");
    // A command that does not read closes its end: no matter.
    let _ = stdin.write_all(input);
    drop(stdin);
    let (mut out, mut err) = (String::new(), String::new());
    let mut stdout = child.stdout.take().expect("a pipe");
    let reader = std::thread::spawn(move || {
        stdout.read_to_string(&mut out).expect("text");
        out
    });
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child") {
            break status;
        }
        if began.elapsed() > PATIENCE {
            child.kill().expect("it ends");
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let mut stderr = child.stderr.take().expect("a pipe");
    stderr.read_to_string(&mut err).expect("text");
    Ran {
        code: status.code(),
        out: reader.join().expect("read"),
        err,
    }
}

pub(crate) fn run(args: &[&str]) -> Ran {
    run_with(args, b"")
}
