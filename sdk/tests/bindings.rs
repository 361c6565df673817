//! One conversation with the core and over every binding: all eleven operations, with the same results.

mod common;

#[path = "bindings/conversation.rs"]
mod conversation;
#[path = "bindings/core.rs"]
mod core;

use std::sync::Arc;

use common::wire::{Outcome, Wire, WireSpeaker, kind};
use common::{Failure, World};
use conversation::{Speaker, Stream, get, message, subscribe};
use countersign::a2a::{
    A2aError, AgentExtension, AgentSkill, Artifact, ErrorKind, GetExtendedAgentCardRequest, Part,
    Request, Response, TaskPushNotificationConfig,
};
use countersign::clock::SystemClock;
use countersign::server::push::{PushPolicy, PushSettings};
use countersign::server::store::MemoryPushConfigStore;
use countersign::server::{Agent, AgentExecutor, EventQueue, RequestContext, async_trait};
use futures_util::{StreamExt as _, stream};
use http::StatusCode;

use crate::core::Core;

/// Does what the message says.
struct Obedient;

#[async_trait]
impl AgentExecutor for Obedient {
    async fn execute(&self, ctx: RequestContext, events: EventQueue) -> Result<(), A2aError> {
        match ctx.text().as_str() {
            "reply" => {
                events.reply(format!("for {}", ctx.caller()));
            }
            "ask" => {
                events.input_required("Which day?");
            }
            "wait" => {
                events.working();
                ctx.cancelled().await;
            }
            "error" => return Err(A2aError::new(ErrorKind::ContentTypeNotSupported, "no")),
            other => {
                events.working();
                events.artifact(Artifact::new(Part::text("the result")));
                events.complete(Some(Part::text(format!("so: {other}"))));
            }
        }
        Ok(())
    }
}

/// The agent with everything that it can have.
fn whole(agent: Agent) -> Agent {
    // As servers of the web, so that an agent that has no identity to show may tell it, too.
    let policy = PushPolicy::default().web("*");
    let push = PushSettings::new(Arc::new(MemoryPushConfigStore::default()))
        .policy(policy.expect("any host"));
    let extension = AgentExtension {
        uri: "urn:test:ext".into(),
        ..AgentExtension::default()
    };
    agent
        .push(push)
        .tenant("acme")
        .extension(extension)
        .extended_card(|_, mut card| {
            card.skills
                .push(AgentSkill::new("more", "More", "Does more").tagged(["more"]));
            card
        })
}

async fn world() -> Result<World, Failure> {
    World::made(Arc::new(SystemClock), Obedient, whole).await
}

/// A caller by each binding.
async fn by_wire(world: &World) -> Result<Vec<WireSpeaker<'_>>, Failure> {
    let mut all = Vec::new();
    for &wire in Wire::ALL {
        all.push(WireSpeaker::new(world, wire, "one", "alice").await?);
    }
    Ok(all)
}

#[async_trait]
impl Speaker for WireSpeaker<'_> {
    fn way(&self) -> String {
        format!("{:?}", self.wire)
    }

    fn caller(&self) -> &str {
        "one for alice"
    }

    async fn ask(&self, request: &Request) -> Result<Outcome<Response>, Failure> {
        WireSpeaker::ask(self, request).await
    }

    async fn open(&self, request: &Request) -> Result<Outcome<Stream>, Failure> {
        let opened = WireSpeaker::open(self, request).await?;
        let stream = match opened.events().await? {
            Ok(stream) => stream,
            Err(error) => return Ok(Err(error)),
        };
        let events = stream::try_unfold(stream, |mut stream| async move {
            let next = stream.next().await?;
            Ok(next.map(|event| (event, stream)))
        });
        Ok(Ok(events.boxed()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_core_and_every_binding_give_the_same_answers_and_errors() -> Result<(), Failure> {
    let told = conversation::hold(&Core::new(whole)).await?;
    let mut wrong = conversation::wrong_in(&told);
    let world = world().await?;
    let mut first = None;
    for speaker in by_wire(&world).await? {
        let (way, other) = (speaker.wire, conversation::hold(&speaker).await?);
        wrong.extend(conversation::differences(
            way,
            &conversation::without_permits(&other),
            &told,
        ));
        let first = first.get_or_insert_with(|| other.clone());
        wrong.extend(conversation::differences(way, &other, first));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_extended_card_is_the_same_and_signed_on_every_binding() -> Result<(), Failure> {
    let world = world().await?;
    let request = Request::GetExtendedAgentCard(GetExtendedAgentCardRequest::default());
    let mut first = None;
    for speaker in by_wire(&world).await? {
        let Response::AgentCard(mut card) = speaker.ask(&request).await?? else {
            return Err("no card".into());
        };
        // Two signatures of one card differ.
        assert_eq!(card.signatures.drain(..).len(), 1, "{:?}", speaker.wire);
        let first = first.get_or_insert_with(|| card.clone());
        assert_eq!(card, *first, "{:?}", speaker.wire);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_and_extensions_are_the_same_on_every_binding() -> Result<(), Failure> {
    let world = world().await?;
    let request = get("no-such-task", None);
    for &wire in Wire::ALL {
        let mut speaker = WireSpeaker::new(&world, wire, "one", "alice").await?;
        for (version, want) in [
            ("1.0", ErrorKind::TaskNotFound),
            ("0.3", ErrorKind::VersionNotSupported),
            ("99.0", ErrorKind::VersionNotSupported),
            ("", ErrorKind::VersionNotSupported),
        ] {
            speaker.headers = vec![("a2a-version", version.to_owned())];
            let got = speaker.ask(&request).await?;
            assert_eq!(kind(&got), Some(want), "{wire:?} {version:?}");
        }
        for (name, named, echoed) in [
            ("a2a-extensions", "urn:test:ext", Some("urn:test:ext")),
            ("a2a-extensions", "urn:x,urn:test:ext", Some("urn:test:ext")),
            ("x-a2a-extensions", "urn:test:ext", Some("urn:test:ext")),
            ("a2a-extensions", "urn:x", None),
        ] {
            speaker.headers = vec![(name, named.to_owned())];
            let answered = speaker.open(&request).await?;
            let told = answered.headers.get("a2a-extensions").map(|v| v.to_str());
            assert_eq!(told.transpose()?, echoed, "{wire:?} {name}: {named}");
            assert_eq!(
                kind(&answered.answer().await?),
                Some(ErrorKind::TaskNotFound)
            );
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_required_extension_that_is_not_named_refuses_the_call() -> Result<(), Failure> {
    let change = |agent: Agent| {
        agent.extension(AgentExtension {
            uri: "urn:must".into(),
            required: true,
            ..AgentExtension::default()
        })
    };
    let world = World::made(Arc::new(SystemClock), Obedient, change).await?;
    for &wire in Wire::ALL {
        let mut speaker = WireSpeaker::new(&world, wire, "one", "alice").await?;
        let request = get("no-such-task", None);
        let got = speaker.ask(&request).await?;
        assert_eq!(
            kind(&got),
            Some(ErrorKind::ExtensionSupportRequired),
            "{wire:?}"
        );
        speaker.headers = vec![("a2a-extensions", "urn:must".to_owned())];
        let got = speaker.ask(&request).await?;
        assert_eq!(kind(&got), Some(ErrorKind::TaskNotFound), "{wire:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_agent_does_not_declare_it_refuses() -> Result<(), Failure> {
    let change = |agent: Agent| agent.streaming(false);
    let world = World::made(Arc::new(SystemClock), Obedient, change).await?;
    let config = TaskPushNotificationConfig {
        task_id: Some("t".into()),
        url: "https://hooks.example/".into(),
        ..TaskPushNotificationConfig::default()
    };
    let core = Core::new(change);
    let by_wire = by_wire(&world).await?;
    let mut speakers: Vec<&dyn Speaker> = vec![&core];
    speakers.extend(by_wire.iter().map(|speaker| speaker as &dyn Speaker));
    for speaker in speakers {
        let streams = Request::SendStreamingMessage(message("reply", "c"));
        for request in [streams, subscribe("t")] {
            let got = speaker.stream(&request).await?;
            let want = Some(ErrorKind::UnsupportedOperation);
            assert_eq!(kind(&got), want, "{}", speaker.way());
        }
        let card = Request::GetExtendedAgentCard(GetExtendedAgentCardRequest::default());
        let push = Request::CreateTaskPushNotificationConfig(config.clone());
        for (request, want) in [
            (card, ErrorKind::UnsupportedOperation),
            (push, ErrorKind::PushNotificationNotSupported),
        ] {
            let got = speaker.ask(&request).await?;
            assert_eq!(kind(&got), Some(want), "{}", speaker.way());
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_without_proof_gets_the_same_challenge_on_every_binding() -> Result<(), Failure> {
    let world = world().await?;
    for &wire in Wire::ALL {
        let mut speaker = WireSpeaker::new(&world, wire, "one", "alice").await?;
        speaker.headers = vec![("authorization", "Basic YTpi".to_owned())];
        let answered = speaker.open(&get("t", None)).await?;
        let challenge = answered.headers.get("www-authenticate");
        let challenge = challenge.ok_or("no challenge")?.to_str()?.to_owned();
        assert!(challenge.starts_with("Bearer"), "{wire:?}: {challenge}");
        let status = answered.status;
        let got = answered.answer().await?;
        assert_eq!(kind(&got), Some(ErrorKind::Unauthenticated), "{wire:?}");
        let over_http = matches!(wire, Wire::JsonRpc | Wire::HttpJson);
        let want = if over_http {
            StatusCode::UNAUTHORIZED
        } else {
            StatusCode::OK
        };
        assert_eq!(status, want, "{wire:?}");
    }
    Ok(())
}
