//! Without features the library brings no runtime, no HTTP stack and no TLS stack with it.

use std::collections::BTreeSet;
use std::process::Command;

const NEVER: [&str; 8] = [
    "tokio",
    "hyper",
    "hyper-util",
    "reqwest",
    "rustls",
    "tokio-rustls",
    "axum",
    "tower-service",
];

#[test]
fn the_checks_alone_depend_on_no_io() {
    let found = dependencies(&["--no-default-features"]);
    assert!(found.contains("countersign") && found.contains("aws-lc-rs"));
    let wrong: Vec<_> = NEVER.iter().filter(|name| found.contains(**name)).collect();
    assert!(wrong.is_empty(), "brought in without features: {wrong:?}");
}

#[test]
fn the_default_features_do_depend_on_io() {
    let found = dependencies(&[]);
    for name in ["tokio", "hyper", "rustls", "axum"] {
        assert!(found.contains(name), "{name} is missing from {found:?}");
    }
}

/// The names of all crates that the library is built with, its own among them.
fn dependencies(features: &[&str]) -> BTreeSet<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["tree", "-p", "countersign", "-e", "normal"])
        .args(["--prefix", "none", "--locked", "--offline"])
        .args(features)
        .output()
        .expect("cargo can be run");
    assert!(
        output.status.success(),
        "cargo tree: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let lines = String::from_utf8(output.stdout).expect("cargo tree prints UTF-8");
    let names = lines.lines().filter_map(|line| line.split(' ').next());
    names.map(str::to_owned).collect()
}
