//! `card` and `call`, when something is not as it should be.

use axum::Router;
use axum::routing::get;
use countersign::a2a::AGENT_CARD_PATH;
use countersign::tls::{Transport, TransportConfig};
use http::Request;
use http_body_util::{BodyExt as _, Full};
use serde_json::Value;
use tokio::net::TcpListener;

use crate::common::Failure;
use crate::ran::{reason, run};
use crate::stage::{DOMAIN, Stage};

#[tokio::test(flavor = "multi_thread")]
async fn who_is_refused_learns_by_whom_and_what_to_do() -> Result<(), Failure> {
    let stage = Stage::set().await?;
    let (url, _) = stage.worker();
    let (strict, two) = stage.strict();
    let wanted = format!("{DOMAIN}/agent/two");
    let cases: [(&[&str], &str); 7] = [
        (
            &["card", "verify", &url, "--peer", &wanted],
            "tls.peer_not_expected",
        ),
        (
            &["call", &url, "x", "--peer", &wanted],
            "tls.peer_not_expected",
        ),
        // For itself only, where a person is needed.
        (&["call", &strict, "x"], "client.refused"),
        (&["call", &url, "x", "--skill", "sing"], "client.no_skill"),
        (
            &["call", &url, "x", "--scope", "work rest"],
            "oauth.refused",
        ),
        (&["call", &url, "x", "--user", "mallory"], "oauth.refused"),
        (
            &[
                "card",
                "show",
                stage.authority().issuer(),
                "--peer",
                "spiffe://test.example/authority",
            ],
            "client.no_card",
        ),
    ];
    for (args, want) in cases {
        let ran = stage.run(args).await?;
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert_eq!(ran.out, "", "{ran:?}");
        assert!(ran.err.starts_with("✗ "), "{ran:?}");
        assert!(ran.err.contains("\n  what to do: "), "{ran:?}");
        let ran = stage.run(&[args, &["--json"]].concat()).await?;
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert_eq!(reason(&ran.json()), want, "{ran:?}");
    }
    let refused = stage.run(&["call", &strict, "x", "--json"]).await?.json();
    assert_eq!(refused["status"], 403);
    let served = stage
        .run(&["call", &strict, "x", "--peer", &two, "--user", "alice"])
        .await?;
    assert_eq!(served.out, "for one for alice\n", "{served:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_usage_is_told_from_refusal() -> Result<(), Failure> {
    let stage = Stage::set().await?;
    let (url, id) = stage.worker();
    let cases: [&[&str]; 9] = [
        &["call", "https://127.0.0.1:1", "x"],
        &["call", &url, "x", "--peer", "worker"],
        &["call", &url, "x", "--scope", "\"work\""],
        &["call", "http://127.0.0.1:1", "x", "--peer", &id],
        &["call", "https://127.0.0.1:1/a2a", "x", "--peer", &id],
        &[
            "card",
            "show",
            "https://alice:hunter2@127.0.0.1:1",
            "--peer",
            &id,
        ],
        &[
            "card",
            "show",
            "https://127.0.0.1:1?key=hunter2",
            "--peer",
            &id,
        ],
        &["call", &url, "x", "--timeout", "0"],
        &["call", &url],
    ];
    for args in cases {
        let ran = stage.run(args).await?;
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{ran:?}");
        let json = stage.run(&[args, &["--json"]].concat()).await?;
        assert_eq!(json.code, Some(2), "{json:?}");
        assert_ne!(reason(&json.json()), "");
        let told = format!("{}{}", ran.err, json.out);
        assert!(!told.contains("hunter2"), "{told}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_told_from_refusal() -> Result<(), Failure> {
    let stage = Stage::set().await?;
    let (url, id) = stage.worker();
    // Nobody listens.
    let free = TcpListener::bind("127.0.0.1:0").await?;
    let nobody = format!("https://{}", free.local_addr()?);
    drop(free);
    // Somebody listens and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").await?;
    let silence = format!("https://{}", silent.local_addr()?);
    // Silence ends by the deadline of the handshake or of the whole call: the same second here.
    let ends = ["tls.timeout", "client.deadline"];
    for (url, want) in [(&nobody, &["tls.connect"][..]), (&silence, &ends)] {
        for command in [&["card", "verify", url][..], &["call", url, "x"]] {
            let args = [command, &["--peer", &id, "--timeout", "1", "--json"]].concat();
            let ran = stage.run(&args).await?;
            assert_eq!(ran.code, Some(3), "{ran:?}");
            assert!(want.contains(&reason(&ran.json())), "{ran:?}");
        }
    }
    let no_folder = run(&["card", "show", &url, "--json", "--identity", "/nowhere"]);
    assert_eq!(no_folder.code, Some(3), "{no_folder:?}");
    assert_eq!(reason(&no_folder.json()), "cli.settings");
    stage.write_certificate(-7200, -3600)?;
    let expired = stage.run(&["call", &url, "x", "--json"]).await?;
    assert_eq!(expired.code, Some(3), "{expired:?}");
    assert_eq!(reason(&expired.json()), "svid.expired");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_that_is_down_is_named() -> Result<(), Failure> {
    let stage = Stage::set().await?;
    let (issuer, (url, _)) = (stage.authority().issuer().to_owned(), stage.worker());
    let (strict, _) = stage.strict();
    let Stage {
        world, folder, two, ..
    } = stage;
    world.authority.shutdown().await;
    let folder = folder.path().display().to_string();
    for url in [url, strict] {
        let ran = tokio::task::spawn_blocking({
            let folder = folder.clone();
            move || run(&["call", &url, "x", "--json", "--identity", &folder])
        })
        .await?;
        assert_eq!(ran.code, Some(3), "{ran:?}");
        let value = ran.json();
        assert_eq!(reason(&value), "oauth.connection");
        let told = value.to_string();
        assert!(
            told.contains(issuer.trim_start_matches("https://")),
            "{told}"
        );
        assert!(told.contains("start the authority"), "{told}");
    }
    drop((world.worker, two));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_is_not_the_agents_own_is_refused() -> Result<(), Failure> {
    let stage = Stage::set().await?;
    let (_, id) = stage.worker();
    let worker = stage.world.worker.peer();
    let transport = Transport::new(stage.one.clone(), TransportConfig::default());
    let request = Request::get(worker.uri(AGENT_CARD_PATH)?).body(Full::default())?;
    let received = transport.send(worker.endpoint(), request).await?;
    let card = received.response.into_body().collect().await?.to_bytes();
    let good: Value = serde_json::from_slice(&card)?;
    let mut unsigned = good.clone();
    unsigned
        .as_object_mut()
        .ok_or("a card")?
        .remove("signatures");
    let mut changed = good.clone();
    changed["name"] = "worker, but better".into();
    let two = format!("{DOMAIN}/agent/two");
    for (what, card, name, peer, want) in [
        ("its own", &good, "/agent/worker", &id, None),
        (
            "unsigned",
            &unsigned,
            "/agent/worker",
            &id,
            Some("card.unsigned"),
        ),
        ("changed", &changed, "/agent/worker", &id, Some("card.")),
        (
            "of another",
            &good,
            "/agent/two",
            &two,
            Some("card.not_peers"),
        ),
    ] {
        let body = card.to_string();
        let routes = Router::new().route(AGENT_CARD_PATH, get(move || async move { body }));
        let url = format!("https://{}", stage.serve(name, routes).await?);
        let ran = stage
            .run(&["card", "verify", &url, "--peer", peer, "--json"])
            .await?;
        let value = ran.json();
        match want {
            None => assert_eq!(ran.code, Some(0), "{what}: {ran:?}"),
            Some(want) => {
                assert_eq!(ran.code, Some(1), "{what}: {ran:?}");
                assert!(reason(&value).starts_with(want), "{what}: {ran:?}");
            }
        }
    }
    Ok(())
}
