//! What agents say to each other: messages and their parts (A2A §4.1.4-4.1.6).

use bytes::Bytes;
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::wire::{self, proto_enum};
use crate::crypto::random;

/// Free-form members (google.protobuf.Struct).
pub type Struct = serde_json::Map<String, Value>;

proto_enum! {
    /// Who sent a message.
    Role {
        /// The client.
        User = "ROLE_USER" = 1,
        /// The agent.
        Agent = "ROLE_AGENT" = 2,
    }
}

/// One unit of communication.
///
/// ```
/// use countersign::a2a::{Message, Part};
/// let message = Message::user(Part::text("Two nights in Lisbon"));
/// assert_eq!(message.text(), "Two nights in Lisbon");
/// ```
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Made by the sender; required.
    #[serde(default, alias = "message_id", deserialize_with = "wire::or_default")]
    pub message_id: String,
    /// The conversation it belongs to.
    #[serde(
        default,
        alias = "context_id",
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::text"
    )]
    pub context_id: Option<String>,
    /// The task it belongs to; made by the server only.
    #[serde(
        default,
        alias = "task_id",
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::text"
    )]
    pub task_id: Option<String>,
    /// Who sent it.
    pub role: Role,
    /// Its content; at least one.
    #[serde(default, deserialize_with = "wire::or_default")]
    pub parts: Vec<Part>,
    /// Free-form members.
    #[serde(
        default,
        skip_serializing_if = "Struct::is_empty",
        deserialize_with = "wire::or_default"
    )]
    pub metadata: Struct,
    /// URIs of the extensions that contributed to it.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "wire::or_default"
    )]
    pub extensions: Vec<String>,
    /// Other tasks it refers to.
    #[serde(
        default,
        alias = "reference_task_ids",
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "wire::or_default"
    )]
    pub reference_task_ids: Vec<String>,
}

impl Message {
    /// A client's message with a fresh ID.
    pub fn user(parts: impl Into<Vec<Part>>) -> Self {
        Self::new(Role::User, parts.into())
    }

    /// An agent's message with a fresh ID.
    pub fn agent(parts: impl Into<Vec<Part>>) -> Self {
        Self::new(Role::Agent, parts.into())
    }

    fn new(role: Role, parts: Vec<Part>) -> Self {
        Self {
            message_id: new_id(),
            context_id: None,
            task_id: None,
            role,
            parts,
            metadata: Struct::new(),
            extensions: Vec::new(),
            reference_task_ids: Vec::new(),
        }
    }

    /// The same message as part of this task.
    #[must_use]
    pub fn in_task(mut self, task_id: impl Into<String>, context_id: impl Into<String>) -> Self {
        self.task_id = Some(task_id.into());
        self.context_id = Some(context_id.into());
        self
    }

    /// All text parts, one line each.
    pub fn text(&self) -> String {
        let texts: Vec<_> = self.parts.iter().filter_map(Part::as_text).collect();
        texts.join("\n")
    }
}

/// A piece of content with what is known about it.
#[derive(Clone, PartialEq, Debug)]
pub struct Part {
    /// The content itself.
    pub content: PartContent,
    /// Free-form members.
    pub metadata: Struct,
    /// Name of the file, when it is one.
    pub filename: Option<String>,
    /// Media type of the content.
    pub media_type: Option<String>,
}

/// The content of a [`Part`]: exactly one of these.
#[derive(Clone, PartialEq, Debug)]
pub enum PartContent {
    /// Text.
    Text(String),
    /// The bytes of a file.
    Raw(Bytes),
    /// Where a file can be got.
    Url(String),
    /// Any JSON value.
    Data(Value),
}

impl Part {
    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::of(PartContent::Text(text.into()))
    }

    /// A file's bytes.
    pub fn raw(bytes: impl Into<Bytes>, media_type: impl Into<String>) -> Self {
        Self::of(PartContent::Raw(bytes.into())).with_media_type(media_type)
    }

    /// A file somewhere else.
    pub fn url(url: impl Into<String>) -> Self {
        Self::of(PartContent::Url(url.into()))
    }

    /// A JSON value.
    pub fn data(value: impl Into<Value>) -> Self {
        Self::of(PartContent::Data(value.into()))
    }

    /// The same part with this media type.
    #[must_use]
    pub fn with_media_type(mut self, media_type: impl Into<String>) -> Self {
        self.media_type = Some(media_type.into());
        self
    }

    /// The same part with this file name.
    #[must_use]
    pub fn with_filename(mut self, filename: impl Into<String>) -> Self {
        self.filename = Some(filename.into());
        self
    }

    /// The text, when it is one.
    pub fn as_text(&self) -> Option<&str> {
        match &self.content {
            PartContent::Text(text) => Some(text),
            PartContent::Raw(_) | PartContent::Url(_) | PartContent::Data(_) => None,
        }
    }

    /// The JSON value, when it is one.
    pub fn as_data(&self) -> Option<&Value> {
        match &self.content {
            PartContent::Data(value) => Some(value),
            PartContent::Text(_) | PartContent::Raw(_) | PartContent::Url(_) => None,
        }
    }

    fn of(content: PartContent) -> Self {
        Self {
            content,
            metadata: Struct::new(),
            filename: None,
            media_type: None,
        }
    }
}

impl From<Part> for Vec<Part> {
    fn from(part: Part) -> Self {
        vec![part]
    }
}

impl Serialize for Part {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        match &self.content {
            PartContent::Text(text) => map.serialize_entry("text", text)?,
            PartContent::Raw(bytes) => {
                map.serialize_entry("raw", &wire::base64_bytes::encode(bytes))?;
            }
            PartContent::Url(url) => map.serialize_entry("url", url)?,
            PartContent::Data(value) => map.serialize_entry("data", value)?,
        }
        if !self.metadata.is_empty() {
            map.serialize_entry("metadata", &self.metadata)?;
        }
        if let Some(filename) = &self.filename {
            map.serialize_entry("filename", filename)?;
        }
        if let Some(media_type) = &self.media_type {
            map.serialize_entry("mediaType", media_type)?;
        }
        map.end()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartWire {
    text: Option<String>,
    raw: Option<String>,
    url: Option<String>,
    #[serde(default, deserialize_with = "wire::present")]
    data: Option<Value>,
    #[serde(default, deserialize_with = "wire::or_default")]
    metadata: Struct,
    #[serde(default, deserialize_with = "wire::text")]
    filename: Option<String>,
    #[serde(default, alias = "media_type", deserialize_with = "wire::text")]
    media_type: Option<String>,
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let part = PartWire::deserialize(from)?;
        let raw = match part.raw.as_deref().map(wire::base64_bytes::decode) {
            Some(None) => return Err(D::Error::custom("raw is not base64")),
            Some(bytes) => bytes,
            None => None,
        };
        let found = [
            part.text.map(PartContent::Text),
            raw.map(PartContent::Raw),
            part.url.map(PartContent::Url),
            part.data.map(PartContent::Data),
        ];
        Ok(Self {
            content: wire::exactly_one(found, "a part")?,
            metadata: part.metadata,
            filename: part.filename,
            media_type: part.media_type,
        })
    }
}

/// A fresh ID that nobody can guess, in the form of a random UUID (RFC 9562 §5.4).
pub fn new_id() -> String {
    let mut bytes = random::<16>();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digit = |half: u8| char::from(b"0123456789abcdef"[usize::from(half)]);
    let mut out = String::with_capacity(36);
    for (at, byte) in bytes.into_iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        out.push(digit(byte >> 4));
        out.push(digit(byte & 15));
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn part(value: Value) -> Result<Part, String> {
        Part::deserialize(value).map_err(|e| e.to_string())
    }

    #[test]
    fn parts_are_written_under_the_name_of_their_content() {
        for (part, json) in [
            (Part::text("hi"), json!({"text": "hi"})),
            (Part::text(""), json!({"text": ""})),
            (
                Part::raw(&b"\xfb\xff"[..], "image/png").with_filename("a.png"),
                json!({"raw": "+/8=", "mediaType": "image/png", "filename": "a.png"}),
            ),
            (
                Part::url("https://files.example/a"),
                json!({"url": "https://files.example/a"}),
            ),
            (Part::data(Value::Null), json!({"data": null})),
            (
                Part::data(json!({"nights": 2})),
                json!({"data": {"nights": 2}}),
            ),
        ] {
            assert_eq!(serde_json::to_value(&part).expect("JSON"), json);
            assert_eq!(super::tests::part(json), Ok(part));
        }
    }

    #[test]
    fn base64_is_read_in_every_form() {
        for text in ["+/8=", "+/8", "-_8=", "-_8"] {
            let read = part(json!({"raw": text, "media_type": "image/png"}));
            assert_eq!(read, Ok(Part::raw(&b"\xfb\xff"[..], "image/png")), "{text}");
        }
        for text in ["+/8!", "+_8=", "a"] {
            assert!(part(json!({"raw": text})).is_err(), "{text}");
        }
    }

    #[test]
    fn a_part_has_exactly_one_content() {
        for bad in [
            json!({}),
            json!({"text": null}),
            json!({"kind": "text"}),
            json!({"text": "a", "url": "b"}),
            json!({"text": "a", "data": null}),
            json!({"text": 3}),
        ] {
            assert!(part(bad.clone()).is_err(), "{bad}");
        }
        assert_eq!(
            part(json!({"text": "a", "url": null, "later": 1})),
            Ok(Part::text("a"))
        );
    }

    #[test]
    fn both_spellings_are_read_and_camel_case_is_written() {
        let mut message = Message::user(Part::text("hi")).in_task("t-1", "c-1");
        message.message_id = "m-1".into();
        message.reference_task_ids = vec!["t-0".into()];
        let camel = json!({"messageId": "m-1", "contextId": "c-1", "taskId": "t-1",
            "role": "ROLE_USER", "parts": [{"text": "hi"}], "referenceTaskIds": ["t-0"]});
        let snake = json!({"message_id": "m-1", "context_id": "c-1", "task_id": "t-1",
            "role": "ROLE_USER", "parts": [{"text": "hi"}], "reference_task_ids": ["t-0"],
            "metadata": null, "a_later_field": {}});
        assert_eq!(serde_json::to_value(&message).expect("JSON"), camel);
        for json in [camel, snake] {
            assert_eq!(Message::deserialize(json).expect("a message"), message);
        }
    }

    #[test]
    fn unknown_roles_are_refused() {
        let with = |role: &Value| {
            Message::deserialize(json!({"messageId": "m", "role": role, "parts": [{"text": "hi"}]}))
        };
        for role in ["ROLE_SYSTEM", "ROLE_UNSPECIFIED", "user", "", "1"].map(Value::from) {
            assert!(with(&role).is_err(), "{role}");
        }
        for role in [
            json!(0),
            json!(3),
            json!(-1),
            json!(u64::MAX),
            json!(1.5),
            json!(null),
        ] {
            assert!(with(&role).is_err(), "{role}");
        }
        for (number, role) in [(1, Role::User), (2, Role::Agent)] {
            assert_eq!(with(&json!(number)).expect("a message").role, role);
        }
    }

    #[test]
    fn ids_have_the_form_of_random_uuids_and_differ() {
        let (a, b) = (new_id(), new_id());
        assert_ne!(a, b);
        for id in [a, b] {
            let groups: Vec<_> = id.split('-').map(str::len).collect();
            assert_eq!(groups, [8, 4, 4, 4, 12]);
            assert_eq!(id.as_bytes()[14], b'4');
            assert!(b"89ab".contains(&id.as_bytes()[19]), "{id}");
        }
    }
}
