//! The checked-in code of `a2a::grpc` is what the checked-in protos give.
//!
//! `COUNTERSIGN_WRITE_GENERATED=1 cargo test -p countersign --test generated` writes it anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The protos whose messages are spoken, below `sdk/proto`.
const PROTOS: [&str; 3] = [
    "lf/a2a/v1/a2a.proto",
    "a2a/v1/a2a.proto",
    "google/rpc/status.proto",
];

/// Set to write the files instead of comparing them.
const WRITE: &str = "COUNTERSIGN_WRITE_GENERATED";

#[test]
fn the_checked_in_code_is_what_the_protos_give() {
    let fresh = generate();
    let names: Vec<_> = fresh.keys().map(String::as_str).collect();
    assert_eq!(names, ["a2a.v1.rs", "google.rpc.rs", "lf.a2a.v1.rs"]);
    let folder = crate_root().join("src/a2a/grpc/generated");
    if std::env::var_os(WRITE).is_some() {
        for (name, text) in &fresh {
            fs::write(folder.join(name), text).expect("the folder can be written");
        }
    }
    let kept = read(&folder);
    assert!(
        kept == fresh,
        "the generated code is not what the protos give: run this test with {WRITE}=1"
    );
}

fn crate_root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn generate() -> BTreeMap<String, String> {
    let mut protos = protox::compile(PROTOS, [crate_root().join("proto")]).expect("good protos");
    // The options of google.api are for other bindings; no message has one of its types.
    protos.file.retain(|file| file.package() != "google.api");
    for file in &mut protos.file {
        file.service.clear();
    }
    let out = tempfile::tempdir().expect("a folder");
    prost_build::Config::new()
        .out_dir(out.path())
        .bytes(["."])
        .btree_map(["."])
        // Some fields hold credentials, so no message can be shown.
        .skip_debug(["."])
        .disable_comments(["."])
        .compile_fds(protos)
        .expect("the code is generated");
    read(out.path())
}

fn read(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.map(|path| (name(&path), text(&path))).collect()
}

fn name(path: &Path) -> String {
    let name = path.file_name().expect("a file");
    name.to_string_lossy().into_owned()
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).expect("a text")
}
