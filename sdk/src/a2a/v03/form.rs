//! Reading JSON members one by one, each fault under the name that 0.3 gives the member.

use serde_json::Value;

use crate::a2a::{FieldViolation, Struct};

/// How a binding of 0.3 spells the protocol's objects.
///
/// Its JSON-RPC has the types of `types.ts`: `kind` members and short lower-case names. Its REST is
/// the proto's JSON (`a2a.v1`), as every SDK of 0.3 sends it; the specification's own text shows
/// the types of JSON-RPC there, so both are read and the proto's is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
    /// JSON-RPC.
    JsonRpc,
    /// HTTP+JSON.
    Rest,
}

/// What was read, or the member that is wrong.
pub(super) type Read<T> = Result<T, FieldViolation>;

/// A wrong member, named from where it was read.
pub(super) fn fault<T>(field: impl Into<String>, description: impl Into<String>) -> Read<T> {
    Err(FieldViolation {
        field: field.into(),
        description: description.into(),
    })
}

/// The same fault, seen from one level further out.
fn within(outer: &str, inner: FieldViolation) -> FieldViolation {
    let field = match inner.field.as_str() {
        "" => outer.to_owned(),
        list if list.starts_with('[') => format!("{outer}{list}"),
        name => format!("{outer}.{name}"),
    };
    FieldViolation { field, ..inner }
}

/// An object that is taken apart. Members that are not asked for are ignored.
pub(super) struct Object {
    form: Form,
    members: Struct,
}

impl Object {
    pub(super) const fn new(form: Form, members: Struct) -> Self {
        Self { form, members }
    }

    pub(super) fn from_value(form: Form, value: Value) -> Read<Self> {
        match value {
            Value::Object(members) => Ok(Self { form, members }),
            _ => fault("", "must be an object"),
        }
    }

    pub(super) const fn form(&self) -> Form {
        self.form
    }

    /// A member that is there and not null; the proto's JSON may spell it with underscores.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        let found = self.members.remove(name).filter(|value| !value.is_null());
        if found.is_some() || self.form == Form::JsonRpc {
            return found;
        }
        let found = self.members.remove(&snake(name));
        found.filter(|value| !value.is_null())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        let set = |name: &str| self.members.get(name).is_some_and(|value| !value.is_null());
        set(name) || (self.form == Form::Rest && set(&snake(name)))
    }

    /// A text that stays where it is; empty when it is none.
    pub(super) fn peek(&self, name: &str) -> &str {
        let found = self.members.get(name).and_then(Value::as_str);
        found.unwrap_or_default()
    }

    /// A text; an empty one counts as absent.
    pub(super) fn text(&mut self, name: &str) -> Read<Option<String>> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text).filter(|text| !text.is_empty())),
            Some(_) => fault(name, "must be a text"),
        }
    }

    /// A text that must be there, even if empty.
    pub(super) fn present(&mut self, name: &str) -> Read<String> {
        match self.take(name) {
            None => fault(name, "is required"),
            Some(Value::String(text)) => Ok(text),
            Some(_) => fault(name, "must be a text"),
        }
    }

    /// A text that must say something.
    pub(super) fn required(&mut self, name: &str) -> Read<String> {
        match self.text(name)? {
            Some(text) => Ok(text),
            None => fault(name, "is required"),
        }
    }

    /// The discriminator: absent, or this one.
    pub(super) fn kind(&mut self, want: &str) -> Read<()> {
        match self.text("kind")? {
            Some(kind) if kind != want => fault("kind", format!("must be {want:?}")),
            _ => Ok(()),
        }
    }

    pub(super) fn flag(&mut self, name: &str) -> Read<Option<bool>> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(_) => fault(name, "must be true or false"),
        }
    }

    pub(super) fn number(&mut self, name: &str) -> Read<Option<i32>> {
        let number = match self.take(name) {
            None => return Ok(None),
            Some(Value::Number(number)) => number.as_i64(),
            // ProtoJSON: a number may be written as its digits.
            Some(Value::String(text)) if self.form == Form::Rest => text.parse().ok(),
            Some(_) => None,
        };
        match number.and_then(|number| i32::try_from(number).ok()) {
            Some(number) => Ok(Some(number)),
            None => fault(name, "must be a whole number of 32 bits"),
        }
    }

    /// Free-form members; none when absent.
    pub(super) fn map(&mut self, name: &str) -> Read<Struct> {
        match self.take(name) {
            None => Ok(Struct::new()),
            Some(Value::Object(members)) => Ok(members),
            Some(_) => fault(name, "must be an object"),
        }
    }

    pub(super) fn texts(&mut self, name: &str) -> Read<Vec<String>> {
        self.list(name, |item| match item {
            Value::String(text) => Ok(text),
            _ => fault("", "must be a text"),
        })
    }

    /// An object that may be absent, read by `read`.
    pub(super) fn object<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut Self) -> Read<T>,
    ) -> Read<Option<T>> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        let read = Self::from_value(self.form, value).and_then(|mut object| read(&mut object));
        read.map(Some).map_err(|inner| within(name, inner))
    }

    /// An object that must be there, read by `read`.
    pub(super) fn need<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut Self) -> Read<T>,
    ) -> Read<T> {
        match self.object(name, read)? {
            Some(found) => Ok(found),
            None => fault(name, "is required"),
        }
    }

    /// A list of objects, each read by `read`; empty when absent.
    pub(super) fn objects<T>(
        &mut self,
        name: &str,
        mut read: impl FnMut(&mut Self) -> Read<T>,
    ) -> Read<Vec<T>> {
        let form = self.form;
        self.list(name, |item| read(&mut Self::from_value(form, item)?))
    }

    fn list<T>(&mut self, name: &str, mut read: impl FnMut(Value) -> Read<T>) -> Read<Vec<T>> {
        let items = match self.take(name) {
            None => return Ok(Vec::new()),
            Some(Value::Array(items)) => items,
            Some(_) => return fault(name, "must be a list"),
        };
        let read = items
            .into_iter()
            .enumerate()
            .map(|(at, item)| read(item).map_err(|inner| within(&format!("{name}[{at}]"), inner)));
        read.collect()
    }
}

/// `messageId` as the proto names it: `message_id`.
fn snake(camel: &str) -> String {
    let mut out = String::with_capacity(camel.len() + 4);
    for letter in camel.chars() {
        if letter.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

/// Sets a member unless it would be empty.
pub(super) fn put(out: &mut Struct, name: &str, value: impl Into<Value>) {
    let value = value.into();
    let empty = match &value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    };
    if !empty {
        out.insert(name.to_owned(), value);
    }
}
