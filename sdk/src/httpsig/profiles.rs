//! The profiles that have a name.

use std::borrow::Cow;
use std::time::Duration;

use super::component::{ComponentId, ComponentParam};
use super::component_name::ComponentName;
use super::profile::Profile;
use super::revision::{Revision, Tolerances};
use super::rules::{Audience, Cover, FieldSet, Keyid, Needs, RequestTie, SignerParam, Target};

/// The tag of Web Bot Auth signatures, and of ours, which are such signatures.
const WEB_BOT_AUTH: &str = "web-bot-auth";

/// The tag of WIMSE's signatures (draft-ietf-wimse-http-signature).
pub(super) const WIMSE: &str = "wimse-workload-to-workload";

/// The tag of the signatures of our responses.
const RESPONSE: &str = "a2a-response";

/// The tag of a key directory's proofs.
pub(super) const DIRECTORY: &str = "http-message-signatures-directory";

/// The longest life of a WIMSE signature: minutes, says the draft.
const WIMSE_MAX_LIFE: Duration = Duration::from_secs(15 * 60);

impl Profile {
    /// Calls between agents, the default: a Web Bot Auth signature over the whole request.
    ///
    /// Covers `@method`, `@authority`, `@path`, `@query`, the signature's own `signature-agent`
    /// member, `content-digest` of a body, and, when present, `content-type`, `authorization`,
    /// `a2a-version` and `a2a-extensions`; says `created`, `expires` (60 s later), `keyid` (JWK
    /// thumbprint), `nonce` and `tag`. Lives of up to 300 s are accepted.
    pub fn a2a() -> Self {
        Self {
            name: Cow::Borrowed("a2a"),
            label: None,
            pick: false,
            tag: Some(Cow::Borrowed(WEB_BOT_AUTH)),
            life: Duration::from_secs(60),
            max_life: Some(Duration::from_secs(300)),
            needs: Needs {
                target: Target::Whole,
                body: true,
                fields: FieldSet::CONTENT_TYPE
                    .and(FieldSet::AUTHORIZATION)
                    .and(FieldSet::VERSION)
                    .and(FieldSet::EXTENSIONS),
                agent: Some(Revision::Ietf01),
                times: true,
                keyid: Keyid::Thumbprint,
                nonce: true,
                ..Needs::none()
            },
            cover: vec![
                Cover::Method,
                Cover::Authority,
                Cover::Path,
                Cover::Query,
                field("content-type"),
                Cover::Digest,
                field("authorization"),
                field("a2a-version"),
                field("a2a-extensions"),
                Cover::Agent,
            ],
            params: usual_params(),
            tolerances: Tolerances::default(),
            test_keys: false,
            shared_secrets: false,
        }
    }

    /// Web Bot Auth in one of its revisions: `@authority` or `@target-uri`, the form of
    /// `Signature-Agent` that the revision has, `created`, `expires`, `keyid` and `tag`. Signers
    /// also cover method, path, query and `content-digest` of a body. Lives of up to 24 h are
    /// accepted.
    pub fn web_bot_auth(revision: Revision) -> Self {
        Self {
            name: Cow::Borrowed("web-bot-auth"),
            max_life: Some(Self::MAX_LIFE),
            needs: Needs {
                target: Target::Host,
                agent: Some(revision),
                times: true,
                keyid: Keyid::Thumbprint,
                ..Needs::none()
            },
            cover: vec![
                Cover::Method,
                Cover::Authority,
                Cover::Path,
                Cover::Query,
                Cover::Digest,
                Cover::Agent,
            ],
            ..Self::a2a()
        }
    }

    /// Workload to workload (draft-ietf-wimse-http-signature): the key is the one that the
    /// `Workload-Identity-Token` of the request confirms, so `keyid` and `alg` must not be there;
    /// whoever verifies has checked that token before and gives its key.
    ///
    /// Covers `@method`, `@request-target`, `content-digest` of a body, and, when present,
    /// `content-type`, `content-digest`, `authorization`, `txn-token` and
    /// `workload-identity-token`; says `created`, `expires` (60 s later, at most 15 min), `nonce`,
    /// `tag` and `wimse-aud`, under the label `wimse`.
    pub fn wimse() -> Self {
        Self {
            name: Cow::Borrowed("wimse"),
            label: Some("wimse".to_owned()),
            tag: Some(Cow::Borrowed(WIMSE)),
            max_life: Some(WIMSE_MAX_LIFE),
            needs: Needs {
                target: Target::Line,
                body: true,
                fields: FieldSet::CONTENT_TYPE
                    .and(FieldSet::DIGEST)
                    .and(FieldSet::AUTHORIZATION)
                    .and(FieldSet::TXN_TOKEN)
                    .and(FieldSet::WORKLOAD_TOKEN),
                times: true,
                keyid: Keyid::Refused,
                nonce: true,
                audience: Some(Audience::Target),
                ..Needs::none()
            },
            cover: vec![
                Cover::Method,
                Cover::Other(derived(ComponentName::RequestTarget, false)),
                field("content-type"),
                Cover::Digest,
                field("authorization"),
                field("txn-token"),
                field("workload-identity-token"),
            ],
            params: vec![
                SignerParam::Created,
                SignerParam::Expires,
                SignerParam::Nonce,
                SignerParam::Tag,
                SignerParam::Audience,
            ],
            ..Self::a2a()
        }
    }

    /// RFC 9421 and nothing more: the signature says what it covers, and the caller judges
    /// whether that is enough. Picked by label, or the only one on the message.
    pub fn rfc9421() -> Self {
        Self {
            name: Cow::Borrowed("rfc9421"),
            tag: None,
            max_life: None,
            needs: Needs::none(),
            cover: Vec::new(),
            shared_secrets: true,
            ..Self::a2a()
        }
    }

    /// The profile of the response to a request that was signed under this one.
    ///
    /// Under [`Profile::wimse`] it is that draft's: `@status`, `@method` and `@request-target` of
    /// the request, `workload-identity-token`, `content-type` and `content-digest` when present,
    /// and the request's nonce in `wimse-req-nonce`. Under any other it covers `@status`,
    /// `content-type` when present, `content-digest` of a body, method, authority, path and query
    /// of the request, and, when the request is signed, that signature: it answers this request
    /// and no other.
    pub fn responses(&self) -> Self {
        if self.needs.audience.is_some() {
            return self.wimse_responses();
        }
        let request = [
            ComponentName::Method,
            ComponentName::Authority,
            ComponentName::Path,
            ComponentName::Query,
        ];
        let mut always = vec![derived(ComponentName::Status, false)];
        always.extend(request.map(|name| derived(name, true)));
        let mut cover: Vec<Cover> = always.iter().cloned().map(Cover::Other).collect();
        cover.insert(1, field("content-type"));
        cover.insert(2, Cover::Digest);
        Self {
            tag: Some(Cow::Borrowed(RESPONSE)),
            needs: Needs {
                target: Target::Any,
                body: true,
                fields: FieldSet::CONTENT_TYPE,
                agent: None,
                times: true,
                keyid: Keyid::Thumbprint,
                nonce: true,
                always,
                request: RequestTie::Signature,
                ..Needs::none()
            },
            cover,
            params: usual_params(),
            max_life: self.max_life.or(Some(Self::MAX_LIFE)),
            ..self.clone()
        }
    }

    fn wimse_responses(&self) -> Self {
        let always = vec![
            derived(ComponentName::Status, false),
            field_id("workload-identity-token"),
            derived(ComponentName::Method, true),
            derived(ComponentName::RequestTarget, true),
        ];
        let mut cover: Vec<Cover> = always.iter().cloned().map(Cover::Other).collect();
        cover.insert(2, field("content-type"));
        cover.insert(3, Cover::Digest);
        Self {
            needs: Needs {
                target: Target::Any,
                body: true,
                fields: FieldSet::CONTENT_TYPE.and(FieldSet::DIGEST),
                times: true,
                keyid: Keyid::Refused,
                nonce: true,
                always,
                request: RequestTie::Nonce,
                ..Needs::none()
            },
            cover,
            params: vec![
                SignerParam::Created,
                SignerParam::Expires,
                SignerParam::Nonce,
                SignerParam::Tag,
            ],
            ..self.clone()
        }
    }

    /// The proof of possession in the response of a key directory.
    pub(super) fn directory() -> Self {
        Self {
            name: Cow::Borrowed("directory"),
            tag: Some(Cow::Borrowed(DIRECTORY)),
            needs: Needs {
                body: true,
                times: true,
                keyid: Keyid::Thumbprint,
                ..Needs::none()
            },
            shared_secrets: false,
            ..Self::rfc9421()
        }
    }

    /// The same profile with what every request from agent to agent has to have.
    pub(super) fn for_requests(mut self) -> Self {
        self.needs.body = true;
        self.needs.times = true;
        self.needs.nonce = true;
        if self.needs.keyid == Keyid::Any {
            self.needs.keyid = Keyid::Thumbprint;
        }
        self.max_life = self.max_life.or(Some(Self::MAX_LIFE));
        self
    }
}

/// Whether the tag is of those whose drafts refuse shared secrets.
pub(super) fn is_without_secrets(tag: &str) -> bool {
    [WEB_BOT_AUTH, WIMSE, DIRECTORY].contains(&tag)
}

fn usual_params() -> Vec<SignerParam> {
    vec![
        SignerParam::Created,
        SignerParam::Expires,
        SignerParam::Keyid,
        SignerParam::Nonce,
        SignerParam::Tag,
    ]
}

const fn field(name: &'static str) -> Cover {
    Cover::Field(Cow::Borrowed(name))
}

fn derived(name: ComponentName<'static>, of_request: bool) -> ComponentId<'static> {
    let params = of_request.then_some(ComponentParam::Req);
    ComponentId::of(name, params.into_iter().collect())
}

fn field_id(name: &'static str) -> ComponentId<'static> {
    let name = ComponentName::Field(Cow::Borrowed(name));
    ComponentId::of(name, Vec::new())
}
