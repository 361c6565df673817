//! `countersign http base`.

use clap::Args;
use http::HeaderMap;
use serde_json::json;
use sfv::{Dictionary, FieldType as _, InnerList, ListEntry, Parser};

use super::args::{MessageArgs, component};
use super::files::print;
use super::stop;
use crate::cli::outcome::{Outcome, Stop};
use crate::httpsig::{ComponentId, signature_base};

#[derive(Args, Debug)]
pub(in crate::cli) struct BaseArgs {
    #[command(flatten)]
    message: MessageArgs,
    /// Of the signature with this label; needed when there are several.
    #[arg(long, value_name = "LABEL", conflicts_with = "components")]
    label: Option<String>,
    /// Of these components, instead of those that Signature-Input names.
    #[arg(long = "component", value_name = "ID", value_parser = component)]
    components: Vec<ComponentId<'static>>,
    /// With these parameters, as `;created=1618884473;keyid="a"`.
    #[arg(
        long,
        value_name = "TEXT",
        requires = "components",
        allow_hyphen_values = true
    )]
    params: Option<String>,
}

pub(super) fn base(args: &BaseArgs, as_json: bool) -> Result<Outcome, Stop> {
    let loaded = args.message.load()?;
    let (label, member) = match args.components.as_slice() {
        [] => {
            let (label, member) = member(loaded.message.headers(), args.label.as_deref())?;
            (Some(label), member)
        }
        components => {
            let ids: Vec<_> = components.iter().map(ToString::to_string).collect();
            let params = args.params.as_deref().unwrap_or_default();
            (None, format!("({}){params}", ids.join(" ")))
        }
    };
    let types = loaded.types();
    let view = loaded.message.view(loaded.request.as_ref(), &types);
    let base = signature_base(&view, &member).map_err(|error| stop::signature(&error))?;
    if !as_json {
        print(format!("{base}\n").as_bytes())?;
    }
    let value = json!({ "ok": true, "label": label, "base": base });
    Ok(Outcome::good("", value))
}

const LABELS: &str = "name a signature of the message with --label, or components with --component";

/// The member of `Signature-Input` under the label, or the only one.
fn member(headers: &HeaderMap, label: Option<&str>) -> Result<(String, String), Stop> {
    let mut field = String::new();
    for line in headers.get_all("signature-input") {
        let separator = if field.is_empty() { "" } else { ", " };
        field.push_str(separator);
        field.push_str(line.to_str().unwrap_or("\u{7f}"));
    }
    if field.is_empty() {
        let what = "the message has no Signature-Input";
        return Err(Stop::failed("signature.missing", what, LABELS));
    }
    let malformed = || {
        let what = "Signature-Input is no dictionary of inner lists";
        Stop::failed("signature.malformed", what, "correct the message")
    };
    let members: Dictionary = Parser::new(&field).parse().map_err(|_| malformed())?;
    let labels: Vec<_> = members.keys().map(|key| key.as_str()).collect();
    let label = match (label, labels.as_slice()) {
        (Some(label), _) => label,
        (None, [one]) => one,
        (None, several) => {
            let what = format!("the message has the signatures {}", several.join(", "));
            return Err(Stop::usage(what, LABELS));
        }
    };
    match members.get(label) {
        None => Err(Stop::failed(
            "signature.missing",
            format!("the message has no signature {label:?}"),
            LABELS,
        )),
        Some(ListEntry::Item(_)) => Err(malformed()),
        Some(ListEntry::InnerList(list)) => {
            let text = written(list.clone()).ok_or_else(malformed)?;
            Ok((label.to_owned(), text))
        }
    }
}

/// The inner list with its parameters, as structured fields write it.
fn written(list: InnerList) -> Option<String> {
    vec![ListEntry::InnerList(list)].serialize()
}
