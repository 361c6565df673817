//! What holds for every type.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::samples::{Each, each, each_message, message, read, task};
use crate::a2a::*;

struct ReadsBack;

impl Each for ReadsBack {
    fn on<T: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug>(&self, full: Value) {
        let value: T = read(&full);
        assert_eq!(serde_json::to_value(&value).expect("JSON"), full);
        let text = serde_json::to_string(&value).expect("JSON");
        assert_eq!(serde_json::from_str::<T>(&text).expect("the same"), value);
    }
}

#[test]
fn every_type_reads_back_and_loses_nothing() {
    each(ReadsBack);
}

struct SnakeCase;

impl Each for SnakeCase {
    fn on<T: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug>(&self, full: Value) {
        let mut snake = full.clone();
        each_message(&mut snake, &|members| {
            *members = std::mem::take(members)
                .into_iter()
                .map(|(name, value)| (snake_case(&name), value))
                .collect();
        });
        assert_eq!(read::<T>(&snake), read::<T>(&full), "{snake}");
    }
}

fn snake_case(name: &str) -> String {
    let upper = |c: char| c.is_ascii_uppercase();
    let parts = name.split_inclusive(|_| true);
    parts
        .map(|c| {
            if c.contains(upper) {
                format!("_{}", c.to_ascii_lowercase())
            } else {
                c.into()
            }
        })
        .collect()
}

#[test]
fn every_name_of_the_proto_is_read_too() {
    assert_eq!(snake_case("statusTimestampAfter"), "status_timestamp_after");
    each(SnakeCase);
}

struct Later;

impl Each for Later {
    fn on<T: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug>(&self, full: Value) {
        let mut later = full.clone();
        each_message(&mut later, &|members| {
            // In a requirement it would be a scheme of version 0.3.
            if !members
                .values()
                .any(|value| value.pointer("/snake_name/list").is_some())
            {
                members.insert("aLaterMember".into(), json!({"x": [1]}));
            }
        });
        assert_eq!(read::<T>(&later), read::<T>(&full), "{later}");
    }
}

#[test]
fn unknown_members_are_passed_over() {
    each(Later);
}

struct Nulls;

impl Each for Nulls {
    fn on<T: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug>(&self, full: Value) {
        for (name, _) in full.as_object().expect("an object") {
            let mut without = full.clone();
            without.as_object_mut().expect("an object").remove(name);
            let mut null = full.clone();
            null[name] = Value::Null;
            let read = |json: Value| serde_json::from_value::<T>(json).ok();
            assert_eq!(read(null), read(without), "{name}");
        }
    }
}

#[test]
fn null_is_the_same_as_absent() {
    each(Nulls);
    let nulls = |json: &mut Value| {
        for name in ["contextId", "artifacts", "history", "metadata"] {
            json[name] = Value::Null;
        }
        for name in ["message", "timestamp"] {
            json["status"][name] = Value::Null;
        }
    };
    let mut json = task();
    nulls(&mut json);
    let read: Task = read(&json);
    let want = json!({"id": "t", "status": {"state": "TASK_STATE_INPUT_REQUIRED"}});
    assert_eq!(serde_json::to_value(read).expect("JSON"), want);
}

#[test]
fn a_oneof_has_exactly_one_member() {
    for two in [
        json!({"task": task(), "message": message()}),
        json!({"message": message(), "message_": 1, "task": task()}),
        json!({}),
        json!({"later": {}}),
    ] {
        assert!(
            serde_json::from_value::<StreamResponse>(two.clone()).is_err(),
            "{two}"
        );
        assert!(
            serde_json::from_value::<SendMessageResponse>(two.clone()).is_err(),
            "{two}"
        );
    }
}

#[test]
fn numbers_are_read_in_every_form() {
    let length = |json: Value| {
        let request = json!({"id": "t", "historyLength": json});
        serde_json::from_value::<GetTaskRequest>(request).map(|read| read.history_length)
    };
    for (json, want) in [
        (json!(7), 7),
        (json!("7"), 7),
        (json!(7.0), 7),
        (json!("7.0"), 7),
        (json!("7e2"), 700),
        (json!(7e2), 700),
        (json!(i32::MAX), i32::MAX),
        (json!(i32::MIN), i32::MIN),
        (json!("-2147483648"), i32::MIN),
        (json!(-2_147_483_648.0), i32::MIN),
    ] {
        assert_eq!(
            length(json.clone()).expect("a number"),
            Some(want),
            "{json}"
        );
    }
    for json in [
        json!(7.5),
        json!("7.5"),
        json!(""),
        json!(" 7"),
        json!("0x7"),
        json!("NaN"),
        json!("inf"),
        json!(2_147_483_648_u64),
        json!("2147483648"),
        json!(-2_147_483_649_i64),
        json!(1e300),
        json!(true),
        json!([7]),
    ] {
        assert!(length(json.clone()).is_err(), "{json}");
    }
}

#[test]
fn what_a_struct_holds_is_left_as_it_is() {
    let odd = json!({"snake_case": null, "a": {"task_id": [1, 1.0, 1e30, -0.0, "\u{0}"]},
        "": {}, "$": 9_007_199_254_740_993_u64});
    let mut json = message();
    json["metadata"] = odd.clone();
    json["parts"] = json!([{ "data": odd }]);
    let read: Message = read(&json);
    let written = serde_json::to_string(&read).expect("JSON");
    let again: Value = serde_json::from_str(&written).expect("JSON");
    assert_eq!(again["metadata"].to_string(), odd.to_string());
    assert_eq!(again["parts"][0]["data"].to_string(), odd.to_string());
}
