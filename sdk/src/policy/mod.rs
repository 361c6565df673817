//! Who may do what, for whom.
