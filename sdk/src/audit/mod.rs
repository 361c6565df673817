//! Records that cannot be quietly changed.
