//! Whether a signature covers what its profile wants.

use std::borrow::Cow;

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName};

use super::component::{ComponentId, ComponentParam};
use super::component_name::ComponentName;
use super::error::SignatureError;
use super::rules::{FieldSet, Needs, Target};
use super::sign::CONTENT_DIGEST;
use crate::a2a::{EXTENSIONS_HEADER, VERSION_HEADER};

const VERSION: HeaderName = HeaderName::from_static(VERSION_HEADER);
const EXTENSIONS: HeaderName = HeaderName::from_static(EXTENSIONS_HEADER);
const TXN_TOKEN: HeaderName = HeaderName::from_static("txn-token");
const WORKLOAD_TOKEN: HeaderName = HeaderName::from_static("workload-identity-token");

/// The fields that profiles know by name. What says how a request is to be understood is part of
/// it (A2A §3.6.1).
static KNOWN: [(FieldSet, HeaderName, &str); 7] = [
    (FieldSet::CONTENT_TYPE, CONTENT_TYPE, "\"content-type\""),
    (FieldSet::AUTHORIZATION, AUTHORIZATION, "\"authorization\""),
    (FieldSet::VERSION, VERSION, "\"a2a-version\""),
    (FieldSet::EXTENSIONS, EXTENSIONS, "\"a2a-extensions\""),
    (FieldSet::DIGEST, CONTENT_DIGEST, "\"content-digest\""),
    (FieldSet::TXN_TOKEN, TXN_TOKEN, "\"txn-token\""),
    (
        FieldSet::WORKLOAD_TOKEN,
        WORKLOAD_TOKEN,
        "\"workload-identity-token\"",
    ),
];

/// What stands among the components, each without parameters.
#[derive(Clone, Copy, Default)]
pub(super) struct Covered {
    method: bool,
    authority: bool,
    target_uri: bool,
    request_target: bool,
    path: bool,
    query: bool,
    fields: FieldSet,
    /// Another signature of the same message.
    pub(super) signature: bool,
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
                ComponentName::RequestTarget => covered.request_target = true,
                ComponentName::Path => covered.path = true,
                ComponentName::Query => covered.query = true,
                ComponentName::Field(name) => covered.add_field(name),
                ComponentName::Scheme | ComponentName::QueryParam | ComponentName::Status => {}
            }
        }
        covered
    }

    fn add_field(&mut self, name: &str) {
        let field = match name {
            "content-digest" => FieldSet::DIGEST,
            "content-type" => FieldSet::CONTENT_TYPE,
            "authorization" => FieldSet::AUTHORIZATION,
            VERSION_HEADER => FieldSet::VERSION,
            EXTENSIONS_HEADER => FieldSet::EXTENSIONS,
            "txn-token" => FieldSet::TXN_TOKEN,
            "workload-identity-token" => FieldSet::WORKLOAD_TOKEN,
            _ => return,
        };
        self.fields = self.fields.and(field);
    }

    /// Whether the body's digest is covered.
    pub(super) fn digest(self) -> bool {
        self.fields.has(FieldSet::DIGEST)
    }

    /// `body` is its length, when it has come.
    pub(super) fn check(
        self,
        needs: &Needs,
        components: &[ComponentId<'_>],
        headers: &HeaderMap,
        body: Option<usize>,
    ) -> Result<(), SignatureError> {
        // What has not come yet must be covered like what is there.
        let wanted = needs.body && body != Some(0);
        if let Some(len) = body
            && wanted
            && !headers.contains_key(CONTENT_DIGEST)
        {
            return Err(SignatureError::DigestMissing { len });
        }
        self.check_target(needs.target)?;
        if wanted && !self.digest() {
            return Err(missing("\"content-digest\""));
        }
        for (field, name, component) in &KNOWN {
            let wanted = needs.fields.has(*field) && !self.fields.has(*field);
            if wanted && headers.contains_key(name) {
                return Err(missing(component));
            }
        }
        for wanted in &needs.always {
            if !components.iter().any(|id| id.same_as(wanted)) {
                return Err(named(wanted.to_string()));
            }
        }
        for name in &needs.present {
            let plain = |id: &ComponentId<'_>| {
                id.params().is_empty() && id.name().as_str() == name.as_str()
            };
            if headers.contains_key(name) && !components.iter().any(plain) {
                return Err(named(format!("\"{name}\"")));
            }
        }
        Ok(())
    }

    fn check_target(self, target: Target) -> Result<(), SignatureError> {
        let host = self.authority || self.target_uri;
        let (host, method, path, query, request_target) = match target {
            Target::Any => (true, true, true, true, true),
            Target::Host => (host, true, true, true, true),
            Target::Whole => (
                host,
                self.method,
                self.path || self.target_uri,
                self.query || self.target_uri,
                true,
            ),
            Target::Line => (true, self.method, true, true, self.request_target),
        };
        let wanted = [
            (method, "\"@method\""),
            (host, "\"@authority\" or \"@target-uri\""),
            (path, "\"@path\" or \"@target-uri\""),
            (query, "\"@query\" or \"@target-uri\""),
            (request_target, "\"@request-target\""),
        ];
        match wanted.iter().find(|(met, _)| !met) {
            Some((_, component)) => Err(missing(component)),
            None => Ok(()),
        }
    }
}

const fn missing(component: &'static str) -> SignatureError {
    SignatureError::ComponentMissing {
        component: Cow::Borrowed(component),
    }
}

const fn named(component: String) -> SignatureError {
    SignatureError::ComponentMissing {
        component: Cow::Owned(component),
    }
}
