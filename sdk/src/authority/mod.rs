//! The embedded authority for development.
