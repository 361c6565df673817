//! Push configurations, which 0.3 nests (0.3 §6.8-6.10).

use serde_json::Value;

use super::form::{Form, Object, Read, fault, put};
use crate::a2a::{
    AuthenticationInfo, ListTaskPushNotificationConfigsResponse, Struct, TaskPushNotificationConfig,
};

/// What stands under `pushNotificationConfig`: no task is named there.
pub(super) fn read_config(from: &mut Object) -> Read<TaskPushNotificationConfig> {
    Ok(TaskPushNotificationConfig {
        tenant: None,
        id: from.text("id")?,
        task_id: None,
        url: from.required("url")?,
        token: from.text("token")?,
        authentication: from.object("authentication", read_how)?.flatten(),
    })
}

/// 0.3 lists the schemes that the receiver takes, 1.0 names one: the first is used.
fn read_how(from: &mut Object) -> Read<Option<AuthenticationInfo>> {
    let credentials = from.text("credentials")?;
    match (from.texts("schemes")?.into_iter().next(), credentials) {
        (Some(scheme), credentials) => Ok(Some(AuthenticationInfo {
            scheme,
            credentials,
        })),
        (None, None) => Ok(None),
        (None, Some(_)) => fault("schemes", "must name the scheme of the credentials"),
    }
}

pub(super) fn write_config(config: &TaskPushNotificationConfig) -> Value {
    let mut out = Struct::new();
    put(&mut out, "id", config.id.clone());
    put(&mut out, "url", config.url.as_str());
    put(&mut out, "token", config.token.clone());
    if let Some(how) = &config.authentication {
        let mut info = Struct::new();
        put(&mut info, "schemes", vec![how.scheme.clone()]);
        put(&mut info, "credentials", how.credentials.clone());
        out.insert("authentication".into(), Value::Object(info));
    }
    Value::Object(out)
}

/// A configuration with its task, which the proto puts into a resource name.
pub(super) fn read_task_config(from: &mut Object) -> Read<TaskPushNotificationConfig> {
    let (mut task_id, mut id) = (from.text("taskId")?, None);
    if from.form() == Form::Rest
        && let Some(name) = from.text("name")?
    {
        let Some((task, config)) = split_name(&name) else {
            return fault("name", "must be tasks/{id}/pushNotificationConfigs/{id}");
        };
        (task_id, id) = (Some(task), config);
    }
    let config = from.need("pushNotificationConfig", read_config)?;
    Ok(TaskPushNotificationConfig {
        task_id,
        id: config.id.clone().or(id),
        ..config
    })
}

/// `tasks/{id}` or `tasks/{id}/pushNotificationConfigs/{id}`.
fn split_name(name: &str) -> Option<(String, Option<String>)> {
    let rest = name.strip_prefix("tasks/")?;
    let (task, config) = match rest.split_once("/pushNotificationConfigs/") {
        Some((task, config)) => (task, Some(config)),
        None => (rest, None),
    };
    let single = |id: &str| !id.is_empty() && !id.contains('/');
    let config = config.filter(|id| !id.is_empty());
    let fits = single(task) && config.is_none_or(single);
    fits.then(|| (task.to_owned(), config.map(str::to_owned)))
}

pub(super) fn write_task_config(form: Form, config: &TaskPushNotificationConfig) -> Value {
    let task = config.task_id.as_deref().unwrap_or_default();
    let mut out = Struct::new();
    match form {
        Form::JsonRpc => put(&mut out, "taskId", task),
        Form::Rest => {
            let id = config.id.as_deref().unwrap_or_default();
            let name = format!("tasks/{task}/pushNotificationConfigs/{id}");
            put(&mut out, "name", name);
        }
    }
    put(&mut out, "pushNotificationConfig", write_config(config));
    Value::Object(out)
}

/// A bare list in JSON-RPC and in the specification's text, the proto's object else.
pub(super) fn read_configs(
    form: Form,
    value: Value,
) -> Read<ListTaskPushNotificationConfigsResponse> {
    let mut members = match value {
        Value::Array(items) => Struct::from_iter([("configs".to_owned(), Value::Array(items))]),
        Value::Null if form == Form::JsonRpc => Struct::new(),
        Value::Object(members) if form == Form::Rest => members,
        _ => return fault("", "must be a list"),
    };
    // An empty page may leave it out.
    members.entry("configs").or_insert(Value::Null);
    let mut from = Object::new(form, members);
    Ok(ListTaskPushNotificationConfigsResponse {
        configs: from.objects("configs", read_task_config)?,
        next_page_token: from.text("nextPageToken")?.unwrap_or_default(),
    })
}

pub(super) fn write_configs(form: Form, list: &ListTaskPushNotificationConfigsResponse) -> Value {
    let configs = list.configs.iter().map(|c| write_task_config(form, c));
    let configs = Value::Array(configs.collect());
    match form {
        Form::JsonRpc => configs,
        Form::Rest => {
            let mut out = Struct::from_iter([("configs".to_owned(), configs)]);
            put(&mut out, "nextPageToken", list.next_page_token.as_str());
            Value::Object(out)
        }
    }
}
