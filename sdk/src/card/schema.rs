//! Which field of a card has which kind and presence in `a2a.proto`: what the canonical form
//! (A2A §8.4.1) and the lint both go by.

/// When a field counts as there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Presence {
    /// `REQUIRED`: kept, whatever its value.
    Required,
    /// `optional`, or of a message type: kept when it is there.
    Explicit,
    /// Neither: a default value is the same as an absent one.
    Implicit,
}

/// What a field holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Text,
    Bool,
    Texts,
    TextMap,
    /// google.protobuf.Struct: nothing inside is a field of the proto.
    Struct,
    Message(&'static [Field]),
    Messages(&'static [Field]),
    MessageMap(&'static [Field]),
}

/// One field, under its JSON name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) presence: Presence,
    pub(super) kind: Kind,
}

const fn field(name: &'static str, presence: Presence, kind: Kind) -> Field {
    Field {
        name,
        presence,
        kind,
    }
}

use Kind::{Bool, Message, MessageMap, Messages, Struct, Text, TextMap, Texts};
use Presence::{Explicit, Implicit, Required};

/// The field of this name, when the proto has one.
pub(super) fn find(fields: &'static [Field], name: &str) -> Option<&'static Field> {
    fields.iter().find(|field| field.name == name)
}

/// `AgentCard`, without `signatures`.
pub(super) const CARD: &[Field] = &[
    field("name", Required, Text),
    field("description", Required, Text),
    field("supportedInterfaces", Required, Messages(INTERFACE)),
    field("provider", Explicit, Message(PROVIDER)),
    field("version", Required, Text),
    field("documentationUrl", Explicit, Text),
    field("capabilities", Required, Message(CAPABILITIES)),
    field("securitySchemes", Implicit, MessageMap(SCHEME)),
    field("securityRequirements", Implicit, Messages(REQUIREMENT)),
    field("defaultInputModes", Required, Texts),
    field("defaultOutputModes", Required, Texts),
    field("skills", Required, Messages(SKILL)),
    field("iconUrl", Explicit, Text),
];

const INTERFACE: &[Field] = &[
    field("url", Required, Text),
    field("protocolBinding", Required, Text),
    field("tenant", Implicit, Text),
    field("protocolVersion", Required, Text),
];

const PROVIDER: &[Field] = &[
    field("url", Required, Text),
    field("organization", Required, Text),
];

const CAPABILITIES: &[Field] = &[
    field("streaming", Explicit, Bool),
    field("pushNotifications", Explicit, Bool),
    field("extensions", Implicit, Messages(EXTENSION)),
    field("extendedAgentCard", Explicit, Bool),
];

const EXTENSION: &[Field] = &[
    field("uri", Implicit, Text),
    field("description", Implicit, Text),
    field("required", Implicit, Bool),
    field("params", Explicit, Struct),
];

const SKILL: &[Field] = &[
    field("id", Required, Text),
    field("name", Required, Text),
    field("description", Required, Text),
    field("tags", Required, Texts),
    field("examples", Implicit, Texts),
    field("inputModes", Implicit, Texts),
    field("outputModes", Implicit, Texts),
    field("securityRequirements", Implicit, Messages(REQUIREMENT)),
];

const REQUIREMENT: &[Field] = &[field("schemes", Implicit, MessageMap(LIST))];

const LIST: &[Field] = &[field("list", Implicit, Texts)];

// Members of a oneof have presence (proto3), so an empty one is not a default.
const SCHEME: &[Field] = &[
    field("apiKeySecurityScheme", Explicit, Message(API_KEY)),
    field("httpAuthSecurityScheme", Explicit, Message(HTTP_AUTH)),
    field("oauth2SecurityScheme", Explicit, Message(OAUTH2)),
    field("openIdConnectSecurityScheme", Explicit, Message(OPEN_ID)),
    field("mtlsSecurityScheme", Explicit, Message(MTLS)),
];

const API_KEY: &[Field] = &[
    field("description", Implicit, Text),
    field("location", Required, Text),
    field("name", Required, Text),
];

const HTTP_AUTH: &[Field] = &[
    field("description", Implicit, Text),
    field("scheme", Required, Text),
    field("bearerFormat", Implicit, Text),
];

const OAUTH2: &[Field] = &[
    field("description", Implicit, Text),
    field("flows", Required, Message(FLOWS)),
    field("oauth2MetadataUrl", Implicit, Text),
];

const OPEN_ID: &[Field] = &[
    field("description", Implicit, Text),
    field("openIdConnectUrl", Required, Text),
];

const MTLS: &[Field] = &[field("description", Implicit, Text)];

const FLOWS: &[Field] = &[
    field("authorizationCode", Explicit, Message(AUTHORIZATION_CODE)),
    field("clientCredentials", Explicit, Message(CLIENT_CREDENTIALS)),
    field("implicit", Explicit, Message(IMPLICIT)),
    field("password", Explicit, Message(PASSWORD)),
    field("deviceCode", Explicit, Message(DEVICE_CODE)),
];

const AUTHORIZATION_CODE: &[Field] = &[
    field("authorizationUrl", Required, Text),
    field("tokenUrl", Required, Text),
    field("refreshUrl", Implicit, Text),
    field("scopes", Required, TextMap),
    field("pkceRequired", Implicit, Bool),
];

const CLIENT_CREDENTIALS: &[Field] = &[
    field("tokenUrl", Required, Text),
    field("refreshUrl", Implicit, Text),
    field("scopes", Required, TextMap),
];

const IMPLICIT: &[Field] = &[
    field("authorizationUrl", Implicit, Text),
    field("refreshUrl", Implicit, Text),
    field("scopes", Implicit, TextMap),
];

const PASSWORD: &[Field] = &[
    field("tokenUrl", Implicit, Text),
    field("refreshUrl", Implicit, Text),
    field("scopes", Implicit, TextMap),
];

const DEVICE_CODE: &[Field] = &[
    field("deviceAuthorizationUrl", Required, Text),
    field("tokenUrl", Required, Text),
    field("refreshUrl", Implicit, Text),
    field("scopes", Required, TextMap),
];
