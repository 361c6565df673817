//! Component identifiers (RFC 9421 §2): a name and its parameters in the order given.

use std::borrow::Cow;

use sfv::visitor::{ItemVisitor, ParameterVisitor};
use sfv::{BareItemFromInput, KeyRef, Parser};

use super::component_name::{ComponentName, Fault};
use super::error::SignatureError;

/// A parameter of an identifier.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ComponentParam<'a> {
    /// `sf`: serialised again, strictly (RFC 9421 §2.1.1).
    Sf,
    /// `key`: one member of a dictionary (§2.1.2).
    Key(Cow<'a, str>),
    /// `bs`: every line as a byte sequence (§2.1.3).
    Bs,
    /// `tr`: from the trailers (§2.1.4).
    Tr,
    /// `req`: from the request that a response answers (§2.4).
    Req,
    /// `name` of `@query-param`, encoded (§2.2.8).
    Name(Cow<'a, str>),
}

/// One covered component: `"@method"`, `"signature-agent";key="sig1"`.
///
/// ```
/// use countersign::httpsig::ComponentId;
/// let id: ComponentId<'_> = ComponentId::parse(r#""@query-param";name="page""#)?;
/// assert_eq!(id.to_string(), r#""@query-param";name="page""#);
/// assert!(ComponentId::parse(r#""Content-Type""#).is_err());
/// # Ok::<(), countersign::httpsig::SignatureError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ComponentId<'a> {
    name: ComponentName<'a>,
    params: Vec<ComponentParam<'a>>,
}

impl<'a> ComponentId<'a> {
    /// Reads an identifier as `Signature-Input` writes it.
    ///
    /// # Errors
    /// [`SignatureError::Malformed`] when it is not a string with parameters,
    /// [`SignatureError::ComponentRefused`] when there is no such component.
    pub fn parse(text: &'a str) -> Result<Self, SignatureError> {
        let mut id = Err("an identifier is a string");
        Parser::new(text)
            .parse_item_with_visitor(Collect(&mut id))
            .map_err(|_| SignatureError::Malformed {
                field: "a component identifier",
                what: "it is not a string with parameters",
            })?;
        id.map_err(|rule| SignatureError::ComponentRefused {
            component: text.to_owned(),
            rule,
        })
    }

    /// The identifier with this name and these parameters, in this order.
    pub(super) const fn of(name: ComponentName<'a>, params: Vec<ComponentParam<'a>>) -> Self {
        Self { name, params }
    }

    /// The identifier with this name and this `key`.
    pub(super) fn new(name: &'a str, key: Option<&'a str>) -> Result<Self, Fault> {
        let key = key.map(|key| ComponentParam::Key(Cow::Borrowed(key)));
        Ok(Self {
            name: ComponentName::new(Cow::Borrowed(name))?,
            params: key.into_iter().collect(),
        })
    }

    /// What it is taken from.
    pub fn name(&self) -> &ComponentName<'a> {
        &self.name
    }

    /// Its parameters, in the order given.
    pub fn params(&self) -> &[ComponentParam<'a>] {
        &self.params
    }

    /// Whether the flag is among its parameters.
    pub(super) fn has(&self, param: &ComponentParam<'_>) -> bool {
        self.params.iter().any(|p| p == param)
    }

    /// Something small that is the same for the same component, and seldom for another.
    pub(super) fn fingerprint(&self) -> u64 {
        let name = self.name.as_str().as_bytes();
        let last = name.last().copied().unwrap_or_default();
        let middle = name.get(name.len() / 2).copied().unwrap_or_default();
        let mixed = name.len() + usize::from(last) * 7 + usize::from(middle) * 31;
        1 << ((mixed + self.params.len()) % 64)
    }

    /// Its `key`.
    pub(super) fn key(&self) -> Option<&str> {
        self.params.iter().find_map(|p| match p {
            ComponentParam::Key(key) => Some(key.as_ref()),
            _ => None,
        })
    }

    /// Its `name`.
    pub(super) fn query_name(&self) -> Option<&str> {
        self.params.iter().find_map(|p| match p {
            ComponentParam::Name(name) => Some(name.as_ref()),
            _ => None,
        })
    }

    /// Whether both name the same component; the order of parameters makes no difference.
    pub(super) fn same_as(&self, other: &ComponentId<'_>) -> bool {
        // RFC 9421 §2: parameter names are unique, so equal numbers and inclusion are equality.
        self.name == other.name
            && self.params.len() == other.params.len()
            && self.params.iter().all(|p| other.params.contains(p))
    }

    /// The same identifier without borrowed parts.
    pub fn into_owned(self) -> ComponentId<'static> {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        let params = self.params.into_iter().map(|param| match param {
            ComponentParam::Key(key) => ComponentParam::Key(own(key)),
            ComponentParam::Name(name) => ComponentParam::Name(own(name)),
            ComponentParam::Sf => ComponentParam::Sf,
            ComponentParam::Bs => ComponentParam::Bs,
            ComponentParam::Tr => ComponentParam::Tr,
            ComponentParam::Req => ComponentParam::Req,
        });
        ComponentId {
            name: self.name.into_owned(),
            params: params.collect(),
        }
    }

    /// Appends the strict serialisation.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        // A name is a token, so there is nothing to escape.
        out.push(b'"');
        out.extend_from_slice(self.name.as_str().as_bytes());
        out.push(b'"');
        for param in &self.params {
            let (name, value) = match param {
                ComponentParam::Sf => (&b";sf"[..], None),
                ComponentParam::Bs => (&b";bs"[..], None),
                ComponentParam::Tr => (&b";tr"[..], None),
                ComponentParam::Req => (&b";req"[..], None),
                ComponentParam::Key(key) => (&b";key="[..], Some(key)),
                ComponentParam::Name(name) => (&b";name="[..], Some(name)),
            };
            out.extend_from_slice(name);
            if let Some(value) = value {
                write_string(value, out);
            }
        }
    }

    fn add(&mut self, key: &KeyRef, value: BareItemFromInput<'a>) -> Result<(), Fault> {
        let param = match (key.as_str(), value) {
            ("sf", BareItemFromInput::Boolean(true)) => ComponentParam::Sf,
            ("bs", BareItemFromInput::Boolean(true)) => ComponentParam::Bs,
            ("tr", BareItemFromInput::Boolean(true)) => ComponentParam::Tr,
            ("req", BareItemFromInput::Boolean(true)) => ComponentParam::Req,
            ("key", BareItemFromInput::String(key)) => ComponentParam::Key(text_of(key)),
            ("name", BareItemFromInput::String(name)) => ComponentParam::Name(text_of(name)),
            // RFC 9421 §2.5: a parameter that is not understood makes the base impossible.
            _ => return Err("it has an unknown parameter, or a parameter of the wrong type"),
        };
        let kind = std::mem::discriminant(&param);
        if self
            .params
            .iter()
            .any(|p| std::mem::discriminant(p) == kind)
        {
            return Err("it has a parameter twice");
        }
        self.params.push(param);
        Ok(())
    }
}

impl std::fmt::Display for ComponentId<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = Vec::new();
        self.write(&mut out);
        f.write_str(&String::from_utf8_lossy(&out))
    }
}

/// A structured string as plain text.
pub(super) fn text_of(text: Cow<'_, sfv::StringRef>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_str()),
        Cow::Owned(text) => Cow::Owned(text.into()),
    }
}

/// Appends `value` as a structured string (RFC 9651 §4.1.6); it came from one, or was checked.
pub(super) fn write_string(value: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    // Looking at every byte is faster than stopping at the first: it is done many at a time.
    if value.bytes().fold(false, |found, byte| {
        found | (byte == b'"') | (byte == b'\\')
    }) {
        for byte in value.bytes() {
            if matches!(byte, b'"' | b'\\') {
                out.push(b'\\');
            }
            out.push(byte);
        }
    } else {
        out.extend_from_slice(value.as_bytes());
    }
    out.push(b'"');
}

/// Collects one identifier; a fault is kept and does not end the parsing of the field, because the
/// signature it stands in may not be the one we look at.
pub(super) struct Collect<'m, 'a>(pub(super) &'m mut Result<ComponentId<'a>, Fault>);

impl<'a> ItemVisitor<'a> for Collect<'_, 'a> {
    type Out = ();
    type Error = std::convert::Infallible;

    fn bare_item(
        self,
        item: BareItemFromInput<'a>,
    ) -> Result<impl ParameterVisitor<'a, Out = ()>, Self::Error> {
        if let BareItemFromInput::String(name) = item {
            *self.0 = ComponentName::new(text_of(name)).map(|name| ComponentId {
                name,
                params: Vec::new(),
            });
        }
        Ok(self)
    }
}

impl<'a> ParameterVisitor<'a> for Collect<'_, 'a> {
    type Out = ();
    type Error = std::convert::Infallible;

    fn parameter(
        &mut self,
        key: &'a KeyRef,
        value: BareItemFromInput<'a>,
    ) -> Result<(), Self::Error> {
        if let Ok(id) = self.0
            && let Err(fault) = id.add(key, value)
        {
            *self.0 = Err(fault);
        }
        Ok(())
    }

    fn finish(self) -> Result<(), Self::Error> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_keep_their_parameter_order_and_unknown_ones_are_refused() {
        let cases = [
            (r#""@method""#, "fine"),
            (r#""content-digest";req;key="sha-256""#, "fine"),
            (r#""content-digest";key="sha-256";req"#, "fine"),
            (r#""x";key="a\"b""#, "fine"),
            (r#""Content-Type""#, "signature.component_refused"),
            (r#""@Method""#, "signature.component_refused"),
            (r#""@unknown""#, "signature.component_refused"),
            (r#""@signature-params""#, "signature.component_refused"),
            (r#""""#, "signature.component_refused"),
            (r#""a b""#, "signature.component_refused"),
            (r#""x";unknown"#, "signature.component_refused"),
            (r#""x";sf=?0"#, "signature.component_refused"),
            (r#""x";sf;sf"#, "signature.component_refused"),
            (r#""x";key=a"#, "signature.component_refused"),
            (r#"x"#, "signature.component_refused"),
            (r#""x" "y""#, "signature.malformed"),
            (r#""x"#, "signature.malformed"),
        ];
        for (text, want) in cases {
            let id = ComponentId::parse(text);
            assert_eq!(
                id.as_ref().map_or_else(|e| e.reason(), |_| "fine"),
                want,
                "{text}"
            );
            if let Ok(id) = id {
                assert_eq!(id.to_string(), text);
            }
        }
    }

    #[test]
    fn parameter_order_does_not_make_two_components_of_one() {
        let one = ComponentId::parse(r#""x";req;key="a""#).expect("an identifier");
        let two = ComponentId::parse(r#""x";key="a";req"#).expect("an identifier");
        let three = ComponentId::parse(r#""x";key="b";req"#).expect("an identifier");
        assert!(one.same_as(&two));
        assert!(!one.same_as(&three));
        assert_eq!(one.clone().into_owned(), one);
    }
}
