//! Digest fields: the first line is the field, the rest is the body.
#![no_main]

use countersign::httpsig::{content_digest, verify_content_digest};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let end = text.iter().position(|byte| *byte == b'\n');
    let (field, body) = end.map_or((text, &[][..]), |at| (&text[..at], &text[at + 1..]));
    let Ok(field) = std::str::from_utf8(field) else {
        return;
    };
    let other = [body, b"."].concat();
    if verify_content_digest(field, body).is_ok() {
        assert!(
            verify_content_digest(field, &other).is_err(),
            "two bodies, one digest"
        );
    }
    let own = content_digest(body);
    assert_eq!(verify_content_digest(&own, body), Ok(()));
    assert!(
        verify_content_digest(&own, &other).is_err(),
        "two bodies, one digest"
    );
});
