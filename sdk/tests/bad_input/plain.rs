//! An agent that proves nobody, and connections to it on which anything can be sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use countersign::a2a::{A2aError, AgentExtension, AgentSkill};
use countersign::server::push::{PushPolicy, PushSettings};
use countersign::server::store::MemoryPushConfigStore;
use countersign::server::{
    Agent, AgentExecutor, EventQueue, RequestContext, UnauthenticatedAgent, async_trait,
};
use http::request::Builder;
use http_body_util::BodyExt as _;
use hyper::body::{Body, Incoming};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::sent::Sent;
use super::told::{Got, Told};
use crate::common::Failure;
use crate::common::findings::watch_panics;
use crate::common::wire::Wire;

/// Longer than any answer takes.
const LONG: Duration = Duration::from_secs(60);

/// The extension without which the agent serves nothing.
pub(crate) const REQUIRED: &str = "urn:test:must";

/// Does what the message says, and counts how many of it are at work.
struct Obedient(Arc<AtomicUsize>);

struct AtWork(Arc<AtomicUsize>);

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl AgentExecutor for Obedient {
    async fn execute(&self, ctx: RequestContext, events: EventQueue) -> Result<(), A2aError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        let _at_work = AtWork(self.0.clone());
        match ctx.text().as_str() {
            "ask" => {
                events.input_required("Which day?");
            }
            "wait" => {
                events.working();
                ctx.cancelled().await;
            }
            _ => {
                events.reply("served");
            }
        }
        Ok(())
    }
}

/// The agent, with the task and the webhook that good requests are about.
pub(crate) struct Plain {
    agent: UnauthenticatedAgent,
    at_work: Arc<AtomicUsize>,
    pub(crate) task: String,
}

impl Plain {
    pub(crate) async fn start() -> Result<Self, Failure> {
        Self::with(|agent| agent).await
    }

    pub(crate) async fn with(change: impl FnOnce(Agent) -> Agent) -> Result<Self, Failure> {
        watch_panics();
        let at_work = Arc::new(AtomicUsize::new(0));
        let extension = AgentExtension {
            uri: REQUIRED.into(),
            required: true,
            ..AgentExtension::default()
        };
        let push = PushSettings::new(Arc::new(MemoryPushConfigStore::default()))
            .policy(PushPolicy::default().web("*")?.danger().allow_loopback());
        let agent = Agent::without_identity("plain", "Serves anybody")
            .skill(AgentSkill::new("work", "Work", "Works").tagged(["work"]))
            .tenant("acme")
            .extension(extension)
            .extended_card(|_, card| card)
            .push(push);
        let executor = Obedient(at_work.clone());
        let agent = change(agent).danger();
        let agent = agent.serve_unauthenticated("127.0.0.1:0", executor).await?;
        let mut plain = Self {
            agent,
            at_work,
            task: String::new(),
        };
        plain.task = plain.waiting_task().await?;
        Ok(plain)
    }

    /// A new task that waits for its client, with the webhook `p-1`.
    pub(crate) async fn waiting_task(&self) -> Result<String, Failure> {
        let message = json!({"messageId": "m", "role": "ROLE_USER", "parts": [{"text": "ask"}]});
        let made = self
            .result("SendMessage", json!({ "message": message }))
            .await?;
        let id = made["task"]["id"].as_str().ok_or("no task")?.to_owned();
        let config = json!({"taskId": id, "id": "p-1", "url": "https://127.0.0.1:8999/"});
        self.result("CreateTaskPushNotificationConfig", config)
            .await?;
        Ok(id)
    }

    /// What a good JSON-RPC call gives.
    pub(crate) async fn result(&self, method: &str, params: Value) -> Result<Value, Failure> {
        let got = self.send(Sent::json_rpc(method, &params)).await?;
        let answer: Value = serde_json::from_slice(&got.body)?;
        let result = answer.get("result");
        Ok(result.ok_or_else(|| format!("{method}: {answer}"))?.clone())
    }

    /// How many tasks and webhooks there are, and how many executors are at work.
    pub(crate) async fn counts(&self) -> Result<[i64; 3], Failure> {
        let tasks = self.result("ListTasks", json!({})).await?;
        let of_task = json!({ "taskId": self.task });
        let hooks = self.result("ListTaskPushNotificationConfigs", of_task);
        let hooks = hooks.await?["configs"].as_array().map_or(0, Vec::len);
        Ok([
            tasks["totalSize"].as_i64().ok_or("no total")?,
            i64::try_from(hooks)?,
            i64::try_from(self.at_work.load(Ordering::SeqCst))?,
        ])
    }

    pub(crate) async fn connect(&self) -> Result<TcpStream, Failure> {
        Ok(TcpStream::connect(self.agent.local_addr()).await?)
    }

    pub(crate) fn origin(&self) -> &str {
        self.agent.origin()
    }

    /// Sends a request on a connection of its own, and reads the head of the answer.
    pub(crate) async fn open(&self, sent: Sent) -> Result<Opened, Failure> {
        let body = http_body_util::Full::new(bytes::Bytes::from(sent.body.clone()));
        self.open_with(&sent, body).await
    }

    /// The same with a body of any kind.
    pub(crate) async fn open_with<B>(&self, sent: &Sent, body: B) -> Result<Opened, Failure>
    where
        B: Body<Data = bytes::Bytes> + Send + Unpin + 'static,
        B::Error: Into<Failure>,
    {
        let io = TokioIo::new(self.connect().await?);
        let mut request = Builder::new().method(sent.method.clone());
        if let Some(headers) = request.headers_mut() {
            headers.clone_from(&sent.headers);
        }
        let answer = async {
            Ok::<_, Failure>(if sent.http2 {
                let url = format!("{}{}", self.origin(), sent.path);
                let request = request.uri(url).body(body)?;
                let (mut sender, connection) = http2::handshake(TokioExecutor::new(), io).await?;
                let driving = tokio::spawn(async move { drop(connection.await) });
                (sender.send_request(request).await, Driving(driving))
            } else {
                let host = self.agent.local_addr().to_string();
                let request = request.uri(&sent.path).header("host", host).body(body)?;
                let (mut sender, connection) = http1::handshake(io).await?;
                let driving = tokio::spawn(async move { drop(connection.await) });
                (sender.send_request(request).await, Driving(driving))
            })
        };
        let (answer, driving) = tokio::time::timeout(LONG, answer).await??;
        Ok(Opened {
            answer: answer?,
            _driving: driving,
        })
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn send(&self, sent: Sent) -> Result<Got, Failure> {
        self.open(sent).await?.whole().await
    }

    /// What the answer says; of a stream, that it begins.
    pub(crate) async fn told(&self, sent: Sent) -> Result<Told, Failure> {
        let opened = self.open(sent.clone()).await?;
        if opened.is_stream(&sent) {
            return Ok(Told::Answer);
        }
        opened.whole().await?.told(sent.wire)
    }

    /// Whether it serves good requests over every binding.
    pub(crate) async fn still_serves(&self) -> Result<(), Failure> {
        for &wire in Wire::ALL {
            let params = json!({ "id": self.task });
            let sent = Sent::over(wire, countersign::a2a::Operation::GetTask, &params);
            let told = self.told(sent.ok_or("a good request")?).await?;
            if told != Told::Answer {
                return Err(format!("{wire:?} does not serve any more: {told:?}").into());
            }
        }
        Ok(())
    }
}

/// Ends the connection with the answer that came on it.
struct Driving(JoinHandle<()>);

impl Drop for Driving {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// An answer whose body is still to come.
pub(crate) struct Opened {
    answer: http::Response<Incoming>,
    _driving: Driving,
}

impl Opened {
    pub(crate) fn is_event_stream(&self) -> bool {
        let media = self.answer.headers().get("content-type");
        media.is_some_and(|media| media == "text/event-stream")
    }

    /// Whether events come instead of one answer.
    fn is_stream(&self, sent: &Sent) -> bool {
        match sent.wire {
            Wire::JsonRpc | Wire::HttpJson => self.is_event_stream(),
            #[cfg(feature = "grpc")]
            Wire::Grpc => sent.streaming && !self.answer.headers().contains_key("grpc-status"),
        }
    }

    pub(crate) fn status(&self) -> u16 {
        self.answer.status().as_u16()
    }

    /// The next bytes of the body.
    pub(crate) async fn piece(&mut self) -> Result<(), Failure> {
        let frame = tokio::time::timeout(LONG, self.answer.body_mut().frame()).await?;
        frame.ok_or("the body is over")??;
        Ok(())
    }

    pub(crate) async fn whole(self) -> Result<Got, Failure> {
        let (head, body) = self.answer.into_parts();
        let whole = tokio::time::timeout(LONG, body.collect()).await??;
        Ok(Got {
            status: head.status.as_u16(),
            headers: head.headers,
            trailers: whole.trailers().cloned().unwrap_or_default(),
            body: whole.to_bytes(),
        })
    }
}
