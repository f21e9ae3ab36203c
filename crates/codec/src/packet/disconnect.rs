//! DISCONNECT (section 3.14): the last packet of a connection, and in MQTT 5.0 why it ends.

use bytes::BufMut;

use crate::property::read_properties;
use crate::reader::{Part, Reader, Watch};
use crate::{DecodeError, PacketType, Properties, PropertyHome, ProtocolVersion, ReasonCode, Rule};

/// A DISCONNECT packet. In MQTT 3.x only a client sends it, and it says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disconnect<'a> {
    /// Why. [`ReasonCode::NORMAL_DISCONNECTION`] in MQTT 3.x.
    pub reason: ReasonCode,
    /// The properties (section 3.14.2.2). Empty in MQTT 3.x.
    pub properties: Properties<'a>,
}

impl<'a> Disconnect<'a> {
    /// Reads what follows the fixed header.
    pub(super) fn read<W: Watch<'a>>(reader: &mut Reader<'a, W>) -> Result<Self, DecodeError> {
        let mut disconnect = Self { reason: ReasonCode::NORMAL_DISCONNECTION, properties: Properties::EMPTY };
        // "If the Remaining Length is less than 1 the value of 0x00 is used" (3.14.2.1).
        if reader.version.is_v5() && !reader.is_at_end() {
            reader.part(Part::VariableHeader);
            let label = label!("Disconnect Reason Code", "3.14.2.1");
            // [5:MQTT-3.14.2-1] Table 3-10 also says which side sends which code. That is not checked: the
            // connection is over either way, and a client may well report its own Keep Alive timeout.
            disconnect.reason = reader.reason_code(label, PacketType::Disconnect, Rule::DisconnectReason)?;
            // "If the Remaining Length is less than 2, a value of 0 is used" (3.14.2.2.1).
            if !reader.is_at_end() {
                disconnect.properties = read_properties(reader, PropertyHome::Disconnect)?;
            }
        }
        Ok(disconnect)
    }

    /// The packet without its fixed header, in the shortest form: empty without a Reason Code, 1 byte without a
    /// Property Length.
    pub(super) fn remaining_length(&self, version: ProtocolVersion) -> usize {
        let has_properties = !self.properties.is_empty();
        if !version.is_v5() || (self.reason == ReasonCode::NORMAL_DISCONNECTION && !has_properties) {
            0
        } else if has_properties {
            1 + self.properties.encoded_bytes(version)
        } else {
            1
        }
    }

    /// Writes what follows the fixed header.
    pub(super) fn write(&self, version: ProtocolVersion, out: &mut impl BufMut) {
        let length = self.remaining_length(version);
        if length > 0 {
            out.put_u8(self.reason.byte());
        }
        if length > 1 {
            self.properties.encode(version, out);
        }
    }
}
