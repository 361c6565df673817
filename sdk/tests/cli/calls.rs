//! `card` and `call`, when all is as it should be.

use crate::common::Failure;
use crate::ran::reason;
use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn a_card_is_shown_and_verified() -> Result<(), Failure> {
    let stage = Stage::set().await?;
    let (url, id) = stage.worker();
    let shown = stage.run(&["card", "show", &url]).await?;
    assert_eq!(shown.code, Some(0), "{shown:?}");
    assert!(shown.out.contains(&id), "{shown:?}");
    assert!(shown.out.contains("skill       work: Works"), "{shown:?}");
    let shown = stage.run(&["card", "show", &url, "--json"]).await?.json();
    assert_eq!(shown["agent"], id);
    assert_eq!(shown["card"]["skills"][0]["id"], "work");
    // [peers] knows the agent however its address is written.
    for url in [format!("{url}/"), url.replace("https", "HTTPS")] {
        let verified = stage.run(&["card", "verify", &url]).await?;
        assert_eq!(verified.code, Some(0), "{verified:?}");
        assert_eq!(verified.out.matches('✓').count(), 3);
    }
    let verified = stage.run(&["--json", "card", "verify", &url]).await?.json();
    assert_eq!(verified["agent"], id);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_brings_the_answer() -> Result<(), Failure> {
    let stage = Stage::set().await?;
    let (url, id) = stage.worker();
    let own = stage.run(&["call", &url, "hello"]).await?;
    assert_eq!(
        (own.code, own.out.as_str()),
        (Some(0), "for one for itself\n"),
        "{own:?}"
    );
    let json = stage
        .run(&[
            "call",
            &url,
            "hello",
            "--peer",
            &id,
            "--json",
            "--timeout",
            "30",
        ])
        .await?
        .json();
    assert_eq!(json["text"], "for one for itself");
    assert!(json["task"].is_null());
    let alice = stage
        .run(&["call", &url, "hello", "--user", "alice", "--skill", "work"])
        .await?;
    assert_eq!(alice.out, "for one for alice\n", "{alice:?}");
    let task = stage.run(&["call", &url, "task", "--json"]).await?.json();
    assert_eq!(task["task"]["state"], "TASK_STATE_COMPLETED");
    assert_eq!(task["text"], "the result\ndone");
    // What the agent says cannot steer the terminal.
    let steer = stage.run(&["call", &url, "steer"]).await?;
    assert_eq!(steer.out, "a\u{fffd}[2Jb\u{fffd}c\nd\n");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_failed_is_no_success() -> Result<(), Failure> {
    let stage = Stage::set().await?;
    let (url, _) = stage.worker();
    for more in [&[][..], &["--stream"]] {
        let args = [&["call", &url, "fail"], more].concat();
        let failed = stage.run(&args).await?;
        assert_eq!(failed.code, Some(1), "{failed:?}");
        assert!(failed.out.contains("no train"), "{failed:?}");
        let failed = stage.run(&[&args[..], &["--json"]].concat()).await?;
        assert_eq!(failed.code, Some(1), "{failed:?}");
        assert_eq!(reason(&failed.json()), "cli.task");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_shown_event_by_event() -> Result<(), Failure> {
    let stage = Stage::set().await?;
    let (url, _) = stage.worker();
    let stream = stage.run(&["call", &url, "task", "--stream"]).await?;
    assert_eq!(stream.code, Some(0), "{stream:?}");
    let lines: Vec<_> = stream.out.lines().collect();
    assert!(lines.contains(&"artifact: the result"), "{stream:?}");
    assert!(
        lines.last().is_some_and(|l| l.ends_with("done")),
        "{stream:?}"
    );
    let json = stage
        .run(&["call", &url, "task", "--stream", "--json"])
        .await?
        .json();
    let events = json["events"].as_array().ok_or("events")?;
    assert_eq!(events.len(), lines.len());
    assert!(events[0]["task"]["id"].is_string(), "{json}");
    Ok(())
}
