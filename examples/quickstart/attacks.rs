//! What is tried against the running agents, and must be refused.

use std::net::Ipv4Addr;
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use countersign::a2a::{AGENT_CARD_PATH, Message, Operation, Part, SendMessageRequest, jsonrpc};
use countersign::authority::Authority;
use countersign::client::{ClientError, Peer};
use countersign::crypto::random;
use countersign::httpsig::{Profile, Signer};
use countersign::secret::Secret;
use countersign::server::RunningAgent;
use countersign::tls::{self, ServeOptions};
use countersign::token::Scopes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use serde_json::json;
use tokio::net::TcpListener;

use crate::agents::{Agents, Failure};
use crate::ledger::Ledger;
use crate::show::{Attack, Show};

/// What the caller was told.
pub(crate) struct Told {
    status: StatusCode,
    challenge: Option<String>,
    body: String,
}

impl Told {
    fn words(&self) -> String {
        match &self.challenge {
            Some(challenge) => format!("{}, {challenge}", self.status),
            None => self.status.to_string(),
        }
    }
}

/// Everything an attack needs.
struct Scene<'a> {
    authority: &'a Authority,
    agents: &'a Agents,
    ledger: &'a Ledger,
    /// Genuine tokens as the authority issued them on the way of alice's trip.
    to_planner: Secret,
    to_booking: Secret,
    to_payments: Secret,
}

/// Tries everything; `true` when each was refused with the reason it must have.
pub(crate) async fn all(
    authority: &Authority,
    agents: &Agents,
    ledger: &Ledger,
    show: &mut Show,
) -> Result<bool, Failure> {
    let issued = |to: &RunningAgent| {
        let token = authority.danger().watched(to.peer().id());
        token.ok_or("the trip left no token")
    };
    let scene = Scene {
        authority,
        agents,
        ledger,
        to_planner: issued(&agents.planner)?,
        to_booking: issued(&agents.booking)?,
        to_payments: issued(&agents.payments)?,
    };
    show.attacks();
    let mut all = true;
    let numbers = ["1", "2", "3", "4", "5", "6", "7a", "7b", "8"];
    for (number, attack) in numbers.into_iter().zip(scene.attacks().await?) {
        all &= show.attack(number, &attack);
    }
    Ok(all)
}

impl Scene<'_> {
    async fn attacks(&self) -> Result<Vec<Attack>, Failure> {
        let mut out = vec![
            self.stolen_token().await?,
            self.changed_body().await?,
            self.sent_twice().await?,
            self.inverted_chain().await?,
            self.foreign_card().await?,
            self.forwarded_token().await?,
        ];
        out.extend(self.asking_for_more().await?);
        out.push(self.without_a_user().await?);
        Ok(out)
    }

    /// 1: planner got hold of booking's token and presents it with its own, valid certificate.
    async fn stolen_token(&self) -> Result<Attack, Failure> {
        let mark = self.ledger.mark();
        let request = sign(
            &self.agents.planner,
            self.agents.payments.peer(),
            &self.to_payments,
        )?;
        let told = deliver(&self.agents.planner, self.agents.payments.peer(), request).await?;
        let title = "planner presents a token stolen from booking, with its own certificate";
        Ok(self.judge(title, "token.not_bound", mark, told))
    }

    /// 2: somebody between them changes the amount.
    async fn changed_body(&self) -> Result<Attack, Failure> {
        let mark = self.ledger.mark();
        let (parts, body) = sign(
            &self.agents.booking,
            self.agents.payments.peer(),
            &self.to_payments,
        )?;
        let body = String::from_utf8(body)?
            .replace("84.00", "8400.00")
            .into_bytes();
        let told = deliver(
            &self.agents.booking,
            self.agents.payments.peer(),
            (parts, body),
        )
        .await?;
        let title = "the body is changed after booking signed it";
        Ok(self.judge(title, "signature.digest", mark, told))
    }

    /// 3: the same signed request again; the first one is genuine and served.
    async fn sent_twice(&self) -> Result<Attack, Failure> {
        let payments = self.agents.payments.peer();
        let request = sign(&self.agents.booking, payments, &self.to_payments)?;
        let first = deliver(&self.agents.booking, payments, request.clone()).await?;
        if first.status != StatusCode::OK || !first.body.contains("charged") {
            return Err(format!("the genuine request was answered {}", first.words()).into());
        }
        let mark = self.ledger.mark();
        let told = deliver(&self.agents.booking, payments, request).await?;
        let title = "the same signed request is sent twice";
        Ok(self.judge(title, "replay.seen", mark, told))
    }

    /// 4: a token whose chain names the first actor outermost.
    async fn inverted_chain(&self) -> Result<Attack, Failure> {
        let mark = self.ledger.mark();
        let (front_desk, planner) = (&self.agents.front_desk, &self.agents.planner);
        let act = json!({"sub": front_desk.peer().id(), "act": {"sub": planner.peer().id()}});
        let token = self
            .authority
            .danger()
            .reissue(&self.to_booking, &json!({ "act": act }))?;
        let booking = self.agents.booking.peer();
        let told = deliver(planner, booking, sign(planner, booking, &token)?).await?;
        let title = "a token whose act chain is nested the wrong way round";
        Ok(self.judge(title, "delegation.inverted", mark, told))
    }

    /// 5: payments' certificate is genuine, the card it serves is booking's.
    async fn foreign_card(&self) -> Result<Attack, Failure> {
        let card = fetch_card(&self.agents.planner, self.agents.booking.peer()).await?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("https://{}", listener.local_addr()?);
        let impostor = &self.agents.payments;
        let workload = impostor.client().workload().clone();
        let card = Arc::new(card);
        let router = Router::new().route(
            AGENT_CARD_PATH,
            get(move || std::future::ready(card.as_slice().to_vec())),
        );
        let never = std::future::pending();
        let options = ServeOptions::default();
        let serving = tokio::spawn(tls::serve(listener, workload, options, router, never));
        let peer = Peer::new(&url, impostor.peer().id().as_str())?;
        let refused = self
            .agents
            .planner
            .client()
            .on_own_behalf()
            .call(&peer)
            .send("hello")
            .await;
        serving.abort();
        Ok(Attack::at_the_caller(
            "booking's genuine signed card is served by another peer",
            "card.not_peers",
            "planner",
            refused.err(),
        ))
    }

    /// 6: planner hands on the token that front-desk gave it.
    async fn forwarded_token(&self) -> Result<Attack, Failure> {
        let mark = self.ledger.mark();
        let (planner, booking) = (&self.agents.planner, self.agents.booking.peer());
        let told = deliver(planner, booking, sign(planner, booking, &self.to_planner)?).await?;
        let title = "planner forwards its inbound token instead of exchanging it";
        Ok(self.judge(title, "token.audience", mark, told))
    }

    /// 7: more than alice granted; and more than the agent's own role allows.
    async fn asking_for_more(&self) -> Result<Vec<Attack>, Failure> {
        let front_desk = self.agents.front_desk.client();
        let granted: Scopes = "trip:plan payments:refund".parse()?;
        let alice = front_desk.oauth().login("alice", &granted).await?;
        let on_behalf = front_desk.on_behalf_of_user(alice);
        let planner = self.agents.planner.peer();

        let mark = self.ledger.mark();
        let call = on_behalf.call(planner).skill("plan");
        let refused = call
            .scopes("trip:plan profile:read".parse()?)
            .send("hello")
            .await;
        let title = "front-desk asks for more than alice granted";
        let first = self.judge_client(title, "exchange.scope_exceeds_subject", mark, refused.err());

        let mark = self.ledger.mark();
        let call = on_behalf.call(planner).skill("plan");
        let refused = call
            .scopes("trip:plan payments:refund".parse()?)
            .send("hello")
            .await;
        let title = "front-desk asks for what alice granted, but its own role does not have";
        let second = self.judge_client(title, "exchange.scope_exceeds_agent", mark, refused.err());
        Ok(vec![first, second])
    }

    /// 8: an operation that touches user data, for nobody.
    async fn without_a_user(&self) -> Result<Attack, Failure> {
        let mark = self.ledger.mark();
        let booking = self.agents.booking.client().on_own_behalf();
        let call = booking.call(self.agents.payments.peer()).skill("charge");
        let refused = call.send("84.00").await;
        let title = "booking charges a card for no user at all";
        Ok(self.judge_client(title, "policy.needs_user", mark, refused.err()))
    }

    fn judge(&self, title: &'static str, want: &'static str, mark: usize, told: Told) -> Attack {
        let recorded = self.ledger.refusal_since(mark);
        let refused = told.status != StatusCode::OK;
        Attack::at_the_server(title, want, recorded, refused, told.words())
    }

    fn judge_client(
        &self,
        title: &'static str,
        want: &'static str,
        mark: usize,
        error: Option<ClientError>,
    ) -> Attack {
        let recorded = self.ledger.refusal_since(mark);
        let told = error
            .as_ref()
            .map_or("it was served".to_owned(), ToString::to_string);
        Attack::at_the_server(title, want, recorded, error.is_some(), told)
    }
}

type Signed = (http::request::Parts, Vec<u8>);

/// A request to charge 84.00, signed by `from`, carrying `token`.
fn sign(from: &RunningAgent, to: &Peer, token: &Secret) -> Result<Signed, Failure> {
    let own = from.client().workload().current();
    let message = Message::user(Part::text("charge 84.00"));
    let request = SendMessageRequest::new(message);
    let body = jsonrpc::request(&1.into(), Operation::SendMessage, &request);
    let (mut parts, ()) = Request::post(to.uri("/a2a")?)
        .header(CONTENT_TYPE, "application/json")
        .header("a2a-version", "1.0")
        .header(AUTHORIZATION, format!("Bearer {}", token.expose()))
        .body(())?
        .into_parts();
    let directory = "https://travel.example/.well-known/http-message-signatures-directory";
    let signer = Signer::new(own.key().clone(), directory, Profile::a2a())?;
    let now = from.client().workload().clock().now();
    signer.sign(&mut parts, to.target(), &body, now, random())?;
    Ok((parts, body))
}

/// Sends `request` over `from`'s own mutual TLS.
async fn deliver(from: &RunningAgent, to: &Peer, request: Signed) -> Result<Told, Failure> {
    let (parts, body) = request;
    let request = Request::from_parts(parts, Full::new(body.into()));
    let received = from
        .client()
        .transport()
        .send(to.endpoint(), request)
        .await?;
    let (head, body) = received.response.into_parts();
    let challenge = head.headers.get(WWW_AUTHENTICATE).map(HeaderValue::to_str);
    Ok(Told {
        status: head.status,
        challenge: challenge.transpose()?.map(str::to_owned),
        body: String::from_utf8_lossy(&body.collect().await?.to_bytes()).into_owned(),
    })
}

async fn fetch_card(from: &RunningAgent, of: &Peer) -> Result<Vec<u8>, Failure> {
    let request = Request::get(of.uri(AGENT_CARD_PATH)?).body(Full::default())?;
    let received = from
        .client()
        .transport()
        .send(of.endpoint(), request)
        .await?;
    Ok(received
        .response
        .into_body()
        .collect()
        .await?
        .to_bytes()
        .to_vec())
}
