//! What ties a signed response to the one request it answers.

use std::borrow::Cow;

use super::component::{ComponentId, ComponentParam};
use super::component_name::ComponentName;
use super::error::SignatureError;
use super::input::Input;
use super::inputs::Inputs;
use super::profiles::WIMSE;
use super::rules::{Needs, RequestTie};
use super::view::{Kind, MessageView, RequestView};

/// The parameter that repeats the request's nonce (draft-ietf-wimse-http-signature).
pub(super) const REQUEST_NONCE: &str = "wimse-req-nonce";

pub(super) fn check_tie(
    input: &Input<'_>,
    needs: &Needs,
    message: &MessageView<'_>,
) -> Result<(), SignatureError> {
    if needs.request == RequestTie::None {
        return Ok(());
    }
    let request = request_of(message)?;
    match needs.request {
        RequestTie::None => Ok(()),
        RequestTie::Signature => {
            for wanted in signature_components(&request)? {
                if !input.components.iter().any(|id| id.same_as(&wanted)) {
                    let component = Cow::Owned(wanted.to_string());
                    return Err(SignatureError::ComponentMissing { component });
                }
            }
            Ok(())
        }
        RequestTie::Nonce => {
            let name = REQUEST_NONCE;
            let said = input.text(name)?;
            let said = said.ok_or(SignatureError::ParameterMissing { name })?;
            if request_nonce(&request)?.as_deref() == Some(said) {
                Ok(())
            } else {
                Err(SignatureError::OtherRequest)
            }
        }
    }
}

/// The request that the response answers.
pub(super) fn request_of<'a>(message: &MessageView<'a>) -> Result<RequestView<'a>, SignatureError> {
    match message.kind {
        Kind::Response(response) => response.request,
        Kind::Request(_) => None,
    }
    .ok_or(SignatureError::ComponentRefused {
        component: "\"@status\"".to_owned(),
        rule: "only a response to a request at hand is tied to it",
    })
}

/// The signatures of the request, as components of the response, in the order received.
pub(super) fn signature_components(
    request: &RequestView<'_>,
) -> Result<Vec<ComponentId<'static>>, SignatureError> {
    let labels = match Inputs::read(request.headers) {
        Ok(inputs) => inputs.labels(),
        Err(SignatureError::Missing { .. }) => Vec::new(),
        Err(error) => return Err(error),
    };
    let component = |field: &'static str, label: &str| {
        let key = ComponentParam::Key(Cow::Owned(label.to_owned()));
        let name = ComponentName::Field(Cow::Borrowed(field));
        ComponentId::of(name, vec![ComponentParam::Req, key])
    };
    let both = labels.iter().flat_map(|label| {
        [
            component("signature-input", label),
            component("signature", label),
        ]
    });
    Ok(both.collect())
}

/// The nonce of the request's WIMSE signature.
pub(super) fn request_nonce(request: &RequestView<'_>) -> Result<Option<String>, SignatureError> {
    let input = Inputs::read(request.headers)?.tagged(WIMSE, None, None)?;
    Ok(input.text("nonce")?.map(str::to_owned))
}
