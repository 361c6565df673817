//! Digests, random numbers, comparison in constant time.

use aws_lc_rs::{constant_time, digest, rand};

/// SHA-256 of `data`.
pub fn sha256(data: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, data).as_ref());
    out
}

/// SHA-384 of `data`.
pub fn sha384(data: &[u8]) -> [u8; 48] {
    let mut out = [0; 48];
    out.copy_from_slice(digest::digest(&digest::SHA384, data).as_ref());
    out
}

/// SHA-512 of `data`.
pub fn sha512(data: &[u8]) -> [u8; 64] {
    let mut out = [0; 64];
    out.copy_from_slice(digest::digest(&digest::SHA512, data).as_ref());
    out
}

/// Fills `to` with bytes nobody can guess.
///
/// # Panics
/// When the operating system has no randomness to give; going on without would be worse.
pub fn fill_random(to: &mut [u8]) {
    if rand::fill(to).is_err() {
        panic!("the operating system gives no random bytes");
    }
}

/// `N` bytes nobody can guess.
///
/// # Panics
/// As [`fill_random`].
pub fn random<const N: usize>() -> [u8; N] {
    let mut out = [0; N];
    fill_random(&mut out);
    out
}

/// Whether two byte strings are equal, in a time that tells nothing of where they differ.
pub fn same_bytes(a: &[u8], b: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(a, b).is_ok()
}
