//! Whether a signature covers what its profile wants.

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName};

use super::component::{ComponentId, ComponentParam};
use super::component_name::ComponentName;
use super::error::SignatureError;
use super::rules::{Agent, Needs, Target};
use super::sign::CONTENT_DIGEST;
use crate::a2a::{EXTENSIONS_HEADER, VERSION_HEADER};

const VERSION: HeaderName = HeaderName::from_static(VERSION_HEADER);
const EXTENSIONS: HeaderName = HeaderName::from_static(EXTENSIONS_HEADER);

/// What stands among the components, each without parameters.
#[derive(Clone, Copy, Default)]
pub(super) struct Covered {
    method: bool,
    authority: bool,
    target_uri: bool,
    path: bool,
    query: bool,
    pub(super) digest: bool,
    content_type: bool,
    authorization: bool,
    version: bool,
    extensions: bool,
    signature: bool,
}

impl Covered {
    pub(super) fn of(components: &[ComponentId<'_>]) -> Self {
        let mut covered = Self::default();
        for component in components {
            if let ComponentName::Field(name) = component.name()
                && name == "signature"
                && !component.has(&ComponentParam::Req)
            {
                covered.signature = true;
            }
            if !component.params().is_empty() {
                continue;
            }
            match component.name() {
                ComponentName::Method => covered.method = true,
                ComponentName::Authority => covered.authority = true,
                ComponentName::TargetUri => covered.target_uri = true,
                ComponentName::Path => covered.path = true,
                ComponentName::Query => covered.query = true,
                ComponentName::Field(name) => match name.as_ref() {
                    "content-digest" => covered.digest = true,
                    "content-type" => covered.content_type = true,
                    "authorization" => covered.authorization = true,
                    VERSION_HEADER => covered.version = true,
                    EXTENSIONS_HEADER => covered.extensions = true,
                    _ => {}
                },
                ComponentName::Scheme
                | ComponentName::RequestTarget
                | ComponentName::QueryParam
                | ComponentName::Status => {}
            }
        }
        covered
    }

    pub(super) fn check(
        self,
        needs: &Needs,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<(), SignatureError> {
        let host = self.authority || self.target_uri;
        let (host, method, path, query) = match needs.target {
            Target::Any => (true, true, true, true),
            Target::Host => (host, true, true, true),
            Target::Whole => (
                host,
                self.method,
                self.path || self.target_uri,
                self.query || self.target_uri,
            ),
        };
        if needs.body && !body.is_empty() && !headers.contains_key(CONTENT_DIGEST) {
            return Err(SignatureError::DigestMissing { len: body.len() });
        }
        // Web Bot Auth: a signature of a signature is easily taken for consent to it.
        if self.signature && needs.agent != Agent::Any {
            return Err(SignatureError::ComponentRefused {
                component: "\"signature\"".to_owned(),
                rule: "this profile does not sign other signatures",
            });
        }
        let present =
            |name: HeaderName, covered| !needs.fields || covered || !headers.contains_key(name);
        let wanted = [
            (method, "\"@method\""),
            (host, "\"@authority\" or \"@target-uri\""),
            (path, "\"@path\" or \"@target-uri\""),
            (query, "\"@query\" or \"@target-uri\""),
            (
                !needs.body || body.is_empty() || self.digest,
                "\"content-digest\"",
            ),
            (present(CONTENT_TYPE, self.content_type), "\"content-type\""),
            (
                present(AUTHORIZATION, self.authorization),
                "\"authorization\"",
            ),
            // What says how the request is to be understood is part of it (A2A §3.6.1).
            (present(VERSION, self.version), "\"a2a-version\""),
            (present(EXTENSIONS, self.extensions), "\"a2a-extensions\""),
        ];
        match wanted.iter().find(|(met, _)| !met) {
            Some((_, component)) => Err(SignatureError::ComponentMissing { component }),
            None => Ok(()),
        }
    }
}
