//! Calling other agents.
