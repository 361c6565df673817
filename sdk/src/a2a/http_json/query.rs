//! Parameters in a query (A2A §11.5).

use std::str::FromStr;

use crate::a2a::params::Violations;
use crate::a2a::{TaskState, Timestamp, percent};

/// The parameters of a query, still encoded; names that nobody asks for are ignored.
#[derive(Clone, Copy, Debug)]
pub(super) struct Query<'a>(&'a str);

impl<'a> Query<'a> {
    pub(super) fn new(query: Option<&'a str>) -> Self {
        Self(query.unwrap_or_default())
    }

    /// The one value of a parameter, under either spelling of its name; `None` when it is absent
    /// or empty.
    fn one(self, name: &str, found: &mut Violations) -> Option<&'a str> {
        let snake = snake_case(name);
        let mut values = self.0.split('&').filter_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let key = percent::decode_form(key)?;
            (key == name || key == snake).then_some(value)
        });
        let value = values.next()?;
        if values.next().is_some() {
            found.push(name, "is given more than once");
            return None;
        }
        Some(value).filter(|value| !value.is_empty())
    }

    pub(super) fn text(self, name: &str, found: &mut Violations) -> Option<String> {
        let value = self.one(name, found)?;
        let text = percent::decode_form(value);
        if text.is_none() {
            found.push(name, "is not percent-encoded UTF-8");
        }
        text
    }

    fn parsed<T: FromStr>(self, name: &str, rule: &str, found: &mut Violations) -> Option<T> {
        let value = self.one(name, found)?;
        // Unlike a form, a number or a time has no spaces: a plus sign is one.
        let parsed = percent::decode(value).and_then(|text| text.parse().ok());
        if parsed.is_none() {
            found.push(name, rule);
        }
        parsed
    }

    pub(super) fn int32(self, name: &str, found: &mut Violations) -> Option<i32> {
        self.parsed(name, "must be a whole number of 32 bits", found)
    }

    pub(super) fn flag(self, name: &str, found: &mut Violations) -> Option<bool> {
        self.parsed(name, "must be true or false", found)
    }

    pub(super) fn time(self, name: &str, found: &mut Violations) -> Option<Timestamp> {
        self.parsed(name, "must be an RFC 3339 date and time", found)
    }

    /// The proto's zero value means that the filter is not set.
    pub(super) fn state(self, name: &str, found: &mut Violations) -> Option<TaskState> {
        let text = self.text(name, found)?;
        let state = TaskState::from_query(&text);
        if state.is_none() {
            found.push(name, "is no state of a task");
        }
        state.flatten()
    }
}

/// `pageSize` as `page_size`.
fn snake_case(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// Writes parameters behind a path.
#[derive(Debug)]
pub(super) struct QueryWriter<'a> {
    out: &'a mut String,
    begun: bool,
}

impl<'a> QueryWriter<'a> {
    pub(super) fn new(out: &'a mut String) -> Self {
        Self { out, begun: false }
    }

    /// Adds a parameter that is set.
    pub(super) fn add(&mut self, name: &str, value: Option<impl ToString>) {
        let Some(value) = value else {
            return;
        };
        self.out.push(if self.begun { '&' } else { '?' });
        self.begun = true;
        self.out.push_str(name);
        self.out.push('=');
        percent::push_encoded(self.out, &value.to_string());
    }
}
