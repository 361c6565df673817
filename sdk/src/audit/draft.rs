//! A record before it has its place in the chain.

use super::{
    AccessMode, AuditError, Decision, Head, Named, Record, RecordHash, SignatureEvidence, Text,
    TokenEvidence, TraceId,
};
use crate::clock::UnixTime;
use crate::delegation::{ActChain, Caller, Principal};
use crate::id::SpiffeId;
use crate::policy::Action;
use crate::svid::PeerIdentity;

/// Who records, when, and what the record belongs to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Context {
    /// Who records.
    pub service: SpiffeId,
    /// When.
    pub time: UnixTime,
    /// The trace of the call.
    pub trace_id: TraceId,
    /// The task the call is about, when it is known.
    pub task_id: Option<String>,
}

impl Context {
    /// A context about no task.
    pub const fn new(service: SpiffeId, time: UnixTime, trace_id: TraceId) -> Self {
        Self {
            service,
            time,
            trace_id,
            task_id: None,
        }
    }

    /// About this task.
    #[must_use]
    pub fn with_task(mut self, task_id: impl Into<String>) -> Self {
        self.task_id = Some(task_id.into());
        self
    }
}

/// What is to be recorded; the log gives it its number and its links.
///
/// ```
/// use countersign::audit::{AuditLog, Context, Decision, Draft, MemoryLog, TraceId};
/// use countersign::clock::UnixTime;
/// let authority = "spiffe://travel.example/authority".parse()?;
/// let context = Context::new(authority, UnixTime::from_secs(1_800_000_000), TraceId::fresh());
/// let draft = Draft::new(context, "certificate", Decision::Refused).reason("authority.code_used");
/// let record = MemoryLog::default().append(draft)?;
/// assert_eq!(
///     record.to_string(),
///     "authority: an unproved caller requested a certificate: refused (authority.code_used)"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Draft(Record);

/// `,"hash":"` and what stands around the digits at the end of a line.
pub(super) const HASH_OPEN: &[u8] = b",\"hash\":\"";
pub(super) const HASH_CLOSE: &[u8] = b"\"}";

impl Draft {
    /// A record of `event` that says no more than how it was decided.
    pub fn new(context: Context, event: &str, decision: Decision) -> Self {
        Self(Record {
            access_mode: None,
            actor: None,
            chain: Vec::new(),
            decision,
            detail: None,
            event: event.into(),
            operation: None,
            peer_certificate: None,
            prev: RecordHash::default(),
            reason: None,
            rule: None,
            seq: 0,
            service: context.service,
            signature: None,
            skill: None,
            subject: None,
            task_id: context.task_id.map(Text::from),
            time: context.time,
            token: None,
            trace_id: context.trace_id,
            hash: RecordHash::default(),
        })
    }

    /// With all that is proved about the caller.
    #[must_use]
    pub fn caller(mut self, caller: &Caller) -> Self {
        self.0.access_mode = Some(if caller.principal().is_user() {
            AccessMode::Delegated
        } else {
            AccessMode::AppOnly
        });
        self.0.subject = match caller.principal() {
            Principal::User { issuer, subject } | Principal::Agent { issuer, subject } => {
                Some(Named::new(issuer, subject))
            }
            Principal::App => None,
        };
        let actors = caller.chain().into_iter().flat_map(ActChain::iter);
        self.0.chain = actors.map(Named::from).collect();
        self.peer(caller.peer())
            .signature(caller.request().into())
            .token(caller.token().claims().as_ref().into())
    }

    /// With the peer of the connection.
    #[must_use]
    pub fn peer(mut self, peer: &PeerIdentity) -> Self {
        self.0.actor = Some(peer.id().clone());
        self.0.peer_certificate = Some(peer.certificate());
        self
    }

    /// With the signature of the request.
    #[must_use]
    pub fn signature(mut self, signature: SignatureEvidence) -> Self {
        self.0.signature = Some(signature);
        self
    }

    /// With the token that was presented or issued.
    #[must_use]
    pub fn token(mut self, token: TokenEvidence) -> Self {
        self.0.token = Some(token);
        self
    }

    /// With the one for whom the agent acts.
    #[must_use]
    pub fn subject(mut self, subject: Named) -> Self {
        self.0.subject = Some(subject);
        self
    }

    /// With the actors of a token, newest first.
    #[must_use]
    pub fn chain(mut self, chain: &ActChain) -> Self {
        self.0.chain = chain.iter().map(Named::from).collect();
        self
    }

    /// With what was asked for.
    #[must_use]
    pub fn action(mut self, action: &Action) -> Self {
        self.0.operation = Some(action.operation);
        self.0.skill = action.skill.as_deref().map(Text::from);
        self
    }

    /// With the fixed word of a refusal.
    #[must_use]
    pub fn reason(mut self, reason: &str) -> Self {
        self.0.reason = Some(reason.into());
        self
    }

    /// With the reason at length.
    #[must_use]
    pub fn detail(mut self, detail: &str) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// With the rule that decided.
    #[must_use]
    pub fn rule(mut self, rule: &str) -> Self {
        self.0.rule = Some(rule.into());
        self
    }

    pub(super) fn is_refusal(&self) -> bool {
        self.0.is_refusal()
    }

    /// The record that comes after `head`, and its line with the line feed: for a log to store.
    ///
    /// # Errors
    /// [`AuditError::Encode`].
    pub fn seal(self, head: &Head) -> Result<(Record, Vec<u8>), AuditError> {
        let mut record = self.0;
        record.seq = head.seq + 1;
        record.prev = head.hash;
        // The hash is still zero and stands last: behind the members it is made from.
        let mut line = Vec::with_capacity(2 << 10);
        serde_json::to_writer(&mut line, &record).map_err(AuditError::Encode)?;
        let tail = HASH_OPEN.len() + RecordHash::DIGITS + HASH_CLOSE.len();
        line.truncate(line.len() - tail);
        line.push(b'}');
        record.hash = RecordHash::of(&line);
        line.pop();
        line.extend_from_slice(HASH_OPEN);
        line.extend_from_slice(&record.hash.digits());
        line.extend_from_slice(HASH_CLOSE);
        line.push(b'\n');
        Ok((record, line))
    }
}

impl Record {
    /// Where the chain stands after this record.
    pub const fn head(&self) -> Head {
        Head {
            seq: self.seq,
            hash: self.hash,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{context, draft};
    use super::super::verify::{MAX_LINE, read_record};
    use super::super::{AuditLog as _, MemoryLog};
    use super::*;
    use crate::a2a::Operation;
    use crate::delegation::testing::{act, delegated};
    use crate::delegation::{ChainLimits, caller};
    use crate::jose::canonicalize;
    use crate::token::testing::{BOOKING, World};

    fn full() -> Draft {
        let action = Action::new(Operation::SendMessage).with_skill("charge \"1\" \\ €");
        Draft::new(context().with_task("task-1"), "call", Decision::Refused)
            .caller(&delegated("payments.charge payments.read"))
            .action(&action)
            .reason("policy.no_rule")
            .detail("line\nfeed and \u{1b}[31m")
            .rule("roles.booker")
    }

    #[test]
    fn an_event_has_its_article() {
        for (event, want) in [
            ("login", "requested a login"),
            ("enrolment", "requested an enrolment"),
        ] {
            let draft = Draft::new(context(), event, Decision::Permitted);
            let record = MemoryLog::default().append(draft);
            let text = record.expect("stored").to_string();
            assert!(text.contains(want), "{text}");
        }
    }

    #[test]
    fn a_line_without_its_hash_is_in_canonical_form() {
        for draft in [full(), draft("little")] {
            let (record, line) = draft.seal(&Head::default()).expect("sealed");
            let text = line.strip_suffix(b"\n").expect("a line");
            let mut value: Value = serde_json::from_slice(text).expect("JSON");
            let members = value.as_object_mut().expect("an object");
            let hash = members.remove("hash").expect("a hash");
            let canonical = canonicalize(&value).expect("canonical");
            assert!(text.starts_with(&canonical[..canonical.len() - 1]));
            assert_eq!(hash, json!(RecordHash::of(&canonical)));
            assert_eq!(hash, json!(record.hash));
        }
    }

    #[test]
    fn a_record_reads_back_from_its_line() {
        let head = Head {
            seq: 41,
            hash: RecordHash::of(b"before"),
        };
        let (record, line) = full().seal(&head).expect("sealed");
        assert_eq!(record.seq, 42);
        assert_eq!(record.prev, head.hash);
        let line = line.strip_suffix(b"\n").expect("a line");
        assert!(!line.contains(&b'\n'));
        assert_eq!(read_record(line), Some(record));
    }

    #[test]
    fn a_full_record_holds_every_proof() {
        let (record, line) = full().seal(&Head::default()).expect("sealed");
        let world = World::good();
        assert_eq!(record.actor.as_ref().map(SpiffeId::as_str), Some(BOOKING));
        assert_eq!(record.access_mode, Some(AccessMode::Delegated));
        assert_eq!(record.chain.len(), 3);
        assert_eq!(record.peer_certificate, Some(world.peer.certificate()));
        assert_eq!(record.subject.map(|s| s.sub), Some("alice".into()));
        let token = record.token.expect("a token");
        assert_eq!(token.id.as_str(), "token-1");
        assert_eq!(token.scopes.as_str(), "payments.charge payments.read");
        assert_eq!(record.signature.map(|s| s.label), Some("sig1".into()));
        assert_eq!(record.task_id, Some("task-1".into()));
        assert_eq!(
            record.detail,
            Some("line\u{fffd}feed and \u{fffd}[31m".into())
        );
        assert!(!line.contains(&0x1b));
    }

    #[test]
    fn the_largest_record_fits_a_line() {
        let long = "\u{10348}".repeat(600);
        let actors: Vec<_> = (0..15).map(|i| format!("{i}{long}")).collect();
        let mut chain = vec![BOOKING];
        chain.extend(actors[..2].iter().map(String::as_str));
        let mut world = World::good();
        world.claims["act"] = act(&chain);
        let token = world.check().expect("a good token");
        let request = crate::delegation::testing::signed_by(&world, &world.peer);
        let caller = caller(token, request, ChainLimits::default()).expect("a caller");
        let id = format!("spiffe://a.test/{}", "p".repeat(2048 - 16));
        let service: SpiffeId = id.parse().expect("a SPIFFE ID");
        let context = Context {
            service,
            ..context().with_task(long.as_str())
        };
        let named = Named::new(&long, &long);
        let mut draft = Draft::new(context, &long, Decision::Permitted)
            .caller(&caller)
            .action(&Action::new(Operation::DeleteTaskPushNotificationConfig).with_skill(&long))
            .subject(named.clone())
            .token(TokenEvidence {
                client_id: long.as_str().into(),
                id: long.as_str().into(),
                issuer: long.as_str().into(),
                scopes: long.as_str().into(),
            })
            .reason(&long)
            .detail(&long)
            .rule(&long);
        draft.0.actor = id.parse().ok();
        draft.0.chain = vec![named; ChainLimits::HARD_MAX];
        let head = Head {
            seq: u64::MAX - 1,
            hash: RecordHash::default(),
        };
        let (record, line) = draft.seal(&head).expect("sealed");
        assert!(line.len() <= MAX_LINE, "{}", line.len());
        assert_eq!(read_record(&line[..line.len() - 1]), Some(record));
    }
}
