//! What an answer must be about.

use crate::a2a::{
    A2aError, ErrorKind, Request, Response, SendMessageResponse, StreamResponse, Task,
    TaskPushNotificationConfig,
};

/// How many characters of a stranger's ID an error quotes.
const QUOTED: usize = 64;

/// The task, the context and the push configuration that a call names, as far as it names them. No
/// answer may be about others: the caller would take a stranger's result for its own.
#[derive(Clone, Debug, Default)]
pub(super) struct About {
    task: Option<String>,
    context: Option<String>,
    config: Option<String>,
}

impl About {
    /// What `request` is about.
    pub(super) fn of(request: &Request) -> Self {
        let task = |id: &String| Self {
            task: named(id).map(str::to_owned),
            ..Self::default()
        };
        match request {
            Request::SendMessage(r) | Request::SendStreamingMessage(r) => Self {
                task: r.message.task_id.clone(),
                context: r.message.context_id.clone(),
                config: None,
            },
            Request::GetTask(r) => task(&r.id),
            Request::CancelTask(r) => task(&r.id),
            Request::SubscribeToTask(r) => task(&r.id),
            Request::ListTasks(r) => Self {
                context: r.context_id.clone(),
                ..Self::default()
            },
            Request::CreateTaskPushNotificationConfig(r) => Self {
                task: r.task_id.clone(),
                config: r.id.clone(),
                context: None,
            },
            Request::GetTaskPushNotificationConfig(r) => Self {
                config: Some(r.id.clone()),
                ..task(&r.task_id)
            },
            Request::ListTaskPushNotificationConfigs(r) => task(&r.task_id),
            Request::DeleteTaskPushNotificationConfig(_) | Request::GetExtendedAgentCard(_) => {
                Self::default()
            }
        }
    }

    /// Whether `answer` is whole and about this.
    ///
    /// # Errors
    /// `InvalidAgentResponse`, naming what else it is about.
    pub(super) fn check(&self, answer: &Response) -> Result<(), A2aError> {
        answer.check()?;
        match answer {
            Response::Task(task) | Response::SendMessage(SendMessageResponse::Task(task)) => {
                self.task(task)
            }
            Response::SendMessage(SendMessageResponse::Message(message)) => {
                self.ids(message.task_id.as_deref(), message.context_id.as_deref())
            }
            Response::ListTasks(page) => page.tasks.iter().try_for_each(|task| self.task(task)),
            Response::TaskPushNotificationConfig(config) => self.config(config),
            Response::ListTaskPushNotificationConfigs(page) => {
                page.configs.iter().try_for_each(|c| self.config(c))
            }
            Response::Empty | Response::AgentCard(_) => Ok(()),
        }
    }

    /// Whether `event` is whole and about this. What the first event names, those after it must
    /// name too (A2A §3.1.2).
    ///
    /// # Errors
    /// As [`About::check`].
    pub(super) fn check_event(&mut self, event: &StreamResponse) -> Result<(), A2aError> {
        event.check()?;
        let (task, context) = (event.task_id(), event.context_id());
        self.ids(task, context)?;
        let learn = |place: &mut Option<String>, told: Option<&str>| {
            if place.is_none() {
                *place = told.and_then(named).map(str::to_owned);
            }
        };
        learn(&mut self.task, task);
        learn(&mut self.context, context);
        Ok(())
    }

    fn task(&self, task: &Task) -> Result<(), A2aError> {
        self.ids(Some(&task.id), Some(&task.context_id))
    }

    fn ids(&self, task: Option<&str>, context: Option<&str>) -> Result<(), A2aError> {
        same("task", self.task.as_deref(), task)?;
        same("context", self.context.as_deref(), context)
    }

    fn config(&self, config: &TaskPushNotificationConfig) -> Result<(), A2aError> {
        same("task", self.task.as_deref(), config.task_id.as_deref())?;
        same(
            "push configuration",
            self.config.as_deref(),
            config.id.as_deref(),
        )
    }
}

/// An ID that is there: to a peer that leaves out what it was just told, an empty one is none.
fn named(id: &str) -> Option<&str> {
    Some(id).filter(|id| !id.is_empty())
}

fn same(what: &str, asked: Option<&str>, told: Option<&str>) -> Result<(), A2aError> {
    let both = asked.and_then(named).zip(told.and_then(named));
    match both {
        Some((asked, told)) if asked != told => {
            let (asked, told) = (quoted(asked), quoted(told));
            let message =
                format!("Not an answer of A2A: about the {what} {told:?}, not {asked:?} as asked");
            Err(A2aError::new(ErrorKind::InvalidAgentResponse, message))
        }
        _ => Ok(()),
    }
}

fn quoted(id: &str) -> String {
    id.chars().take(QUOTED).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::a2a::{
        GetTaskPushNotificationConfigRequest, GetTaskRequest, ListTasksRequest, ListTasksResponse,
        Message, Part, SendMessageRequest, TaskState, TaskStatus, TaskStatusUpdateEvent,
    };

    fn task(id: &str, context: &str) -> Task {
        let status = TaskStatus {
            state: TaskState::Working,
            message: None,
            timestamp: None,
        };
        Task::new(id, context, status)
    }

    fn get() -> Request {
        Request::GetTask(GetTaskRequest {
            id: "t-1".into(),
            ..GetTaskRequest::default()
        })
    }

    fn send(task: Option<&str>, context: Option<&str>) -> Request {
        let mut message = Message::user(Part::text("hi"));
        message.task_id = task.map(str::to_owned);
        message.context_id = context.map(str::to_owned);
        Request::SendMessage(SendMessageRequest::new(message))
    }

    fn reply(task: Option<&str>, context: Option<&str>) -> Response {
        let mut message = Message::agent(Part::text("hi"));
        message.task_id = task.map(str::to_owned);
        message.context_id = context.map(str::to_owned);
        Response::SendMessage(SendMessageResponse::Message(message))
    }

    fn config(task: Option<&str>, id: Option<&str>) -> Response {
        Response::TaskPushNotificationConfig(TaskPushNotificationConfig {
            task_id: task.map(str::to_owned),
            id: id.map(str::to_owned),
            url: "https://hooks.example/".into(),
            ..TaskPushNotificationConfig::default()
        })
    }

    fn list(context: &str) -> Request {
        Request::ListTasks(ListTasksRequest {
            context_id: Some(context.to_owned()),
            ..ListTasksRequest::default()
        })
    }

    #[test]
    fn an_answer_names_what_was_asked_for_or_nothing() {
        let get_config = || {
            Request::GetTaskPushNotificationConfig(GetTaskPushNotificationConfigRequest {
                tenant: None,
                task_id: "t-1".into(),
                id: "p-1".into(),
            })
        };
        let made = |t: &str, c: &str| Response::SendMessage(SendMessageResponse::Task(task(t, c)));
        let page = |contexts: [&str; 2]| {
            Response::ListTasks(ListTasksResponse {
                tasks: contexts.map(|context| task("t-1", context)).into(),
                ..ListTasksResponse::default()
            })
        };
        let cases = [
            (get(), Response::Task(task("t-1", "c-1")), None),
            (get(), Response::Task(task("t-2", "c-1")), Some("t-2")),
            (get(), Response::Task(task("T-1", "c-1")), Some("T-1")),
            (get(), Response::Task(task("", "c-1")), Some("without id")),
            (send(None, None), made("t-2", "c-2"), None),
            (send(Some("t-1"), None), made("t-1", "c-2"), None),
            (send(Some("t-1"), None), made("t-2", "c-1"), Some("t-2")),
            (send(None, Some("c-1")), made("t-2", "c-1"), None),
            (send(None, Some("c-1")), made("t-2", ""), None),
            (send(None, Some("c-1")), made("t-2", "c-2"), Some("c-2")),
            (send(Some("t-1"), Some("c-1")), reply(None, None), None),
            (
                send(Some("t-1"), None),
                reply(Some("t-2"), None),
                Some("t-2"),
            ),
            (
                send(None, Some("c-1")),
                reply(None, Some("c-2")),
                Some("c-2"),
            ),
            (list("c-1"), page(["c-1", "c-1"]), None),
            (list("c-1"), page(["c-1", "c-2"]), Some("c-2")),
            (get_config(), config(Some("t-1"), Some("p-1")), None),
            (get_config(), config(None, None), None),
            (get_config(), config(Some("t-2"), Some("p-1")), Some("t-2")),
            (get_config(), config(Some("t-1"), Some("p-2")), Some("p-2")),
        ];
        for (request, answer, want) in cases {
            let checked = About::of(&request).check(&answer);
            let name = format!("{request:?}: {answer:?}");
            match (checked, want) {
                (Ok(()), None) => {}
                (Err(error), Some(named)) => {
                    assert_eq!(error.kind(), ErrorKind::InvalidAgentResponse, "{name}");
                    assert!(error.message().contains(named), "{name}: {error}");
                }
                (checked, _) => panic!("{name}: {checked:?}"),
            }
        }
    }

    #[test]
    fn the_first_event_says_what_the_others_are_about() {
        let moved = |task: &str, context: &str| {
            StreamResponse::StatusUpdate(TaskStatusUpdateEvent {
                task_id: task.into(),
                context_id: context.into(),
                status: self::task(task, context).status,
                metadata: Default::default(),
            })
        };
        for (second, want) in [
            (moved("t-1", "c-1"), true),
            (moved("t-1", ""), true),
            (moved("t-2", "c-1"), false),
            (moved("t-1", "c-2"), false),
            (moved("", "c-1"), false),
            (StreamResponse::Task(task("t-2", "c-1")), false),
        ] {
            let mut about = About::of(&send(None, None));
            let first = StreamResponse::Task(task("t-1", "c-1"));
            assert_eq!(about.check_event(&first), Ok(()));
            let checked = about.check_event(&second);
            assert_eq!(checked.is_ok(), want, "{second:?}");
        }
    }

    #[test]
    fn an_error_quotes_little_of_a_strangers_id() {
        let long = "x".repeat(1 << 20);
        let answer = Response::Task(task(&long, "c-1"));
        let error = About::of(&get()).check(&answer).expect_err("another task");
        assert!(error.message().len() < 200, "{}", error.message().len());
    }
}
