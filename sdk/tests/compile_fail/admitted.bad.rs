//~ E0451
use countersign::audit::{Admitted, AuditError, AuditLog, Context, Record};
use countersign::policy::Permit;

pub fn act(
    permit: Permit,
    record: Record,
    _log: &dyn AuditLog,
    _context: Context,
) -> Result<Admitted, AuditError> {
    Ok(Admitted { permit, record })
}
