//! Values of the protocol's types, made up one after the other from a number.

mod card;

use bytes::Bytes;
use serde_json::Value;

use crate::a2a::*;

/// Makes values; the same seed makes the same ones (xorshift).
pub(super) struct Maker(u64);

impl Maker {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 8) % end
    }

    fn flag(&mut self) -> bool {
        self.below(2) == 0
    }

    fn pick<T>(&mut self, from: impl IntoIterator<Item = T, IntoIter: ExactSizeIterator>) -> T {
        let mut from = from.into_iter();
        let at = self.below(from.len() as u64) as usize;
        from.nth(at).expect("one of them")
    }

    fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.flag().then(|| make(self))
    }

    fn some<T>(&mut self, least: u64, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let count = least + self.below(3);
        (0..count).map(|_| make(self)).collect()
    }

    /// Never empty: the proto cannot tell an empty text from none.
    fn text(&mut self) -> String {
        let word = self.pick([
            "a",
            "Zürich",
            "urn:x",
            "🦊",
            "x y",
            "https://a.example/?q=1",
        ]);
        format!("{word}{}", self.below(100))
    }

    fn texts(&mut self) -> Vec<String> {
        self.some(0, Self::text)
    }

    fn value(&mut self, depth: u32) -> Value {
        match self.below(if depth == 0 { 6 } else { 8 }) {
            0 => Value::Null,
            1 => Value::Bool(self.flag()),
            2 => Value::from(self.below(1 << 53) as i64 - (1 << 52)),
            3 => Value::from(self.below(1000) as f64 + 0.5),
            4 => self.pick([Value::from(1e300), Value::from(-0.0), Value::from(5e-324)]),
            5 => Value::from(self.pick(["", "text", "\u{0}"])),
            6 => Value::from(self.some(0, |m| m.value(depth - 1))),
            _ => Value::Object(self.members(depth - 1)),
        }
    }

    fn members(&mut self, depth: u32) -> Struct {
        let members = self.some(0, |m| (m.text(), m.value(depth)));
        members.into_iter().collect()
    }

    fn timestamp(&mut self) -> Timestamp {
        let text = self.pick([
            "2026-11-22T13:36:11.5Z",
            "2026-11-22T13:36:11.000000001Z",
            "1969-12-31T23:59:59.999Z",
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59.999999999Z",
        ]);
        text.parse().expect("a time")
    }

    fn part(&mut self) -> Part {
        let mut part = match self.below(4) {
            0 => Part::text(self.pick(["", "hello"])),
            1 => Part::raw(Bytes::from(self.pick([&b""[..], b"\0\xff"])), "x/y"),
            2 => Part::url(self.text()),
            _ => Part::data(self.value(3)),
        };
        part.metadata = self.members(2);
        part.filename = self.maybe(Self::text);
        part.media_type = self.maybe(Self::text);
        part
    }

    pub(super) fn message(&mut self, role: Role) -> Message {
        let mut message = Message::user(self.some(1, Self::part));
        message.role = role;
        message.context_id = self.maybe(Self::text);
        message.task_id = self.maybe(Self::text);
        message.metadata = self.members(2);
        message.extensions = self.texts();
        message.reference_task_ids = self.texts();
        message
    }

    fn any_message(&mut self) -> Message {
        let role = self.pick([Role::User, Role::Agent]);
        self.message(role)
    }

    fn state(&mut self) -> TaskState {
        self.pick([
            TaskState::Submitted,
            TaskState::Working,
            TaskState::Completed,
            TaskState::Failed,
            TaskState::Canceled,
            TaskState::InputRequired,
            TaskState::Rejected,
            TaskState::AuthRequired,
        ])
    }

    fn status(&mut self) -> TaskStatus {
        TaskStatus {
            state: self.state(),
            message: self.maybe(Self::any_message),
            timestamp: self.maybe(Self::timestamp),
        }
    }

    fn artifact(&mut self) -> Artifact {
        let mut artifact = Artifact::new(self.some(1, Self::part));
        artifact.name = self.maybe(Self::text);
        artifact.description = self.maybe(Self::text);
        artifact.metadata = self.members(2);
        artifact.extensions = self.texts();
        artifact
    }

    pub(super) fn task(&mut self) -> Task {
        let context = self.pick(["", "c-1"]);
        let mut task = Task::new(self.text(), context, self.status());
        task.artifacts = self.some(0, Self::artifact);
        task.history = self.some(0, Self::any_message);
        task.metadata = self.members(2);
        task
    }

    fn push_config(&mut self, task_id: Option<String>) -> TaskPushNotificationConfig {
        TaskPushNotificationConfig {
            tenant: self.maybe(Self::text),
            id: self.maybe(Self::text),
            task_id,
            url: self.text(),
            token: self.maybe(Self::text),
            authentication: self.maybe(|m| AuthenticationInfo {
                scheme: m.text(),
                credentials: m.maybe(Self::text),
            }),
        }
    }

    fn send(&mut self) -> SendMessageRequest {
        SendMessageRequest {
            tenant: self.maybe(Self::text),
            message: self.message(Role::User),
            configuration: self.maybe(|m| SendMessageConfiguration {
                accepted_output_modes: m.texts(),
                task_push_notification_config: m.maybe(|m| m.push_config(None)),
                history_length: m.maybe(|m| m.below(3) as i32),
                return_immediately: m.flag(),
            }),
            metadata: self.members(2),
        }
    }

    pub(super) fn request(&mut self, operation: Operation) -> Request {
        let (tenant, id) = (self.maybe(Self::text), self.text());
        let history_length = self.maybe(|m| m.below(3) as i32);
        match operation {
            Operation::SendMessage => Request::SendMessage(self.send()),
            Operation::SendStreamingMessage => Request::SendStreamingMessage(self.send()),
            Operation::GetTask => Request::GetTask(GetTaskRequest {
                tenant,
                id,
                history_length,
            }),
            Operation::ListTasks => Request::ListTasks(ListTasksRequest {
                tenant,
                context_id: self.maybe(Self::text),
                status: self.maybe(Self::state),
                page_size: self.maybe(|m| 1 + m.below(100) as i32),
                page_token: self.maybe(Self::text),
                history_length,
                status_timestamp_after: self.maybe(Self::timestamp),
                include_artifacts: self.maybe(Self::flag),
            }),
            Operation::CancelTask => Request::CancelTask(CancelTaskRequest {
                tenant,
                id,
                metadata: self.members(2),
            }),
            Operation::SubscribeToTask => {
                Request::SubscribeToTask(SubscribeToTaskRequest { tenant, id })
            }
            Operation::CreateTaskPushNotificationConfig => {
                Request::CreateTaskPushNotificationConfig(self.push_config(Some(id)))
            }
            Operation::GetTaskPushNotificationConfig
            | Operation::DeleteTaskPushNotificationConfig => {
                let named = GetTaskPushNotificationConfigRequest {
                    tenant,
                    task_id: self.text(),
                    id,
                };
                if operation == Operation::GetTaskPushNotificationConfig {
                    Request::GetTaskPushNotificationConfig(named)
                } else {
                    Request::DeleteTaskPushNotificationConfig(named)
                }
            }
            Operation::ListTaskPushNotificationConfigs => {
                Request::ListTaskPushNotificationConfigs(ListTaskPushNotificationConfigsRequest {
                    tenant,
                    task_id: id,
                    page_size: self.below(3) as i32,
                    page_token: self.maybe(Self::text),
                })
            }
            Operation::GetExtendedAgentCard => {
                Request::GetExtendedAgentCard(GetExtendedAgentCardRequest { tenant })
            }
        }
    }

    /// An answer to an operation that answers once.
    pub(super) fn response(&mut self, operation: Operation) -> Option<Response> {
        Some(match operation {
            Operation::SendMessage => Response::SendMessage(if self.flag() {
                SendMessageResponse::Task(self.task())
            } else {
                SendMessageResponse::Message(self.any_message())
            }),
            Operation::GetTask | Operation::CancelTask => Response::Task(self.task()),
            Operation::ListTasks => Response::ListTasks(ListTasksResponse {
                tasks: self.some(0, Self::task),
                next_page_token: self.pick(["", "next"]).to_owned(),
                page_size: 50,
                total_size: self.below(3) as i32,
            }),
            Operation::CreateTaskPushNotificationConfig
            | Operation::GetTaskPushNotificationConfig => {
                Response::TaskPushNotificationConfig(self.push_config(Some("t".into())))
            }
            Operation::ListTaskPushNotificationConfigs => {
                Response::ListTaskPushNotificationConfigs(ListTaskPushNotificationConfigsResponse {
                    configs: self.some(0, |m| m.push_config(None)),
                    next_page_token: self.pick(["", "next"]).to_owned(),
                })
            }
            Operation::DeleteTaskPushNotificationConfig => Response::Empty,
            Operation::GetExtendedAgentCard => Response::AgentCard(Box::new(self.card())),
            Operation::SendStreamingMessage | Operation::SubscribeToTask => return None,
        })
    }

    pub(super) fn event(&mut self) -> StreamResponse {
        match self.below(4) {
            0 => StreamResponse::Task(self.task()),
            1 => StreamResponse::Message(self.any_message()),
            2 => StreamResponse::StatusUpdate(TaskStatusUpdateEvent {
                task_id: self.text(),
                context_id: self.text(),
                status: self.status(),
                metadata: self.members(2),
            }),
            _ => StreamResponse::ArtifactUpdate(TaskArtifactUpdateEvent {
                task_id: self.text(),
                context_id: self.text(),
                artifact: self.artifact(),
                append: self.flag(),
                last_chunk: self.flag(),
                metadata: self.members(2),
            }),
        }
    }
}
