//! What can be wrong with a packet: one [`Rule`] for each check, with its statement and its Reason Code.
//!
//! A decoder that says "bad packet" teaches nobody. Each check in this crate has a variant of [`Rule`], and
//! one row in the table below says everything else about it: the statement of either standard, who is to
//! blame, the Reason Code to answer with, and a line for people. [`DecodeError`] adds the byte.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::{ProtocolVersion, ReasonCode};

/// Why a packet was refused.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Debug, Serialize, Deserialize)]
pub enum Blame {
    /// The bytes cannot be parsed: a Malformed Packet (section 1.2).
    Malformed,
    /// The bytes can be parsed, but say what the protocol forbids: a Protocol Error (section 1.2).
    Violation,
    /// Nothing is wrong with the bytes; this receiver does not take them (a limit, a version).
    Refused,
}

/// What the table says about one rule.
struct Row {
    statement_v5: &'static str,
    statement_v3: &'static str,
    blame: Blame,
    reason: ReasonCode,
    text: &'static str,
}

/// Makes [`Rule`], its documentation, and the table of what is known about each.
macro_rules! rules {
    ($($name:ident: $v5:literal, $v3:literal, $blame:ident, $reason:ident, $text:literal;)*) => {
        /// One rule of the standards that bytes alone can break.
        #[derive(Copy, Clone, Eq, PartialEq, Hash, Debug, Serialize, Deserialize)]
        #[repr(u8)]
        pub enum Rule {
            $(
                #[doc = concat!($text, ".\n\n`", $v5, "`, `", $v3, "`.")]
                $name,
            )*
        }

        impl Rule {
            /// Every rule, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            const fn row(self) -> &'static Row {
                match self {
                    $(Self::$name => const {
                        &Row {
                            statement_v5: $v5,
                            statement_v3: $v3,
                            blame: Blame::$blame,
                            reason: ReasonCode::$reason,
                            text: $text,
                        }
                    },)*
                }
            }
        }
    };
}

// The statement of MQTT 5.0, then that of 3.1.1 (which also serves 3.1). Where a standard gives a rule no
// number, its section stands there; where a rule exists in one version only, its statement stands twice.
rules! {
    // The fixed header.
    PacketTypeReserved: "5:2.1.2", "311:2.2.1", Malformed, MalformedPacket,
        "the packet type is reserved in this version";
    PacketTypeWrongSender: "5:2.1.2", "311:2.2.1", Violation, ProtocolError,
        "this side may not send this packet type";
    FixedHeaderFlags: "5:MQTT-2.1.3-1", "311:MQTT-2.2.2-2", Malformed, MalformedPacket,
        "reserved flags of the fixed header have another value than the standard sets";
    PubrelFlags: "5:MQTT-3.6.1-1", "311:MQTT-3.6.1-1", Malformed, MalformedPacket,
        "the flags of PUBREL are not 0010";
    SubscribeFlags: "5:MQTT-3.8.1-1", "311:MQTT-3.8.1-1", Malformed, MalformedPacket,
        "the flags of SUBSCRIBE are not 0010";
    UnsubscribeFlags: "5:MQTT-3.10.1-1", "311:MQTT-3.10.1-1", Malformed, MalformedPacket,
        "the flags of UNSUBSCRIBE are not 0010";
    DisconnectFlags: "5:MQTT-3.14.1-1", "311:MQTT-3.14.1-1", Malformed, MalformedPacket,
        "the flags of DISCONNECT are not 0000";
    AuthFlags: "5:MQTT-3.15.1-1", "5:MQTT-3.15.1-1", Malformed, MalformedPacket,
        "the flags of AUTH are not 0000";
    PacketTooLarge: "5:MQTT-3.2.2-15", "5:MQTT-3.2.2-15", Refused, PacketTooLarge,
        "the packet is larger than this receiver takes";

    // Data types.
    VariableByteIntegerTooLong: "5:1.5.5", "311:2.2.3", Malformed, MalformedPacket,
        "a Variable Byte Integer has more than four bytes";
    VariableByteIntegerNotMinimal: "5:MQTT-1.5.5-1", "311:2.2.3", Malformed, MalformedPacket,
        "a Variable Byte Integer has more bytes than its value needs";
    Truncated: "5:2.1.4", "311:2.2.3", Malformed, MalformedPacket,
        "a field does not fit into what is left of the packet or of its properties";
    TrailingBytes: "5:2.1.4", "311:2.2.3", Malformed, MalformedPacket,
        "bytes are left after the last field";
    Utf8IllFormed: "5:MQTT-1.5.4-1", "311:MQTT-1.5.3-1", Malformed, MalformedPacket,
        "a string is not well-formed UTF-8";
    Utf8Null: "5:MQTT-1.5.4-2", "311:MQTT-1.5.3-2", Malformed, MalformedPacket,
        "a string contains the null character U+0000";
    PacketIdentifierZero: "5:MQTT-2.2.1-3", "311:MQTT-2.3.1-1", Violation, ProtocolError,
        "the Packet Identifier is zero";

    // Topics.
    TopicTooLong: "5:MQTT-4.7.3-3", "311:MQTT-4.7.3-3", Violation, ProtocolError,
        "a Topic Name or Topic Filter has more than 65,535 bytes";
    TopicNameEmpty: "5:MQTT-4.7.3-1", "311:MQTT-4.7.3-1", Violation, ProtocolError,
        "a Topic Name is empty";
    TopicNameWildcard: "5:MQTT-4.7.0-1", "311:MQTT-4.7.1-1", Violation, ProtocolError,
        "a Topic Name contains a wildcard character";
    TopicFilterEmpty: "5:MQTT-4.7.3-1", "311:MQTT-4.7.3-1", Violation, ProtocolError,
        "a Topic Filter is empty";
    TopicFilterMultiLevel: "5:MQTT-4.7.1-1", "311:MQTT-4.7.1-2", Violation, ProtocolError,
        "`#` is not alone in the last level of the Topic Filter";
    TopicFilterSingleLevel: "5:MQTT-4.7.1-2", "311:MQTT-4.7.1-3", Violation, ProtocolError,
        "`+` is not alone in its level of the Topic Filter";
    ShareNameEmpty: "5:MQTT-4.8.2-1", "5:MQTT-4.8.2-1", Violation, ProtocolError,
        "the ShareName of a Shared Subscription is empty";
    ShareNameWildcard: "5:MQTT-4.8.2-2", "5:MQTT-4.8.2-2", Violation, ProtocolError,
        "the ShareName of a Shared Subscription contains `+` or `#`";
    ShareFilterMissing: "5:MQTT-4.8.2-2", "5:MQTT-4.8.2-2", Violation, ProtocolError,
        "no Topic Filter follows the ShareName of a Shared Subscription";

    // Properties.
    PropertyUnknown: "5:2.2.2.2", "5:2.2.2.2", Malformed, MalformedPacket,
        "no property has this identifier";
    PropertyNotAllowed: "5:2.2.2.2", "5:2.2.2.2", Malformed, MalformedPacket,
        "this packet may not carry this property";
    PropertyDuplicate: "5:2.2.2", "5:2.2.2", Violation, ProtocolError,
        "a property that may occur once occurs again";
    PropertyNotBoolean: "5:2.2.2.2", "5:2.2.2.2", Violation, ProtocolError,
        "a property that is 0 or 1 has another value";
    ReceiveMaximumZero: "5:3.1.2.11.3", "5:3.1.2.11.3", Violation, ProtocolError,
        "Receive Maximum is zero";
    MaximumPacketSizeZero: "5:3.1.2.11.4", "5:3.1.2.11.4", Violation, ProtocolError,
        "Maximum Packet Size is zero";
    TopicAliasZero: "5:MQTT-3.3.2-8", "5:MQTT-3.3.2-8", Violation, TopicAliasInvalid,
        "Topic Alias is zero";
    MaximumQosValue: "5:3.2.2.3.4", "5:3.2.2.3.4", Violation, ProtocolError,
        "Maximum QoS is neither 0 nor 1";
    SubscriptionIdentifierZero: "5:3.8.2.1.2", "5:3.8.2.1.2", Violation, ProtocolError,
        "Subscription Identifier is zero";
    SubscriptionIdentifierFromClient: "5:MQTT-3.3.4-6", "5:MQTT-3.3.4-6", Violation, ProtocolError,
        "a client's PUBLISH carries a Subscription Identifier";
    SessionExpiryFromServer: "5:MQTT-3.14.2-2", "5:MQTT-3.14.2-2", Violation, ProtocolError,
        "a server's DISCONNECT carries a Session Expiry Interval";
    ResponseTopicWildcard: "5:MQTT-3.3.2-14", "5:MQTT-3.3.2-14", Violation, ProtocolError,
        "Response Topic contains a wildcard character";
    AuthenticationDataWithoutMethod: "5:3.1.2.11.10", "5:3.1.2.11.10", Violation, ProtocolError,
        "Authentication Data comes without an Authentication Method";
    AuthenticationMethodMissing: "5:3.15.2.2.2", "5:3.15.2.2.2", Violation, ProtocolError,
        "AUTH comes without an Authentication Method";

    // CONNECT.
    ProtocolName: "5:MQTT-3.1.2-1", "311:MQTT-3.1.2-1", Violation, UnsupportedProtocolVersion,
        "the Protocol Name is neither `MQTT` nor `MQIsdp`";
    UnsupportedProtocolVersion: "5:MQTT-3.1.2-2", "311:MQTT-3.1.2-2", Refused, UnsupportedProtocolVersion,
        "the Protocol Version is not one of 3.1, 3.1.1 and 5.0";
    ConnectReservedFlag: "5:MQTT-3.1.2-3", "311:MQTT-3.1.2-3", Malformed, MalformedPacket,
        "the reserved bit of the Connect Flags is 1";
    WillQosWithoutWill: "5:MQTT-3.1.2-11", "311:MQTT-3.1.2-13", Violation, ProtocolError,
        "Will QoS is not 0 although the Will Flag is 0";
    WillQosReserved: "5:MQTT-3.1.2-12", "311:MQTT-3.1.2-14", Malformed, MalformedPacket,
        "Will QoS is 3";
    WillRetainWithoutWill: "5:MQTT-3.1.2-13", "311:MQTT-3.1.2-15", Violation, ProtocolError,
        "Will Retain is 1 although the Will Flag is 0";
    PasswordWithoutUserName: "5:3.1.2.9", "311:MQTT-3.1.2-22", Violation, ProtocolError,
        "the Password Flag is 1 although the User Name Flag is 0";

    // CONNACK.
    ConnackReservedFlags: "5:MQTT-3.2.2-1", "311:3.2.2.1", Malformed, MalformedPacket,
        "reserved bits of the Connect Acknowledge Flags are 1";
    ConnackSessionPresent: "5:MQTT-3.2.2-6", "311:MQTT-3.2.2-4", Violation, ProtocolError,
        "Session Present is 1 in a CONNACK that refuses";
    ConnackReason: "5:MQTT-3.2.2-8", "311:3.2.2.3", Violation, ProtocolError,
        "CONNACK may not carry this Reason Code";

    // PUBLISH and its acknowledgements.
    PublishQosReserved: "5:MQTT-3.3.1-4", "311:MQTT-3.3.1-4", Malformed, MalformedPacket,
        "both QoS bits of PUBLISH are 1";
    PublishDupQos0: "5:MQTT-3.3.1-2", "311:MQTT-3.3.1-2", Violation, ProtocolError,
        "DUP is 1 in a PUBLISH of QoS 0";
    PublishTopicWildcard: "5:MQTT-3.3.2-2", "311:MQTT-3.3.2-2", Violation, ProtocolError,
        "the Topic Name of PUBLISH contains a wildcard character";
    PublishTopicMissing: "5:3.3.2.1", "311:MQTT-4.7.3-1", Violation, ProtocolError,
        "PUBLISH has neither a Topic Name nor a Topic Alias";
    PubackReason: "5:MQTT-3.4.2-1", "5:MQTT-3.4.2-1", Violation, ProtocolError,
        "PUBACK may not carry this Reason Code";
    PubrecReason: "5:MQTT-3.5.2-1", "5:MQTT-3.5.2-1", Violation, ProtocolError,
        "PUBREC may not carry this Reason Code";
    PubrelReason: "5:MQTT-3.6.2-1", "5:MQTT-3.6.2-1", Violation, ProtocolError,
        "PUBREL may not carry this Reason Code";
    PubcompReason: "5:MQTT-3.7.2-1", "5:MQTT-3.7.2-1", Violation, ProtocolError,
        "PUBCOMP may not carry this Reason Code";

    // SUBSCRIBE, UNSUBSCRIBE and their acknowledgements.
    SubscribeEmpty: "5:MQTT-3.8.3-2", "311:MQTT-3.8.3-3", Violation, ProtocolError,
        "SUBSCRIBE has no Topic Filter";
    SubscriptionOptionsReserved: "5:MQTT-3.8.3-5", "311:MQTT-3.8.3-4", Malformed, MalformedPacket,
        "reserved bits of the Subscription Options are 1";
    SubscriptionQosReserved: "5:3.8.3.1", "311:MQTT-3.8.3-4", Violation, ProtocolError,
        "the QoS of a Subscription is 3";
    RetainHandlingReserved: "5:3.8.3.1", "5:3.8.3.1", Violation, ProtocolError,
        "Retain Handling is 3";
    NoLocalOnShared: "5:MQTT-3.8.3-4", "5:MQTT-3.8.3-4", Violation, ProtocolError,
        "No Local is 1 on a Shared Subscription";
    SubackEmpty: "5:MQTT-3.8.4-6", "311:MQTT-3.8.4-5", Violation, ProtocolError,
        "SUBACK has no Reason Code";
    SubackReason: "5:MQTT-3.9.3-2", "311:MQTT-3.9.3-2", Violation, ProtocolError,
        "SUBACK may not carry this Reason Code";
    UnsubscribeEmpty: "5:MQTT-3.10.3-2", "311:MQTT-3.10.3-2", Violation, ProtocolError,
        "UNSUBSCRIBE has no Topic Filter";
    UnsubackEmpty: "5:3.11.3", "5:3.11.3", Violation, ProtocolError,
        "UNSUBACK has no Reason Code";
    UnsubackReason: "5:MQTT-3.11.3-2", "5:MQTT-3.11.3-2", Violation, ProtocolError,
        "UNSUBACK may not carry this Reason Code";

    // DISCONNECT and AUTH.
    DisconnectReason: "5:MQTT-3.14.2-1", "5:MQTT-3.14.2-1", Violation, ProtocolError,
        "DISCONNECT may not carry this Reason Code";
    AuthReason: "5:MQTT-3.15.2-1", "5:MQTT-3.15.2-1", Violation, ProtocolError,
        "AUTH may not carry this Reason Code, or not from this side";
}

impl Rule {
    /// The statement that was broken, as `5:MQTT-1.5.4-2` or `311:MQTT-1.5.3-2`; a section, as `5:2.1.4`,
    /// where the standard gives no number. MQTT 3.1 is answered with 3.1.1.
    pub const fn statement(self, version: ProtocolVersion) -> &'static str {
        match version {
            ProtocolVersion::V3_1 | ProtocolVersion::V3_1_1 => self.row().statement_v3,
            ProtocolVersion::V5 => self.row().statement_v5,
        }
    }

    /// Whether the bytes are unreadable, forbidden, or only unwelcome.
    pub const fn blame(self) -> Blame {
        self.row().blame
    }

    /// The Reason Code for the CONNACK or DISCONNECT that answers (section 4.13).
    pub const fn reason(self) -> ReasonCode {
        self.row().reason
    }

    /// One line for people, without a full stop.
    pub const fn text(self) -> &'static str {
        self.row().text
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.text())
    }
}

/// A packet that was refused: the rule it broke, and where.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub struct DecodeError {
    /// The rule that was broken.
    pub rule: Rule,
    /// The byte in the frame, counted from 0, where that was seen.
    pub offset: u32,
}

impl DecodeError {
    /// The Reason Code for the CONNACK or DISCONNECT that answers (section 4.13).
    pub const fn reason(&self) -> ReasonCode {
        self.rule.reason()
    }

    /// Whether the bytes are unreadable, forbidden, or only unwelcome.
    pub const fn blame(&self) -> Blame {
        self.rule.blame()
    }

    /// The statement that was broken, in the numbering of this version; see [`Rule::statement`].
    pub const fn statement(&self, version: ProtocolVersion) -> &'static str {
        self.rule.statement(version)
    }

    /// The same error, but where the general rule was broken it was the particular one.
    pub(crate) fn renamed(self, general: Rule, particular: Rule) -> Self {
        if self.rule == general { Self { rule: particular, ..self } } else { self }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}, at byte {}", self.rule.text(), self.offset)
    }
}

impl core::error::Error for DecodeError {}
