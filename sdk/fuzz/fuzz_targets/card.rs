//! Signature agent cards: the first line is the URL that the card was fetched from.
#![no_main]

use countersign::httpsig::signature_agent::SignatureAgentCard;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let end = text.iter().position(|byte| *byte == b'\n');
    let (url, body) = end.map_or((text, &[][..]), |at| (&text[..at], &text[at + 1..]));
    let Ok(url) = std::str::from_utf8(url) else {
        return;
    };
    if let Ok((card, _)) = SignatureAgentCard::read(body, url) {
        let again = SignatureAgentCard::read(&card.to_bytes(), url);
        assert_eq!(again.expect("what we write").0, card);
    }
});
