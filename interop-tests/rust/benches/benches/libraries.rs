//! What a signature and its verification cost in each library, and in aws-lc-rs alone: medians of
//! small batches that take turns, and allocations. `cargo bench` in `interop-tests/rust`.

use std::hint::black_box;
use std::process::Command;
use std::time::Instant;

use countersign::crypto::{Algorithm, SigningKey};
use countersign_rust_benches::{Library, Raw, Signed, libraries, request};

const BATCH: usize = 8;
const BATCHES: usize = 1500;

/// Microseconds for each call of `work`, with what `prepare` makes outside of the measurement.
fn batch<T, R>(prepare: impl Fn() -> T, work: impl Fn(T) -> R) -> f64 {
    let inputs: Vec<T> = (0..BATCH).map(|_| prepare()).collect();
    let mut outputs = Vec::with_capacity(BATCH);
    let start = Instant::now();
    for input in inputs {
        outputs.push(work(black_box(input)));
    }
    let taken = start.elapsed().as_nanos();
    black_box(outputs);
    taken as f64 / (1000 * BATCH) as f64
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Times of signing and of verifying.
#[derive(Default)]
struct Times([Vec<f64>; 2]);

impl Times {
    fn push(&mut self, sign: f64, verify: f64) {
        self.0[0].push(sign);
        self.0[1].push(verify);
    }

    fn medians(mut self) -> [f64; 2] {
        [median(&mut self.0[0]), median(&mut self.0[1])]
    }
}

fn allocations() -> Vec<[u64; 2]> {
    let counted = Command::new(env!("CARGO_BIN_EXE_allocations")).output();
    let counted = String::from_utf8(counted.expect("it runs").stdout).expect("text");
    let numbers = |line: &str| {
        let mut numbers = line.split(' ').map(|word| word.parse().expect("a number"));
        [numbers.next().expect("two"), numbers.next().expect("two")]
    };
    counted.lines().map(numbers).collect()
}

fn row(name: &str, [sign, verify]: [f64; 2], raw: [f64; 2], count: [u64; 2], note: &str) {
    println!(
        "{name:22} {sign:7.2} {:6.2} {:7} {verify:9.2} {:6.2} {:7}  {note}",
        sign / raw[0],
        count[0],
        verify / raw[1],
        count[1],
    );
}

fn main() {
    let key = SigningKey::generate(Algorithm::Ed25519).expect("a key");
    let libraries = libraries(&key);
    let signed: Vec<Signed> = libraries.iter().map(|one| one.sign(request())).collect();
    for (library, signed) in libraries.iter().zip(&signed) {
        let (_, holds) = library.verify(signed.clone());
        assert!(holds, "{} does not verify what it signs", library.name());
    }
    let raw = Raw::new(&key, signed[0].clone());
    let mut raw_times = Times::default();
    let mut times: Vec<Times> = libraries.iter().map(|_| Times::default()).collect();
    let fresh = request();
    for _ in 0..BATCHES {
        let sign = batch(|| (), |()| raw.sign());
        raw_times.push(sign, batch(|| (), |()| raw.verify()));
        for ((library, signed), times) in libraries.iter().zip(&signed).zip(&mut times) {
            let library: &dyn Library = library.as_ref();
            let sign = batch(|| fresh.clone(), |request| library.sign(request));
            let verify = batch(|| signed.clone(), |request| library.verify(request));
            times.push(sign, verify);
        }
    }
    let counts = allocations();
    println!("Ed25519, a base of {} bytes, microseconds", raw.bytes());
    println!(
        "{:22} {:>7} {:>6} {:>7} {:>9} {:>6} {:>7}",
        "", "sign", "x raw", "allocs", "verify", "x raw", "allocs"
    );
    let raw = raw_times.medians();
    row("aws-lc-rs 1.19", raw, raw, counts[0], "the signature alone");
    for ((library, times), count) in libraries.iter().zip(times).zip(&counts[1..]) {
        row(library.name(), times.medians(), raw, *count, library.note());
    }
}
