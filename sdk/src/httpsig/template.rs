//! What is the same for every request of one signer, written once.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName};
use sfv::KeyRef;

use super::agent::{SIGNATURE_AGENT, SignatureAgent};
use super::component::{ComponentId, write_string};
use super::error::SignatureError;
use super::fields::{NoValue, combined};
use super::inner::is_signature;
use super::input::{MAX_COMPONENTS, check_size, refuse_repeated};
use super::keys::HttpVerifyingKey;
use super::params::{SignatureParams, header_value, write_number};
use super::profile::Profile;
use super::revision::Revision;
use super::rules::{Audience, Cover, SignerParam};
use super::sign::{AUDIENCE, CONTENT_DIGEST};
use super::view::RequestView;
use crate::clock::UnixTime;

/// A profile compiled for one key.
#[derive(Clone, Debug)]
pub(super) struct Template {
    /// `sig1=`
    pub(super) label: Box<[u8]>,
    /// The member of `Signature-Agent`, or the whole field in its legacy form.
    pub(super) agent: Option<HeaderValue>,
    /// Whether that is the whole field.
    pub(super) agent_is_field: bool,
    pub(super) slots: Vec<Slot>,
    /// Whether another signature is covered.
    pub(super) inner: bool,
    pieces: Vec<Piece>,
    life: std::time::Duration,
}

/// One component: its beginning of a line (`"@method": `), and where the rest comes from.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) line: Box<[u8]>,
    pub(super) id: ComponentId<'static>,
    from: Source,
}

#[derive(Clone, Debug)]
enum Source {
    Method,
    Authority,
    Path,
    Query,
    Field(HeaderName),
    Digest,
    Agent(Box<[u8]>),
    Other,
}

/// A part of the parameters.
#[derive(Clone, Debug)]
enum Piece {
    Text(Box<[u8]>),
    Created,
    Expires,
    Nonce,
    Audience,
}

impl Slot {
    pub(super) fn identifier(&self) -> &[u8] {
        &self.line[..self.line.len() - 2]
    }

    /// Appends the value; `false` when the component is left out. `digest` is the body's, when the
    /// signer set the field itself.
    pub(super) fn write_value(
        &self,
        request: &RequestView<'_>,
        digest: Option<&[u8; 54]>,
        base: &mut Vec<u8>,
    ) -> Result<bool, SignatureError> {
        let start = base.len();
        match &self.from {
            Source::Method => base.extend_from_slice(request.method().as_str().as_bytes()),
            Source::Authority => request.origin.write_authority(base)?,
            Source::Path => base.extend_from_slice(request.path().as_bytes()),
            Source::Query => request.write_query(base),
            Source::Agent(member) => base.extend_from_slice(member),
            Source::Digest => match digest {
                Some(digest) => base.extend_from_slice(digest),
                None => return self.write_field(request, &CONTENT_DIGEST, base),
            },
            Source::Field(name) => return self.write_field(request, name, base),
            Source::Other => {
                super::MessageView::from(*request).write_value(&self.id, base)?;
                return Ok(true);
            }
        }
        if base[start..].is_ascii() {
            Ok(true)
        } else {
            Err(self.not_ascii())
        }
    }

    fn write_field(
        &self,
        request: &RequestView<'_>,
        name: &HeaderName,
        base: &mut Vec<u8>,
    ) -> Result<bool, SignatureError> {
        match combined(request.headers(), name) {
            Ok(value) => {
                base.extend_from_slice(&value);
                Ok(true)
            }
            Err(NoValue::Absent) => Ok(false),
            Err(_) => Err(self.not_ascii()),
        }
    }

    fn not_ascii(&self) -> SignatureError {
        SignatureError::NotAscii {
            component: String::from_utf8_lossy(self.identifier()).into_owned(),
        }
    }
}

impl Template {
    pub(super) fn new(
        key: &HttpVerifyingKey,
        signature_agent: &str,
        profile: &Profile,
    ) -> Result<Self, SignatureError> {
        profile.check_key(key)?;
        if let Some(max) = profile.max_life {
            let (life, max) = (profile.life.as_secs(), max.as_secs());
            if life > max {
                return Err(SignatureError::TooLarge {
                    what: "seconds of life",
                    len: usize::try_from(life).unwrap_or(usize::MAX),
                    max: usize::try_from(max).unwrap_or(usize::MAX),
                });
            }
        }
        let label = [profile.label().as_bytes(), b"="].concat();
        let form = profile.agent_form();
        let mut member = Vec::new();
        let mut agent = None;
        if !signature_agent.is_empty() || profile.needs.agent.is_some() {
            if profile.needs.audience.is_some() {
                let rule = "this profile has none";
                return Err(SignatureError::Agent { rule });
            }
            let named = SignatureAgent::parse(signature_agent, form)?;
            write_string(named.url(), &mut member);
            agent = Some(match form {
                Revision::Legacy => header_value(&member)?,
                Revision::Ietf01 | Revision::Meunier02 => {
                    header_value(&[&label[..], &member].concat())?
                }
            });
        }
        let components = components_of(profile)?;
        check_size("components", components.len(), MAX_COMPONENTS)?;
        refuse_repeated(&components)?;
        let inner = profile.needs.agent.is_some() && components.iter().any(is_signature);
        let slots = profile.cover.iter().zip(components).map(|(cover, id)| {
            Ok(Slot {
                line: [id.to_string().as_bytes(), b": "].concat().into(),
                from: source_of(cover, &member)?,
                id,
            })
        });
        Ok(Self {
            slots: slots.collect::<Result<_, SignatureError>>()?,
            agent,
            agent_is_field: form == Revision::Legacy,
            inner,
            label: label.into(),
            pieces: pieces_of(profile, key)?,
            life: profile.life,
        })
    }

    pub(super) fn write_params(
        &self,
        request: &RequestView<'_>,
        now: UnixTime,
        nonce: [u8; 16],
        input: &mut Vec<u8>,
    ) -> Result<(), SignatureError> {
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => input.extend_from_slice(text),
                Piece::Created => write_number(now.secs(), input),
                Piece::Expires => write_number(now.plus(self.life).secs(), input),
                Piece::Nonce => {
                    let mut text = [b'='; 24];
                    // 16 bytes are always 24 characters.
                    let _ = STANDARD.encode_slice(nonce, &mut text);
                    input.extend_from_slice(&text);
                }
                Piece::Audience => {
                    let mut target = Vec::new();
                    request.write_audience(&mut target)?;
                    let target = String::from_utf8_lossy(&target);
                    if !target.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
                        let component = "wimse-aud".to_owned();
                        return Err(SignatureError::NotAscii { component });
                    }
                    write_string(&target, input);
                }
            }
        }
        Ok(())
    }
}

/// The parameters from the parenthesis on.
fn pieces_of(profile: &Profile, key: &HttpVerifyingKey) -> Result<Vec<Piece>, SignatureError> {
    let mut pieces = Vec::new();
    let mut names: Vec<&str> = Vec::new();
    let mut text = vec![b')'];
    for param in &profile.params {
        let name = match param {
            SignerParam::Created => "created",
            SignerParam::Expires => "expires",
            SignerParam::Keyid => "keyid",
            SignerParam::Alg => "alg",
            SignerParam::Nonce => "nonce",
            SignerParam::Tag if profile.tag.is_none() => continue,
            SignerParam::Tag => "tag",
            SignerParam::Audience => AUDIENCE,
            SignerParam::Fixed(name, _) => name,
        };
        if names.contains(&name) || KeyRef::from_str(name).is_err() {
            return Err(SignatureError::Malformed {
                field: "Signature-Input",
                what: "a parameter has no proper name or stands twice",
            });
        }
        names.push(name);
        if let SignerParam::Fixed(name, value) = param {
            let one = SignatureParams::new().with(name.clone(), value.clone());
            one.write(&mut text)?;
            continue;
        }
        text.push(b';');
        text.extend_from_slice(name.as_bytes());
        text.push(b'=');
        let mut cut = |piece, text: &mut Vec<u8>| {
            pieces.push(Piece::Text(std::mem::take(text).into()));
            pieces.push(piece);
        };
        match param {
            SignerParam::Created => cut(Piece::Created, &mut text),
            SignerParam::Expires => cut(Piece::Expires, &mut text),
            SignerParam::Keyid => write_string(&key.thumbprint().to_string(), &mut text),
            SignerParam::Alg => write_string(key.algorithm().name(), &mut text),
            SignerParam::Nonce => {
                text.push(b'"');
                cut(Piece::Nonce, &mut text);
                text.push(b'"');
            }
            SignerParam::Audience => match &profile.needs.audience {
                Some(Audience::Named(named)) => write_text(name, named.first(), &mut text)?,
                _ => cut(Piece::Audience, &mut text),
            },
            SignerParam::Tag => write_text(name, profile.tag.as_ref(), &mut text)?,
            SignerParam::Fixed(..) => {}
        }
    }
    pieces.push(Piece::Text(text.into()));
    Ok(pieces)
}

fn write_text(
    name: &str,
    value: Option<&(impl AsRef<str> + ?Sized)>,
    text: &mut Vec<u8>,
) -> Result<(), SignatureError> {
    let value = value.map_or("", AsRef::as_ref);
    if !value.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        let component = name.to_owned();
        return Err(SignatureError::NotAscii { component });
    }
    write_string(value, text);
    Ok(())
}

/// The components that a signer of the profile covers.
pub(super) fn components_of(
    profile: &Profile,
) -> Result<Vec<ComponentId<'static>>, SignatureError> {
    let components = profile.cover.iter().map(|cover| {
        let text = match cover {
            Cover::Other(id) => return Ok(id.clone()),
            Cover::Method => "\"@method\"".to_owned(),
            Cover::Authority => "\"@authority\"".to_owned(),
            Cover::Path => "\"@path\"".to_owned(),
            Cover::Query => "\"@query\"".to_owned(),
            Cover::Digest => "\"content-digest\"".to_owned(),
            Cover::Field(name) => format!("\"{name}\""),
            Cover::Agent if profile.agent_form() == Revision::Legacy => {
                format!("\"{SIGNATURE_AGENT}\"")
            }
            Cover::Agent => format!("\"{SIGNATURE_AGENT}\";key=\"{}\"", profile.label()),
        };
        ComponentId::parse(&text).map(ComponentId::into_owned)
    });
    components.collect()
}

fn source_of(cover: &Cover, member: &[u8]) -> Result<Source, SignatureError> {
    Ok(match cover {
        Cover::Method => Source::Method,
        Cover::Authority => Source::Authority,
        Cover::Path => Source::Path,
        Cover::Query => Source::Query,
        Cover::Digest => Source::Digest,
        Cover::Agent => Source::Agent(member.into()),
        Cover::Field(name) => Source::Field(match name.as_ref() {
            "authorization" => AUTHORIZATION,
            "content-type" => CONTENT_TYPE,
            other => HeaderName::try_from(other).map_err(|_| SignatureError::Malformed {
                field: "the profile",
                what: "a field has no proper name",
            })?,
        }),
        Cover::Other(_) => Source::Other,
    })
}
