//! Every promise in `docs/checks.md` names a test that exists.

use std::fs;
use std::path::Path;

struct Row<'a> {
    rule: &'a str,
    file: &'a str,
    test: &'a str,
}

#[test]
fn every_promise_has_its_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let table = fs::read_to_string(root.join("sdk/docs/checks.md")).expect("the table");
    let rows = rows(&table).expect("a table of promises");
    assert!(!rows.is_empty(), "the table has no row");
    let mut wrong = Vec::new();
    for row in &rows {
        match fs::read_to_string(root.join(row.file)) {
            Err(_) => wrong.push(format!("{}: there is no {}", row.rule, row.file)),
            Ok(text) if !has_test(&text, row.test) => {
                wrong.push(format!(
                    "{}: {} has no test `{}`",
                    row.rule, row.file, row.test
                ));
            }
            Ok(_) => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_missing_test_is_found() {
    let text = "fn no_test() {}\n#[test]\nfn a_test() {\n}\n\
                #[tokio::test]\n#[cfg(unix)]\nasync fn another() {}\n\
                // #[test]\n// fn left_out() {}\n\
                vec![row(\n    \"a_row\",\n    Python::ready, ok)]; row(\"b_row\", f)";
    for name in ["a_test", "another", "a_row", "b_row"] {
        assert!(has_test(text, name), "{name}");
    }
    for name in ["no_test", "a_tes", "test", "left_out", "row"] {
        assert!(!has_test(text, name), "{name}");
    }
}

#[test]
fn a_row_that_is_not_whole_is_found() {
    let head = "| rule | standard | file | test |\n|---|---|---|---|\n";
    let table = |row: &str| format!("text\n\n{head}{row}\n");
    let row = "| one | RFC 1 §2 | `a.rs` | `t` |";
    assert_eq!(rows(&table(row)).expect("a row").len(), 1);
    for bad in [
        "| one | RFC 1 §2 | `a.rs` |",
        "| one | | `a.rs` | `t` |",
        "| one | RFC 1 §2 | a.rs | `t` |",
        "| one | RFC 1 §2 | `a.rs` | t |",
    ] {
        assert!(rows(&table(bad)).is_err(), "{bad}");
    }
}

/// The rows of all tables: rule, standard and section, `file`, `test`.
fn rows(table: &str) -> Result<Vec<Row<'_>>, String> {
    let lines = table.lines().filter(|line| line.starts_with('|'));
    let data = lines.filter(|line| !line.starts_with("| rule |") && !line.starts_with("|-"));
    data.map(|line| row(line).ok_or_else(|| format!("not a whole row: {line}")))
        .collect()
}

fn row(line: &str) -> Option<Row<'_>> {
    let inner = line.strip_prefix('|')?.strip_suffix('|')?;
    let cells: Vec<&str> = inner.split('|').map(str::trim).collect();
    let [rule, standard, file, test] = cells.try_into().ok()?;
    let quoted = |cell: &str| cell.len() > 2 && cell.starts_with('`') && cell.ends_with('`');
    let whole = !rule.is_empty() && !standard.is_empty() && quoted(file) && quoted(test);
    whole.then(|| Row {
        rule,
        file: file.trim_matches('`'),
        test: test.trim_matches('`'),
    })
}

/// Whether the file has a function `name` under a test attribute, or a matrix row of that name.
fn has_test(text: &str, name: &str) -> bool {
    let flat: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let row = format!("row(\"{name}\"");
    if flat.replace("row( ", "row(").contains(&row) {
        return true;
    }
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[") {
            is_test |= line == "#[test]" || line.starts_with("#[tokio::test");
        } else if let Some(function) = line
            .strip_prefix("async ")
            .unwrap_or(line)
            .strip_prefix("fn ")
        {
            let found = function.strip_prefix(name);
            if is_test && found.is_some_and(|rest| rest.starts_with('(')) {
                return true;
            }
            is_test = false;
        } else if !line.starts_with("//") {
            is_test = false;
        }
    }
    false
}
