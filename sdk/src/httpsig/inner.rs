//! Signatures that cover other signatures of the same message
//! (draft-ietf-webbotauth-httpsig-protocol, multiple signatures).

use std::borrow::Cow;

use http::HeaderMap;

use super::component::{ComponentId, ComponentParam};
use super::component_name::ComponentName;
use super::error::SignatureError;
use super::inputs::Inputs;

/// A signature's bytes say nothing about the message they were made for. Whoever covers them covers
/// what they were made over too: the other's `signature-input`, and everything that stands in it.
pub(super) fn check_inner(
    components: &[ComponentId<'_>],
    headers: &HeaderMap,
) -> Result<(), SignatureError> {
    for component in components.iter().filter(|id| is_signature(id)) {
        let [ComponentParam::Key(label)] = component.params() else {
            return Err(SignatureError::ComponentRefused {
                component: component.to_string(),
                rule: "one signature is covered by its label",
            });
        };
        let covers = |wanted: &ComponentId<'_>| {
            if components.iter().any(|id| id.same_as(wanted)) {
                return Ok(());
            }
            let component = Cow::Owned(wanted.to_string());
            Err(SignatureError::ComponentMissing { component })
        };
        let name = ComponentName::Field(Cow::Borrowed("signature-input"));
        let key = vec![ComponentParam::Key(Cow::Borrowed(label.as_ref()))];
        covers(&ComponentId::of(name, key))?;
        let inner = Inputs::read(headers)?.labelled(Some(label))?;
        inner.components.iter().try_for_each(covers)?;
    }
    Ok(())
}

/// Whether it is from `Signature` of this message, not of the request it answers.
pub(super) fn is_signature(id: &ComponentId<'_>) -> bool {
    matches!(id.name(), ComponentName::Field(name) if name == "signature")
        && !id.has(&ComponentParam::Req)
}
