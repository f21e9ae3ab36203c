//! CONNECT (section 3.1): the first packet of a client. It names the version that all others are read in.
//!
//! Three versions share this packet. 3.1 calls itself `MQIsdp` and its rules are few; what it leaves open is
//! decided here as mosquitto 2 decides it, because that is what the remaining 3.1 devices were tested with.

use bytes::BufMut;

use super::check_flags;
use crate::describe::FieldValue;
use crate::property::read_properties;
use crate::reader::{Label, Part, Reader, Watch, fail};
use crate::{
    DecodeError, Framing, PacketType, Properties, PropertyHome, ProtocolVersion, Qos, Rule, TopicName, frame, string,
};

/// A CONNECT packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connect<'a> {
    /// The version that this connection speaks.
    pub version: ProtocolVersion,
    /// Bit 7 of the Protocol Level was set (0x83, 0x84): a bridge of mosquitto's kind. Never in MQTT 5.0.
    pub bridge: bool,
    /// Forget an earlier Session (section 3.1.2.4). Called Clean Session in MQTT 3.x, where it also means that
    /// the Session ends with the connection.
    pub clean_start: bool,
    /// The longest silence of the client, in seconds; 0 for no limit (section 3.1.2.10).
    pub keep_alive_s: u16,
    /// The name of the client's Session; empty if the server shall choose one (section 3.1.3.1).
    pub client_identifier: &'a str,
    /// The message to publish when the connection is lost (section 3.1.2.5).
    pub will: Option<Will<'a>>,
    /// The User Name (section 3.1.3.5).
    pub user_name: Option<&'a str>,
    /// The Password: any bytes (section 3.1.3.6). Not without a User Name in MQTT 3.x.
    pub password: Option<&'a [u8]>,
    /// The CONNECT Properties (section 3.1.2.11). Empty in MQTT 3.x.
    pub properties: Properties<'a>,
}

/// The Will Message, left with the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Will<'a> {
    /// The QoS to publish it with.
    pub qos: Qos,
    /// Whether to publish it as a Retained Message.
    pub retain: bool,
    /// Its Topic Name.
    pub topic: TopicName<'a>,
    /// The Application Message; may be empty.
    pub payload: &'a [u8],
    /// The Will Properties (section 3.1.3.2). Empty in MQTT 3.x.
    pub properties: Properties<'a>,
}

/// Bit 7 of the Protocol Level, which mosquitto's bridges set to be known as such.
const BRIDGE: u8 = 0x80;

/// The Connect Flags (section 3.1.2.3).
struct Flags {
    clean_start: bool,
    will: Option<(Qos, bool)>,
    password: bool,
    user_name: bool,
}

impl<'a> Connect<'a> {
    /// The version that a CONNECT frame names, even if the rest of it is wrong: what a CONNACK that refuses it
    /// should be written in. `None` if it is no CONNECT or names no version that this crate knows.
    pub fn version_of(bytes: &[u8]) -> Option<ProtocolVersion> {
        if *bytes.first()? >> 4 != PacketType::Connect.bits() {
            return None;
        }
        let Ok(Framing::Complete { header_bytes, .. }) = frame(bytes, 0) else {
            return None;
        };
        match bytes.get(usize::from(header_bytes)..)? {
            [0, 6, b'M', b'Q', b'I', b's', b'd', b'p', level, ..] => version_named("MQIsdp", *level),
            [0, 4, b'M', b'Q', b'T', b'T', level, ..] => version_named("MQTT", *level),
            [..] => None,
        }
        .map(|(version, _)| version)
    }

    /// Reads what follows the fixed header, and then judges `header_flags`.
    pub(super) fn read<W: Watch<'a>>(reader: &mut Reader<'a, W>, header_flags: u8) -> Result<Self, DecodeError> {
        reader.part(Part::VariableHeader);
        let (version, bridge) = read_version(reader)?;
        reader.version = version;
        check_flags(PacketType::Connect, header_flags, version)?;
        let flags = read_flags(reader)?;
        let keep_alive_s = reader.u16(label!("Keep Alive", "3.1.2.10", "3.1.2.10"))?;
        let properties_at = reader.at();
        let properties = read_properties(reader, PropertyHome::Connect)?;
        check_authentication(&properties, properties_at)?;
        // [5:MQTT-3.1.3-1] [311:MQTT-3.1.3-1] This is their order.
        reader.part(Part::Payload);
        // [5:MQTT-3.1.3-3] [5:MQTT-3.1.3-4] [311:MQTT-3.1.3-3] [311:MQTT-3.1.3-4] Any string at all will do
        // [5:MQTT-3.1.3-5] [311:MQTT-3.1.3-5].
        let client_identifier = reader.utf8(label!("Client Identifier", "3.1.3.1", "3.1.3.1"))?;
        // [5:MQTT-3.1.2-9] [311:MQTT-3.1.2-9] [311:MQTT-3.1.2-11] There if and only if the flag says so.
        let will = match flags.will {
            Some((qos, retain)) => Some(read_will(reader, qos, retain)?),
            None => None,
        };
        // [5:MQTT-3.1.2-16] [5:MQTT-3.1.2-17] [5:MQTT-3.1.2-18] [5:MQTT-3.1.2-19]
        // [311:MQTT-3.1.2-18] [311:MQTT-3.1.2-19] [311:MQTT-3.1.2-20] [311:MQTT-3.1.2-21]
        // User Name and Password, too, are there if and only if the flag says so. In MQTT 3.1 alone "it is valid"
        // that they are missing in spite of the flag.
        let forgiven = |reader: &Reader<'a, W>| version == ProtocolVersion::V3_1 && reader.is_at_end();
        let user_name = if flags.user_name && !forgiven(reader) {
            // [5:MQTT-3.1.3-12] [311:MQTT-3.1.3-11]
            Some(reader.utf8(label!("User Name", "3.1.3.5", "3.1.3.4"))?)
        } else {
            None
        };
        let password = if flags.password && !forgiven(reader) {
            Some(reader.binary(label!("Password", "3.1.3.6", "3.1.3.5"))?)
        } else {
            None
        };
        let Flags { clean_start, .. } = flags;
        Ok(Self {
            version,
            bridge,
            clean_start,
            keep_alive_s,
            client_identifier,
            will,
            user_name,
            password,
            properties,
        })
    }

    /// The packet without its fixed header.
    pub(super) fn remaining_length(&self) -> usize {
        let will = self.will.map_or(0, |will| {
            will.properties.encoded_bytes(self.version)
                + string::encoded_bytes(will.topic.as_str().as_bytes())
                + string::encoded_bytes(will.payload)
        });
        // Protocol Level, Connect Flags and Keep Alive are four bytes.
        string::encoded_bytes(protocol_name(self.version).as_bytes())
            + 4
            + self.properties.encoded_bytes(self.version)
            + string::encoded_bytes(self.client_identifier.as_bytes())
            + will
            + self.user_name.map_or(0, |user_name| string::encoded_bytes(user_name.as_bytes()))
            + self.password.map_or(0, string::encoded_bytes)
    }

    /// Writes what follows the fixed header.
    pub(super) fn write(&self, out: &mut impl BufMut) {
        string::encode(protocol_name(self.version).as_bytes(), out);
        out.put_u8(self.version.level() | if self.bridge && !self.version.is_v5() { BRIDGE } else { 0 });
        out.put_u8(self.flags());
        out.put_u16(self.keep_alive_s);
        self.properties.encode(self.version, out);
        string::encode(self.client_identifier.as_bytes(), out);
        if let Some(will) = self.will {
            will.properties.encode(self.version, out);
            string::encode(will.topic.as_str().as_bytes(), out);
            string::encode(will.payload, out);
        }
        if let Some(user_name) = self.user_name {
            string::encode(user_name.as_bytes(), out);
        }
        if let Some(password) = self.password {
            string::encode(password, out);
        }
    }

    fn flags(&self) -> u8 {
        let will = self.will.map_or(0, |will| 1 << 2 | will.qos.bits() << 3 | u8::from(will.retain) << 5);
        u8::from(self.clean_start) << 1
            | will
            | u8::from(self.password.is_some()) << 6
            | u8::from(self.user_name.is_some()) << 7
    }
}

const fn protocol_name(version: ProtocolVersion) -> &'static str {
    match version {
        ProtocolVersion::V3_1 => "MQIsdp",
        ProtocolVersion::V3_1_1 | ProtocolVersion::V5 => "MQTT",
    }
}

/// The version with this name and level, and whether the level says that a bridge speaks.
fn version_named(name: &str, level: u8) -> Option<(ProtocolVersion, bool)> {
    let bridge = level & BRIDGE != 0;
    match (name, level & !BRIDGE) {
        ("MQIsdp", 3) => Some((ProtocolVersion::V3_1, bridge)),
        ("MQTT", 4) => Some((ProtocolVersion::V3_1_1, bridge)),
        // MQTT 5.0 has options for what the bit asks, so no bridge sets it there.
        ("MQTT", 5) if !bridge => Some((ProtocolVersion::V5, false)),
        (_, _) => None,
    }
}

/// Protocol Name and Protocol Version (sections 3.1.2.1 and 3.1.2.2).
fn read_version<'a, W: Watch<'a>>(reader: &mut Reader<'a, W>) -> Result<(ProtocolVersion, bool), DecodeError> {
    let at = reader.at();
    let name = reader.utf8(label!("Protocol Name", "3.1.2.1", "3.1.2.1"))?;
    // [5:MQTT-3.1.2-1] [311:MQTT-3.1.2-1] Anything else is not MQTT.
    if name != "MQTT" && name != "MQIsdp" {
        return fail(Rule::ProtocolName, at);
    }
    let at = reader.at();
    let level = reader.u8(label!("Protocol Version", "3.1.2.2"; "Protocol Level", "3.1.2.2"))?;
    // [5:MQTT-3.1.2-2] [311:MQTT-3.1.2-2]
    version_named(name, level).map_or_else(|| fail(Rule::UnsupportedProtocolVersion, at), Ok)
}

/// The Connect Flags (section 3.1.2.3).
fn read_flags<'a, W: Watch<'a>>(reader: &mut Reader<'a, W>) -> Result<Flags, DecodeError> {
    let at = reader.at();
    let byte = reader.byte()?;
    let flag = |bit: u8| byte & 1 << bit != 0;
    let qos = byte >> 3 & 0b11;
    reader.bits(label!("User Name Flag", "3.1.2.8", "3.1.2.8"), 7, 7, FieldValue::Flag(flag(7)));
    reader.bits(label!("Password Flag", "3.1.2.9", "3.1.2.9"), 6, 6, FieldValue::Flag(flag(6)));
    reader.bits(label!("Will Retain", "3.1.2.7", "3.1.2.7"), 5, 5, FieldValue::Flag(flag(5)));
    reader.bits(label!("Will QoS", "3.1.2.6", "3.1.2.6"), 4, 3, FieldValue::Number(u32::from(qos)));
    reader.bits(label!("Will Flag", "3.1.2.5", "3.1.2.5"), 2, 2, FieldValue::Flag(flag(2)));
    reader.bits(label!("Clean Start", "3.1.2.4"; "Clean Session", "3.1.2.4"), 1, 1, FieldValue::Flag(flag(1)));
    reader.bits(label!("Reserved", "3.1.2.3", "3.1.2.3"), 0, 0, FieldValue::Flag(flag(0)));
    let is_3_1 = reader.version == ProtocolVersion::V3_1;
    // [5:MQTT-3.1.2-3] [311:MQTT-3.1.2-3] In MQTT 3.1 the bit is merely unused.
    if flag(0) && !is_3_1 {
        return fail(Rule::ConnectReservedFlag, at);
    }
    // [5:MQTT-3.1.2-12] [311:MQTT-3.1.2-14]
    let Some(qos) = Qos::from_bits(qos) else {
        return fail(Rule::WillQosReserved, at);
    };
    let will = flag(2).then_some((qos, flag(5)));
    if will.is_none() && !is_3_1 {
        // [5:MQTT-3.1.2-11] [311:MQTT-3.1.2-11] [311:MQTT-3.1.2-13] No Will, no QoS of it.
        if qos != Qos::AtMostOnce {
            return fail(Rule::WillQosWithoutWill, at);
        }
        // [5:MQTT-3.1.2-13] [311:MQTT-3.1.2-15] Nor can it be retained.
        if flag(5) {
            return fail(Rule::WillRetainWithoutWill, at);
        }
    }
    // [311:MQTT-3.1.2-22] MQTT 5.0 allows it: a token needs no name.
    if flag(6) && !flag(7) && !reader.version.is_v5() {
        return fail(Rule::PasswordWithoutUserName, at);
    }
    Ok(Flags { clean_start: flag(1), will, password: flag(6), user_name: flag(7) })
}

/// Will Properties, Will Topic and Will Payload (sections 3.1.3.2 to 3.1.3.4).
fn read_will<'a, W: Watch<'a>>(reader: &mut Reader<'a, W>, qos: Qos, retain: bool) -> Result<Will<'a>, DecodeError> {
    let properties = read_properties(reader, PropertyHome::Will)?;
    // [5:MQTT-3.1.3-11] [311:MQTT-3.1.3-10]
    let name = reader.utf8(label!("Will Topic", "3.1.3.3", "3.1.3.2"))?;
    let topic = reader.topic_name(name)?;
    let label: &Label = label!("Will Payload", "3.1.3.4"; "Will Message", "3.1.3.3");
    let payload = reader.binary(label)?;
    Ok(Will { qos, retain, topic, payload, properties })
}

/// "It is a Protocol Error to include Authentication Data if there is no Authentication Method" (3.1.2.11.10).
pub(super) fn check_authentication(properties: &Properties<'_>, at: usize) -> Result<(), DecodeError> {
    if properties.authentication_data().is_some() && properties.authentication_method().is_none() {
        return fail(Rule::AuthenticationDataWithoutMethod, at);
    }
    Ok(())
}
