//! Being called.
