//! CONNACK (section 3.2): the server's answer to CONNECT.

use bytes::BufMut;
use serde::{Deserialize, Serialize};

use super::connect::check_authentication;
use crate::describe::FieldValue;
use crate::property::read_properties;
use crate::reader::{Part, Reader, Watch, fail};
use crate::{DecodeError, PacketType, Properties, PropertyHome, ProtocolVersion, ReasonCode, Rule};

/// A CONNACK packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connack<'a> {
    /// Whether the server has a Session for this Client Identifier (section 3.2.2.1.1). False in MQTT 3.1.
    pub session_present: bool,
    /// Whether the connection is accepted, and if not, why.
    pub reason: ConnackCode,
    /// What the server grants (section 3.2.2.3). Empty in MQTT 3.x.
    pub properties: Properties<'a>,
}

/// The answer's code: each version has its own numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ConnackCode {
    /// The Connect Reason Code of MQTT 5.0 (section 3.2.2.2).
    Reason(ReasonCode),
    /// The Connect Return Code of MQTT 3.x (section 3.2.2.3 of 3.1.1): 0 to 5.
    Return(u8),
}

impl ConnackCode {
    /// Whether the connection is accepted.
    pub const fn is_accepted(self) -> bool {
        matches!(self, Self::Reason(ReasonCode::Success) | Self::Return(0))
    }

    /// The byte on the wire, in the numbers of this version.
    ///
    /// A code of the other version is translated. Where 3.x has no words it becomes 3, Server unavailable; an
    /// unknown Return Code becomes 0x80, Unspecified error.
    pub const fn byte(self, version: ProtocolVersion) -> u8 {
        match (self, version.is_v5()) {
            (Self::Reason(reason), true) => reason.byte(),
            (Self::Return(code), false) => code,
            (Self::Reason(reason), false) => match reason.connect_return_code() {
                Some(code) => code,
                None => 3,
            },
            (Self::Return(code), true) => match ReasonCode::from_connect_return_code(code) {
                Some(reason) => reason.byte(),
                None => ReasonCode::UnspecifiedError.byte(),
            },
        }
    }
}

impl<'a> Connack<'a> {
    /// Reads what follows the fixed header.
    pub(super) fn read<W: Watch<'a>>(reader: &mut Reader<'a, W>) -> Result<Self, DecodeError> {
        reader.part(Part::VariableHeader);
        let flags_at = reader.at();
        let session_present = read_flags(reader)?;
        let reason = read_code(reader)?;
        // [5:MQTT-3.2.2-6] [311:MQTT-3.2.2-4] Who is refused has no Session.
        if session_present && !reason.is_accepted() {
            return fail(Rule::ConnackSessionPresent, flags_at);
        }
        let properties_at = reader.at();
        let properties = read_properties(reader, PropertyHome::Connack)?;
        check_authentication(&properties, properties_at)?;
        Ok(Self { session_present, reason, properties })
    }

    /// The packet without its fixed header.
    pub(super) fn remaining_length(&self, version: ProtocolVersion) -> usize {
        2 + self.properties.encoded_bytes(version)
    }

    /// Writes what follows the fixed header.
    pub(super) fn write(&self, version: ProtocolVersion, out: &mut impl BufMut) {
        // MQTT 3.1 has no Session Present: the byte is reserved there.
        out.put_u8(u8::from(self.session_present && version != ProtocolVersion::V3_1));
        out.put_u8(self.reason.byte(version));
        self.properties.encode(version, out);
    }
}

/// The Connect Acknowledge Flags (section 3.2.2.1): Session Present.
fn read_flags<'a, W: Watch<'a>>(reader: &mut Reader<'a, W>) -> Result<bool, DecodeError> {
    let flags = reader.byte()?;
    let session_present = flags & 1 != 0;
    reader.bits(label!("Reserved", "3.2.2.1", "3.2.2.1"), 7, 1, FieldValue::Number(u32::from(flags >> 1)));
    reader.bits(label!("Session Present", "3.2.2.1.1", "3.2.2.2"), 0, 0, FieldValue::Flag(session_present));
    if reader.version == ProtocolVersion::V3_1 {
        return Ok(false);
    }
    // [5:MQTT-3.2.2-1] Bits 7 to 1 are reserved.
    if flags > 1 { fail(Rule::ConnackReservedFlags, reader.at() - 1) } else { Ok(session_present) }
}

fn read_code<'a, W: Watch<'a>>(reader: &mut Reader<'a, W>) -> Result<ConnackCode, DecodeError> {
    let label = label!("Connect Reason Code", "3.2.2.2"; "Connect Return code", "3.2.2.3");
    // [5:MQTT-3.2.2-8]
    if reader.version.is_v5() {
        return reader.reason_code(label, PacketType::Connack, Rule::ConnackReason).map(ConnackCode::Reason);
    }
    match reader.u8(label)? {
        code @ 0..=5 => Ok(ConnackCode::Return(code)),
        // "Reserved for future use" (3.2.2.3 of 3.1.1).
        6.. => fail(Rule::ConnackReason, reader.at() - 1),
    }
}
