//! Parameters of sending a message (0.3 §7.1.1).

use serde_json::Value;

use super::content::{read_message, write_message};
use super::form::{Form, Object, Read, fault, put};
use super::push::{read_config, write_config};
use crate::a2a::{SendMessageConfiguration, SendMessageRequest, Struct};

pub(super) fn read_send(from: &mut Object) -> Read<SendMessageRequest> {
    let form = from.form();
    // The proto calls the message `request`, its JSON `message`.
    let name = match form == Form::Rest && from.has("request") {
        true => "request",
        false => "message",
    };
    let configuration = from.object("configuration", read_configuration)?;
    let configuration = match form {
        Form::JsonRpc => configuration,
        // proto3: what is not there is false, and not blocking.
        Form::Rest => Some(configuration.unwrap_or_else(|| SendMessageConfiguration {
            return_immediately: true,
            ..SendMessageConfiguration::default()
        })),
    };
    Ok(SendMessageRequest {
        tenant: None,
        message: from.need(name, read_message)?,
        configuration,
        metadata: from.map("metadata")?,
    })
}

fn read_configuration(from: &mut Object) -> Read<SendMessageConfiguration> {
    let push = match from.form() == Form::Rest && from.has("pushNotification") {
        true => "pushNotification",
        false => "pushNotificationConfig",
    };
    // In JSON-RPC a server of 0.3 waits unless it is told not to.
    let blocking = from.flag("blocking")?;
    let blocking = blocking.unwrap_or(from.form() == Form::JsonRpc);
    Ok(SendMessageConfiguration {
        accepted_output_modes: from.texts("acceptedOutputModes")?,
        task_push_notification_config: from.object(push, read_config)?,
        history_length: read_history_length(from)?,
        return_immediately: !blocking,
    })
}

/// In 0.3 a length of 0 asks for everything (`a2a.v1`, `history_length`).
pub(super) fn read_history_length(from: &mut Object) -> Read<Option<i32>> {
    match from.number("historyLength")? {
        Some(length) if length < 0 => fault("historyLength", "must not be negative"),
        length => Ok(length.filter(|length| *length > 0)),
    }
}

pub(super) fn write_send(form: Form, request: &SendMessageRequest) -> Struct {
    let mut out = Struct::new();
    let message = write_message(form, &request.message);
    out.insert("message".into(), message);
    let default = SendMessageConfiguration::default();
    let configuration = request.configuration.as_ref().unwrap_or(&default);
    let configuration = write_configuration(form, configuration);
    out.insert("configuration".into(), configuration);
    put(&mut out, "metadata", request.metadata.clone());
    out
}

fn write_configuration(form: Form, configuration: &SendMessageConfiguration) -> Value {
    let mut out = Struct::new();
    let modes = configuration.accepted_output_modes.clone();
    put(&mut out, "acceptedOutputModes", modes);
    if let Some(config) = &configuration.task_push_notification_config {
        let name = match form {
            Form::JsonRpc => "pushNotificationConfig",
            Form::Rest => "pushNotification",
        };
        out.insert(name.into(), write_config(config));
    }
    put(&mut out, "historyLength", configuration.history_length);
    // Always said: what its absence means differs from server to server.
    out.insert(
        "blocking".into(),
        (!configuration.return_immediately).into(),
    );
    Value::Object(out)
}
