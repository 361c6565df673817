//! The operations on tasks (A2A §3.1.3-3.1.6).

use futures_core::Stream;
use futures_util::stream;

use super::answer;
use super::call::Call;
use super::error::ClientError;
use super::pages::EmptyPages;
use super::stream::EventStream;
use crate::a2a::{
    CancelTaskRequest, GetTaskRequest, ListTasksRequest, ListTasksResponse, Request, Response,
    SubscribeToTaskRequest, Task,
};

impl Call {
    /// GetTask, with at most `history` messages of its history (all when `None`).
    ///
    /// # Errors
    /// [`ClientError`], naming the step that refused.
    pub async fn get_task(self, id: &str, history: Option<u32>) -> Result<Task, ClientError> {
        let request = GetTaskRequest {
            id: id.to_owned(),
            history_length: history.map(|n| i32::try_from(n).unwrap_or(i32::MAX)),
            ..GetTaskRequest::default()
        };
        self.one_task(Request::GetTask(request)).await
    }

    /// ListTasks: one page of those that the caller may see, the newest status first.
    ///
    /// # Errors
    /// [`ClientError`], naming the step that refused.
    pub async fn list_tasks(
        self,
        asked: ListTasksRequest,
    ) -> Result<ListTasksResponse, ClientError> {
        self.page(asked).await
    }

    /// ListTasks over all pages, from the one that `asked` begins with. A page is asked for when
    /// the one before is used up; an error is the last item. An agent that names page after page
    /// with nothing on them is given up ([`ClientError::Endless`]).
    ///
    /// ```no_run
    /// # async fn f(call: countersign::client::Call) -> Result<(), countersign::client::ClientError> {
    /// use std::pin::pin;
    /// use futures_util::TryStreamExt as _;
    ///
    /// let mut tasks = pin!(call.all_tasks(Default::default()));
    /// while let Some(task) = tasks.try_next().await? {
    ///     println!("{}", task.id);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn all_tasks(
        self,
        asked: ListTasksRequest,
    ) -> impl Stream<Item = Result<Task, ClientError>> + Send {
        let pages = Pages {
            call: self,
            next: Some(asked),
            here: Vec::new().into_iter(),
            empty: EmptyPages::default(),
        };
        stream::unfold(pages, Pages::step)
    }

    /// CancelTask.
    ///
    /// # Errors
    /// [`ClientError`], naming the step that refused.
    pub async fn cancel_task(self, id: &str) -> Result<Task, ClientError> {
        let request = CancelTaskRequest {
            id: id.to_owned(),
            ..CancelTaskRequest::default()
        };
        self.one_task(Request::CancelTask(request)).await
    }

    /// SubscribeToTask: the task as it stands, then its events as they come.
    ///
    /// # Errors
    /// [`ClientError`], naming the step that refused; a task that is over cannot be subscribed to.
    pub async fn subscribe(self, id: &str) -> Result<EventStream, ClientError> {
        let request = SubscribeToTaskRequest {
            id: id.to_owned(),
            ..SubscribeToTaskRequest::default()
        };
        self.events(Request::SubscribeToTask(request)).await
    }

    async fn one_task(self, request: Request) -> Result<Task, ClientError> {
        let operation = request.operation();
        match self.once(request).await? {
            Response::Task(task) => Ok(task),
            other => Err(answer::mismatch(operation, &other)),
        }
    }

    async fn page(&self, asked: ListTasksRequest) -> Result<ListTasksResponse, ClientError> {
        let request = Request::ListTasks(asked);
        let operation = request.operation();
        match self.once(request).await? {
            Response::ListTasks(page) => Ok(page),
            other => Err(answer::mismatch(operation, &other)),
        }
    }
}

/// Where a walk over all pages stands.
struct Pages {
    call: Call,
    /// What to ask for next; none when the last page is here.
    next: Option<ListTasksRequest>,
    here: std::vec::IntoIter<Task>,
    empty: EmptyPages,
}

impl Pages {
    async fn step(mut self) -> Option<(Result<Task, ClientError>, Self)> {
        loop {
            if let Some(task) = self.here.next() {
                return Some((Ok(task), self));
            }
            let asked = self.next.take()?;
            let page = match self.call.page(asked.clone()).await {
                Ok(page) => page,
                Err(error) => return Some((Err(error), self)),
            };
            if let Err(error) = self.empty.count(page.tasks.is_empty()) {
                return Some((Err(error), self));
            }
            // A2A §3.1.4: an empty token ends the list. One that stays the same would never end.
            let token = Some(page.next_page_token).filter(|token| !token.is_empty());
            let goes_on = token.is_some() && token != asked.page_token;
            self.next = goes_on.then_some(ListTasksRequest {
                page_token: token,
                ..asked
            });
            self.here = page.tasks.into_iter();
        }
    }
}
