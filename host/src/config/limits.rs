//! The `[limits]` section: each field of the core's [`Limits`] by its own name, and none is left out.

use serde::{Deserialize, Deserializer};
use wasmqtt_broker::Limits;
use wasmqtt_broker::codec::Qos;

/// QoS as people write it.
#[derive(Clone, Copy)]
pub(super) struct QosNumber(Qos);

impl<'de> Deserialize<'de> for QosNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let found = i64::deserialize(deserializer)?;
        let qos = u8::try_from(found).ok().and_then(Qos::from_bits);
        let unexpected = serde::de::Unexpected::Signed(found);
        qos.map(QosNumber).ok_or_else(|| serde::de::Error::invalid_value(unexpected, &"0, 1 or 2"))
    }
}

impl From<QosNumber> for Qos {
    fn from(number: QosNumber) -> Qos {
        number.0
    }
}

/// Declares the section. Taking [`Limits`] apart field by field makes a new limit of the core an error here until it
/// can be set.
macro_rules! limits {
    ($($field:ident: $type:ty,)*) => {
        #[derive(Deserialize, Default)]
        #[serde(deny_unknown_fields, default)]
        pub(super) struct LimitsFile { $(pub(super) $field: Option<$type>,)* }

        impl LimitsFile {
            /// Sets what the file names.
            pub(super) fn apply(self, limits: &mut Limits) {
                let Limits { $($field),* } = limits;
                $(super::set($field, self.$field.map(Into::into));)*
            }
        }
    };
}

limits! {
    connections_max: u32,
    connect_timeout_s: u16,
    sessions_max: u32,
    session_expiry_max_s: u32,
    keep_alive_max_s: u16,
    packet_bytes_max: u32,
    connect_bytes_max: u32,
    receive_maximum: u16,
    topic_alias_maximum: u16,
    topic_alias_out_max: u16,
    in_flight_max: u16,
    queue_messages_max: u32,
    queue_bytes_max: u64,
    outbox_bytes_max: u32,
    turn_bytes_max: u32,
    subscriptions_per_session_max: u32,
    subscriptions_max: u32,
    topic_levels_max: u16,
    retained_messages_max: u32,
    retained_bytes_max: u64,
    memory_bytes_max: u64,
    maximum_qos: QosNumber,
    retain_available: bool,
    wildcard_subscription_available: bool,
    subscription_identifiers_available: bool,
    shared_subscription_available: bool,
    assigned_client_identifier: bool,
    bridges_max: u32,
}
