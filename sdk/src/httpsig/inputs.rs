//! All members of `Signature-Input`, and the choice among them (RFC 9421 §4.1, §4.3).

use std::convert::Infallible;

use http::{HeaderMap, HeaderName};
use sfv::visitor::{
    DictionaryVisitor, EntryVisitor, Ignored, InnerListVisitor, ItemVisitor, ListVisitor,
    ParameterVisitor,
};
use sfv::{BareItemFromInput, KeyRef, Parser};

use super::canonical::read_canonical;
use super::component::{Collect, ComponentId};
use super::component_name::Fault;
use super::error::SignatureError;
use super::input::{
    Input, MAX_COMPONENTS, MAX_FIELD, MAX_LABELS, Params, SIGNATURE_INPUT, check_size, malformed,
    param,
};

/// All members of `Signature-Input`. One may be broken without harm to the others: a proxy's
/// signature is no business of ours.
pub(super) struct Inputs<'a>(Vec<Member<'a>>);

/// One member; what is wrong with it counts when it is the one that is chosen.
pub(super) struct Member<'a> {
    pub(super) label: &'a str,
    pub(super) components: Vec<Result<ComponentId<'a>, Fault>>,
    pub(super) params: Params<'a>,
    fault: Option<Fault>,
}

impl<'a> Inputs<'a> {
    /// Reads the field.
    pub(super) fn read(headers: &'a HeaderMap) -> Result<Self, SignatureError> {
        Self::read_field(headers, &SIGNATURE_INPUT, "Signature-Input")
    }

    /// Reads a field of the same form.
    pub(super) fn read_field(
        headers: &'a HeaderMap,
        name: &HeaderName,
        field: &'static str,
    ) -> Result<Self, SignatureError> {
        let mut members = Members(Vec::with_capacity(1));
        let mut total = 0;
        let mut found = false;
        for line in headers.get_all(name) {
            found = true;
            total += line.len();
            check_size("bytes of signature fields", total, MAX_FIELD)?;
            if let Some(member) = read_canonical(line.as_bytes()) {
                members.0.push(member);
                continue;
            }
            members = Parser::new(line.as_bytes())
                .parse_dictionary_with_visitor(members)
                .map_err(|_| SignatureError::Malformed {
                    field,
                    what: "it is not a dictionary",
                })?;
        }
        if !found {
            return Err(SignatureError::Missing { field, label: None });
        }
        Self::within_limits(members.0)
    }

    /// Reads one member without a label: the inner list and its parameters.
    pub(super) fn read_one(text: &'a str) -> Result<Input<'a>, SignatureError> {
        check_size("bytes of Signature-Input", text.len(), MAX_FIELD)?;
        let mut members = Parser::new(text)
            .parse_list_with_visitor(Members(Vec::with_capacity(1)))
            .map_err(|_| malformed("it is not an inner list"))?;
        match members.0.pop() {
            Some(member) if members.0.is_empty() => member.into_input(),
            _ => Err(malformed("it is not one inner list")),
        }
    }

    /// The only member of a line, with the full parser.
    #[cfg(test)]
    pub(super) fn parse(line: &'a [u8]) -> Option<Member<'a>> {
        let members = Parser::new(line).parse_dictionary_with_visitor(Members(Vec::new()));
        let mut members = members.ok()?.0;
        (members.len() == 1).then(|| members.remove(0))
    }

    fn within_limits(members: Vec<Member<'a>>) -> Result<Self, SignatureError> {
        check_size("signatures on the message", members.len(), MAX_LABELS)?;
        for (index, member) in members.iter().enumerate() {
            // RFC 9421 §4.1: labels are unique within a message.
            if members[..index].iter().any(|m| m.label == member.label) {
                return Err(malformed("a label stands twice"));
            }
        }
        Ok(Self(members))
    }

    /// The one signature with this tag, and with this label and this `keyid` when they are given.
    pub(super) fn tagged(
        self,
        tag: &str,
        label: Option<&str>,
        keyid: Option<&str>,
    ) -> Result<Input<'a>, SignatureError> {
        let mut matching = self.0.into_iter().filter(|member| {
            member.says("tag", tag)
                && label.is_none_or(|label| member.label == label)
                && keyid.is_none_or(|keyid| member.says("keyid", keyid))
        });
        let first = matching.next().ok_or_else(|| SignatureError::Tag {
            wanted: tag.to_owned(),
        })?;
        match matching.count() {
            0 => first.into_input(),
            more => Err(SignatureError::Ambiguous { count: more + 1 }),
        }
    }

    /// Every signature with this tag, or every one.
    pub(super) fn all_tagged(
        self,
        tag: Option<&str>,
    ) -> impl Iterator<Item = Result<Input<'a>, SignatureError>> {
        let meant = move |member: &Member<'_>| tag.is_none_or(|tag| member.says("tag", tag));
        self.0.into_iter().filter(meant).map(Member::into_input)
    }

    /// The labels, in the order received.
    pub(super) fn labels(&self) -> Vec<&'a str> {
        self.0.iter().map(|member| member.label).collect()
    }

    /// The signature with this label, or the only one.
    pub(super) fn labelled(mut self, label: Option<&str>) -> Result<Input<'a>, SignatureError> {
        if let Some(label) = label {
            let found = self.0.into_iter().find(|member| member.label == label);
            return found.map_or_else(
                || {
                    Err(SignatureError::Missing {
                        field: "Signature-Input",
                        label: Some(label.to_owned()),
                    })
                },
                Member::into_input,
            );
        }
        match (self.0.pop(), self.0.len()) {
            (Some(only), 0) => only.into_input(),
            (Some(_), more) => Err(SignatureError::Ambiguous { count: more + 1 }),
            (None, _) => Err(SignatureError::Missing {
                field: "Signature-Input",
                label: None,
            }),
        }
    }
}

impl<'a> Member<'a> {
    pub(super) fn new(label: &'a str) -> Self {
        Self {
            label,
            components: Vec::new(),
            params: Vec::new(),
            fault: None,
        }
    }

    /// Whether the text parameter `name` is `wanted`.
    fn says(&self, name: &str, wanted: &str) -> bool {
        let value = param(&self.params, name);
        matches!(value, Some(BareItemFromInput::String(text)) if text.as_str() == wanted)
    }

    /// Makes room for what signatures usually have.
    pub(super) fn reserve(&mut self) {
        self.components.reserve(12);
        self.params.reserve(6);
    }

    pub(super) fn into_input(self) -> Result<Input<'a>, SignatureError> {
        if let Some(what) = self.fault {
            return Err(malformed(what));
        }
        check_size("components", self.components.len(), MAX_COMPONENTS)?;
        let label = self.label;
        let components = self.components.into_iter().enumerate();
        let components = components.map(|(index, component)| {
            component.map_err(|rule| SignatureError::ComponentRefused {
                component: format!("component {} of the signature {label:?}", index + 1),
                rule,
            })
        });
        Ok(Input {
            label,
            components: components.collect::<Result<_, _>>()?,
            params: self.params,
        })
    }
}

struct Members<'a>(Vec<Member<'a>>);

impl<'a> DictionaryVisitor<'a> for Members<'a> {
    type Out = Self;
    type Error = Infallible;

    fn entry(&mut self, label: &'a KeyRef) -> Result<impl EntryVisitor<'a>, Infallible> {
        Ok(self.0.push_mut(Member::new(label.as_str())))
    }

    fn finish(self) -> Result<Self, Infallible> {
        Ok(self)
    }
}

/// For [`Inputs::read_one`]: entries without labels.
impl<'a> ListVisitor<'a> for Members<'a> {
    type Out = Self;
    type Error = Infallible;

    fn entry(&mut self) -> Result<impl EntryVisitor<'a>, Infallible> {
        Ok(self.0.push_mut(Member::new("")))
    }

    fn finish(self) -> Result<Self, Infallible> {
        Ok(self)
    }
}

impl<'a> EntryVisitor<'a> for &mut Member<'a> {
    type Error = Infallible;

    fn item(self) -> Result<impl ItemVisitor<'a>, Infallible> {
        // RFC 9421 §4.1: every member is an inner list.
        self.fault = Some("a member is not an inner list");
        Ok(Ignored)
    }

    fn inner_list(self) -> Result<impl InnerListVisitor<'a>, Infallible> {
        self.reserve();
        Ok(self)
    }
}

impl<'a> InnerListVisitor<'a> for &mut Member<'a> {
    type Error = Infallible;

    fn item(&mut self) -> Result<impl ItemVisitor<'a>, Infallible> {
        let place = self.components.push_mut(Err("an identifier is a string"));
        Ok(Collect(place))
    }

    fn finish(self) -> Result<impl ParameterVisitor<'a>, Infallible> {
        Ok(self)
    }
}

impl<'a> ParameterVisitor<'a> for &mut Member<'a> {
    type Out = ();
    type Error = Infallible;

    fn parameter(
        &mut self,
        key: &'a KeyRef,
        value: BareItemFromInput<'a>,
    ) -> Result<(), Infallible> {
        // RFC 9651 §4.2.3.2 keeps the last of two; nobody writes two without bad intent.
        if self.params.iter().any(|(name, _)| *name == key) {
            self.fault = Some("a parameter stands twice");
        }
        self.params.push((key, value));
        Ok(())
    }

    fn finish(self) -> Result<(), Infallible> {
        Ok(())
    }
}
