//! Application Messages that are kept: in a Session's queue, in flight, as Will or Retained Message. Each is kept once,
//! however many Sessions wait for it; an entry in a queue is a number, whatever the payload.

use alloc::string::String;
use alloc::vec::Vec;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use wasmqtt_codec::{Properties, Qos};

use crate::slab::Slab;
use crate::time::Time;

/// An Application Message on its own memory, so that keeping it never pins a block that was read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Message {
    /// Topic Name.
    pub topic: String,
    /// What is forwarded unaltered, as the wire has it: without Topic Alias, Message Expiry Interval and Subscription
    /// Identifiers, which differ from receiver to receiver.
    pub properties: Bytes,
    /// Application Message.
    pub payload: Bytes,
    /// QoS as published.
    pub qos: Qos,
    /// RETAIN flag as published.
    pub retain: bool,
    /// When it expires (3.3.2.3.3), if ever.
    pub expires_at: Option<Time>,
    /// Counts all publications of a broker; names the message in the log. 0 before it is published.
    pub publication: u64,
}

impl Message {
    /// Bytes counted for keeping it.
    pub(crate) fn bytes(&self) -> u64 {
        self.outgoing().kept_bytes()
    }

    /// How it looks to whoever sends it on.
    pub(crate) fn outgoing(&self) -> Outgoing<'_> {
        Outgoing {
            topic: &self.topic,
            properties: &self.properties,
            payload: &self.payload,
            shared: Some(&self.payload),
            frame: None,
            qos: self.qos,
            retain: self.retain,
            expires_at: self.expires_at,
            publication: self.publication,
        }
    }
}

/// A message on its way out: kept, or still lying in the bytes it came in.
#[derive(Clone, Copy)]
pub(crate) struct Outgoing<'a> {
    pub topic: &'a str,
    pub properties: &'a [u8],
    pub payload: &'a [u8],
    /// The memory that holds the payload, to share instead of copying it.
    pub shared: Option<&'a Bytes>,
    /// The packet it came in, if one of the same version and QoS may leave as it came but for DUP and its Packet
    /// Identifier.
    pub frame: Option<Frame<'a>>,
    pub qos: Qos,
    pub retain: bool,
    pub expires_at: Option<Time>,
    pub publication: u64,
}

/// Where in what was read an inbound packet lies.
#[derive(Clone, Copy)]
pub(crate) struct Frame<'a> {
    pub bytes: &'a Bytes,
    pub start: u32,
    pub end: u32,
    /// Where in the packet its Packet Identifier is, or would be.
    pub identifier_at: u32,
    /// Whether it has the form of 5.0.
    pub v5: bool,
}

impl<'a> Frame<'a> {
    /// The packet.
    #[inline(always)]
    pub(crate) fn packet(self) -> &'a [u8] {
        &self.bytes[self.start as usize..self.end as usize]
    }
}

impl Outgoing<'_> {
    /// Bytes counted for keeping it.
    pub(crate) fn kept_bytes(&self) -> u64 {
        // Three allocations and the entry itself, beside what was sent.
        const OVERHEAD: usize = 128;
        (OVERHEAD + self.topic.len() + self.properties.len() + self.payload.len()) as u64
    }

    /// A copy to keep.
    pub(crate) fn to_message(self) -> Message {
        Message {
            topic: self.topic.into(),
            properties: Bytes::copy_from_slice(self.properties),
            payload: Bytes::copy_from_slice(self.payload),
            qos: self.qos,
            retain: self.retain,
            expires_at: self.expires_at,
            publication: self.publication,
        }
    }

    /// Whether its time is over for those who are yet to be sent it [5:MQTT-3.3.2-5].
    pub(crate) fn is_expired(&self, now: Time) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}

/// The part of a PUBLISH's (or Will's) properties that is forwarded unaltered [5:MQTT-3.3.2-4] [5:MQTT-3.3.2-15]
/// [5:MQTT-3.3.2-16] [5:MQTT-3.3.2-17] [5:MQTT-3.3.2-18] [5:MQTT-3.3.2-20] [5:MQTT-3.1.3-10].
pub(crate) fn forwarded(properties: Properties<'_>) -> Vec<u8> {
    use wasmqtt_codec::Property::{ContentType, CorrelationData, PayloadFormatIndicator, ResponseTopic, UserProperty};
    let mut raw = Vec::with_capacity(properties.raw().len());
    for property in properties.iter() {
        match property {
            PayloadFormatIndicator(_) | ContentType(_) | ResponseTopic(_) | CorrelationData(_) | UserProperty(..) => {
                property.encode(&mut raw);
            }
            // Message Expiry Interval, Topic Alias, Will Delay Interval, and what the codec lets into neither packet.
            _ => {}
        }
    }
    raw
}

/// Names a kept message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct MessageId(u32);

impl MessageId {
    /// Its place in the store.
    pub(crate) fn index(self) -> u32 {
        self.0
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Kept {
    message: Message,
    holders: u32,
}

/// All kept messages, each with the number of places that hold it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct MessageStore {
    kept: Slab<Kept>,
    bytes: u64,
    holders: u64,
}

impl MessageStore {
    /// Keeps a message for one holder.
    pub(crate) fn put(&mut self, message: Message) -> MessageId {
        self.bytes += message.bytes();
        self.holders += 1;
        MessageId(self.kept.insert(Kept { message, holders: 1 }))
    }

    /// Counts one more holder.
    pub(crate) fn share(&mut self, id: MessageId) -> MessageId {
        self.kept[id.0].holders += 1;
        self.holders += 1;
        id
    }

    /// Counts one holder less; the last one lets the message go.
    pub(crate) fn release(&mut self, id: MessageId) {
        let kept = &mut self.kept[id.0];
        kept.holders -= 1;
        self.holders -= 1;
        if kept.holders == 0 {
            self.bytes -= kept.message.bytes();
            self.kept.remove(id.0);
        }
    }

    pub(crate) fn get(&self, id: MessageId) -> &Message {
        &self.kept[id.0].message
    }

    pub(crate) fn len(&self) -> u32 {
        self.kept.len()
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// One past the highest place in use or free.
    pub(crate) fn end(&self) -> u32 {
        self.kept.end()
    }

    /// Bytes of all kept messages and of the places in queues that hold them.
    pub(crate) fn memory_bytes(&self) -> u64 {
        // Three times the entry, for while a table grows the old and the new one are there together.
        const ENTRY_BYTES: u64 = 300;
        const HOLDER_BYTES: u64 = 160;
        self.bytes + u64::from(self.kept.len()) * ENTRY_BYTES + self.holders * HOLDER_BYTES
    }

    /// All kept messages with their number of holders.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (MessageId, &Message, u32)> {
        self.kept.iter().map(|(index, kept)| (MessageId(index), &kept.message, kept.holders))
    }
}
