//! Asking for tokens.
