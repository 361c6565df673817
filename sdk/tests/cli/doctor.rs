//! `doctor`: each thing that can be wrong, one at a time.

use std::sync::Arc;

use axum::Router;
use axum::response::IntoResponse as _;
use axum::routing::get;
use countersign::clock::ManualClock;
use countersign::crypto::{Algorithm, SigningKey};
use countersign::secret::Secret;
use http::header::{CONTENT_TYPE, DATE};
use serde_json::{Value, json};

use crate::common::Failure;
use crate::ran::Ran;
use crate::stage::{Stage, at, pem};

/// The state of the check `name`; a bad one and a warning say what to do.
fn state<'a>(found: &'a Value, name: &str) -> &'a str {
    let checks = found["checks"].as_array().expect("checks");
    for check in checks {
        let wants_advice = matches!(check["state"].as_str(), Some("bad" | "warn"));
        let advice = check["advice"].as_str().unwrap_or_default();
        assert_eq!(wants_advice, !advice.is_empty(), "{check}");
    }
    let check = checks.iter().find(|check| check["check"] == name);
    check.map_or("missing", |check| check["state"].as_str().expect("a state"))
}

/// Doctor says that `name` is bad, ends with 1, and tells a person the same.
async fn bad(stage: &Stage, name: &str) -> Result<(Value, Ran), Failure> {
    let ran = stage.run(&["doctor", "--json", "--timeout", "5"]).await?;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let found = ran.json();
    assert_eq!(state(&found, name), "bad", "{found}");
    assert_eq!(found["reason"], "doctor.bad");
    let told = stage.run(&["doctor", "--timeout", "5"]).await?;
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(told.out.contains(&format!("✗ {name}")), "{told:?}");
    assert!(told.out.contains("what to do:"), "{told:?}");
    Ok((found, told))
}

#[tokio::test(flavor = "multi_thread")]
async fn all_is_well() -> Result<(), Failure> {
    let stage = Stage::set().await?;
    let told = stage.run(&["doctor"]).await?;
    assert_eq!(told.code, Some(0), "{told:?}");
    let found = stage.run(&["doctor", "--json"]).await?.json();
    for name in [
        "settings",
        "key file",
        "certificate",
        "trust bundle",
        "authority",
        "signing keys",
        "clock",
        "card worker",
        "card two",
    ] {
        assert_eq!(state(&found, name), "good", "{name}: {found}");
        assert!(told.out.contains(&format!("✓ {name}")), "{told:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_cannot_be_read() -> Result<(), Failure> {
    let stage = Stage::set().await?;
    for (text, want) in [
        ("issuer = 1\n", "line 1"),
        (
            "\nissuer = \"https://a\"\nauthority = \"spiffe://a/b\"\nkey = \"hunter2\"\n",
            "line 4",
        ),
        ("issuer = \"https://a\"\n", "authority"),
        (
            "issuer = \"https://u:hunter2@a\"\nauthority = \"spiffe://a/b\"\n",
            "issuer",
        ),
        (
            "issuer = \"https://a\"\nauthority = \"spiffe://a/b\"\n[peers]\n\"a\" = \"spiffe://a/b\"\n",
            "[peers]",
        ),
    ] {
        stage.write("countersign.toml", text)?;
        let (found, told) = bad(&stage, "settings").await?;
        assert!(found["error"].to_string().contains(want), "{found}");
        assert!(!told.out.contains("hunter2"), "{told:?}");
        assert_eq!(state(&found, "authority"), "skipped");
    }
    std::fs::remove_file(stage.path("countersign.toml"))?;
    bad(&stage, "settings").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_no_good() -> Result<(), Failure> {
    let stage = Stage::set().await?;
    let good = std::fs::read_to_string(stage.path("cert.pem"))?;
    stage.write("cert.pem", "no certificate")?;
    bad(&stage, "certificate").await?;
    std::fs::remove_file(stage.path("cert.pem"))?;
    bad(&stage, "certificate").await?;
    stage.write_certificate(-7200, -3600)?;
    let (found, _) = bad(&stage, "certificate").await?;
    assert!(found["error"].to_string().contains("expired"), "{found}");
    assert_eq!(state(&found, "cards"), "skipped");
    assert_eq!(state(&found, "clock"), "skipped");
    stage.write_certificate(-50, -10)?;
    bad(&stage, "certificate").await?;
    // Good, but not for long: said in time.
    stage.write_certificate(-60, 200)?;
    let found = stage.run(&["doctor", "--json"]).await?.json();
    assert_eq!(state(&found, "certificate"), "warn", "{found}");
    assert_eq!(state(&found, "card worker"), "good", "{found}");
    stage.write("cert.pem", &good)?;
    assert_eq!(stage.run(&["doctor"]).await?.code, Some(0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_tomorrow_points_at_the_clock() -> Result<(), Failure> {
    let stage = Stage::set().await?;
    stage.write_certificate(1800, 3500)?;
    let (found, told) = bad(&stage, "certificate").await?;
    assert!(
        found["error"].to_string().contains("not valid before"),
        "{found}"
    );
    assert!(
        told.out.contains("look at this machine's clock"),
        "{told:?}"
    );
    // An authority by whose clock the certificate is good says what time it is.
    let routes = Router::new()
        .fallback(|| async { ([(DATE, "Fri, 01 Jan 2100 00:00:00 GMT")], "").into_response() });
    let clock = Arc::new(ManualClock::at(at(2000)));
    let address = stage.serve_by("/authority", routes, clock).await?;
    stage.settings(&format!("https://{address}"), "")?;
    let (found, _) = bad(&stage, "clock").await?;
    assert_eq!(state(&found, "certificate"), "bad", "{found}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_no_good() -> Result<(), Failure> {
    let stage = Stage::set().await?;
    let other = SigningKey::generate(Algorithm::Ed25519)?;
    stage.write_key(&Secret::new(pem("PRIVATE KEY", other.expose_pkcs8())))?;
    let (found, _) = bad(&stage, "private key").await?;
    assert!(
        found["error"]
            .to_string()
            .contains("do not belong together"),
        "{found}"
    );
    stage.write_key(&Secret::new("no key".into()))?;
    bad(&stage, "private key").await?;
    std::fs::remove_file(stage.path("key.pem"))?;
    bad(&stage, "key file").await?;
    Ok(())
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_others_can_read_is_warned_of() -> Result<(), Failure> {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt as _;
    let stage = Stage::set().await?;
    for (mode, want) in [
        (0o600, "good"),
        (0o400, "good"),
        (0o640, "warn"),
        (0o604, "warn"),
    ] {
        set_permissions(stage.path("key.pem"), Permissions::from_mode(mode))?;
        let ran = stage.run(&["doctor", "--json"]).await?;
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let found = ran.json();
        assert_eq!(state(&found, "key file"), want, "{mode:o}: {found}");
        assert_eq!(found.to_string().contains("chmod 600"), want == "warn");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_that_is_no_good() -> Result<(), Failure> {
    let (stage, other) = (Stage::set().await?, Stage::set().await?);
    std::fs::remove_file(stage.path("bundle.pem"))?;
    bad(&stage, "trust bundle").await?;
    stage.write("bundle.pem", "")?;
    bad(&stage, "trust bundle").await?;
    // The same name, another root: an authority that was started anew.
    stage.write("bundle.pem", &other.authority().bundle().to_pem())?;
    let (_, told) = bad(&stage, "trust bundle").await?;
    assert!(told.out.contains("from the same authority"), "{told:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_and_agents_that_are_not_as_named() -> Result<(), Failure> {
    let stage = Stage::set().await?;
    let (url, id) = stage.worker();
    let (strict, _) = stage.strict();
    // The agents' names are exchanged.
    let peers = format!("\"{strict}\" = \"{id}\"\n");
    stage.settings(stage.authority().issuer(), &peers)?;
    bad(&stage, "card worker").await?;
    // An agent stands where the authority should be.
    stage.settings(&url, "")?;
    let (found, _) = bad(&stage, "authority").await?;
    assert!(
        found["error"].to_string().contains("answered instead of"),
        "{found}"
    );
    assert_eq!(state(&found, "clock"), "skipped");
    // Nobody does.
    stage.settings("https://127.0.0.1:1", "")?;
    let (found, told) = bad(&stage, "authority").await?;
    assert!(told.out.contains("start the authority"), "{told:?}");
    assert_eq!(state(&found, "signing keys"), "skipped");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn clocks_that_are_apart() -> Result<(), Failure> {
    let stage = Stage::set().await?;
    for (date, want) in [
        ("Thu, 01 Jan 2026 00:00:00 GMT", "ahead of"),
        ("Fri, 01 Jan 2100 00:00:00 GMT", "behind"),
    ] {
        let document = Arc::new(std::sync::OnceLock::<String>::new());
        let answer = document.clone();
        let metadata = move || async move {
            let body = answer.get().cloned().unwrap_or_default();
            ([(CONTENT_TYPE, "application/json"), (DATE, date)], body).into_response()
        };
        let routes = Router::new()
            .route("/.well-known/oauth-authorization-server", get(metadata))
            .route("/jwks", get(|| async { "{\"keys\":[]}" }));
        let issuer = format!("https://{}", stage.serve("/authority", routes).await?);
        let about = json!({
            "issuer": issuer, "token_endpoint": format!("{issuer}/token"),
            "jwks_uri": format!("{issuer}/jwks"),
            "grant_types_supported": ["client_credentials"],
            "token_endpoint_auth_methods_supported": ["tls_client_auth"],
            "tls_client_certificate_bound_access_tokens": true,
        });
        document.set(about.to_string()).map_err(|_| "set once")?;
        stage.settings(&issuer, "")?;
        let (found, told) = bad(&stage, "clock").await?;
        assert!(
            told.out.contains(&format!("{want} the authority's")),
            "{told:?}"
        );
        assert_eq!(state(&found, "authority"), "good", "{found}");
        assert_eq!(state(&found, "signing keys"), "bad", "{found}");
    }
    Ok(())
}
