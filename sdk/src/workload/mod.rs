//! Where an agent's certificate comes from.
