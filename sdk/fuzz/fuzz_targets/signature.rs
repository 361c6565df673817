//! `Signature-Input`, `Signature`, `Signature-Agent` and `Accept-Signature` of any message.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| countersign_fuzz::signatures(text));
