//! Connections that prove both ends.
