//! The signature base: the text that is signed (RFC 9421 §2.5).

use super::component::ComponentId;
use super::error::SignatureError;
use super::inputs::Inputs;
use super::view::MessageView;

/// The signature base of `message` for one member of `Signature-Input`, written without its label.
///
/// For signers that keep their key elsewhere, and for finding out why two sides disagree.
///
/// ```
/// use countersign::httpsig::{Origin, RequestView, signature_base};
/// let (parts, ()) = http::Request::get("/tasks?page=2").body(())?.into_parts();
/// let origin = Origin::https("booking.example");
/// let base = signature_base(
///     &RequestView::new(&parts, &origin).into(),
///     r#"("@method" "@authority" "@query");created=1735689600"#,
/// )?;
/// assert_eq!(base, "\"@method\": GET\n\"@authority\": booking.example\n\"@query\": ?page=2\n\
///     \"@signature-params\": (\"@method\" \"@authority\" \"@query\");created=1735689600");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`SignatureError`] when the member is malformed or a component has no value.
pub fn signature_base(message: &MessageView<'_>, member: &str) -> Result<String, SignatureError> {
    let input = Inputs::read_one(member)?;
    input.refuse_repeated()?;
    let mut out = Vec::new();
    write_base(message, &input.components, &mut out)?;
    input.write_params(&mut out);
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// Appends every component's line and the last line up to the parameters, which the caller appends.
/// Gives the list of identifiers, as it stands in the last line.
pub(super) fn write_base(
    message: &MessageView<'_>,
    components: &[ComponentId<'_>],
    out: &mut Vec<u8>,
) -> Result<Vec<u8>, SignatureError> {
    let mut list = Vec::with_capacity(512);
    list.push(b'(');
    for (index, component) in components.iter().enumerate() {
        if index > 0 {
            list.push(b' ');
        }
        let start = list.len();
        component.write(&mut list);
        out.extend_from_slice(&list[start..]);
        out.extend_from_slice(b": ");
        message.write_value(component, out)?;
        out.push(b'\n');
    }
    list.push(b')');
    out.extend_from_slice(PARAMS);
    out.extend_from_slice(&list);
    Ok(list)
}

/// The beginning of the last line.
pub(super) const PARAMS: &[u8] = b"\"@signature-params\": ";

/// Room for the base of a usual request, in bytes; a token is most of it.
pub(super) const BASE_ROOM: usize = 2048;
