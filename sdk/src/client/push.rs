//! The operations on push configurations (A2A §3.1.7-3.1.10).

use super::answer;
use super::call::Call;
use super::error::ClientError;
use super::pages::EmptyPages;
use crate::a2a::{
    DeleteTaskPushNotificationConfigRequest, GetTaskPushNotificationConfigRequest,
    ListTaskPushNotificationConfigsRequest, Request, Response, TaskPushNotificationConfig,
};

/// The most configurations that a list may have. Agents allow a task far fewer: ours 16.
const MAX_CONFIGS: usize = 1000;

impl Call {
    /// CreateTaskPushNotificationConfig: asks to be told about a task by push. Gives it as the agent
    /// keeps it.
    ///
    /// # Errors
    /// [`ClientError`], naming the step that refused.
    pub async fn create_push_config(
        self,
        config: TaskPushNotificationConfig,
    ) -> Result<TaskPushNotificationConfig, ClientError> {
        let request = Request::CreateTaskPushNotificationConfig(config);
        self.one_config(request).await
    }

    /// GetTaskPushNotificationConfig.
    ///
    /// # Errors
    /// [`ClientError`], naming the step that refused.
    pub async fn get_push_config(
        self,
        task_id: &str,
        id: &str,
    ) -> Result<TaskPushNotificationConfig, ClientError> {
        let request = GetTaskPushNotificationConfigRequest {
            tenant: None,
            task_id: task_id.to_owned(),
            id: id.to_owned(),
        };
        let request = Request::GetTaskPushNotificationConfig(request);
        self.one_config(request).await
    }

    /// ListTaskPushNotificationConfigs, all pages: together at most 1000 configurations, which are
    /// no larger than one answer may be
    /// ([`ClientBuilder::max_answer`](super::ClientBuilder::max_answer)).
    ///
    /// # Errors
    /// [`ClientError`], naming the step that refused; [`ClientError::Endless`] and
    /// [`ClientError::TooLong`] when the agent does not come to an end within that.
    pub async fn list_push_configs(
        self,
        task_id: &str,
    ) -> Result<Vec<TaskPushNotificationConfig>, ClientError> {
        let mut asked = ListTaskPushNotificationConfigsRequest {
            task_id: task_id.to_owned(),
            ..ListTaskPushNotificationConfigsRequest::default()
        };
        let max = self.client.0.max_answer;
        let (mut configs, mut bytes, mut empty) = (Vec::new(), 0, EmptyPages::default());
        loop {
            let request = Request::ListTaskPushNotificationConfigs(asked.clone());
            let operation = request.operation();
            let page = match self.once(request).await? {
                Response::ListTaskPushNotificationConfigs(page) => page,
                other => return Err(answer::mismatch(operation, &other)),
            };
            empty.count(page.configs.is_empty())?;
            bytes += page.configs.iter().map(size).sum::<usize>();
            configs.extend(page.configs);
            if configs.len() > MAX_CONFIGS {
                return Err(ClientError::Endless {
                    max: MAX_CONFIGS,
                    what: "push configurations",
                });
            }
            if bytes > max {
                return Err(ClientError::TooLong { max });
            }
            let token = Some(page.next_page_token).filter(|token| !token.is_empty());
            if token.is_none() || token == asked.page_token {
                return Ok(configs);
            }
            asked.page_token = token;
        }
    }

    /// DeleteTaskPushNotificationConfig: also when it is gone already.
    ///
    /// # Errors
    /// [`ClientError`], naming the step that refused.
    pub async fn delete_push_config(self, task_id: &str, id: &str) -> Result<(), ClientError> {
        let request = DeleteTaskPushNotificationConfigRequest {
            tenant: None,
            task_id: task_id.to_owned(),
            id: id.to_owned(),
        };
        let request = Request::DeleteTaskPushNotificationConfig(request);
        let operation = request.operation();
        match self.once(request).await? {
            Response::Empty => Ok(()),
            other => Err(answer::mismatch(operation, &other)),
        }
    }

    async fn one_config(self, request: Request) -> Result<TaskPushNotificationConfig, ClientError> {
        let operation = request.operation();
        match self.once(request).await? {
            Response::TaskPushNotificationConfig(config) => Ok(config),
            other => Err(answer::mismatch(operation, &other)),
        }
    }
}

/// How many bytes its texts have; there are so few configurations that the rest counts for nothing.
fn size(config: &TaskPushNotificationConfig) -> usize {
    let how = config.authentication.as_ref();
    let texts = [
        config.tenant.as_ref(),
        config.id.as_ref(),
        config.task_id.as_ref(),
        Some(&config.url),
        config.token.as_ref(),
        how.map(|how| &how.scheme),
        how.and_then(|how| how.credentials.as_ref()),
    ];
    texts.into_iter().flatten().map(String::len).sum()
}
