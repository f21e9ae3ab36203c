//! The verbs of a client: each reads its words and becomes a [`Wish`].

use wasmqtt_codec::{
    PacketIdentifier, PacketType, ProtocolVersion, ReasonCode, RetainHandling, SubscriptionOptions, TopicFilter,
    TopicName,
};

use super::args::{Args, boolean, number};
use super::error::{ParseError, Wrong};
use super::property;
use super::token::Word;
use super::wish::{ConnectWish, PublishWish, WillWish, Wish};

/// What a client's verb can be, for error messages.
pub const VERBS: &[&str] = &[
    "open",
    "connect",
    "subscribe",
    "unsubscribe",
    "publish",
    "puback",
    "pubrec",
    "pubrel",
    "pubcomp",
    "ping",
    "disconnect",
    "auth",
    "raw",
    "acks",
    "connack",
    "suback",
    "pingresp",
];

/// The packet that `verb` and the words behind it mean; `None` if it is no verb for a packet.
pub fn wish(verb: &str, args: &mut Args) -> Result<Option<Wish>, ParseError> {
    Ok(Some(match verb {
        "connect" => Wish::Connect(Box::new(connect(args)?)),
        "publish" => Wish::Publish(publish(args)?),
        "subscribe" => subscribe(args)?,
        "unsubscribe" => unsubscribe(args)?,
        "puback" => ack(PacketType::Puback, args)?,
        "pubrec" => ack(PacketType::Pubrec, args)?,
        "pubrel" => ack(PacketType::Pubrel, args)?,
        "pubcomp" => ack(PacketType::Pubcomp, args)?,
        "ping" => Wish::Ping,
        "disconnect" => {
            let reason = args.reason()?.unwrap_or(ReasonCode::NORMAL_DISCONNECTION);
            Wish::Disconnect { reason, properties: property::take(args, "")? }
        }
        "auth" => {
            let reason = args.reason()?.unwrap_or(ReasonCode::ContinueAuthentication);
            Wish::Auth { reason, properties: property::take(args, "")? }
        }
        "connack" => Wish::Connack {
            session_present: args.flag("session_present")?,
            reason: args.reason()?.unwrap_or(ReasonCode::Success),
            return_code: args.number("return")?,
            properties: property::take(args, "")?,
        },
        "suback" => {
            let id = packet_identifier(args)?.ok_or_else(|| args.wrong(Wrong::Missing { what: "id=" }))?;
            Wish::Suback { id, codes: codes(args)?, properties: property::take(args, "")? }
        }
        "pingresp" => Wish::Pingresp,
        _ => return Ok(None),
    }))
}

/// `codes=0,1,0x87`.
fn codes(args: &mut Args) -> Result<Vec<u8>, ParseError> {
    let word = args.take("codes").ok_or_else(|| args.wrong(Wrong::Missing { what: "codes=" }))?;
    let wrong = || word.wrong(Wrong::NotA { what: "codes such as 1,0x87", found: word.show() });
    let code = |text: &str| match text.strip_prefix("0x") {
        Some(digits) => u8::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    };
    word.text()?.split(',').map(|text| code(text).ok_or_else(wrong)).collect()
}

/// `v3`, `v311` or `v5`, if the next word is one of them.
pub fn version(args: &mut Args) -> Option<ProtocolVersion> {
    let version = match args.peek() {
        Some(word) if word.is("v3") => ProtocolVersion::V3_1,
        Some(word) if word.is("v311") => ProtocolVersion::V3_1_1,
        Some(word) if word.is("v5") => ProtocolVersion::V5,
        _ => {
            args.allow("v3 v311 v5".into());
            return None;
        }
    };
    args.take_next();
    Some(version)
}

fn connect(args: &mut Args) -> Result<ConnectWish, ParseError> {
    let version = version(args).unwrap_or(ProtocolVersion::V5);
    Ok(ConnectWish {
        version,
        bridge: args.flag("bridge")?,
        client_identifier: args.text("id")?,
        clean_start: args.take("clean_start").map_or(Ok(true), |word| boolean(&word))?,
        keep_alive_s: args.number("keep_alive_s")?.unwrap_or(0),
        user_name: args.text("user")?,
        password: args.bytes("password"),
        will: will(args)?,
        properties: property::take(args, "")?,
    })
}

fn will(args: &mut Args) -> Result<Option<WillWish>, ParseError> {
    let Some(topic) = args.take("will") else { return Ok(None) };
    Ok(Some(WillWish {
        topic: topic_name(&topic)?,
        payload: args.bytes("will_payload").unwrap_or_default(),
        qos: args.qos("will_qos")?,
        retain: args.flag("will_retain")?,
        properties: property::take(args, "will_")?,
    }))
}

fn publish(args: &mut Args) -> Result<PublishWish, ParseError> {
    let topic = args.expect("a Topic Name")?;
    let topic = if topic.value.is_empty() { String::new() } else { topic_name(&topic)? };
    let quoted = args.peek().is_some_and(|word| word.quoted && word.key.is_none());
    let said = if quoted { args.take_next().map(|word| word.value) } else { None };
    let filled = args.number::<u32>("size")?.map(|size| vec![b'x'; size as usize]);
    Ok(PublishWish {
        topic,
        payload: said.or(filled).unwrap_or_default(),
        qos: args.qos("qos")?,
        id: packet_identifier(args)?,
        retain: args.flag("retain")?,
        dup: args.flag("dup")?,
        properties: property::take(args, "")?,
    })
}

/// Options behind a Topic Filter belong to that filter; pairs that are none of them belong to the packet.
fn subscribe(args: &mut Args) -> Result<Wish, ParseError> {
    let id = packet_identifier(args)?;
    let properties = property::take(args, "")?;
    let mut filters: Vec<(String, SubscriptionOptions)> = Vec::new();
    for option in ["qos=…", "no_local", "rap", "rh=…"] {
        args.allow(option.into());
    }
    while let Some(word) = args.peek().cloned() {
        match (filters.last_mut(), word.key.as_deref()) {
            (Some((_, options)), Some("qos")) => options.qos = super::args::qos(&word)?,
            (Some((_, options)), Some("rh")) => options.retain_handling = retain_handling(&word)?,
            (Some((_, options)), None) if word.is("no_local") => options.no_local = true,
            (Some((_, options)), None) if word.is("rap") => options.retain_as_published = true,
            (_, None) => filters.push((topic_filter(&word)?, SubscriptionOptions::default())),
            _ => break,
        }
        args.take_next();
    }
    if filters.is_empty() {
        return Err(args.wrong(Wrong::Missing { what: "a Topic Filter (# alone must stand in quotes)" }));
    }
    Ok(Wish::Subscribe { id, filters, properties })
}

fn unsubscribe(args: &mut Args) -> Result<Wish, ParseError> {
    let id = packet_identifier(args)?;
    let properties = property::take(args, "")?;
    let mut filters = vec![topic_filter(&args.expect("a Topic Filter (# alone must stand in quotes)")?)?];
    while let Some(word) = args.positional() {
        filters.push(topic_filter(&word)?);
    }
    Ok(Wish::Unsubscribe { id, filters, properties })
}

fn ack(kind: PacketType, args: &mut Args) -> Result<Wish, ParseError> {
    let id = packet_identifier(args)?.ok_or_else(|| args.wrong(Wrong::Missing { what: "id=" }))?;
    let reason = args.reason()?.unwrap_or(ReasonCode::Success);
    Ok(Wish::Ack { kind, id, reason, properties: property::take(args, "")? })
}

fn packet_identifier(args: &mut Args) -> Result<Option<PacketIdentifier>, ParseError> {
    let Some(word) = args.take("id") else { return Ok(None) };
    let wrong = || word.wrong(Wrong::NotA { what: "a Packet Identifier (1 to 65535)", found: word.show() });
    PacketIdentifier::new(number(&word)?).ok_or_else(wrong).map(Some)
}

fn retain_handling(word: &Word) -> Result<RetainHandling, ParseError> {
    match number::<u8>(word)? {
        0 => Ok(RetainHandling::SendAtSubscribe),
        1 => Ok(RetainHandling::SendIfNew),
        2 => Ok(RetainHandling::DoNotSend),
        _ => Err(word.wrong(Wrong::NotA { what: "a Retain Handling (0, 1 or 2)", found: word.show() })),
    }
}

fn topic_name(word: &Word) -> Result<String, ParseError> {
    let text = word.text()?;
    let wrong = |_| word.wrong(Wrong::NotA { what: "a Topic Name (say a wrong one with raw)", found: word.show() });
    TopicName::parse(text).map_err(wrong)?;
    Ok(text.into())
}

fn topic_filter(word: &Word) -> Result<String, ParseError> {
    let text = word.text()?;
    let wrong = |_| word.wrong(Wrong::NotA { what: "a Topic Filter (say a wrong one with raw)", found: word.show() });
    TopicFilter::parse(text).map_err(wrong)?;
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    use wasmqtt_codec::Qos;

    use super::super::token::words;
    use super::*;

    fn read(line: &str) -> Result<Wish, ParseError> {
        let mut words = words(line, 1).unwrap().concat();
        let verb = words.remove(0).text().unwrap().to_owned();
        let mut args = Args::new(words, 1);
        let wish = wish(&verb, &mut args)?.expect("a verb");
        args.finish()?;
        Ok(wish)
    }

    #[test]
    fn options_belong_to_the_filter_before_them() {
        let Ok(Wish::Subscribe { filters, .. }) = read("subscribe a qos=1 b/# qos=2 no_local rh=1 id=9") else {
            panic!()
        };
        assert_eq!(filters[0].1.qos, Qos::AtLeastOnce);
        assert!(!filters[0].1.no_local && filters[1].1.no_local);
    }

    #[test]
    fn a_leftover_word_is_answered_with_what_is_allowed() {
        let error = read("publish a \"x\" qso=1").unwrap_err().to_string();
        assert!(
            error.starts_with("line 1, column 15: found `qso=1`; allowed here: size=… qos=… id=… retain"),
            "{error}"
        );
    }
}
