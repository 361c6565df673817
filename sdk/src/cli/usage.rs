//! Arguments that make no sense.

use std::ffi::OsString;

use clap::error::ErrorKind;

use super::outcome::{Outcome, Stop};
use super::plain;

/// Whether `--json` is among the arguments, when they could not be read otherwise.
pub(super) fn wants_json(args: &[OsString]) -> bool {
    let options = args.iter().take_while(|arg| *arg != "--");
    options.into_iter().any(|arg| arg == "--json")
}

/// What to say about arguments that could not be read. Help and version were asked for: no error.
pub(super) fn explain(error: &clap::Error, args: &[OsString]) -> Result<Outcome, Stop> {
    let asked = matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    );
    let text = error.render().to_string();
    if asked {
        let value = serde_json::json!({ "ok": true, "text": text });
        return Ok(Outcome::good(text, value));
    }
    // The message repeats arguments; one that may be a secret must not get into a log by that.
    let secret = args
        .iter()
        .any(|arg| plain::may_be_secret(&arg.to_string_lossy()));
    if secret {
        return Err(Stop::usage(
            "an argument that looks like a token or a key is not understood, and not repeated here",
            "arguments can be seen by others on this machine: a token goes into standard input of \
             `countersign token inspect`",
        ));
    }
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    Err(Stop::usage(
        text.trim_end(),
        "`countersign --help` lists the commands, `countersign COMMAND --help` their options",
    ))
}
