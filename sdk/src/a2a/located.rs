//! Reading a JSON value into a type, with the place of what could not be read.

use std::cell::RefCell;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer as _, MapAccess, SeqAccess,
    Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Error, Value};

use super::Struct;

/// What could not be read, and what it should be. What was sent instead is not repeated: it may be
/// long, and it may be a secret.
#[derive(Debug, thiserror::Error)]
#[error("{path:?} {rule}")]
pub(super) struct Misplaced {
    /// Its path, as in `message.parts[0]`; empty for the value itself.
    pub(super) path: String,
    /// What it should be.
    pub(super) rule: String,
}

/// Reads `value` as a `T`.
pub(super) fn read<T: DeserializeOwned>(value: Value) -> Result<T, Misplaced> {
    let path = RefCell::default();
    let read = T::deserialize(Located { value, path: &path });
    read.map_err(|error| Misplaced::of(path.into_inner(), &error.to_string()))
}

impl Misplaced {
    /// `error` is in serde's words, which name a missing member and what was expected.
    fn of(mut steps: Vec<Step>, error: &str) -> Self {
        let missing = error.strip_prefix("missing field `");
        if let Some((name, _)) = missing.and_then(|rest| rest.split_once('`')) {
            steps.insert(0, Step::Member(name.to_owned()));
            return Self {
                path: written(steps),
                rule: "is required".to_owned(),
            };
        }
        let rule = match error.rsplit_once(", expected ") {
            Some((_, name)) if name.starts_with("struct ") => "must be an object".to_owned(),
            Some((_, expected)) => format!("must be {expected}"),
            None => error.to_owned(),
        };
        let path = written(steps);
        Self { path, rule }
    }
}

/// One step into a value. Steps are noted on the way out of an error, the innermost first.
enum Step {
    Member(String),
    Element(usize),
}

fn written(steps: Vec<Step>) -> String {
    let mut out = String::new();
    for step in steps.into_iter().rev() {
        match step {
            Step::Member(name) if out.is_empty() => out = name,
            Step::Member(name) => out = out + "." + &name,
            Step::Element(at) => out = format!("{out}[{at}]"),
        }
    }
    out
}

struct Located<'a> {
    value: Value,
    path: &'a RefCell<Vec<Step>>,
}

impl<'de> Deserializer<'de> for Located<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Value::Array(items) => visitor.visit_seq(Elements {
                items: items.into_iter(),
                at: 0,
                path: self.path,
            }),
            Value::Object(members) => visitor.visit_map(Members {
                members: members.into_iter(),
                current: None,
                path: self.path,
            }),
            scalar => scalar.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.value.is_null() {
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.value.deserialize_enum(name, variants, visitor)
    }

    /// A message of the proto is an object: serde would also take the list of its members.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if self.value.is_array() {
            let got = Unexpected::Seq;
            return Err(serde::de::Error::invalid_type(got, &visitor));
        }
        self.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map identifier
    }
}

struct Elements<'a> {
    items: std::vec::IntoIter<Value>,
    at: usize,
    path: &'a RefCell<Vec<Step>>,
}

impl<'de> SeqAccess<'de> for Elements<'_> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        let Some(value) = self.items.next() else {
            return Ok(None);
        };
        let path = self.path;
        let read = seed.deserialize(Located { value, path });
        if read.is_err() {
            path.borrow_mut().push(Step::Element(self.at));
        }
        self.at += 1;
        read.map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

struct Members<'a> {
    members: <Struct as IntoIterator>::IntoIter,
    current: Option<(String, Value)>,
    path: &'a RefCell<Vec<Step>>,
}

impl<'de> MapAccess<'de> for Members<'_> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        self.current = self.members.next();
        let Some((name, _)) = &self.current else {
            return Ok(None);
        };
        let name: StrDeserializer<'_, Error> = name.as_str().into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let Some((name, value)) = self.current.take() else {
            return Err(serde::de::Error::custom("a value without its name"));
        };
        let path = self.path;
        seed.deserialize(Located { value, path }).inspect_err(|_| {
            path.borrow_mut().push(Step::Member(name));
        })
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.members.len())
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize as _;
    use serde_json::json;

    use super::*;
    use crate::a2a::{SendMessageRequest, Task, TaskPushNotificationConfig};

    fn good() -> Value {
        json!({"message": {"messageId": "m", "role": "ROLE_USER", "parts": [{"text": "a"},
            {"data": {"x": [1, null, {"y": 2.5}]}}], "metadata": {"z": [true]}},
            "configuration": {"historyLength": "3", "acceptedOutputModes": ["text/plain"]}})
    }

    #[test]
    fn it_reads_what_serde_reads() {
        let want = SendMessageRequest::deserialize(good()).expect("params");
        assert_eq!(read::<SendMessageRequest>(good()).expect("params"), want);
    }

    #[test]
    fn what_was_sent_instead_is_not_repeated() {
        for (json, want) in [
            (json!({"url": 424_242}), r#""url" must be a string"#),
            (
                json!({"url": "u", "token": [424_242]}),
                r#""token" must be a string"#,
            ),
            (
                json!({"authentication": "424242"}),
                r#""authentication" must be an object"#,
            ),
        ] {
            let misplaced = read::<TaskPushNotificationConfig>(json).expect_err(want);
            assert_eq!(misplaced.to_string(), want);
            assert!(!format!("{misplaced:?}").contains("424242"));
        }
        let misplaced = read::<Task>(json!({"id": "t", "status": {}})).expect_err("no state");
        assert_eq!(misplaced.to_string(), r#""status.state" is required"#);
    }

    #[test]
    fn what_cannot_be_read_is_named_by_its_path() {
        for (path, value, want) in [
            ("/message", json!(3), "message"),
            ("/message", json!(["m", null, null, "ROLE_USER"]), "message"),
            ("/configuration", json!([]), "configuration"),
            ("/message/parts/0", json!(["hi"]), "message.parts[0]"),
            ("/message/role", json!("ROLE_ROOT"), "message.role"),
            ("/message/parts", json!("text"), "message.parts"),
            ("/message/parts/1", json!({}), "message.parts[1]"),
            (
                "/message/parts/0",
                json!({"text": 5}),
                "message.parts[0].text",
            ),
            ("/message/metadata", json!([]), "message.metadata"),
            (
                "/configuration/acceptedOutputModes/0",
                json!(null),
                "configuration.acceptedOutputModes[0]",
            ),
            (
                "/configuration/historyLength",
                json!(1.5),
                "configuration.historyLength",
            ),
        ] {
            let mut params = good();
            *params.pointer_mut(path).expect(path) = value;
            let misplaced = read::<SendMessageRequest>(params).expect_err(path);
            assert_eq!(misplaced.path, want);
        }
        for json in [json!(3), json!([]), json!(null)] {
            let misplaced = read::<Task>(json).expect_err("no task");
            assert_eq!(misplaced.to_string(), r#""" must be an object"#);
        }
    }
}
