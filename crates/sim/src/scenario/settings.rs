//! `config` and `permissions` lines. A configuration is set by the names of its fields, read through serde, so a new
//! field of [`Config`] can be used in stories the day it exists and a wrong name is answered with the right ones.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use wasmqtt_broker::{Allowed, Config, Permissions, Rules};

use super::args::Args;
use super::error::{ParseError, Wrong};
use super::token::Word;

/// Obeys a `config` line: pairs of a field's path and its value.
pub fn configure(config: &mut Config, args: Args) -> Result<(), ParseError> {
    set_fields(config, args)
}

/// Sets fields of `object` by name; paths have dots.
pub fn set_fields<T: Serialize + DeserializeOwned>(object: &mut T, mut args: Args) -> Result<(), ParseError> {
    while let Some(word) = args.take_next() {
        let mut json = serde_json::to_value(&*object).unwrap_or_default();
        let unknown = |allowed| word.wrong(Wrong::Unknown { found: word.show(), allowed });
        let Some(path) = word.key.clone() else { return Err(unknown(names("", &json))) };
        let allowed = names("", &json);
        let pointer = format!("/{}", path.replace('.', "/"));
        let Some(field) = json.pointer_mut(&pointer) else { return Err(unknown(allowed)) };
        *field = value(field, &word)?;
        let not = |_| word.wrong(Wrong::NotA { what: "a value for this field", found: word.show() });
        *object = serde_json::from_value(json).map_err(not)?;
    }
    Ok(())
}

/// The word as the kind of value that stands in the field now.
fn value(field: &Value, word: &Word) -> Result<Value, ParseError> {
    let text = word.text()?;
    Ok(match (field, text) {
        (Value::Bool(_), _) => Value::Bool(super::args::boolean(word)?),
        (Value::Number(_), _) => Value::from(super::args::number::<u64>(word)?),
        // The only enum of numbers: a Maximum QoS.
        (Value::String(_), "0") => Value::from("AtMostOnce"),
        (Value::String(_), "1") => Value::from("AtLeastOnce"),
        (Value::String(_), "2") => Value::from("ExactlyOnce"),
        (Value::String(_), _) => {
            let mut letters = text.chars();
            Value::from(letters.next().map(|c| c.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>())
        }
        _ => Value::from(text),
    })
}

/// The paths of all fields, for error messages.
fn names(prefix: &str, json: &Value) -> Vec<String> {
    let Value::Object(fields) = json else { return vec![prefix.trim_end_matches('.').into()] };
    fields.iter().flat_map(|(name, value)| names(&format!("{prefix}{name}."), value)).collect()
}

/// The value of one field by name, as text, for `operator count`.
pub fn field<T: Serialize>(object: &T, name: &str) -> Option<String> {
    serde_json::to_value(object).ok()?.get(name).map(ToString::to_string)
}

/// `publish=a/#,b subscribe=… receive=… deny_publish=… deny_subscribe=… deny_receive=…`; `None` if none is said. What
/// is not said stays as in [`Permissions::everything`]; `none` allows nothing.
pub fn permissions(args: &mut Args) -> Result<Option<Permissions>, ParseError> {
    let mut permissions = Permissions::everything();
    let mut said = false;
    let Permissions { publish, subscribe, receive } = &mut permissions;
    for (name, rules) in [("publish", publish), ("subscribe", subscribe), ("receive", receive)] {
        said |= rule(args, name, rules)?;
    }
    Ok(said.then_some(permissions))
}

fn rule(args: &mut Args, name: &str, rules: &mut Rules) -> Result<bool, ParseError> {
    let filters = |text: String| text.split(',').filter(|f| *f != "none").map(Into::into).collect::<Vec<String>>();
    let (allow, deny) = (args.text(name)?, args.text(&format!("deny_{name}"))?);
    let said = allow.is_some() || deny.is_some();
    if let Some(allow) = allow {
        rules.allow = Allowed::Filters(filters(allow));
    }
    if let Some(deny) = deny {
        rules.deny = filters(deny);
    }
    Ok(said)
}
