//! A room uses only rooms of a lower layer, and a `mod.rs` is only a map.
//!
//! Both are read off the source text: comments, literals and `#[cfg(test)]` items are blanked
//! first, then every path that starts at the crate's root is looked at.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms and their layers. A room that is not listed here fails the test.
const LAYERS: [(&str, u8); 25] = [
    ("clock", 0),
    ("secret", 0),
    ("id", 1),
    ("crypto", 1),
    ("jose", 2),
    ("a2a", 2),
    ("httpsig", 3),
    ("svid", 3),
    ("card", 4),
    ("token", 4),
    ("delegation", 4),
    ("policy", 5),
    ("audit", 5),
    ("workload", 6),
    ("tls", 6),
    ("web", 6),
    ("discovery", 6),
    ("oauth", 6),
    ("pkcs11", 6),
    ("redis", 6),
    ("client", 7),
    ("server", 7),
    ("webbotauth", 7),
    ("authority", 8),
    ("cli", 8),
];

/// The only uses within one layer, each in one direction.
const SIDEWAYS: [(&str, &str); 10] = [
    ("a2a", "jose"),
    ("card", "token"),
    ("httpsig", "svid"),
    ("delegation", "token"),
    ("audit", "policy"),
    ("tls", "workload"),
    ("discovery", "web"),
    ("oauth", "tls"),
    ("oauth", "workload"),
    ("server", "client"),
];

#[test]
fn every_room_uses_only_lower_rooms() {
    let sources = read_sources();
    assert!(sources.len() > 20, "the source folder was not read");
    let wrong = wrong_uses(&sources);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_mod_rs_is_only_a_map() {
    let wrong = maps_with_more(&read_sources());
    assert!(
        wrong.is_empty(),
        "only `mod` and `use` belong here:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn uses_in_the_wrong_direction_are_found() {
    let allowed = [
        ("tls/config.rs", "use crate::workload::Workload;"),
        ("card/plan.rs", "use crate::{a2a::AgentCard, id, jose};"),
        ("policy/rules.rs", "use crate::policy::Permit;"),
        ("id/name.rs", "/// See [`crate::server`].\nfn f() {}"),
        ("id/name.rs", "const TEXT: &str = \"crate::server::x\";"),
        ("id/name.rs", "const TEXT: &str = r#\"\"crate::server\"#;"),
        (
            "id/name.rs",
            "#[cfg(test)]\nmod tests { use crate::server::X; }",
        ),
        ("id/name.rs", "#[cfg(test)] use crate::server::X;"),
        (
            "id/name.rs",
            "fn f<'a>(x: &'a str) -> char { '\"' } /* crate::server */",
        ),
        ("id/deep/name.rs", "use super::super::SpiffeId;"),
        ("lib.rs", "pub use crate::server::Server;"),
    ];
    for (path, text) in allowed {
        assert_eq!(check(path, text), Vec::<String>::new(), "{path}: {text}");
    }

    let refused = [
        ("id/name.rs", "use crate::server::X;", "id uses server"),
        ("id/name.rs", "use crate :: { jose , };", "id uses jose"),
        (
            "id/name.rs",
            "fn f() -> crate::jose::Jwk { x }",
            "id uses jose",
        ),
        (
            "clock.rs",
            "use crate::secret::Secret;",
            "clock uses secret",
        ),
        (
            "token/a.rs",
            "use crate::delegation::Caller;",
            "token uses delegation",
        ),
        (
            "workload/a.rs",
            "use crate::tls::Transport;",
            "workload uses tls",
        ),
        ("id/name.rs", "use super::super::tls::X;", "id uses tls"),
        (
            "card/a.rs",
            "use crate::{id::{SpiffeId, TrustDomain}, audit::Record};",
            "card uses audit",
        ),
        (
            "id/name.rs",
            "#[cfg(test)] mod tests { fn f() {} }\nuse crate::server::X;",
            "id uses server",
        ),
        (
            "id/name.rs",
            "#[cfg(feature = \"net\")] mod more { use crate::tls::X; }",
            "id uses tls",
        ),
        (
            "id/name.rs",
            "use crate::nowhere::X;",
            "unknown room `nowhere`",
        ),
        (
            "nowhere/a.rs",
            "use crate::id::X;",
            "unknown room `nowhere`",
        ),
    ];
    for (path, text, want) in refused {
        let found = check(path, text);
        assert!(
            found.len() == 1 && found[0].ends_with(want),
            "{path}: {text}: {found:?}, wanted {want}"
        );
    }
}

#[test]
fn code_in_a_map_is_found() {
    let map = "//! Doc.\n#![allow(x)]\n#[cfg(feature = \"a\")]\nmod a;\npub(crate) mod b;\n\
               pub use a::{A, B};\nuse b::C;\n#[cfg(test)]\nmod tests { fn f() {} }\n";
    assert_eq!(first_item_that_is_no_map(&tokens(&blank(map))), None);
    for (extra, want) in [
        ("pub fn f() {}", "fn"),
        ("pub const A: u8 = 1;", "const"),
        ("mod inline { }", "mod inline {"),
        ("impl A {}", "impl"),
        ("macro_rules! m { () => {} }", "macro_rules"),
    ] {
        let text = format!("{map}{extra}");
        let found = first_item_that_is_no_map(&tokens(&blank(&text)));
        assert_eq!(found.as_deref(), Some(want), "{extra}");
    }
}

#[test]
fn modules_of_tests_may_hold_what_they_like() {
    let helper = "use crate::server::X; pub fn help() {}";
    for (declared, want) in [
        ("#[cfg(test)] mod tests;", 0),
        ("#[cfg(all(test, unix))] mod tests;", 0),
        ("#[cfg(any(test, unix))] mod tests;", 1),
        ("mod tests;", 1),
    ] {
        let sources = BTreeMap::from([
            (PathBuf::from("id/mod.rs"), declared.to_owned()),
            (PathBuf::from("id/tests/mod.rs"), helper.to_owned()),
        ]);
        assert_eq!(wrong_uses(&sources).len(), want, "{declared}");
        assert_eq!(maps_with_more(&sources).len(), want, "{declared}");
    }
}

fn check(path: &str, text: &str) -> Vec<String> {
    wrong_uses(&BTreeMap::from([(PathBuf::from(path), text.to_owned())]))
}

/// Every `.rs` file of the library by its path below `src`.
fn read_sources() -> BTreeMap<PathBuf, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = BTreeMap::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the library") {
            let path = entry.expect("a folder entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = fs::read_to_string(&path).expect("a source file");
                let name = path.strip_prefix(&root).expect("a path below src");
                sources.insert(name.to_owned(), text);
            }
        }
    }
    sources
}

fn layer(room: &str) -> Option<u8> {
    let found = LAYERS.iter().find(|(name, _)| *name == room);
    found.map(|(_, layer)| *layer)
}

fn maps_with_more(sources: &BTreeMap<PathBuf, String>) -> Vec<String> {
    let tests = files_of_test_modules(sources);
    let maps = sources.iter().filter(|(path, _)| {
        path.ends_with("mod.rs") && !tests.iter().any(|test| path.starts_with(test))
    });
    let wrong = maps.filter_map(|(path, text)| {
        let item = first_item_that_is_no_map(&tokens(&blank(text)))?;
        Some(format!("{}: {item}", path.display()))
    });
    wrong.collect()
}

fn wrong_uses(sources: &BTreeMap<PathBuf, String>) -> Vec<String> {
    let tests = files_of_test_modules(sources);
    let mut wrong = Vec::new();
    for (path, text) in sources {
        let first = path.iter().next().expect("a path has a part");
        let room = first.to_string_lossy().trim_end_matches(".rs").to_owned();
        // The crate's own map may name every room, and so may the command, which is another crate.
        let outside = room == "lib" || room == "main";
        if outside || tests.iter().any(|test| path.starts_with(test)) {
            continue;
        }
        let Some(own) = layer(&room) else {
            wrong.push(format!("{}: unknown room `{room}`", path.display()));
            continue;
        };
        for used in rooms_used(&tokens(&blank(text))) {
            let allowed = match layer(&used) {
                None => {
                    wrong.push(format!("{}: unknown room `{used}`", path.display()));
                    continue;
                }
                Some(other) => {
                    let sideways = SIDEWAYS.contains(&(room.as_str(), used.as_str()));
                    used == room || other < own || sideways
                }
            };
            if !allowed {
                wrong.push(format!("{}: {room} uses {used}", path.display()));
            }
        }
    }
    wrong
}

/// Files and folders of modules declared as `#[cfg(test)] mod name;`.
fn files_of_test_modules(sources: &BTreeMap<PathBuf, String>) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for (path, text) in sources {
        let folder = if path.ends_with("mod.rs") {
            path.parent().expect("a file has a folder").to_owned()
        } else {
            path.with_extension("")
        };
        for item in test_items(&tokens(&without_text(text))) {
            if let Some(at) = item.iter().position(|token| token == "mod")
                && item.get(at + 2).is_some_and(|token| token == ";")
            {
                let name = &item[at + 1];
                found.push(folder.join(format!("{name}.rs")));
                found.push(folder.join(name));
            }
        }
    }
    found
}

/// The rooms named by `crate::…`, `super::super::…` and groups of them.
fn rooms_used(tokens: &[String]) -> Vec<String> {
    let mut rooms = Vec::new();
    for at in 0..tokens.len() {
        let rest = &tokens[at..];
        if starts_with(rest, &["crate", "::"]) {
            names_at(&rest[2..], &mut rooms);
        } else if starts_with(rest, &["super", "::", "super", "::"]) {
            // How deep the file lies does not matter: a room's name after two steps up is a room.
            let mut named = Vec::new();
            names_at(&rest[4..], &mut named);
            rooms.extend(named.into_iter().filter(|name| layer(name).is_some()));
        }
    }
    rooms
}

/// The name, or the first name of each member of the group, that a path goes on with.
fn names_at(rest: &[String], names: &mut Vec<String>) {
    if rest.first().is_none_or(|token| token != "{") {
        names.extend(rest.first().cloned());
        return;
    }
    let (mut depth, mut expected) = (0, false);
    for token in rest {
        match token.as_str() {
            "{" => {
                depth += 1;
                expected = depth == 1;
            }
            "}" => {
                depth -= 1;
                if depth == 0 {
                    return;
                }
            }
            "," => expected = depth == 1,
            name if expected => {
                names.push(name.to_owned());
                expected = false;
            }
            _ => {}
        }
    }
}

fn first_item_that_is_no_map(tokens: &[String]) -> Option<String> {
    let mut at = 0;
    while at < tokens.len() {
        match tokens[at].as_str() {
            "#" => at = after_group(tokens, at + 1 + usize::from(tokens[at + 1] == "!")),
            "pub" if tokens.get(at + 1).is_some_and(|token| token == "(") => {
                at = after_group(tokens, at + 1);
            }
            "pub" => at += 1,
            "use" => at += 1 + tokens[at..].iter().position(|token| token == ";")?,
            "mod" if tokens[at + 2] == ";" => at += 3,
            "mod" => return Some(tokens[at..at + 3].join(" ")),
            other => return Some(other.to_owned()),
        }
    }
    None
}

/// The index after the bracket that closes the one at `open`.
fn after_group(tokens: &[String], open: usize) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    tokens.len()
}

/// The text as this test sees it: no comments, no literals, no `#[cfg(test)]` items.
fn blank(text: &str) -> String {
    let text = without_text(text);
    let mut tokens = tokens(&text);
    while let Some(range) = next_test_item(&tokens, 0) {
        tokens.drain(range);
    }
    tokens.join(" ")
}

fn test_items(tokens: &[String]) -> Vec<&[String]> {
    let (mut items, mut from) = (Vec::new(), 0);
    while let Some(range) = next_test_item(tokens, from) {
        from = range.end;
        items.push(&tokens[range]);
    }
    items
}

/// The next item under `#[cfg(test)]`, from its attribute to its `;` or closing brace.
fn next_test_item(tokens: &[String], from: usize) -> Option<std::ops::Range<usize>> {
    let start = (from..tokens.len()).find(|&at| {
        let is = |want: &[&str]| starts_with(&tokens[at..], want);
        is(&["#", "[", "cfg", "(", "test", ")"])
            || is(&["#", "[", "cfg", "(", "all", "(", "test", ","])
    })?;
    let mut at = after_group(tokens, start + 1);
    while at < tokens.len() {
        match tokens[at].as_str() {
            ";" => return Some(start..at + 1),
            "{" => {
                let end = after_group(tokens, at);
                // The braces of a `use` are followed by its semicolon.
                let semicolon = tokens.get(end).is_some_and(|token| token == ";");
                return Some(start..end + usize::from(semicolon));
            }
            "(" | "[" => at = after_group(tokens, at),
            _ => at += 1,
        }
    }
    Some(start..tokens.len())
}

fn starts_with(tokens: &[String], want: &[&str]) -> bool {
    tokens.len() >= want.len() && tokens.iter().zip(want).all(|(token, want)| token == want)
}

/// Names, `::` and single signs.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        let length = if is_name(first) {
            rest.find(|c| !is_name(c)).unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        let (token, after) = rest.split_at(length);
        tokens.push(token.to_owned());
        rest = after.trim_start();
    }
    tokens
}

/// The text without comments and without what stands inside quotes.
fn without_text(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let after_name = kept.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if let Some(length) = (!after_name).then(|| raw_string(rest)).flatten() {
            length
        } else if first == '"' {
            quoted(rest, '"')
        } else if first == '\'' && is_char_literal(rest) {
            quoted(rest, '\'')
        } else {
            kept.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        kept.push(' ');
        rest = &rest[skipped..];
    }
    kept
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// The length of a raw string that starts here, if one does.
fn raw_string(rest: &str) -> Option<usize> {
    let prefix = ["r", "br", "cr"]
        .into_iter()
        .find(|prefix| rest.starts_with(prefix) && rest[prefix.len()..].starts_with(['#', '"']))?;
    let body = &rest[prefix.len()..];
    let hashes = body.len() - body.trim_start_matches('#').len();
    let open = body[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = open.find(&end)?;
    Some(prefix.len() + hashes + 1 + length + end.len())
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        if !escaped && c == quote {
            return at + 1;
        }
        escaped = !escaped && c == '\\';
    }
    rest.len()
}

/// `'a'` and `'\n'` are characters; `'a` alone is a lifetime.
fn is_char_literal(rest: &str) -> bool {
    let mut chars = rest.chars().skip(1);
    match chars.next() {
        Some('\\') => true,
        Some(_) => chars.next() == Some('\''),
        None => false,
    }
}
