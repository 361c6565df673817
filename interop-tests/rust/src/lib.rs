//! Signature libraries of others in Rust, against ours: see `tests`, and `benches` for their speed.
