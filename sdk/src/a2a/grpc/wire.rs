//! From a generated message to a type of ours and back, and what can be wrong on the way.

use crate::a2a::{A2aError, ErrorKind};

/// A field that is not what the protocol says.
#[derive(Debug)]
pub(super) struct Wrong {
    /// Its path, in the names of ProtoJSON: the same field has the same name on every binding.
    field: String,
    rule: String,
}

impl Wrong {
    pub(super) fn new(field: &str, rule: impl Into<String>) -> Self {
        Self {
            field: field.to_owned(),
            rule: rule.into(),
        }
    }

    pub(super) fn missing(field: &str) -> Self {
        Self::new(field, "is required")
    }

    /// The same, seen from the message that holds the field `parent`.
    pub(super) fn under(mut self, parent: &str) -> Self {
        if !self.field.is_empty() && !self.field.starts_with('[') {
            self.field.insert(0, '.');
        }
        self.field.insert_str(0, parent);
        self
    }

    /// As it is told to the client that sent it.
    pub(super) fn in_request(self) -> A2aError {
        A2aError::invalid_param(self.field, self.rule)
    }

    /// As it is told to the user of a client that received it.
    pub(super) fn in_answer(self) -> A2aError {
        let Self { field, rule } = self;
        A2aError::new(ErrorKind::InvalidAgentResponse, format!("{field}: {rule}"))
    }
}

/// A type of ours that stands for the generated message `P`.
pub(super) trait Wire<P>: Sized {
    /// Reads it, and refuses what has no meaning in the protocol.
    fn from_wire(message: P) -> Result<Self, Wrong>;
    /// Writes it.
    fn to_wire(&self) -> P;
}

/// The bytes of the message `P` that stands for `value`.
pub(super) fn written<P: prost::Message>(value: &impl Wire<P>) -> Vec<u8> {
    value.to_wire().encode_to_vec()
}

/// A message that must be there.
pub(super) fn one<T: Wire<P>, P>(field: &str, message: Option<P>) -> Result<T, Wrong> {
    let message = message.ok_or_else(|| Wrong::missing(field))?;
    T::from_wire(message).map_err(|wrong| wrong.under(field))
}

/// A message that may be there.
pub(super) fn maybe<T: Wire<P>, P>(field: &str, message: Option<P>) -> Result<Option<T>, Wrong> {
    let read = message.map(|message| T::from_wire(message).map_err(|wrong| wrong.under(field)));
    read.transpose()
}

/// A repeated message.
pub(super) fn all<T: Wire<P>, P>(field: &str, messages: Vec<P>) -> Result<Vec<T>, Wrong> {
    let read = messages.into_iter().enumerate().map(|(at, message)| {
        T::from_wire(message).map_err(|wrong| wrong.under(&format!("[{at}]")).under(field))
    });
    read.collect()
}

/// Writes a repeated message.
pub(super) fn to_all<T: Wire<P>, P>(items: &[T]) -> Vec<P> {
    items.iter().map(T::to_wire).collect()
}

/// A text of a field without presence: empty means unset.
pub(super) fn text(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

/// Writes a text of a field without presence.
pub(super) fn to_text(text: &Option<String>) -> String {
    text.clone().unwrap_or_default()
}

/// A text that must not be empty.
pub(super) fn required(field: &str, text: String) -> Result<String, Wrong> {
    if text.is_empty() {
        return Err(Wrong::missing(field));
    }
    Ok(text)
}
