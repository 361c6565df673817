//! What the types forbid does not compile.
//!
//! Each case is two small programs in `compile_fail/`: `name.good.rs` compiles, and `name.bad.rs`,
//! which differs by the one forbidden step, does not, for exactly the error that its first line
//! names. The good twin shows that the bad one fails because of that step.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::SystemTime;

#[test]
fn a_peer_identity_cannot_be_made() {
    compare("peer_identity");
}

#[test]
fn a_verified_request_cannot_be_made_or_changed() {
    compare("verified_request");
}

#[test]
fn a_request_is_fresh_only_after_the_replay_check() {
    compare("fresh");
}

#[test]
fn a_card_cannot_be_read_before_it_is_verified() {
    compare("signed_card");
}

#[test]
fn the_bytes_of_a_card_cannot_be_read_before_it_is_verified() {
    compare("signed_card_bytes");
}

#[test]
fn a_verified_card_cannot_be_made_or_changed() {
    compare("verified_card");
}

#[test]
fn a_request_that_was_fresh_once_cannot_be_taken_again() {
    compare("fresh_twice");
}

#[test]
fn a_verified_token_cannot_be_made_or_changed() {
    compare("verified_token");
}

#[test]
fn a_verified_token_cannot_become_a_header() {
    compare("token_to_header");
}

#[test]
fn a_verified_token_does_not_give_its_text_away() {
    compare("token_text");
}

#[test]
fn a_key_for_http_signatures_signs_no_token() {
    compare("http_key");
}

#[test]
fn a_key_for_http_signatures_verifies_no_token() {
    compare("http_verifying_key");
}

#[test]
fn a_caller_needs_a_fresh_request() {
    compare("caller");
}

#[test]
fn a_caller_cannot_be_made() {
    compare("caller_made");
}

#[test]
fn a_permit_cannot_be_made() {
    compare("permit");
}

#[test]
fn nothing_is_admitted_before_it_is_recorded() {
    compare("admitted");
}

#[test]
#[cfg(feature = "net")]
fn a_bound_token_cannot_be_made() {
    compare("bound_token");
}

#[test]
#[cfg(feature = "net")]
fn a_bound_token_does_not_give_its_text_away() {
    compare("bound_token_text");
}

#[test]
#[cfg(feature = "server")]
fn an_executor_runs_only_what_was_admitted() {
    compare("executor");
}

#[test]
fn every_case_is_run() {
    let this = fs::read_to_string(cases().with_extension("rs")).expect("this file");
    for entry in fs::read_dir(cases()).expect("the cases") {
        let path = entry.expect("a case").path();
        let file = path.file_name().expect("a name").to_string_lossy();
        let name = file.split('.').next().expect("a first part");
        assert!(
            this.contains(&format!("compare(\"{name}\")")),
            "{file} is not compared"
        );
    }
}

#[test]
fn every_error_counts_with_its_code_or_none() {
    let stderr = "error[E0624]: private\nwarning: unused\n  error[E0001]: quoted\n\
                  error: expected `;`\nerror: aborting due to 2 previous errors\n";
    let want = ["E0624", "none"].map(str::to_owned);
    assert_eq!(error_codes(stderr), BTreeSet::from(want));
}

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compile_fail")
}

/// Compiles the good twin, and with the same library the bad one.
fn compare(name: &str) {
    let good = cases().join(format!("{name}.good.rs"));
    let bad = cases().join(format!("{name}.bad.rs"));
    let text = fs::read_to_string(&bad).expect("the bad program");
    let wanted = text
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("//~ "));
    let wanted = wanted.expect("the first line names the error: `//~ E0000`");

    let mut said = String::new();
    for library in Library::candidates() {
        let output = library.compile(&good);
        if !output.status.success() {
            said = String::from_utf8_lossy(&output.stderr).into_owned();
            continue;
        }
        let output = library.compile(&bad);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{name}: the bad program compiles");
        let errors = error_codes(&stderr);
        assert_eq!(
            errors,
            BTreeSet::from([wanted.to_owned()]),
            "{name}: {stderr}"
        );
        return;
    }
    panic!("{name}: the good program compiles with no library that is there: {said}");
}

/// The codes of all errors, `none` for an error without one.
fn error_codes(stderr: &str) -> BTreeSet<String> {
    let errors = stderr.lines().filter_map(|line| line.strip_prefix("error"));
    let summary = |rest: &&str| !rest.starts_with(": aborting");
    errors
        .filter(summary)
        .map(|rest| {
            let code = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
            code.map_or("none", |(code, _)| code).to_owned()
        })
        .collect()
}

/// One build of the library with one build of `http`, whose types its signatures name.
struct Library {
    countersign: PathBuf,
    http: PathBuf,
}

impl Library {
    /// What cargo has built beside this test, newest first: several builds with different
    /// features may lie there, and only the good twin can tell which of them fit together.
    fn candidates() -> Vec<Self> {
        let mut all = Vec::new();
        for countersign in built("countersign") {
            for http in built("http") {
                let countersign = countersign.clone();
                all.push(Self { countersign, http });
            }
        }
        assert!(!all.is_empty(), "no build of the library beside the test");
        all
    }

    fn compile(&self, program: &Path) -> Output {
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let out = tempfile::tempdir().expect("a folder");
        let named = |name: &str, path: &Path| format!("{name}={}", path.display());
        Command::new(rustc)
            .args([
                "--edition",
                "2024",
                "--crate-type",
                "lib",
                "--emit=metadata",
            ])
            .args(["--crate-name", "program", "--color", "never", "--out-dir"])
            .arg(out.path())
            .arg("-L")
            .arg(named("dependency", &build_folder()))
            .arg("--extern")
            .arg(named("countersign", &self.countersign))
            .arg("--extern")
            .arg(named("http", &self.http))
            .arg(program)
            .output()
            .expect("rustc can be run")
    }
}

/// `target/<profile>/deps`, where this test lies and everything it was built from.
fn build_folder() -> PathBuf {
    let test = std::env::current_exe().expect("the test's own path");
    test.parent().expect("a folder").to_owned()
}

fn built(name: &str) -> Vec<PathBuf> {
    let mut found: Vec<(SystemTime, PathBuf)> = fs::read_dir(build_folder())
        .expect("the build folder")
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let file = entry.file_name().into_string().ok()?;
            let hash = file.strip_prefix("lib")?.strip_prefix(name)?;
            let hash = hash.strip_prefix('-')?.strip_suffix(".rlib")?;
            let is_hash = hash.chars().all(|c| c.is_ascii_hexdigit());
            is_hash.then_some((entry.metadata().ok()?.modified().ok()?, entry.path()))
        })
        .collect();
    found.sort_unstable_by(|left, right| right.cmp(left));
    found.into_iter().map(|(_, path)| path).collect()
}
