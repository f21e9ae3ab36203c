//! AUTH (section 3.15): one step of an enhanced authentication, where a password is not enough. Since MQTT 5.0.

use bytes::BufMut;

use crate::property::read_properties;
use crate::reader::{Part, Reader, Watch, fail};
use crate::{DecodeError, PacketType, Properties, PropertyHome, ProtocolVersion, ReasonCode, Rule, Sender};

/// An AUTH packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Auth<'a> {
    /// Which step: Success (from a server), Continue authentication, Re-authenticate (from a client).
    pub reason: ReasonCode,
    /// The method and its data (section 3.15.2.2).
    pub properties: Properties<'a>,
}

impl<'a> Auth<'a> {
    /// Reads what follows the fixed header.
    pub(super) fn read<W: Watch<'a>>(reader: &mut Reader<'a, W>) -> Result<Self, DecodeError> {
        let mut auth = Self { reason: ReasonCode::Success, properties: Properties::EMPTY };
        let at = reader.at();
        if !reader.is_at_end() {
            reader.part(Part::VariableHeader);
            let label = label!("Authenticate Reason Code", "3.15.2.1");
            auth.reason = reader.reason_code(label, PacketType::Auth, Rule::AuthReason)?;
            auth.properties = read_properties(reader, PropertyHome::Auth)?;
        }
        // [5:MQTT-3.15.2-1] Table 3-11 says who sends which.
        let wrong = match reader.from {
            Sender::Client => ReasonCode::Success,
            Sender::Server => ReasonCode::ReAuthenticate,
        };
        if auth.reason == wrong {
            return fail(Rule::AuthReason, at);
        }
        // "It is a Protocol Error to omit the Authentication Method" (3.15.2.2.2), and yet "the Reason Code and
        // Property Length can be omitted if the Reason Code is 0x00 (Success) and there are no Properties"
        // (3.15.2.1). Both hold if a bare Success is the exception.
        let bare_success = auth.reason == ReasonCode::Success && auth.properties.is_empty();
        if !bare_success && auth.properties.authentication_method().is_none() {
            return fail(Rule::AuthenticationMethodMissing, at);
        }
        Ok(auth)
    }

    /// Whether there is nothing to say but Success: then nothing is written (section 3.15.2.1).
    fn is_short(&self) -> bool {
        self.reason == ReasonCode::Success && self.properties.is_empty()
    }

    /// The packet without its fixed header.
    pub(super) fn remaining_length(&self, version: ProtocolVersion) -> usize {
        if self.is_short() { 0 } else { 1 + self.properties.encoded_bytes(version) }
    }

    /// Writes what follows the fixed header.
    pub(super) fn write(&self, version: ProtocolVersion, out: &mut impl BufMut) {
        assert!(version.is_v5(), "AUTH came with MQTT 5.0");
        if !self.is_short() {
            out.put_u8(self.reason.byte());
            self.properties.encode(version, out);
        }
    }
}
