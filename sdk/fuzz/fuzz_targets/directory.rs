//! Key directories of strangers, read strictly and with every tolerance.
#![no_main]

use countersign::clock::UnixTime;
use countersign::httpsig::HttpKeySet;
use countersign::httpsig::directory::{
    Directory, DirectoryWarning, Divergence, Reading, Tolerance, document,
};
use libfuzzer_sys::fuzz_target;

const NOW: UnixTime = UnixTime::from_secs(1_735_690_000);

fuzz_target!(|body: &[u8]| {
    let tolerant = [Tolerance::Kid, Tolerance::BareJwk, Tolerance::Milliseconds]
        .into_iter()
        .fold(Reading::default(), Reading::tolerate);
    let strict = Directory::parse(body).ok();
    for reading in [tolerant.clone(), tolerant.elsewhere()] {
        let Ok(directory) = reading.read(body) else {
            assert!(
                strict.is_none(),
                "strict reading takes more than tolerant reading"
            );
            continue;
        };
        assert!(directory.len() <= 64, "more keys than are read");
        let usable: Vec<_> = directory.keys_at(NOW).collect();
        let again = Directory::parse(&document(usable.iter().copied())).expect("what we publish");
        assert_eq!(again.len(), usable.len());
        // Only of RSA keys for rsa-v1_5-sha256 we say what they are for.
        let warned = |warning: &DirectoryWarning| warning.divergence == Divergence::AlgJose;
        assert!(
            again.warnings().iter().all(warned),
            "we publish what we warn of"
        );
        for key in usable {
            assert_eq!(again.key(key.thumbprint(), NOW), Some(key));
        }
        let strictly = strict.iter().flat_map(|strict| strict.keys_at(NOW));
        for key in strictly {
            assert!(
                directory.key(key.thumbprint(), NOW).is_some(),
                "lost by tolerance"
            );
        }
    }
    let _ = HttpKeySet::from_json(body);
});
