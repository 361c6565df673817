//! What an operation answers, in either form (0.3 §7).

use serde::Deserialize as _;
use serde_json::Value;

use super::card::write_card;
use super::error::unsupported;
use super::form::{Form, Object, Read, fault};
use super::push::{read_configs, read_task_config, write_configs, write_task_config};
use super::task::{read_answer, read_task, write_answer, write_task};
use crate::a2a::{A2aError, AgentCard, Operation, Response, Struct};

/// The result of an operation as this form writes it.
pub(super) fn result_of(
    form: Form,
    asked: Operation,
    response: &Response,
) -> Result<Value, A2aError> {
    Ok(match response {
        Response::SendMessage(answer) => write_answer(form, answer),
        Response::Task(task) => write_task(form, task),
        Response::TaskPushNotificationConfig(config) => write_task_config(form, config),
        // The question without the ID of a configuration: any one of the task's.
        Response::ListTaskPushNotificationConfigs(list)
            if asked == Operation::GetTaskPushNotificationConfig =>
        {
            let first = list.configs.first().ok_or_else(A2aError::task_not_found)?;
            write_task_config(form, first)
        }
        Response::ListTaskPushNotificationConfigs(list) => write_configs(form, list),
        Response::Empty => match form {
            Form::JsonRpc => Value::Null,
            Form::Rest => Value::Object(Struct::new()),
        },
        Response::AgentCard(card) => write_card(form, card)?,
        Response::ListTasks(_) => return Err(unsupported("ListTasks")),
    })
}

/// Reads the result of the operation `asked`.
pub(super) fn read_result(form: Form, asked: Operation, result: Value) -> Read<Response> {
    if asked == Operation::DeleteTaskPushNotificationConfig {
        return Ok(Response::Empty);
    }
    if asked == Operation::ListTaskPushNotificationConfigs {
        let list = read_configs(form, result)?;
        return Ok(Response::ListTaskPushNotificationConfigs(list));
    }
    if asked == Operation::GetExtendedAgentCard {
        let read = AgentCard::deserialize(result);
        let card = read.or_else(|error| fault("", format!("is no card: {error}")))?;
        return Ok(Response::AgentCard(Box::new(card)));
    }
    let mut from = Object::from_value(form, result)?;
    match asked {
        Operation::SendMessage => read_answer(from).map(Response::SendMessage),
        Operation::GetTask | Operation::CancelTask => read_task(&mut from).map(Response::Task),
        Operation::CreateTaskPushNotificationConfig | Operation::GetTaskPushNotificationConfig => {
            read_task_config(&mut from).map(Response::TaskPushNotificationConfig)
        }
        _ => fault("", "answers an operation that answers otherwise"),
    }
}
