//! Registries of signature agents.
#![no_main]

use countersign::httpsig::signature_agent::{Registry, RegistryRule};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    if let Ok((registry, _)) = Registry::read(text) {
        let (again, warnings) =
            Registry::read(registry.to_text().as_bytes()).expect("what we write");
        assert_eq!(again, registry);
        for warning in warnings {
            assert_eq!(warning.rule, RegistryRule::Data);
        }
    }
});
