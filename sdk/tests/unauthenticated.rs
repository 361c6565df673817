//! An agent behind `danger()`: on loopback only, for anybody, and on behalf of nobody.

mod common;

use common::Failure;
use countersign::a2a::{A2aError, AgentCard, AgentSkill, ErrorKind};
use countersign::server::{
    Agent, AgentError, AgentExecutor, EventQueue, RequestContext, UnauthenticatedAgent, async_trait,
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Says who calls and what can be done on their behalf.
struct Who;

#[async_trait]
impl AgentExecutor for Who {
    async fn execute(&self, ctx: RequestContext, events: EventQueue) -> Result<(), A2aError> {
        assert!(!ctx.caller().is_proved() && ctx.caller().proved().is_none());
        let behalf = ctx.on_behalf_of_caller().map(drop).map_err(|e| e.kind());
        assert_eq!(behalf, Err(ErrorKind::Unauthenticated));
        let own = ctx.on_own_behalf().map(drop).map_err(|e| e.kind());
        assert_eq!(own, Err(ErrorKind::Unauthenticated));
        assert!(ctx.admitted().is_err());
        events.reply(format!("for {}", ctx.caller()));
        Ok(())
    }
}

fn kit() -> Agent {
    let skill = AgentSkill::new("who", "Who", "Says who calls").tagged(["test"]);
    Agent::without_identity("kit", "Answers a kit").skill(skill)
}

async fn started() -> Result<UnauthenticatedAgent, AgentError> {
    kit()
        .danger()
        .serve_unauthenticated("127.0.0.1:0", Who)
        .await
}

/// One request over a plain connection: the status line and the body of the answer.
async fn plain(
    agent: &UnauthenticatedAgent,
    head: &str,
    body: &str,
) -> Result<(String, String), Failure> {
    plain_to(agent, &agent.local_addr().to_string(), head, body).await
}

/// The same, for a request that names `host`.
async fn plain_to(
    agent: &UnauthenticatedAgent,
    host: &str,
    head: &str,
    body: &str,
) -> Result<(String, String), Failure> {
    let mut stream = TcpStream::connect(agent.local_addr()).await?;
    let length = body.len();
    let request = format!(
        "{head} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nA2A-Version: 1.0\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("no head")?;
    let status = head.lines().next().unwrap_or_default().to_owned();
    Ok((status, body.to_owned()))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_without_proofs_serves_anybody_and_says_so() -> Result<(), Failure> {
    let agent = started().await?;
    let (status, body) = plain(&agent, "GET /.well-known/agent-card.json", "").await?;
    assert_eq!(status, "HTTP/1.1 200 OK");
    let card: AgentCard = serde_json::from_str(&body)?;
    assert!(card.security_schemes.is_empty() && card.security_requirements.is_empty());
    assert!(card.signatures.is_empty() && card.capabilities.extensions.is_empty());
    assert!(
        card.supported_interfaces
            .iter()
            .all(|i| !i.url.starts_with("https"))
    );

    let message = json!({"messageId": "m", "role": "ROLE_USER", "parts": [{"text": "who?"}]});
    let params = json!({ "message": message });
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": params});
    let said = "for somebody unauthenticated";
    for path in ["/a2a", "/a2a/"] {
        let (status, body) = plain(&agent, &format!("POST {path}"), &call.to_string()).await?;
        assert_eq!(status, "HTTP/1.1 200 OK", "{path}");
        let answer: Value = serde_json::from_str(&body)?;
        let text = answer.pointer("/result/message/parts/0/text");
        assert_eq!(text, Some(&json!(said)), "{path}: {answer}");
    }
    let (status, body) = plain(&agent, "POST /a2a/rest/message:send", &params.to_string()).await?;
    assert_eq!(status, "HTTP/1.1 200 OK");
    let answer: Value = serde_json::from_str(&body)?;
    assert_eq!(
        answer.pointer("/message/parts/0/text"),
        Some(&json!(said)),
        "{answer}"
    );
    for (head, want, code) in [
        ("GET /a2a/rest/tasks/none", "HTTP/1.1 404 Not Found", 404),
        (
            "GET /a2a/rest/tasks/none:subscribe",
            "HTTP/1.1 404 Not Found",
            404,
        ),
        (
            "POST /a2a/rest/tasks/none:subscribe",
            "HTTP/1.1 404 Not Found",
            404,
        ),
        (
            "POST /a2a/rest/tasks/none:cancel",
            "HTTP/1.1 404 Not Found",
            404,
        ),
        (
            "GET /a2a/rest/nothing/of/this/kind",
            "HTTP/1.1 404 Not Found",
            404,
        ),
        (
            "DELETE /a2a/rest/message:send",
            "HTTP/1.1 405 Method Not Allowed",
            405,
        ),
        (
            "POST /a2a/rest/message:send",
            "HTTP/1.1 400 Bad Request",
            400,
        ),
    ] {
        let body = if code == 400 { "{" } else { "" };
        let (status, body) = plain(&agent, head, body).await?;
        assert_eq!(status, want, "{head}");
        let answer: Value = serde_json::from_str(&body)?;
        assert_eq!(
            answer.pointer("/error/code"),
            Some(&json!(code)),
            "{head}: {answer}"
        );
    }
    agent.shutdown().await;
    Ok(())
}

#[cfg(feature = "grpc")]
#[tokio::test(flavor = "multi_thread")]
async fn grpc_is_served_there_over_http_2_without_negotiation() -> Result<(), Failure> {
    use countersign::a2a::{Message, Part, Request, SendMessageRequest, grpc};
    use http_body_util::{BodyExt as _, Full};
    use hyper_util::rt::{TokioExecutor, TokioIo};

    let agent = started().await?;
    let address = agent.grpc_addr().ok_or("no gRPC")?;
    let stream = TokioIo::new(TcpStream::connect(address).await?);
    let (mut sender, driver) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await?;
    tokio::spawn(driver);
    let request = Request::SendMessage(SendMessageRequest::new(Message::user(Part::text("who?"))));
    let (path, message) = grpc::write_request(&request);
    let request = http::Request::post(format!("http://{address}{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("a2a-version", "1.0")
        .body(Full::new(grpc::frame(&message)))?;
    let answer = sender.send_request(request).await?;
    let whole = answer.into_body().collect().await?;
    let end = whole.trailers().ok_or("no trailers")?;
    assert_eq!(end.get("grpc-status").ok_or("no status")?, "0");
    let body = whole.to_bytes();
    assert!(String::from_utf8_lossy(&body).contains("somebody unauthenticated"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_proofs_only_this_machine_is_served() -> Result<(), Failure> {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let got = kit().danger().serve_unauthenticated(address, Who).await;
        assert!(
            matches!(got, Err(AgentError::NotLoopback { .. })),
            "{address}"
        );
    }
    let got = kit().serve("127.0.0.1:0", Who).await;
    assert!(matches!(got, Err(AgentError::NoIdentity)));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_skill_it_does_not_start_either() -> Result<(), Failure> {
    let bare = Agent::without_identity("kit", "Answers a kit").danger();
    let got = bare.serve_unauthenticated("127.0.0.1:0", Who).await;
    assert!(matches!(got, Err(AgentError::NoSkill)));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn its_card_is_held_to_the_rules_of_every_card() -> Result<(), Failure> {
    let agent = started().await?;
    let (_, body) = plain(&agent, "GET /.well-known/agent-card.json", "").await?;
    let address = agent.local_addr().to_string();
    agent.shutdown().await;
    // That card is of an agent at this address, and of no other.
    let written = |change: fn(&mut AgentCard)| -> Result<Agent, Failure> {
        let mut card: AgentCard = serde_json::from_str(&body)?;
        change(&mut card);
        Ok(Agent::without_identity("kit", "Answers a kit").card(card))
    };
    let serve = async |agent: Agent, address: &str| {
        let got = agent.danger().serve_unauthenticated(address, Who).await;
        match got {
            Ok(agent) => {
                agent.shutdown().await;
                Ok(())
            }
            Err(error) => Err(error),
        }
    };
    serve(written(|_| {})?, &address).await?;
    let by_name = written(|card| {
        for interface in &mut card.supported_interfaces {
            interface.url = interface.url.replace("127.0.0.1", "localhost");
        }
    })?;
    serve(by_name, &address).await?;
    let got = serve(written(|_| {})?, "127.0.0.1:0").await;
    assert!(matches!(got, Err(AgentError::Interface { .. })), "{got:?}");
    let pushes = written(|card| card.capabilities.push_notifications = Some(true))?;
    let got = serve(pushes, &address).await;
    assert!(matches!(got, Err(AgentError::Capability { .. })), "{got:?}");
    let got = serve(written(|_| {})?.allow_v0_3(true), &address).await;
    assert!(
        matches!(got, Err(AgentError::NoInterface { .. })),
        "{got:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_names_another_host_is_turned_away() -> Result<(), Failure> {
    let agent = started().await?;
    let port = agent.local_addr().port();
    for (host, want) in [
        (format!("127.0.0.1:{port}"), "HTTP/1.1 200 OK"),
        (format!("localhost:{port}"), "HTTP/1.1 200 OK"),
        (
            format!("agent.example:{port}"),
            "HTTP/1.1 421 Misdirected Request",
        ),
    ] {
        for head in ["GET /.well-known/agent-card.json", "GET /a2a/rest/tasks"] {
            let (status, body) = plain_to(&agent, &host, head, "").await?;
            assert_eq!(status, want, "{head} at {host}");
            assert_eq!(body.is_empty(), status.contains("421"), "{head} at {host}");
        }
    }
    agent.shutdown().await;
    Ok(())
}
