//! The libraries of other languages that sign and verify messages.

use countersign_interop_tests::{Node, NodeError, Python, PythonError};
use libtest_mimic::Failed;
use serde_json::{Value, json};

/// A library and the runtime it runs in.
#[derive(Clone, Debug)]
pub(crate) enum Library {
    /// PyPI `http-message-signatures`.
    Python(Python),
    /// An npm package, by its name.
    Npm(Node, &'static str),
}

impl Library {
    pub(crate) fn python() -> Result<Self, PythonError> {
        Python::ready().map(Self::Python)
    }

    pub(crate) fn npm(name: &'static str) -> impl FnOnce() -> Result<Self, NodeError> + Send {
        move || Node::ready().map(|node| Self::Npm(node, name))
    }

    /// The library's answer to each case, in their order.
    pub(crate) fn ask(&self, operation: &str, cases: &[Value]) -> Result<Vec<Value>, Failed> {
        let answers = match self {
            Self::Python(python) => {
                let input = json!({"operation": operation, "cases": cases});
                python.run("oracle.py", &[], &input.to_string())?
            }
            Self::Npm(node, library) => {
                let input = json!({"library": library, "operation": operation, "cases": cases});
                node.run("oracle.mjs", &input.to_string())?
            }
        };
        let answers: Vec<Value> = serde_json::from_value(answers)?;
        if answers.len() == cases.len() {
            Ok(answers)
        } else {
            Err("another number of answers than questions".into())
        }
    }
}
