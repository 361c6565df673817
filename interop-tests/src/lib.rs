//! Foreign peers and the matrix of what works with what.
