//! HTTP message signatures (RFC 9421), digests (RFC 9530), replay, key directory.
