//! Libraries that sign and verify HTTP messages, each against ours in both directions.

mod differential;
mod generate;
mod library;
mod message;
mod rules;
mod signed;

use std::process::ExitCode;

use countersign_interop_tests::row;
use libtest_mimic::Arguments;

use differential::agrees_or_says_why;
use library::Library;
use signed::Form;

const HMS: &str = "http-message-signatures";
const SIG: &str = "http-message-sig";
const WBA: &str = "web-bot-auth";

fn main() -> ExitCode {
    let args = Arguments::from_args();
    let dictionary = |library: Library| signed::both_ways(&library, Form::Dictionary);
    let text = |library: Library| signed::both_ways(&library, Form::Text);
    let npm = Library::npm;
    let rows = vec![
        row(
            "python_http_message_signatures",
            Library::python,
            dictionary,
        ),
        row("npm_http_message_signatures", npm(HMS), dictionary),
        row("npm_http_message_sig", npm(SIG), dictionary),
        row("npm_web_bot_auth", npm(WBA), text),
        row("ten_thousand_messages_python", Library::python, |library| {
            agrees_or_says_why(&library, "python http-message-signatures")
        }),
        row(
            "ten_thousand_messages_npm_http_message_signatures",
            npm(HMS),
            |library| agrees_or_says_why(&library, "npm http-message-signatures"),
        ),
        row(
            "ten_thousand_messages_npm_http_message_sig",
            npm(SIG),
            |library| agrees_or_says_why(&library, "npm http-message-sig"),
        ),
    ];
    libtest_mimic::run(&args, rows).exit_code()
}
