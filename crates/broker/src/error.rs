//! What can go wrong between a client and the broker, sorted by who is to blame. A fault is data, never a string: it
//! knows the Reason Code to answer with and the statement of the standard that was broken, and the driver's log line,
//! the simulator's explanation and the tests all read it from here.

use serde::{Deserialize, Serialize};
use wasmqtt_codec::{ProtocolVersion, ReasonCode, Rule};

/// Why a client was refused or its connection ended by the broker.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Fault {
    /// Its bytes don't decode, or a single packet breaks a rule by itself.
    Packet {
        /// The rule.
        rule: Rule,
        /// Where in the packet it was seen, in bytes.
        offset: u32,
        /// The version that the connection speaks.
        version: ProtocolVersion,
    },
    /// A packet that is fine by itself may not come at this point.
    Violation(Violation, ProtocolVersion),
    /// Policy, quota or a limit says no.
    Refused(Refusal, ProtocolVersion),
}

impl Fault {
    /// The Reason Code that tells it to the client.
    #[must_use]
    pub fn reason(&self) -> ReasonCode {
        match self {
            Fault::Packet { rule, .. } => rule.reason(),
            Fault::Violation(violation, _) => violation.reason(),
            Fault::Refused(refusal, _) => refusal.reason(),
        }
    }

    /// The statement or section of the standard behind it, such as `5:MQTT-3.1.0-2`.
    #[must_use]
    pub fn statement(&self) -> &'static str {
        match self {
            Fault::Packet { rule, version, .. } => rule.statement(*version),
            Fault::Violation(violation, version) => violation.statement(*version),
            Fault::Refused(refusal, version) => refusal.statement(*version),
        }
    }

    /// One line for people.
    #[must_use]
    pub fn text(&self) -> &'static str {
        match self {
            Fault::Packet { rule, .. } => rule.text(),
            Fault::Violation(violation, _) => violation.text(),
            Fault::Refused(refusal, _) => refusal.text(),
        }
    }
}

/// Declares an enum of faults together with what each means on the wire, in the standards and to people, so that none
/// of the three can be forgotten for a new one.
macro_rules! violations {
    ($($(#[$doc:meta])* $name:ident: $reason:ident, $five:literal, $three:literal, $text:literal;)*) => {
        /// A rule of the protocol that a client broke by what it sent when.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
        pub enum Violation { $($(#[$doc])* $name,)* }

        impl Violation {
            /// The Reason Code that tells it to the client.
            #[must_use]
            pub fn reason(self) -> ReasonCode {
                match self { $(Violation::$name => ReasonCode::$reason,)* }
            }

            /// The statement or section broken, in the standard of the version spoken.
            #[must_use]
            pub fn statement(self, version: ProtocolVersion) -> &'static str {
                match (self, version.is_v5()) {
                    $((Violation::$name, true) => $five, (Violation::$name, false) => $three,)*
                }
            }

            /// One line for people.
            #[must_use]
            pub fn text(self) -> &'static str {
                match self { $(Violation::$name => $text,)* }
            }
        }
    };
}

violations! {
    /// The first packet of a connection was not CONNECT.
    NoConnect: ProtocolError, "5:MQTT-3.1.0-1", "311:MQTT-3.1.0-1", "the first packet must be CONNECT";
    /// CONNECT came a second time.
    SecondConnect: ProtocolError, "5:MQTT-3.1.0-2", "311:MQTT-3.1.0-2", "CONNECT came twice";
    /// No complete CONNECT within the time for it.
    ConnectTimeout: KeepAliveTimeout, "5:3.1.4", "311:3.1.4", "no CONNECT in time";
    /// Nothing came within one and a half times the Keep Alive.
    KeepAliveTimeout: KeepAliveTimeout, "5:MQTT-3.1.2-22", "311:MQTT-3.1.2-24",
        "nothing received within 1.5 times the Keep Alive";
    /// A zero-length Client Identifier where none is assigned, or with Clean Session 0.
    ClientIdentifierMissing: ClientIdentifierNotValid, "5:MQTT-3.1.3-8", "311:MQTT-3.1.3-8",
        "a Client Identifier is needed here";
    /// More QoS 1 and 2 PUBLISH packets unfinished than our Receive Maximum.
    ReceiveMaximumExceeded: ReceiveMaximumExceeded, "5:MQTT-3.3.4-7", "311:4.6",
        "more unfinished publications than the Receive Maximum";
    /// A PUBLISH above the Maximum QoS.
    QosNotSupported: QosNotSupported, "5:MQTT-3.2.2-11", "311:4.3", "QoS above the Maximum QoS";
    /// A Will Message above the Maximum QoS.
    WillQosNotSupported: QosNotSupported, "5:MQTT-3.2.2-12", "311:3.1.2.6", "Will QoS above the Maximum QoS";
    /// RETAIN 1 where there are no Retained Messages.
    RetainNotSupported: RetainNotSupported, "5:MQTT-3.2.2-14", "311:3.3.1.3", "no Retained Messages here";
    /// A Will Message with Will Retain 1 where there are no Retained Messages.
    WillRetainNotSupported: RetainNotSupported, "5:MQTT-3.2.2-13", "311:3.1.2.7", "no Retained Messages here";
    /// A Topic Alias above our Topic Alias Maximum.
    TopicAliasTooLarge: TopicAliasInvalid, "5:MQTT-3.2.2-17", "5:MQTT-3.2.2-17",
        "Topic Alias above the Topic Alias Maximum";
    /// A Topic Alias without a Topic Name that was never set on this connection.
    TopicAliasUnknown: ProtocolError, "5:3.3.2.3.4", "5:3.3.2.3.4", "Topic Alias that was never set";
    /// A packet other than AUTH or DISCONNECT before CONNACK in an authentication exchange.
    NotAuthenticated: ProtocolError, "5:MQTT-3.1.2-30", "311:3.1.4", "only AUTH or DISCONNECT may come before CONNACK";
    /// AUTH from a client that named no Authentication Method.
    AuthWithoutMethod: ProtocolError, "5:MQTT-4.12.0-7", "5:MQTT-4.12.0-7",
        "AUTH without an Authentication Method in CONNECT";
    /// AUTH with another method than CONNECT.
    AuthMethodChanged: ProtocolError, "5:MQTT-4.12.0-5", "5:MQTT-4.12.0-5", "AUTH changes the Authentication Method";
    /// AUTH with a Reason Code that doesn't fit the exchange.
    AuthOutOfTurn: ProtocolError, "5:MQTT-4.12.0-3", "5:MQTT-4.12.0-3", "AUTH with a Reason Code that doesn't fit";
    /// DISCONNECT sets a Session Expiry Interval where CONNECT had none.
    SessionExpiryRaised: ProtocolError, "5:3.14.2.2.2", "5:3.14.2.2.2",
        "DISCONNECT raises a Session Expiry Interval of 0";
    /// PUBACK for a QoS 2 PUBLISH, PUBREC or PUBCOMP for a QoS 1 PUBLISH, or PUBCOMP before PUBREC.
    AcknowledgementOutOfTurn: ProtocolError, "5:MQTT-4.3.3-3", "311:MQTT-4.3.3-1",
        "an acknowledgement that doesn't fit the exchange";
}

/// Declares the refusals like `violations!`.
macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident: $reason:ident, $five:literal, $three:literal, $text:literal;)*) => {
        /// A wish that is well said but not granted.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
        pub enum Refusal {
            $($(#[$doc])* $name,)*
            /// The driver's verdict, with its Reason Code.
            Verdict(ReasonCode),
        }

        impl Refusal {
            /// The Reason Code that tells it to the client.
            #[must_use]
            pub fn reason(self) -> ReasonCode {
                match self { $(Refusal::$name => ReasonCode::$reason,)* Refusal::Verdict(reason) => reason }
            }

            /// The statement or section behind it, in the standard of the version spoken.
            #[must_use]
            pub fn statement(self, version: ProtocolVersion) -> &'static str {
                match (self, version.is_v5()) {
                    $((Refusal::$name, true) => $five, (Refusal::$name, false) => $three,)*
                    (Refusal::Verdict(_), true) => "5:MQTT-3.1.4-2",
                    (Refusal::Verdict(_), false) => "311:3.1.4",
                }
            }

            /// One line for people.
            #[must_use]
            pub fn text(self) -> &'static str {
                match self { $(Refusal::$name => $text,)* Refusal::Verdict(_) => "refused by authentication" }
            }
        }
    };
}

refusals! {
    /// Permissions don't allow it.
    NotAuthorized: NotAuthorized, "5:5.4.2", "311:5.4.2", "not permitted";
    /// No authentication method is offered here.
    BadAuthenticationMethod: BadAuthenticationMethod, "5:MQTT-4.12.0-1", "5:MQTT-4.12.0-1",
        "this Authentication Method isn't offered";
    /// As many transports are open as may be.
    Connections: QuotaExceeded, "5:4.13.2", "311:3.2.2.3", "connections_max reached";
    /// As many Sessions exist as may.
    Sessions: QuotaExceeded, "5:4.13.2", "311:3.2.2.3", "sessions_max reached";
    /// This Session has as many Subscriptions as it may.
    SubscriptionsOfSession: QuotaExceeded, "5:3.9.3", "311:3.9.3", "subscriptions_per_session_max reached";
    /// All Sessions have as many Subscriptions as they may.
    Subscriptions: QuotaExceeded, "5:3.9.3", "311:3.9.3", "subscriptions_max reached";
    /// A Topic Name has more levels than it may.
    TopicNameLevels: TopicNameInvalid, "5:4.7.3", "311:4.7.3", "topic_levels_max exceeded";
    /// A Topic Filter has more levels than it may.
    TopicFilterLevels: TopicFilterInvalid, "5:4.7.3", "311:4.7.3", "topic_levels_max exceeded";
    /// As many Retained Messages are kept as may be, or as many bytes of them.
    Retained: QuotaExceeded, "5:3.4.2.1", "311:3.3.1.3", "retained_messages_max or retained_bytes_max reached";
    /// An answer is larger than the client's Maximum Packet Size.
    AnswerTooLarge: PacketTooLarge, "5:MQTT-3.1.2-24", "5:MQTT-3.1.2-24",
        "the client's Maximum Packet Size is too small for its answer";
    /// A 3.x client asks for a longer Keep Alive than is granted; its protocol has no way to shorten it.
    KeepAlive: ClientIdentifierNotValid, "5:3.1.2.10", "311:3.1.2.10", "Keep Alive above keep_alive_max_s";
    /// The broker is stopping and takes nobody in.
    Unavailable: ServerUnavailable, "5:3.1.4", "311:3.2.2.3", "the server is shutting down";
    /// The client doesn't read what it is owed.
    SlowReader: QuotaExceeded, "5:4.13.2", "311:4.8", "outbox_bytes_max exceeded: the client doesn't read its answers";
    /// The broker is near its bound on memory.
    Memory: QuotaExceeded, "5:4.13.2", "311:4.8", "memory_bytes_max is near";
    /// The log can't be written.
    Storage: QuotaExceeded, "5:4.13.2", "311:MQTT-4.8.0-2", "storing failed";
    /// Wildcards are switched off.
    WildcardSubscriptions: WildcardSubscriptionsNotSupported, "5:3.2.2.3.11", "311:MQTT-3.8.3-2",
        "no wildcard Subscriptions here";
    /// Subscription Identifiers are switched off.
    SubscriptionIdentifiers: SubscriptionIdentifiersNotSupported, "5:3.2.2.3.12", "5:3.2.2.3.12",
        "no Subscription Identifiers here";
    /// Shared Subscriptions are switched off.
    SharedSubscriptions: SharedSubscriptionsNotSupported, "5:3.2.2.3.13", "311:3.9.3", "no Shared Subscriptions here";
    /// A `$share` Topic Filter that isn't well formed.
    ShareNameInvalid: TopicFilterInvalid, "5:MQTT-4.8.2-2", "311:4.7.3", "not a well-formed $share Topic Filter";
    /// The broker is stopping.
    Stopping: ServerShuttingDown, "5:4.13.2", "311:4.8", "the server is shutting down";
}
