//! The operations on push configurations (A2A §3.1.7-3.1.10).

use super::answer;
use super::call::Call;
use super::error::ClientError;
use crate::a2a::{
    DeleteTaskPushNotificationConfigRequest, GetTaskPushNotificationConfigRequest,
    ListTaskPushNotificationConfigsRequest, Request, Response, TaskPushNotificationConfig,
};

/// More pages than this are not asked for: an agent that never comes to an end is not followed.
const MAX_PAGES: usize = 1000;

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

    /// ListTaskPushNotificationConfigs, all pages.
    ///
    /// # Errors
    /// [`ClientError`], naming the step that refused.
    pub async fn list_push_configs(
        self,
        task_id: &str,
    ) -> Result<Vec<TaskPushNotificationConfig>, ClientError> {
        let mut asked = ListTaskPushNotificationConfigsRequest {
            task_id: task_id.to_owned(),
            ..ListTaskPushNotificationConfigsRequest::default()
        };
        let mut configs = Vec::new();
        for _ in 0..MAX_PAGES {
            let request = Request::ListTaskPushNotificationConfigs(asked.clone());
            let operation = request.operation();
            let page = match self.once(request).await? {
                Response::ListTaskPushNotificationConfigs(page) => page,
                other => return Err(answer::mismatch(operation, &other)),
            };
            configs.extend(page.configs);
            let token = Some(page.next_page_token).filter(|token| !token.is_empty());
            if token.is_none() || token == asked.page_token {
                break;
            }
            asked.page_token = token;
        }
        Ok(configs)
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
