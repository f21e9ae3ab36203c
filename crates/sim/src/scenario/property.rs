//! The names of the 27 properties of MQTT 5.0 in stories and transcripts: the specification's words, with the unit
//! last. One table serves reading and printing, so that what a transcript shows can be written in a story.

use wasmqtt_codec::{Properties, Property, Qos, varint};

use super::args::{Args, boolean, number, qos};
use super::error::{ParseError, Wrong};
use super::token::Word;

/// The longest string or Binary Data there is in a packet.
const VALUE_BYTES_MAX: usize = 65_535;

/// Takes every pair that names a property and encodes it, in the order of the words.
///
/// `prefix` stands before each name: `will_` for the properties of a Will Message, else nothing.
pub fn take(args: &mut Args, prefix: &str) -> Result<Vec<u8>, ParseError> {
    let mut raw = Vec::new();
    args.allow(format!("{prefix}<property>=…"));
    args.drain(|key, word| {
        let Some(name) = key.strip_prefix(prefix) else { return Ok(false) };
        let Some(property) = read(name, word)? else { return Ok(false) };
        if word.value.len() > VALUE_BYTES_MAX {
            let found = format!("{key}= with {} bytes", word.value.len());
            return Err(word.wrong(Wrong::NotA { what: "a value of at most 65,535 bytes", found }));
        }
        property.encode(&mut raw);
        Ok(true)
    })?;
    Ok(raw)
}

/// A Variable Byte Integer: 0 and others that no client may send can be written, so that a story can try them.
fn subscription_identifier(word: &Word) -> Result<u32, ParseError> {
    let wrong = || word.wrong(Wrong::NotA { what: "a number up to 268,435,455", found: word.show() });
    number(word).ok().filter(|number| *number <= varint::MAX).ok_or_else(wrong)
}

/// The property that `name=value` means; `None` if the name is none of ours.
fn read<'a>(name: &str, word: &'a Word) -> Result<Option<Property<'a>>, ParseError> {
    Ok(Some(match name {
        "payload_format_indicator" => Property::PayloadFormatIndicator(boolean(word)?),
        "message_expiry_s" | "expiry_s" => Property::MessageExpiryInterval(number(word)?),
        "content_type" => Property::ContentType(word.text()?),
        "response_topic" => Property::ResponseTopic(word.text()?),
        "correlation_data" => Property::CorrelationData(&word.value),
        "subscription_identifier" => Property::SubscriptionIdentifier(subscription_identifier(word)?),
        "session_expiry_s" => Property::SessionExpiryInterval(number(word)?),
        "assigned_client_identifier" => Property::AssignedClientIdentifier(word.text()?),
        "server_keep_alive_s" => Property::ServerKeepAlive(number(word)?),
        "authentication_method" => Property::AuthenticationMethod(word.text()?),
        "authentication_data" => Property::AuthenticationData(&word.value),
        "request_problem_information" => Property::RequestProblemInformation(boolean(word)?),
        "delay_s" | "will_delay_s" => Property::WillDelayInterval(number(word)?),
        "request_response_information" => Property::RequestResponseInformation(boolean(word)?),
        "response_information" => Property::ResponseInformation(word.text()?),
        "server_reference" => Property::ServerReference(word.text()?),
        "reason_string" => Property::ReasonString(word.text()?),
        "receive_maximum" => Property::ReceiveMaximum(number(word)?),
        "topic_alias_maximum" => Property::TopicAliasMaximum(number(word)?),
        "topic_alias" | "alias" => Property::TopicAlias(number(word)?),
        "maximum_qos" => Property::MaximumQos(qos(word)?),
        "retain_available" => Property::RetainAvailable(boolean(word)?),
        "user_property" => {
            let wrong = || word.wrong(Wrong::NotA { what: "a pair \"name:value\"", found: word.show() });
            let (name, value) = word.text()?.split_once(':').ok_or_else(wrong)?;
            Property::UserProperty(name, value)
        }
        "maximum_packet_size_bytes" => Property::MaximumPacketSize(number(word)?),
        "wildcard_subscription_available" => Property::WildcardSubscriptionAvailable(boolean(word)?),
        "subscription_identifiers_available" => Property::SubscriptionIdentifiersAvailable(boolean(word)?),
        "shared_subscription_available" => Property::SharedSubscriptionAvailable(boolean(word)?),
        _ => return Ok(None),
    }))
}

/// Adds each property that `shown` lets pass to `line`, as ` name=value`.
pub fn print(properties: &Properties<'_>, shown: impl Fn(&Property<'_>) -> bool, line: &mut String) {
    for property in properties.iter().filter(|p| shown(p)) {
        line.push(' ');
        line.push_str(&show(&property));
    }
}

/// `name=value` of one property.
fn show(property: &Property<'_>) -> String {
    let flag = |name: &str, on: bool| format!("{name}={on}");
    let text = |name: &str, value: &[u8]| format!("{name}={}", quote(value));
    match *property {
        Property::PayloadFormatIndicator(on) => flag("payload_format_indicator", on),
        Property::MessageExpiryInterval(s) => format!("message_expiry_s={s}"),
        Property::ContentType(value) => text("content_type", value.as_bytes()),
        Property::ResponseTopic(value) => text("response_topic", value.as_bytes()),
        Property::CorrelationData(value) => text("correlation_data", value),
        Property::SubscriptionIdentifier(number) => format!("subscription_identifier={number}"),
        Property::SessionExpiryInterval(s) => format!("session_expiry_s={s}"),
        Property::AssignedClientIdentifier(value) => text("assigned_client_identifier", value.as_bytes()),
        Property::ServerKeepAlive(s) => format!("server_keep_alive_s={s}"),
        Property::AuthenticationMethod(value) => text("authentication_method", value.as_bytes()),
        Property::AuthenticationData(value) => text("authentication_data", value),
        Property::RequestProblemInformation(on) => flag("request_problem_information", on),
        Property::WillDelayInterval(s) => format!("will_delay_s={s}"),
        Property::RequestResponseInformation(on) => flag("request_response_information", on),
        Property::ResponseInformation(value) => text("response_information", value.as_bytes()),
        Property::ServerReference(value) => text("server_reference", value.as_bytes()),
        Property::ReasonString(value) => text("reason_string", value.as_bytes()),
        Property::ReceiveMaximum(number) => format!("receive_maximum={number}"),
        Property::TopicAliasMaximum(number) => format!("topic_alias_maximum={number}"),
        Property::TopicAlias(number) => format!("topic_alias={number}"),
        Property::MaximumQos(qos) => format!("maximum_qos={}", Qos::bits(qos)),
        Property::RetainAvailable(on) => flag("retain_available", on),
        Property::UserProperty(name, value) => format!("user_property={}", quote(format!("{name}:{value}").as_bytes())),
        Property::MaximumPacketSize(bytes) => format!("maximum_packet_size_bytes={bytes}"),
        Property::WildcardSubscriptionAvailable(on) => flag("wildcard_subscription_available", on),
        Property::SubscriptionIdentifiersAvailable(on) => flag("subscription_identifiers_available", on),
        Property::SharedSubscriptionAvailable(on) => flag("shared_subscription_available", on),
    }
}

/// Bytes in quotes, readable where they are text; what is longer than 60 bytes shows its beginning and its length.
pub fn quote(bytes: &[u8]) -> String {
    let shown = if bytes.len() > 60 { &bytes[..16] } else { bytes };
    let mut out = String::from("\"");
    match core::str::from_utf8(shown) {
        Ok(text) => text.chars().for_each(|c| quote_char(c, &mut out)),
        Err(_) => shown
            .iter()
            .for_each(|&b| if b.is_ascii() { quote_char(b.into(), &mut out) } else { quote_byte(b, &mut out) }),
    }
    out.push('"');
    if shown.len() < bytes.len() {
        out.push_str(&format!("...[{} bytes]", bytes.len()));
    }
    out
}

fn quote_char(c: char, out: &mut String) {
    match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        c if (c as u32) < 0x20 || c as u32 == 0x7F => quote_byte(c as u8, out),
        c => out.push(c),
    }
}

fn quote_byte(byte: u8, out: &mut String) {
    out.push_str(&format!("\\x{byte:02x}"));
}

/// A topic: bare where a story could write it bare.
pub fn bare_or_quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_graphic() && !"\"\\=#;".contains(c) || c == '#' && text.len() > 1;
    if !text.is_empty() && text.chars().all(plain) { text.into() } else { quote(text.as_bytes()) }
}
