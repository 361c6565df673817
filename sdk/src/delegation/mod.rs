//! Through whom: the act chain.
