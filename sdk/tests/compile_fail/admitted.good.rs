use countersign::audit::{Admitted, AuditError, AuditLog, Context, Record, admit};
use countersign::policy::Permit;

pub fn act(
    permit: Permit,
    _record: Record,
    log: &dyn AuditLog,
    context: Context,
) -> Result<Admitted, AuditError> {
    admit(permit, log, context)
}
