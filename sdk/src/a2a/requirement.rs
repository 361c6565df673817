//! What must be met of the schemes (A2A §4.5).

use indexmap::IndexMap;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::wire;

/// Schemes that must all be met, with what each must grant.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct SecurityRequirement {
    /// Names in the card's `securitySchemes`.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub schemes: IndexMap<String, StringList>,
}

impl<'de> Deserialize<'de> for SecurityRequirement {
    /// Version 0.3 has no `schemes` around the names: there every member is one, and one that is
    /// not understood stays required.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut members: IndexMap<String, Value> = wire::or_default(from)?;
        let schemes = match members.get("schemes") {
            Some(Value::Object(_) | Value::Null) => match members.swap_remove("schemes") {
                Some(schemes) => wire::or_default(schemes).map_err(serde::de::Error::custom)?,
                None => IndexMap::new(),
            },
            _ => members
                .into_iter()
                .map(|(name, list)| (name, StringList::deserialize(list).unwrap_or_default()))
                .collect(),
        };
        Ok(Self { schemes })
    }
}

/// A list of texts, boxed as the proto demands.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct StringList {
    /// The texts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub list: Vec<String>,
}

impl<'de> Deserialize<'de> for StringList {
    /// Version 0.3 has the bare list.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Wire {
            Bare(Vec<String>),
            Boxed {
                #[serde(default, deserialize_with = "wire::or_default")]
                list: Vec<String>,
            },
        }
        let (Wire::Bare(list) | Wire::Boxed { list }) = Wire::deserialize(from)?;
        Ok(Self { list })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_requirement_is_read_in_both_forms_and_none_is_ever_lost() {
        let want = |schemes: &[(&str, &[&str])]| {
            let listed = schemes.iter().map(|(name, list)| {
                let list = list.iter().map(|&text| text.to_owned()).collect();
                ((*name).to_owned(), StringList { list })
            });
            SecurityRequirement {
                schemes: listed.collect(),
            }
        };
        for (json, schemes) in [
            (json!({}), &[][..]),
            (json!(null), &[]),
            (json!({"schemes": null}), &[]),
            (
                json!({"schemes": {"a": {"list": ["x"]}, "b": {}}}),
                &[("a", &["x"][..]), ("b", &[])],
            ),
            (json!({"schemes": {"a": ["x"]}}), &[("a", &["x"])]),
            (json!({"a": ["x"], "b": []}), &[("a", &["x"]), ("b", &[])]),
            (json!({"schemes": ["x"]}), &[("schemes", &["x"])]),
            // What a later version may add must not make a call free of proofs.
            (json!({"anyOf": 5}), &[("anyOf", &[])]),
        ] {
            let read = SecurityRequirement::deserialize(&json).expect("a requirement");
            assert_eq!(read, want(schemes), "{json}");
        }
        for bad in [
            json!("text"),
            json!({"schemes": {"a": 5}}),
            json!({"schemes": {"a": [5]}}),
        ] {
            assert!(SecurityRequirement::deserialize(&bad).is_err(), "{bad}");
        }
    }
}
