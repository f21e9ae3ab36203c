//! A packet in one line: the words after `packet:` in the vectors.
//!
//! What has its usual value (QoS aside) is not said: flags that are 0, properties that are not there, the
//! Reason Code Success where it may be left out.

use std::fmt::Write;

use wasmqtt_codec::{
    Ack, Connack, ConnackCode, Connect, Packet, Properties, PropertyHome, ProtocolVersion, Publish, ReasonCode,
    SubscribeEntry,
};

/// The line for this packet.
pub fn summary(packet: &Packet<'_>) -> String {
    let mut line = packet.packet_type().to_string();
    match packet {
        Packet::Connect(connect) => line += &of_connect(connect),
        Packet::Connack(connack) => line += &of_connack(connack),
        Packet::Publish(publish) => line += &of_publish(publish),
        Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubrel(ack) | Packet::Pubcomp(ack) => line += &of_ack(ack),
        Packet::Subscribe(subscribe) => {
            write!(line, " id={}", subscribe.packet_identifier).unwrap();
            line.extend(subscribe.filters.iter().map(of_entry));
            line += &of_properties(&subscribe.properties);
        }
        Packet::Suback(suback) => {
            write!(line, " id={} codes={:02x?}", suback.packet_identifier, suback.codes).unwrap();
            line = line.replace(", ", " ") + &of_properties(&suback.properties);
        }
        Packet::Unsubscribe(unsubscribe) => {
            write!(line, " id={}", unsubscribe.packet_identifier).unwrap();
            line.extend(unsubscribe.filters.iter().map(|filter| format!(" {:?}", filter.as_str())));
            line += &of_properties(&unsubscribe.properties);
        }
        Packet::Unsuback(unsuback) => {
            write!(line, " id={} codes={:02x?}", unsuback.packet_identifier, unsuback.codes).unwrap();
            line = line.replace(", ", " ") + &of_properties(&unsuback.properties);
        }
        Packet::Pingreq | Packet::Pingresp => {}
        Packet::Disconnect(disconnect) => {
            line += &(of_reason(disconnect.reason) + &of_properties(&disconnect.properties));
        }
        Packet::Auth(auth) => line += &(of_reason(auth.reason) + &of_properties(&auth.properties)),
    }
    line
}

/// The property lists of a packet, and where each stands.
pub fn property_lists<'a>(packet: &Packet<'a>) -> Vec<(PropertyHome, Properties<'a>)> {
    let list = match packet {
        Packet::Connect(connect) => {
            let will = connect.will.map(|will| (PropertyHome::Will, will.properties));
            return will.into_iter().chain([(PropertyHome::Connect, connect.properties)]).collect();
        }
        Packet::Connack(connack) => connack.properties,
        Packet::Publish(publish) => publish.properties,
        Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubrel(ack) | Packet::Pubcomp(ack) => ack.properties,
        Packet::Subscribe(subscribe) => subscribe.properties,
        Packet::Suback(suback) => suback.properties,
        Packet::Unsubscribe(unsubscribe) => unsubscribe.properties,
        Packet::Unsuback(unsuback) => unsuback.properties,
        Packet::Pingreq | Packet::Pingresp => Properties::EMPTY,
        Packet::Disconnect(disconnect) => disconnect.properties,
        Packet::Auth(auth) => auth.properties,
    };
    PropertyHome::of(packet.packet_type()).map(|home| (home, list)).into_iter().collect()
}

fn of_connect(connect: &Connect<'_>) -> String {
    let version = match connect.version {
        ProtocolVersion::V3_1 => "3.1",
        ProtocolVersion::V3_1_1 => "3.1.1",
        ProtocolVersion::V5 => "5.0",
    };
    let mut line = format!(" {version} client={:?} keep_alive_s={}", connect.client_identifier, connect.keep_alive_s);
    line += word(connect.clean_start, " clean_start");
    line += word(connect.bridge, " bridge");
    line.extend(connect.user_name.map(|user_name| format!(" user_name={user_name:?}")));
    line.extend(connect.password.map(|password| format!(" password=\"{}\"", password.escape_ascii())));
    line += &of_properties(&connect.properties);
    line.extend(connect.will.map(|will| {
        format!(
            " will=(qos={}{} topic={:?} payload=\"{}\"{})",
            will.qos.bits(),
            word(will.retain, " retain"),
            will.topic.as_str(),
            will.payload.escape_ascii(),
            of_properties(&will.properties)
        )
    }));
    line
}

fn of_connack(connack: &Connack<'_>) -> String {
    let code = match connack.reason {
        ConnackCode::Reason(reason) => format!(" reason={reason:?}"),
        ConnackCode::Return(code) => format!(" return={code}"),
    };
    word(connack.session_present, " session_present").to_owned() + &code + &of_properties(&connack.properties)
}

fn of_publish(publish: &Publish<'_>) -> String {
    let mut line = word(publish.dup, " dup").to_owned();
    write!(line, " qos={}", publish.qos.bits()).unwrap();
    line += word(publish.retain, " retain");
    line.extend(publish.topic.map(|topic| format!(" topic={:?}", topic.as_str())));
    line.extend(publish.packet_identifier.map(|identifier| format!(" id={identifier}")));
    write!(line, " payload=\"{}\"", publish.payload.escape_ascii()).unwrap();
    line + &of_properties(&publish.properties)
}

fn of_ack(ack: &Ack<'_>) -> String {
    format!(" id={}", ack.packet_identifier) + &of_reason(ack.reason) + &of_properties(&ack.properties)
}

fn of_entry(entry: SubscribeEntry<'_>) -> String {
    let mut line = format!(" {:?} qos={}", entry.filter.as_str(), entry.options.qos.bits());
    line += word(entry.options.no_local, " no_local");
    line += word(entry.options.retain_as_published, " retain_as_published");
    line += ["", " retain_handling=1", " retain_handling=2"][usize::from(entry.options.retain_handling.bits())];
    line
}

fn of_reason(reason: ReasonCode) -> String {
    if reason == ReasonCode::Success { String::new() } else { format!(" reason={reason:?}") }
}

fn of_properties(properties: &Properties<'_>) -> String {
    if properties.is_empty() {
        return String::new();
    }
    let list: Vec<String> = properties.iter().map(|property| format!("{property:?}")).collect();
    format!(" {{{}}}", list.join(", "))
}

fn word(flag: bool, word: &'static str) -> &'static str {
    if flag { word } else { "" }
}
