//! Prints how often each library asks for memory: a line with two numbers for each, in their order.
//! A program of its own, so that what counts does not slow down what is measured.

use allocation_counter::measure;
use countersign::crypto::{Algorithm, SigningKey};
use countersign_rust_benches::{Raw, libraries, request};

fn main() {
    let key = SigningKey::generate(Algorithm::Ed25519).expect("a key");
    let libraries = libraries(&key);
    let raw = Raw::new(&key, libraries[0].sign(request()));
    let signing = measure(|| drop(raw.sign())).count_total;
    println!("{signing} {}", measure(|| raw.verify()).count_total);
    for library in libraries {
        // What is made once for all is there after the first time.
        let signed = library.sign(request());
        assert!(library.verify(signed.clone()).1);
        let (fresh, again) = (request(), signed.clone());
        let signing = measure(|| drop(library.sign(fresh))).count_total;
        let verifying = measure(|| drop(library.verify(again))).count_total;
        println!("{signing} {verifying}");
    }
}
