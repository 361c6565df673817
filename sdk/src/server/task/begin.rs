//! Beginning to work on a task: a new one, or one that waits for a message.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use super::context::{Ask, Deadlines, FinishBy, FollowUp};
use super::engine::Engine;
use super::live::{Live, Offered};
use super::run::{Before, Round};
use super::wording::{busy, elsewhere, no_push, timestamp, unavailable};
use crate::a2a::{
    A2aError, Message, SendMessageConfiguration, SendMessageRequest, Task, TaskState, TaskStatus,
    Timestamp, new_id,
};
use crate::card::EXTENSION_URI;
use crate::clock::UnixTime;
use crate::policy::Owner;
use crate::server::ServerCallContext;

/// A message that was checked, and how its answer is wanted.
pub(super) struct Sent {
    pub(super) owner: Owner,
    pub(super) message: Message,
    pub(super) ask: Ask,
    pub(super) configuration: SendMessageConfiguration,
}

/// Where the work on a message goes on.
pub(super) enum Begun {
    /// Here, and it is still to be run.
    Here {
        live: Arc<Live>,
        before: Before,
        round: Round,
        /// The version the task had before.
        from: u64,
    },
    /// Here, by the executor that waited for it.
    Joined { live: Arc<Live>, offered: Offered },
    /// In another instance, which holds the task.
    Elsewhere(Box<Sent>),
}

/// How often a task may slip away between the look and the grip.
const ATTEMPTS: usize = 16;

impl Engine {
    /// Checks what was sent.
    pub(super) async fn sent(
        &self,
        call: &ServerCallContext,
        request: SendMessageRequest,
        waits: bool,
    ) -> Result<Sent, A2aError> {
        let configuration = request.configuration.unwrap_or_default();
        if let Some(config) = &configuration.task_push_notification_config {
            let push = self.parts.push.as_ref();
            let push = push.ok_or_else(no_push)?;
            push.check(call.owner(), config).await?;
        }
        let waits = waits && !configuration.return_immediately;
        let now = self.parts.clock.now();
        Ok(Sent {
            owner: call.owner().clone(),
            ask: Ask {
                requester: call.requester().clone(),
                parameters: call.parameters().clone(),
                output_modes: configuration.accepted_output_modes.clone(),
                deadlines: Deadlines {
                    waits: call.deadline().filter(|_| waits),
                    work: deadline_of(&request.message, now)?,
                },
            },
            message: request.message,
            configuration,
        })
    }

    /// Finds or makes the task that the message belongs to.
    pub(super) async fn begin(self: &Arc<Self>, sent: Sent) -> Result<Begun, A2aError> {
        let task_id = sent.message.task_id.clone();
        match task_id.filter(|id| !id.is_empty()) {
            None => self.begin_new(sent),
            Some(id) => self.go_on(&id, sent).await,
        }
    }

    fn begin_new(&self, sent: Sent) -> Result<Begun, A2aError> {
        let skill = sent.ask.requester.admitted();
        let skill = skill.and_then(|call| call.action().skill.as_deref());
        let now = timestamp(&*self.parts.clock);
        let mut task = submitted(sent.message.context_id.as_deref(), skill, now);
        self.parts.limits.takes(&task, &sent.message)?;
        let message = sent.message.in_task(&task.id, &task.context_id);
        task.history.push(message.clone());
        let at_once = sent.configuration.return_immediately;
        let push = sent.configuration.task_push_notification_config;
        let before = match push.map(Box::new) {
            None if !at_once => Before::Nothing,
            push => Before::Keep(push),
        };
        // The ID is fresh, so nobody works on it.
        let live = self.enter(&sent.owner, Arc::new(task), at_once)?;
        let live = live.ok_or_else(busy)?;
        let round = Round::Execute(Box::new((message, sent.ask)));
        Ok(Begun::Here {
            live,
            before,
            round,
            from: 0,
        })
    }

    async fn go_on(self: &Arc<Self>, id: &str, mut sent: Sent) -> Result<Begun, A2aError> {
        for _ in 0..ATTEMPTS {
            let stored = self.find(&sent.owner, id).await?;
            check_belongs(&stored.task, &sent)?;
            self.parts.limits.takes(&stored.task, &sent.message)?;
            if let Some(live) = self.running(&sent.owner, id) {
                if live.hears(&sent.ask) {
                    let message = sent.message.clone();
                    let message = message.in_task(&stored.task.id, &stored.task.context_id);
                    // First, so that nothing that comes of the message is missed.
                    let push = sent.configuration.task_push_notification_config.clone();
                    let new = self.register_push(&sent.owner, id, push, stored.version);
                    let new = new.await?;
                    match live.offer(FollowUp::new(message, sent.ask)) {
                        Ok(offered) => return Ok(Begun::Joined { live, offered }),
                        Err(back) => {
                            let (_, ask) = back.into_parts();
                            sent.ask = ask.ok_or_else(busy)?;
                        }
                    }
                    self.withdraw_push(&sent.owner, id, new).await;
                }
                // It is either at work, or about to leave.
                if !live.is_leaving() {
                    return Err(busy());
                }
                let mut progress = live.progress();
                let _ = progress.wait_for(|p| p.closed).await;
                continue;
            }
            if !stored.task.status.state.is_interrupted() {
                return Err(busy());
            }
            let Some(live) = self.enter(&sent.owner, stored.task.clone(), true)? else {
                continue;
            };
            let from = stored.version;
            live.start_from(stored);
            return self.take_up(live, from, sent).await;
        }
        Err(busy())
    }

    /// Takes the task up under a lease, unless another instance holds it.
    async fn take_up(
        self: &Arc<Self>,
        live: Arc<Live>,
        from: u64,
        sent: Sent,
    ) -> Result<Begun, A2aError> {
        // Whatever happens to this request, the place it took is given up again.
        let mut place = Place(Some((self.clone(), live.clone())));
        let (owner, id) = (live.owner(), live.id());
        let now = self.parts.clock.now();
        let ours = self.store().acquire(owner, id, &self.lease(), now).await;
        if !ours.map_err(|error| unavailable(&error))? {
            return Ok(Begun::Elsewhere(Box::new(sent)));
        }
        live.leased();
        place.0 = None;
        let task = live.task();
        let message = sent.message.in_task(&task.id, &task.context_id);
        let push = sent.configuration.task_push_notification_config;
        Ok(Begun::Here {
            live,
            before: Before::Write(Box::new(message.clone()), push.map(Box::new)),
            round: Round::Execute(Box::new((message, sent.ask))),
            from,
        })
    }

    /// What comes before the executor.
    pub(super) async fn prepare(&self, live: &Live, before: Before) -> Result<(), A2aError> {
        match before {
            Before::Nothing => Ok(()),
            Before::Keep(push) => {
                live.must_exist();
                self.flush(live).await;
                if let Some(error) = live.error() {
                    return Err(error);
                }
                if let Some(config) = push
                    && let Err(error) = self
                        .register_push(live.owner(), live.id(), Some(*config), 0)
                        .await
                {
                    live.fail(error, timestamp(&*self.parts.clock));
                }
                Ok(())
            }
            Before::Write(message, push) => {
                let version = self.load(live).await?;
                let push = push.map(|config| *config);
                let new = self.register_push(live.owner(), live.id(), push, version);
                let new = new.await?;
                live.said(*message);
                self.flush(live).await;
                // Somebody may have canceled it meanwhile.
                let refused = live.is_over().then(busy).or_else(|| live.error());
                match refused {
                    Some(error) => {
                        self.withdraw_push(live.owner(), live.id(), new).await;
                        Err(error)
                    }
                    None => Ok(()),
                }
            }
            Before::Written => self.load(live).await.map(drop),
        }
    }

    /// Reads the task that we hold now: nobody else goes on with it.
    async fn load(&self, live: &Live) -> Result<u64, A2aError> {
        let stored = self.find(live.owner(), live.id()).await?;
        let waits = stored.task.status.state.is_interrupted();
        let version = stored.version;
        live.start_from(stored);
        if waits { Ok(version) } else { Err(busy()) }
    }
}

/// The place of a task that may not be worked on after all.
struct Place(Option<(Arc<Engine>, Arc<Live>)>);

impl Drop for Place {
    fn drop(&mut self) {
        if let Some((engine, live)) = self.0.take() {
            live.lose(elsewhere());
            engine.lock().remove(live.id());
            engine.left.notify_waiters();
            if live.is_leased() {
                tokio::spawn(async move { engine.leave(&live).await });
            }
        }
    }
}

/// Whether the message may go to this task (A2A §3.4.2).
fn check_belongs(task: &Task, sent: &Sent) -> Result<(), A2aError> {
    let context = sent.message.context_id.as_deref();
    if context.is_some_and(|context| !context.is_empty() && context != task.context_id) {
        return Err(A2aError::invalid_param(
            "message.contextId",
            "is not the context of this task",
        ));
    }
    // What was permitted for one skill does not carry on the work of another.
    let call = sent.ask.requester.admitted();
    if call.is_some_and(|call| call.action().skill.as_deref() != skill_of(task)) {
        return Err(A2aError::invalid_param(
            "message.metadata.skill",
            "is not the skill of this task",
        ));
    }
    Ok(())
}

/// A new task; A2A §3.4.1: the server makes its ID, and the context's if the client named none.
/// The skill it is about stays with it.
fn submitted(context_id: Option<&str>, skill: Option<&str>, now: Timestamp) -> Task {
    let context_id = context_id.filter(|id| !id.is_empty());
    let context_id = context_id.map_or_else(new_id, str::to_owned);
    let status = TaskStatus::new(TaskState::Submitted, now);
    let mut task = Task::new(new_id(), context_id, status);
    if let Some(skill) = skill {
        let about = json!({ "skill": skill });
        task.metadata.insert(EXTENSION_URI.to_owned(), about);
    }
    task
}

/// The skill that the task was begun for.
fn skill_of(task: &Task) -> Option<&str> {
    task.metadata.get(EXTENSION_URI)?.get("skill")?.as_str()
}

/// The deadline that a message names under our extension, as this process counts time.
pub(super) fn deadline_of(message: &Message, now: UnixTime) -> Result<Option<FinishBy>, A2aError> {
    let ours = message.metadata.get(EXTENSION_URI);
    let Some(text) = ours.and_then(|ours| ours.get("deadline")) else {
        return Ok(None);
    };
    let wrong = |why| A2aError::invalid_param("message.metadata.deadline", why);
    let named = text
        .as_str()
        .and_then(|text| text.parse::<Timestamp>().ok());
    let named = named.ok_or_else(|| wrong("is no RFC 3339 date and time"))?;
    let left = named.unix_millis() - Timestamp::from(now).unix_millis();
    let left = u64::try_from(left).ok().filter(|left| *left > 0);
    let left = left.ok_or_else(|| wrong("has passed"))?;
    let at = Instant::now().checked_add(Duration::from_millis(left));
    Ok(at.map(|at| FinishBy { at, named }))
}
