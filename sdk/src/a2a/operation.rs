//! The eleven operations (A2A §3.1, §5.3).

use std::fmt;
use std::str::FromStr;

use super::wire::proto_enum;

proto_enum! {
    /// An operation of the protocol: the JSON-RPC method and the gRPC name.
    Operation {
        /// Begin or continue a task, answer at once.
        SendMessage = "SendMessage",
        /// Begin or continue a task, answer as a stream.
        SendStreamingMessage = "SendStreamingMessage",
        /// Read a task.
        GetTask = "GetTask",
        /// Find tasks.
        ListTasks = "ListTasks",
        /// End a task.
        CancelTask = "CancelTask",
        /// Follow a task.
        SubscribeToTask = "SubscribeToTask",
        /// Ask to be told by push.
        CreateTaskPushNotificationConfig = "CreateTaskPushNotificationConfig",
        /// Read a push configuration.
        GetTaskPushNotificationConfig = "GetTaskPushNotificationConfig",
        /// Find push configurations.
        ListTaskPushNotificationConfigs = "ListTaskPushNotificationConfigs",
        /// Stop being told by push.
        DeleteTaskPushNotificationConfig = "DeleteTaskPushNotificationConfig",
        /// Read the card for known callers.
        GetExtendedAgentCard = "GetExtendedAgentCard",
    }
}

impl Operation {
    /// Whether the answer is a stream of events.
    pub const fn is_streaming(self) -> bool {
        matches!(self, Self::SendStreamingMessage | Self::SubscribeToTask)
    }
}

/// A name that is no operation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownOperation {
    /// The name, cut to 64 characters.
    pub name: String,
}

impl fmt::Display for UnknownOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no operation of A2A 1.0", self.name)
    }
}

impl std::error::Error for UnknownOperation {}

impl FromStr for Operation {
    type Err = UnknownOperation;

    fn from_str(name: &str) -> Result<Self, UnknownOperation> {
        let found = Self::ALL.into_iter().find(|known| known.as_str() == name);
        found.ok_or_else(|| UnknownOperation {
            name: name.chars().take(64).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_reads_back_from_its_name_and_no_other_does() {
        for operation in Operation::ALL {
            assert_eq!(operation.as_str().parse(), Ok(operation));
        }
        for name in ["", "sendMessage", "message/send", "SendMessage "] {
            assert_eq!(
                name.parse::<Operation>(),
                Err(UnknownOperation { name: name.into() })
            );
        }
    }
}
