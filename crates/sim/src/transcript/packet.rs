//! A packet as one line: its type, its fields, its properties, with what is usual left out so that lines stay readable.

use wasmqtt_codec::{
    Ack, ConnackCode, Connect, Packet, Properties, Property, ProtocolVersion, Publish, Qos, ReasonCode, SubscribeEntry,
};

use crate::scenario::Show;
use crate::scenario::property::{bare_or_quoted, print, quote};

/// What CONNACK announces when nobody configured anything else; left out of lines unless a story says `show all`.
const USUAL: &[Property<'static>] = &[
    Property::ReceiveMaximum(1_024),
    Property::MaximumPacketSize(16 << 20),
    Property::TopicAliasMaximum(64),
    Property::RetainAvailable(true),
    Property::WildcardSubscriptionAvailable(true),
    Property::SubscriptionIdentifiersAvailable(true),
    Property::SharedSubscriptionAvailable(true),
];

/// The line of a packet that the broker sent.
pub fn line(packet: &Packet<'_>, show: Show) -> String {
    let mut line = String::new();
    match packet {
        Packet::Connack(connack) => {
            line.push_str("CONNACK");
            if connack.session_present {
                line.push_str(" session_present");
            }
            match connack.reason {
                ConnackCode::Reason(code) => reason(code, &mut line),
                ConnackCode::Return(0) => {}
                ConnackCode::Return(code) => line.push_str(&format!(" return={code}")),
            }
            connack_properties(&connack.properties, show, &mut line);
        }
        Packet::Publish(publish) => self::publish(publish, show, &mut line),
        Packet::Puback(ack) => self::ack("PUBACK", ack, show, &mut line),
        Packet::Pubrec(ack) => self::ack("PUBREC", ack, show, &mut line),
        Packet::Pubrel(ack) => self::ack("PUBREL", ack, show, &mut line),
        Packet::Pubcomp(ack) => self::ack("PUBCOMP", ack, show, &mut line),
        Packet::Suback(ack) => {
            line.push_str(&format!("SUBACK id={} codes={}", ack.packet_identifier.get(), codes(ack.codes)));
            properties(&ack.properties, show, &mut line);
        }
        Packet::Unsuback(ack) => {
            line.push_str(&format!("UNSUBACK id={}", ack.packet_identifier.get()));
            if !ack.codes.is_empty() {
                line.push_str(&format!(" codes={}", codes(ack.codes)));
            }
            properties(&ack.properties, show, &mut line);
        }
        Packet::Pingresp => line.push_str("PINGRESP"),
        Packet::Disconnect(disconnect) => {
            line.push_str("DISCONNECT");
            reason(disconnect.reason, &mut line);
            properties(&disconnect.properties, show, &mut line);
        }
        Packet::Auth(auth) => {
            line.push_str("AUTH");
            reason(auth.reason, &mut line);
            properties(&auth.properties, show, &mut line);
        }
        // These come from a bridge.
        Packet::Connect(connect) => self::connect(connect, show, &mut line),
        Packet::Subscribe(subscribe) => {
            line.push_str(&format!("SUBSCRIBE id={}", subscribe.packet_identifier.get()));
            subscribe.filters.iter().for_each(|entry| self::entry(&entry, &mut line));
            properties(&subscribe.properties, show, &mut line);
        }
        Packet::Unsubscribe(unsubscribe) => {
            line.push_str(&format!("UNSUBSCRIBE id={}", unsubscribe.packet_identifier.get()));
            unsubscribe
                .filters
                .iter()
                .for_each(|filter| line.push_str(&format!(" {}", bare_or_quoted(filter.as_str()))));
        }
        Packet::Pingreq => line.push_str("PINGREQ"),
    }
    line
}

fn connect(connect: &Connect<'_>, show: Show, line: &mut String) {
    let version = match connect.version {
        ProtocolVersion::V3_1 => "v3",
        ProtocolVersion::V3_1_1 => "v311",
        ProtocolVersion::V5 => "v5",
    };
    line.push_str(&format!("CONNECT {version} id={}", bare_or_quoted(connect.client_identifier)));
    line.push_str(if connect.bridge { " bridge" } else { "" });
    line.push_str(if connect.clean_start { "" } else { " clean_start=false" });
    if connect.keep_alive_s > 0 {
        line.push_str(&format!(" keep_alive_s={}", connect.keep_alive_s));
    }
    if let Some(user) = connect.user_name {
        line.push_str(&format!(" user={}", quote(user.as_bytes())));
    }
    if let Some(password) = connect.password {
        line.push_str(&format!(" password={}", quote(password)));
    }
    print(&connect.properties, |property| show.all || !USUAL.contains(property), line);
}

fn entry(entry: &SubscribeEntry<'_>, line: &mut String) {
    let options = entry.options;
    line.push_str(&format!(" {} qos={}", bare_or_quoted(entry.filter.as_str()), options.qos.bits()));
    line.push_str(if options.no_local { " no_local" } else { "" });
    line.push_str(if options.retain_as_published { " rap" } else { "" });
    if options.retain_handling.bits() > 0 {
        line.push_str(&format!(" rh={}", options.retain_handling.bits()));
    }
}

fn publish(publish: &Publish<'_>, show: Show, line: &mut String) {
    let topic = publish.topic.map_or("\"\"".into(), |topic| bare_or_quoted(topic.as_str()));
    line.push_str(&format!("PUBLISH {topic} {}", quote(publish.payload)));
    if publish.qos != Qos::AtMostOnce {
        line.push_str(&format!(" qos={}", publish.qos.bits()));
    }
    if let Some(id) = publish.packet_identifier {
        line.push_str(&format!(" id={}", id.get()));
    }
    line.push_str(if publish.retain { " retain" } else { "" });
    line.push_str(if publish.dup { " dup" } else { "" });
    properties(&publish.properties, show, line);
}

fn ack(name: &str, ack: &Ack<'_>, show: Show, line: &mut String) {
    line.push_str(&format!("{name} id={}", ack.packet_identifier.get()));
    reason(ack.reason, line);
    properties(&ack.properties, show, line);
}

fn reason(reason: ReasonCode, line: &mut String) {
    if reason != ReasonCode::Success {
        line.push_str(&format!(" reason=0x{:02X}", reason.byte()));
    }
}

/// `0,1,0x87`: what was granted as a number, what was not in hexadecimal.
fn codes(codes: &[u8]) -> String {
    let show = |&code: &u8| if code <= 2 { code.to_string() } else { format!("0x{code:02X}") };
    codes.iter().map(show).collect::<Vec<_>>().join(",")
}

fn properties(properties: &Properties<'_>, show: Show, line: &mut String) {
    print(properties, |property| show.reason_strings || !matches!(property, Property::ReasonString(_)), line);
}

/// The Assigned Client Identifier is drawn from a seed, so the line only says that there is one.
fn connack_properties(properties: &Properties<'_>, show: Show, line: &mut String) {
    if properties.assigned_client_identifier().is_some() {
        line.push_str(" assigned_client_identifier=*");
    }
    let shown = |property: &Property<'_>| match property {
        Property::AssignedClientIdentifier(_) => false,
        Property::ReasonString(_) => show.reason_strings,
        other => show.all || !USUAL.contains(other),
    };
    print(properties, shown, line);
}
