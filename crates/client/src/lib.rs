//! A small sans-IO MQTT client for 3.1, 3.1.1 and 5.0: bytes and time in, bytes and events out. It owns no socket,
//! clock or thread; whoever drives it carries bytes and tells it the time, in microseconds from any beginning.
//!
//! It keeps its half of the Session over connections: what is in flight is sent again with DUP when the server still
//! has the Session, in the order of the first time; a QoS 2 message that comes twice is told once. It obeys the
//! server's Receive Maximum, resolves Topic Aliases, keeps the connection alive and acknowledges by itself, unless
//! [`Options::manual_acknowledgement`] leaves that to its user.
//!
//! ```
//! use wasmqtt_client::{Client, Event, Options};
//!
//! let mut client = Client::new(Options::new("thermometer"));
//! client.connected(0);                                  // the transport is open: CONNECT is on its way
//! let connect = client.take_outgoing();
//! assert_eq!(connect[0], 0x10);
//! client.received(0, &[0x20, 0x03, 0x00, 0x00, 0x00]);  // CONNACK
//! assert!(matches!(client.poll(), Some(Event::Connected { session_present: false, .. })));
//! ```
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod event;
mod message;
mod options;
mod receive;
mod session;

pub use event::{Acknowledged, Closed, Event};
pub use message::{Message, PropertyList};
pub use options::{Options, Will};

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use bytes::BufMut;
use wasmqtt_codec::{
    Ack, Auth, Connect, Disconnect, Filters, Packet, PacketIdentifier, PacketType, Properties, Qos, ReasonCode,
    Subscribe, SubscribeEntry, SubscriptionOptions, Subscriptions, TopicFilter, Unsubscribe,
};

use session::Session;

/// Why a command could not be obeyed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CommandError {
    /// There is no connection, or CONNACK has not come yet.
    NotConnected,
    /// A Topic Name or Topic Filter that is none, or no filter at all.
    Topic,
    /// More is expected of the server than there are Packet Identifiers.
    NoIdentifier,
}

/// Where the connection stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// There is no transport.
    Away,
    /// CONNECT was sent.
    Connecting,
    /// CONNACK came.
    Live,
    /// DISCONNECT was sent or came, or a rule was broken: nothing more is sent.
    Ending,
}

/// An MQTT client as a value.
#[derive(Clone, Debug)]
pub struct Client {
    options: Options,
    session: Session,
    phase: Phase,
    /// Bytes of a packet that is not complete yet.
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
    events: VecDeque<Event>,
    /// Topic Names by Topic Alias, in their order, as the server set them on this connection.
    aliases: Vec<(u16, String)>,
    /// Keep Alive in force, in microseconds; 0 = none.
    keep_alive_us: u64,
    /// When the last packet was sent.
    last_sent_us: u64,
    /// When a PINGREQ was sent that has no answer yet.
    pinged_us: Option<u64>,
    /// The largest packet the server takes; 0 = any.
    server_packet_bytes_max: u32,
    /// Whether the Session outlives the connection.
    lasts: bool,
}

impl Client {
    /// A client that has no transport yet.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Client {
            options,
            session: Session::default(),
            phase: Phase::Away,
            incoming: Vec::new(),
            outgoing: Vec::new(),
            events: VecDeque::new(),
            aliases: Vec::new(),
            keep_alive_us: 0,
            last_sent_us: 0,
            pinged_us: None,
            server_packet_bytes_max: 0,
            lasts: true,
        }
    }

    /// What this client was made with; changes count from the next connection.
    pub fn options_mut(&mut self) -> &mut Options {
        &mut self.options
    }

    /// Whether CONNACK came and the connection is not ending.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.phase == Phase::Live
    }

    /// Whether a PINGREQ was sent that has no answer yet, so that [`Self::deadline`] is the end of patience.
    #[must_use]
    pub fn awaits_pingresp(&self) -> bool {
        self.pinged_us.is_some()
    }

    /// How many messages of this client are in flight or wait for room.
    #[must_use]
    pub fn unfinished(&self) -> usize {
        self.session.unfinished()
    }

    /// The transport is open: CONNECT is sent.
    pub fn connected(&mut self, now_us: u64) {
        self.closed();
        self.phase = Phase::Connecting;
        self.lasts = match self.options.version.is_v5() {
            true => self.options.properties.as_properties().session_expiry_interval_s().unwrap_or(0) > 0,
            false => !self.options.clean_start,
        };
        self.keep_alive_us = u64::from(self.options.keep_alive_s) * 1_000_000;
        let will = self.options.will.as_ref().and_then(Will::as_packet);
        let options = &self.options;
        let packet = Connect {
            version: options.version,
            bridge: false,
            clean_start: options.clean_start,
            keep_alive_s: options.keep_alive_s,
            client_identifier: &options.client_identifier,
            will,
            user_name: options.user_name.as_deref(),
            password: options.password.as_deref(),
            properties: options.properties.as_properties(),
        };
        Packet::Connect(packet).encode(options.version, &mut self.outgoing);
        self.last_sent_us = now_us;
    }

    /// The transport is gone. The Session stays if it outlives its connection.
    pub fn closed(&mut self) {
        if self.phase != Phase::Away && !self.lasts {
            // Its state may not be used again [5:MQTT-4.1.0-2] [311:MQTT-3.1.2-6].
            self.forget();
        }
        self.phase = Phase::Away;
        self.incoming.clear();
        self.outgoing.clear();
        self.aliases.clear();
        self.pinged_us = None;
        self.session.connection_ended();
    }

    /// Time has passed: call it at [`Self::deadline`], or as often as you like.
    pub fn tick(&mut self, now_us: u64) {
        if self.phase != Phase::Live || self.keep_alive_us == 0 {
            return;
        }
        if self.pinged_us.is_some_and(|at| now_us >= at + self.keep_alive_us) {
            self.end(Closed::Silent);
        } else if self.pinged_us.is_none() && now_us >= self.last_sent_us + self.keep_alive_us {
            self.send(now_us, &Packet::Pingreq); // [5:MQTT-3.1.2-20] [311:MQTT-3.1.2-23]
            self.pinged_us = Some(now_us);
        }
    }

    /// When [`Self::tick`] is due.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        let counts = self.phase == Phase::Live && self.keep_alive_us > 0;
        counts.then(|| self.pinged_us.unwrap_or(self.last_sent_us) + self.keep_alive_us)
    }

    /// Publishes a message. QoS 1 and 2 get a Packet Identifier and are kept until they are finished; what exceeds the
    /// server's Receive Maximum waits, and so does everything while there is no connection.
    ///
    /// # Errors
    /// `Topic` if the topic is no Topic Name, `NotConnected` for QoS 0 without a connection.
    pub fn publish(&mut self, now_us: u64, message: Message) -> Result<(), CommandError> {
        if wasmqtt_codec::TopicName::parse(&message.topic).is_err() {
            return Err(CommandError::Topic);
        }
        if message.qos == Qos::AtMostOnce {
            self.must_be_live()?;
            let packet = Packet::Publish(message.as_packet(None, false));
            self.send(now_us, &packet);
            return Ok(());
        }
        self.session.queue(message);
        self.send_queued(now_us);
        Ok(())
    }

    /// Subscribes; [`Event::Subscribed`] answers with the same Packet Identifier.
    ///
    /// # Errors
    /// `NotConnected`, `Topic` for what is no Topic Filter, `NoIdentifier`.
    pub fn subscribe(
        &mut self,
        now_us: u64,
        filters: &[(&str, SubscriptionOptions)],
        properties: &PropertyList,
    ) -> Result<PacketIdentifier, CommandError> {
        self.must_be_live()?;
        let mut raw = Vec::new();
        for (filter, options) in filters {
            let filter = TopicFilter::parse(filter).map_err(|_| CommandError::Topic)?;
            SubscribeEntry { filter, options: *options }.encode(&mut raw);
        }
        let packet_identifier = self.request(!filters.is_empty())?;
        let properties = properties.as_properties();
        let packet = Subscribe { packet_identifier, properties, filters: Subscriptions::written(&raw) };
        self.send(now_us, &Packet::Subscribe(packet));
        Ok(packet_identifier)
    }

    /// Unsubscribes; [`Event::Unsubscribed`] answers with the same Packet Identifier.
    ///
    /// # Errors
    /// As [`Self::subscribe`].
    pub fn unsubscribe(&mut self, now_us: u64, filters: &[&str]) -> Result<PacketIdentifier, CommandError> {
        self.must_be_live()?;
        let mut raw = Vec::new();
        for filter in filters {
            TopicFilter::parse(filter).map_err(|_| CommandError::Topic)?;
            raw.put_u16(filter.len() as u16);
            raw.put_slice(filter.as_bytes());
        }
        let packet_identifier = self.request(!filters.is_empty())?;
        let packet = Unsubscribe { packet_identifier, properties: Properties::EMPTY, filters: Filters::written(&raw) };
        self.send(now_us, &Packet::Unsubscribe(packet));
        Ok(packet_identifier)
    }

    /// Acknowledges a message by hand: PUBACK for QoS 1; for QoS 2 PUBREC, whose PUBREL is then answered by itself.
    ///
    /// # Errors
    /// `NotConnected`.
    pub fn acknowledge(
        &mut self,
        now_us: u64,
        id: PacketIdentifier,
        qos: Qos,
        reason: ReasonCode,
    ) -> Result<(), CommandError> {
        self.must_be_live()?;
        match qos {
            Qos::AtMostOnce => {}
            Qos::AtLeastOnce => self.send_ack(now_us, PacketType::Puback, id, reason),
            Qos::ExactlyOnce => {
                if reason.is_error() {
                    self.session.release(id);
                }
                self.send_ack(now_us, PacketType::Pubrec, id, reason);
            }
        }
        Ok(())
    }

    /// Sends an AUTH packet: the answer to [`Event::Challenge`], or the beginning of a re-authentication.
    ///
    /// # Errors
    /// `NotConnected` without a connection.
    pub fn authenticate(
        &mut self,
        now_us: u64,
        reason: ReasonCode,
        properties: &PropertyList,
    ) -> Result<(), CommandError> {
        if !matches!(self.phase, Phase::Connecting | Phase::Live) {
            return Err(CommandError::NotConnected);
        }
        let packet = Packet::Auth(Auth { reason, properties: properties.as_properties() });
        self.send(now_us, &packet);
        Ok(())
    }

    /// Says DISCONNECT, the last packet. Close the transport when the outgoing bytes are sent [5:MQTT-3.14.4-2]
    /// [311:MQTT-3.14.4-1] [311:MQTT-3.14.4-2].
    pub fn disconnect(&mut self, now_us: u64, reason: ReasonCode, properties: &PropertyList) {
        if matches!(self.phase, Phase::Connecting | Phase::Live) {
            let packet = Packet::Disconnect(Disconnect { reason, properties: properties.as_properties() });
            self.send(now_us, &packet);
            self.phase = Phase::Ending;
        }
    }

    /// The bytes to send, which are then no longer here.
    pub fn take_outgoing(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.outgoing)
    }

    /// What happened, oldest first.
    pub fn poll(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// The Session is over: what was in flight is told as lost.
    pub(crate) fn forget(&mut self) {
        let outcome = Acknowledged::SessionLost;
        self.events.extend(self.session.lost().into_iter().map(|id| Event::Finished { id, outcome }));
    }

    fn must_be_live(&self) -> Result<(), CommandError> {
        if self.phase == Phase::Live { Ok(()) } else { Err(CommandError::NotConnected) }
    }

    fn request(&mut self, has_filters: bool) -> Result<PacketIdentifier, CommandError> {
        if !has_filters {
            return Err(CommandError::Topic); // [5:MQTT-3.8.3-2]
        }
        self.session.request().ok_or(CommandError::NoIdentifier)
    }

    fn send(&mut self, now_us: u64, packet: &Packet<'_>) {
        packet.encode(self.options.version, &mut self.outgoing);
        self.last_sent_us = now_us;
    }

    fn send_ack(&mut self, now_us: u64, kind: PacketType, id: PacketIdentifier, reason: ReasonCode) {
        let ack = Ack { packet_identifier: id, reason, properties: Properties::EMPTY };
        let packet = match kind {
            PacketType::Pubrec => Packet::Pubrec(ack),
            PacketType::Pubrel => Packet::Pubrel(ack),
            PacketType::Pubcomp => Packet::Pubcomp(ack),
            _ => Packet::Puback(ack),
        };
        self.send(now_us, &packet);
    }

    /// Sends what waits, as far as the server's Receive Maximum goes [5:MQTT-3.3.4-7]; nothing else waits for it
    /// [5:MQTT-3.3.4-8].
    fn send_queued(&mut self, now_us: u64) {
        while self.phase == Phase::Live {
            let Some((id, message)) = self.session.start_next() else { return };
            let packet = Packet::Publish(message.as_packet(Some(id), false));
            let too_large = self.server_packet_bytes_max > 0
                && packet.encoded_bytes(self.options.version) > self.server_packet_bytes_max as usize;
            if too_large {
                // [5:MQTT-3.2.2-15]
                self.session.finish(id);
                self.events.push_back(Event::Finished { id, outcome: Acknowledged::TooLarge });
                continue;
            }
            packet.encode(self.options.version, &mut self.outgoing);
            self.last_sent_us = now_us;
        }
    }

    fn end(&mut self, why: Closed) {
        self.phase = Phase::Ending;
        self.events.push_back(Event::Closed(why));
    }
}
