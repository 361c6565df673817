//! What goes beside a request: versions, extensions, tenants.

use countersign::a2a::Operation;
use http::HeaderValue;
use http::header::HeaderName;

use super::plain::{Plain, REQUIRED};
use super::sent::{Sent, good};
use super::told::{EXTENSION, Named, REQUEST, Told, VERSION};
use crate::common::Failure;
use crate::common::findings::{Findings, panics};
use crate::common::wire::Wire;

/// A header left out or sent with these values, and the error; none when the call is served.
type Case = (&'static str, Vec<Vec<u8>>, Option<Named>);

fn cases() -> Vec<Case> {
    let version = |values: &[&[u8]], want| {
        let values = values.iter().map(|value| value.to_vec()).collect();
        ("a2a-version", values, want)
    };
    let extensions = |value: &str, want| ("a2a-extensions", vec![value.as_bytes().to_vec()], want);
    let many = |count: usize| {
        let uris: Vec<String> = (1..count).map(|at| format!("urn:x:{at}")).collect();
        format!("{REQUIRED},{}", uris.join(","))
    };
    let long = |len: usize| format!("{REQUIRED},urn:{}", "x".repeat(len - 4));
    let latin = format!("{REQUIRED},urn:\u{e9}");
    vec![
        version(&[], Some(VERSION)),
        version(&[b""], Some(VERSION)),
        version(&[b"0.3"], Some(VERSION)),
        version(&[b"1"], Some(VERSION)),
        version(&[b"1.1"], Some(VERSION)),
        version(&[b"1.0.x"], Some(VERSION)),
        version(&[b"2.0"], Some(VERSION)),
        version(&[b"v1.0"], Some(VERSION)),
        version(&[b"1.0, 1.0"], Some(VERSION)),
        version(&[b"1.0", b"0.3"], Some(VERSION)),
        version(&[b"1.0\xff"], Some(VERSION)),
        version(&["1".repeat(5000).as_bytes()], Some(VERSION)),
        version(&[b"1.0"], None),
        version(&[b"1.0.9"], None),
        version(&[b"1.0", b"1.0"], None),
        ("a2a-extensions", vec![], Some(EXTENSION)),
        extensions("", Some(EXTENSION)),
        extensions("urn:test:must:v2", Some(EXTENSION)),
        extensions("URN:TEST:MUST", Some(EXTENSION)),
        extensions(&format!("{REQUIRED};q=1"), Some(EXTENSION)),
        extensions(&format!("{REQUIRED},urn:a b"), Some(REQUEST)),
        extensions(&latin, Some(REQUEST)),
        extensions(&many(33), Some(REQUEST)),
        extensions(&long(2049), Some(REQUEST)),
        extensions(&many(32), None),
        extensions(&long(2048), None),
        extensions(&format!(",, {REQUIRED} ,urn:unknown,"), None),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_versions_and_extensions_are_the_same_on_every_binding() -> Result<(), Failure> {
    let plain = Plain::start().await?;
    let mut findings = Findings::default();
    for &wire in Wire::ALL {
        for operation in Operation::ALL {
            let params = good(operation, &plain.waiting_task().await?);
            let good = Sent::over(wire, operation, &params).ok_or("a good request")?;
            for (name, values, want) in cases() {
                if want.is_none() && operation == Operation::CancelTask {
                    continue;
                }
                let mut sent = good.clone();
                sent.headers.remove(name);
                for value in &values {
                    let value = HeaderValue::from_bytes(value)?;
                    sent.headers.append(HeaderName::from_static(name), value);
                }
                let shown: Vec<_> = values.iter().map(|v| String::from_utf8_lossy(v)).collect();
                let mut what = format!("{operation} over {wire:?}: {name} {shown:?}");
                what.truncate(120);
                let want = want.map_or(Told::Answer, |want| Told::error(wire, want, &[]));
                findings.result(what, plain.told(sent).await, want);
            }
        }
    }
    plain.still_serves().await?;
    findings.expect("panics", panics(), Vec::new());
    findings.none()
}
