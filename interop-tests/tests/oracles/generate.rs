//! Messages made by chance, the same for the same seed.

use crate::message::{Fields, Message, Response};

/// SplitMix64: every seed gives another sequence, and the same on every machine.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    fn below(&mut self, end: usize) -> usize {
        // The remainder's slight lean to small numbers is of no matter here.
        usize::try_from(self.next() % end as u64).unwrap_or(0)
    }

    /// Once in `times`.
    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn one_of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }
}

const METHODS: [&str; 6] = ["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"];

const ORIGINS: [&str; 8] = [
    "https://example.com",
    "https://EXAMPLE.com",
    "https://example.com:443",
    "https://example.com:8443",
    "http://example.com",
    "http://example.com:80",
    "http://example.com:443",
    "https://192.0.2.1:8443",
];

const TARGETS: [&str; 16] = [
    "/",
    "/a",
    "/a/b",
    "/a//b/",
    "/a%2Fb",
    "/a%2fb",
    "/~user",
    "/a;b=c",
    "/?",
    "/a?",
    "/a?x=1",
    "/a?x=1&y=2",
    "/a?x=1&x=2",
    "/a?x=a+b&y=a%20b",
    "/a?x=%C3%A4&y=%c3%a4",
    "/a?x&y=&z=a=b",
];

const FIELDS: [(&str, &str); 22] = [
    ("content-type", "application/json"),
    ("Content-Type", "text/plain; charset=utf-8"),
    ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
    ("x-empty", ""),
    ("x-blank", " \t "),
    ("x-spaces", "  one  two  "),
    ("x-lines", "one"),
    ("x-lines", "two"),
    ("x-lines", " three "),
    ("x-lines", ""),
    ("X-Upper", "Value"),
    ("x-tab", "a\tb"),
    ("x-quoted", "\"a, b\""),
    ("cache-control", "max-age=60,   must-revalidate"),
    ("x-dict", "a=1, b=2;x=1;y=2, c=(a b c), d"),
    ("x-dict", "e=\"text\", a=3"),
    ("x-dict", "f=:AAEC:, g=?0, h=1.50, i=tok"),
    ("signature-agent", "sig1=\"https://agent.example\""),
    (
        "signature-agent",
        "other=\"https://agent.example/b\";type=x",
    ),
    (
        "content-digest",
        "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:",
    ),
    ("priority", "u=1,   i"),
    ("x-broken", "a=, b"),
];

const COMPONENTS: [&str; 62] = [
    "\"@method\"",
    "\"@authority\"",
    "\"@scheme\"",
    "\"@target-uri\"",
    "\"@request-target\"",
    "\"@path\"",
    "\"@query\"",
    "\"@method\"",
    "\"@authority\"",
    "\"@path\"",
    "\"@query\"",
    "\"@query-param\";name=\"x\"",
    "\"@query-param\";name=\"y\"",
    "\"@query-param\";name=\"z\"",
    "\"@query-param\";name=\"none\"",
    "\"@query-param\"",
    "\"@status\"",
    "\"@status\"",
    "\"@method\";req",
    "\"@authority\";req",
    "\"@path\";req",
    "\"@query\";req",
    "\"@target-uri\";req",
    "\"@query-param\";name=\"x\";req",
    "\"@query-param\";req;name=\"x\"",
    "\"@status\";req",
    "\"@unknown\"",
    "\"@signature-params\"",
    "\"content-type\"",
    "\"content-type\"",
    "\"content-type\";req",
    "\"date\"",
    "\"x-empty\"",
    "\"x-blank\"",
    "\"x-spaces\"",
    "\"x-lines\"",
    "\"x-lines\";bs",
    "\"x-lines\";bs;req",
    "\"x-upper\"",
    "\"X-Upper\"",
    "\"x-tab\"",
    "\"x-quoted\"",
    "\"x-absent\"",
    "\"x-absent\";bs",
    "\"x-absent\";key=\"a\"",
    "\"cache-control\"",
    "\"cache-control\";bs",
    "\"x-dict\"",
    "\"x-dict\";key=\"a\"",
    "\"x-dict\";key=\"b\"",
    "\"x-dict\";key=\"c\"",
    "\"x-dict\";key=\"d\"",
    "\"x-dict\";key=\"h\"",
    "\"x-dict\";key=\"zz\"",
    "\"signature-agent\";key=\"sig1\"",
    "\"signature-agent\";key=\"other\"",
    "\"content-digest\"",
    "\"content-digest\";sf",
    "\"priority\";sf",
    "\"x-broken\";key=\"a\"",
    "\"x-spaces\";bs;key=\"a\"",
    "\"x-spaces\";unknown",
];

/// Long past, and long to come: no side's clock counts.
const PARAMS: [&str; 7] = [
    "created=1735689600",
    "expires=4102444800",
    "nonce=\"n\\\"o\\\\nce\"",
    "alg=\"ed25519\"",
    "tag=\"web-bot-auth\"",
    "x-flag",
    "x-number=7",
];

/// One message with one signature's `Signature-Input`, and the member in it without its label.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) message: Message,
    pub(crate) member: String,
}

impl Case {
    pub(crate) fn by(chance: &mut Chance) -> Self {
        let mut message = Message {
            method: chance.one_of(&METHODS).to_owned(),
            origin: chance.one_of(&ORIGINS).to_owned(),
            target: chance.one_of(&TARGETS).to_owned(),
            fields: some_fields(chance),
            response: None,
        };
        if chance.once_in(4) {
            message.response = Some(Response {
                status: 200 + u16::from(chance.next().to_le_bytes()[0]),
                fields: some_fields(chance),
            });
        }
        let member = format!("({}){}", some_components(chance), some_params(chance));
        let input = format!("sig1={member}");
        let fields = message.own_fields();
        fields.push(("signature-input".to_owned(), input));
        fields.push(("signature".to_owned(), "sig1=:AAAA:".to_owned()));
        Self { message, member }
    }
}

/// Each field or not, in their order.
fn some_fields(chance: &mut Chance) -> Fields {
    let taken = FIELDS.iter().filter(|_| !chance.once_in(3));
    taken
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn some_components(chance: &mut Chance) -> String {
    let count = chance.below(5);
    let mut list: Vec<&str> = Vec::new();
    while list.len() < count {
        let one = chance.one_of(&COMPONENTS);
        // The same twice is wanted, but rarely: it spoils the rest.
        if !list.contains(&one) || chance.once_in(8) {
            list.push(one);
        }
    }
    list.join(" ")
}

/// The key's name and some other parameters, each once, in any order.
fn some_params(chance: &mut Chance) -> String {
    let mut left = PARAMS.to_vec();
    if !chance.once_in(16) {
        left.truncate(5);
    }
    let mut taken = vec!["keyid=\"key\""];
    while !left.is_empty() && !chance.once_in(6) {
        let param = left.swap_remove(chance.below(left.len()));
        taken.insert(chance.below(taken.len() + 1), param);
    }
    taken.iter().map(|param| format!(";{param}")).collect()
}
