//! Which profile a message is verified under.

use super::args::ProfileName;
use crate::httpsig::{MessageView, ParamValue, PresentedSignature, Profile, Revision};

/// The profile with this name; `response` for a response.
pub(super) fn profile(name: ProfileName, response: bool) -> Profile {
    let profile = match name {
        ProfileName::A2a => Profile::a2a(),
        ProfileName::WebBotAuth(revision) => Profile::web_bot_auth(revision),
        ProfileName::Wimse => Profile::wimse(),
        ProfileName::Rfc9421 => return Profile::rfc9421(),
    };
    match response {
        true => profile.responses(),
        false => profile,
    }
}

/// The profile that the message's own tag speaks of, when nobody named one: the first of Web Bot
/// Auth, signed responses and WIMSE that it has a signature for, and RFC 9421 alone otherwise.
pub(super) fn by_tag(view: &MessageView<'_>, response: bool, label: Option<&str>) -> ProfileName {
    let plain = Profile::rfc9421();
    let all = PresentedSignature::all(view, &plain).unwrap_or_default();
    let signatures = all.iter().flatten();
    let tags: Vec<_> = signatures
        .filter(|one| label.is_none_or(|label| one.label() == label))
        .filter_map(|one| match one.parameter("tag") {
            Some(ParamValue::Text(tag)) => Some(tag),
            _ => None,
        })
        .collect();
    let usual = match response {
        true => ProfileName::A2a,
        false => ProfileName::WebBotAuth(Revision::Ietf01),
    };
    let known = [usual, ProfileName::Wimse];
    let named = known.into_iter().find(|name| {
        let wanted = profile(*name, response);
        tags.iter().any(|tag| Some(tag.as_str()) == wanted.tag())
    });
    named.unwrap_or(ProfileName::Rfc9421)
}
