//! The remote of a bridge: a small MQTT server that keeps one Session and obeys the standard to the letter, as a value.
//! It takes what the broker sends it, answers at once, publishes into the topics that the bridge asked for, and sends
//! again what was not acknowledged. The wire between the two is a link like any other and breaks like one.

use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;

use wasmqtt_broker::{BridgeConfig, BridgeTopic, Direction};
use wasmqtt_client::PropertyList;
use wasmqtt_codec::{
    Ack, Connack, ConnackCode, Framing, Packet, PacketIdentifier, PacketType, Properties, Property, ProtocolVersion,
    Publish, Qos, ReasonCode, Sender, Suback, TopicName, frame,
};

use crate::sight::{Seen, SeenPublish, Tap, payload};
use crate::world::plan::{Letter, Profile};

/// The bridge's name.
pub const NAME: &str = "b";

/// How the bridge of a run is set up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BridgePlan {
    /// Highest QoS out of, into and both ways.
    pub qos: [Qos; 3],
    /// Seconds between signs of life; 0 = none.
    pub keep_alive_s: u16,
    /// How many of a hundred dials lead nowhere before the world heals.
    pub unreachable_percent: u64,
}

/// What goes which way: `a/#` out as `site/a/#`, `cloud/c` in as `b/c`, `s/2` both ways as `both/2`.
const TOPICS: [(&str, &str, &str, Direction); 3] =
    [("a/#", "", "site/", Direction::Out), ("c", "b/", "cloud/", Direction::In), ("2", "s/", "both/", Direction::Both)];

/// Topic Names that the remote publishes to.
pub const REMOTE_TOPICS: [&str; 2] = ["cloud/c", "both/2"];

/// What a topic of the remote is called at the broker, whichever way it goes; `None` if none has that name.
#[must_use]
pub fn local_name(remote: &str, out: bool) -> Option<Rc<str>> {
    match (remote, out) {
        ("cloud/c", false) => Some("b/c".into()),
        ("both/2", _) => Some("s/2".into()),
        (topic, true) => {
            topic.strip_prefix("site/").filter(|local| *local == "a" || local.starts_with("a/")).map(Rc::from)
        }
        _ => None,
    }
}

impl BridgePlan {
    /// The longest wait between two dials, in microseconds.
    pub const REDIAL_MAX_US: u64 = 2_000_000;
    /// The shortest wait, half of `redial_min_ms`.
    pub const REDIAL_MIN_US: u64 = 50_000;

    /// What the broker is told.
    #[must_use]
    pub fn config(&self, remote: &Profile) -> BridgeConfig {
        let topics = TOPICS.iter().zip(self.qos).map(|(&(filter, local, remote, direction), qos)| BridgeTopic {
            filter: filter.into(),
            direction,
            qos,
            local_prefix: local.into(),
            remote_prefix: remote.into(),
        });
        BridgeConfig {
            name: NAME.into(),
            target: "remote".into(),
            version: remote.version,
            client_identifier: "edge".into(),
            keep_alive_s: self.keep_alive_s,
            topics: topics.collect(),
            redial_min_ms: 100,
            redial_max_ms: 2_000,
            ..BridgeConfig::default()
        }
    }

    /// Topic Filters that go out, under their local names, each with its QoS.
    #[must_use]
    pub fn outward(&self) -> [(&'static str, Qos); 2] {
        [("a/#", self.qos[0]), ("s/2", self.qos[2])]
    }

    /// The highest QoS that a local topic goes out with.
    #[must_use]
    pub fn qos_out(&self, local: &str) -> Qos {
        if local == "s/2" { self.qos[2] } else { self.qos[0] }
    }
}

/// A message on its way to the broker.
#[derive(Clone, Debug)]
struct Sending {
    id: PacketIdentifier,
    letter: Letter,
    /// PUBREC has come.
    released: bool,
}

/// The server.
#[derive(Clone, Debug)]
pub struct Remote {
    version: ProtocolVersion,
    receive_maximum: u16,
    topic_alias_maximum: u16,
    /// It has a Session for the bridge.
    session: bool,
    subscribed: Vec<(String, Qos)>,
    /// QoS 2 messages that came and were not released.
    held: BTreeSet<u16>,
    /// In flight towards the broker, in order.
    sending: VecDeque<Sending>,
    queue: VecDeque<Letter>,
    last_id: u16,
    /// CONNECT came on this connection.
    live: bool,
    /// What the broker takes unfinished.
    quota: usize,
    incoming: Vec<u8>,
    tap: Tap,
    outgoing: Vec<u8>,
    taken: VecDeque<Rc<Seen>>,
    /// It is done with this transport.
    pub wants_close: bool,
}

impl Remote {
    /// A server that has never heard of the bridge.
    #[must_use]
    pub fn new(profile: &Profile) -> Self {
        Remote {
            version: profile.version,
            receive_maximum: profile.receive_maximum,
            topic_alias_maximum: profile.topic_alias_maximum,
            session: false,
            subscribed: Vec::new(),
            held: BTreeSet::new(),
            sending: VecDeque::new(),
            queue: VecDeque::new(),
            last_id: 0,
            live: false,
            quota: 0,
            incoming: Vec::new(),
            tap: Tap::new(profile.version, Sender::Client),
            outgoing: Vec::new(),
            taken: VecDeque::new(),
            wants_close: false,
        }
    }

    /// A transport was opened, or is gone.
    pub fn start_over(&mut self) {
        self.live = false;
        self.wants_close = false;
        self.incoming.clear();
        self.outgoing.clear();
        self.tap = Tap::new(self.version, Sender::Client);
    }

    /// What it sends.
    pub fn take_outgoing(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.outgoing)
    }

    /// Messages that it has taken over, each once if its QoS is 2.
    pub fn take(&mut self) -> Option<Rc<Seen>> {
        self.taken.pop_front()
    }

    /// Somebody there publishes. Without a Subscription of the bridge it is nobody's business.
    pub fn publish(&mut self, letter: &Letter) -> bool {
        let Some((_, granted)) = self.subscribed.iter().find(|(filter, _)| filter == letter.topic) else {
            return false;
        };
        let letter = Letter { qos: letter.qos.min(*granted), ..*letter };
        match letter.qos {
            Qos::AtMostOnce if !self.live => return false,
            Qos::AtMostOnce => self.send_publish(&letter, None, false),
            Qos::AtLeastOnce | Qos::ExactlyOnce => self.queue.push_back(letter),
        }
        self.pump();
        true
    }

    fn send(&mut self, packet: &Packet<'_>) {
        packet.encode(self.version, &mut self.outgoing);
    }

    fn send_publish(&mut self, letter: &Letter, id: Option<PacketIdentifier>, dup: bool) {
        let payload = payload(letter.number, letter.len);
        let mut properties = PropertyList::new();
        if let Some(seconds) = letter.expiry_s.filter(|_| self.version.is_v5()) {
            properties = properties.with(&Property::MessageExpiryInterval(seconds));
        }
        let publish = Publish {
            dup,
            qos: letter.qos,
            retain: letter.retain,
            topic: TopicName::parse(letter.topic).ok(),
            packet_identifier: id,
            properties: properties.as_properties(),
            payload: &payload,
        };
        self.send(&Packet::Publish(publish));
    }

    /// Sends what waits, as far as the broker's Receive Maximum goes.
    fn pump(&mut self) {
        while self.live && self.sending.len() < self.quota {
            let Some(letter) = self.queue.pop_front() else { return };
            self.last_id = self.last_id.checked_add(1).unwrap_or(1);
            let Some(id) = PacketIdentifier::new(self.last_id) else { return };
            self.sending.push_back(Sending { id, letter, released: false });
            self.send_publish(&letter, Some(id), false);
        }
    }

    fn ack(&mut self, kind: PacketType, id: u16) {
        let Some(packet_identifier) = PacketIdentifier::new(id) else { return };
        let ack = Ack { packet_identifier, reason: ReasonCode::Success, properties: Properties::EMPTY };
        self.send(&match kind {
            PacketType::Puback => Packet::Puback(ack),
            PacketType::Pubrec => Packet::Pubrec(ack),
            PacketType::Pubrel => Packet::Pubrel(ack),
            _ => Packet::Pubcomp(ack),
        });
    }

    /// Bytes came from the broker.
    pub fn received(&mut self, bytes: &[u8]) {
        self.incoming.extend_from_slice(bytes);
        while let Ok(Framing::Complete { total_bytes, .. }) = frame(&self.incoming, 0) {
            if total_bytes > self.incoming.len() {
                return;
            }
            let packet: Vec<u8> = self.incoming.drain(..total_bytes).collect();
            self.packet(&packet);
        }
    }

    fn packet(&mut self, bytes: &[u8]) {
        let mut seen = None;
        self.tap.feed(bytes, |_, packet| seen = Some(packet));
        let Some(seen) = seen else { return };
        match (seen.as_ref(), Packet::decode(bytes, self.version, Sender::Client)) {
            (Seen::Connect(connect), _) => self.connected(connect.clean_start, connect.receive_maximum),
            (Seen::Publish(publish), _) => self.publish_came(&seen, publish),
            (Seen::Ack { kind, id, .. }, _) => self.acknowledged(*kind, *id),
            (Seen::Subscribe(_), Ok(Packet::Subscribe(subscribe))) => {
                let mut codes = Vec::new();
                for entry in subscribe.filters.iter() {
                    let filter = entry.filter.as_str();
                    self.subscribed.retain(|(known, _)| known != filter);
                    self.subscribed.push((filter.into(), entry.options.qos));
                    codes.push(entry.options.qos as u8);
                }
                let packet_identifier = subscribe.packet_identifier;
                self.send(&Packet::Suback(Suback { packet_identifier, properties: Properties::EMPTY, codes: &codes }));
            }
            (Seen::Other(PacketType::Pingreq), _) => self.send(&Packet::Pingresp),
            _ => self.wants_close = true,
        }
    }

    fn connected(&mut self, clean_start: bool, receive_maximum: u16) {
        if clean_start {
            self.held.clear();
            self.sending.clear();
            self.queue.clear();
            self.subscribed.clear();
        }
        let session_present = core::mem::replace(&mut self.session, true) && !clean_start;
        let v5 = self.version.is_v5();
        let mut properties = PropertyList::new();
        if v5 {
            properties = properties
                .with(&Property::ReceiveMaximum(self.receive_maximum))
                .with(&Property::TopicAliasMaximum(self.topic_alias_maximum));
        }
        let reason = if v5 { ConnackCode::Reason(ReasonCode::Success) } else { ConnackCode::Return(0) };
        self.send(&Packet::Connack(Connack { session_present, reason, properties: properties.as_properties() }));
        (self.live, self.quota) = (true, usize::from(receive_maximum));
        for one in self.sending.clone() {
            match one.released {
                true => self.ack(PacketType::Pubrel, one.id.get()),
                false => self.send_publish(&one.letter, Some(one.id), true),
            }
        }
        self.pump();
    }

    fn publish_came(&mut self, seen: &Rc<Seen>, publish: &SeenPublish) {
        let first = match (publish.qos, publish.id) {
            (Qos::ExactlyOnce, Some(id)) => self.held.insert(id), // [5:MQTT-4.3.3-10]
            _ => true,
        };
        if first {
            self.taken.push_back(seen.clone());
        }
        match (publish.qos, publish.id) {
            (Qos::AtLeastOnce, Some(id)) => self.ack(PacketType::Puback, id),
            (Qos::ExactlyOnce, Some(id)) => self.ack(PacketType::Pubrec, id),
            _ => {}
        }
    }

    fn acknowledged(&mut self, kind: PacketType, id: u16) {
        match kind {
            PacketType::Puback | PacketType::Pubcomp => self.sending.retain(|one| one.id.get() != id),
            PacketType::Pubrec => {
                if let Some(one) = self.sending.iter_mut().find(|one| one.id.get() == id) {
                    one.released = true;
                }
                self.ack(PacketType::Pubrel, id);
            }
            _ => {
                self.held.remove(&id);
                self.ack(PacketType::Pubcomp, id);
            }
        }
        self.pump();
    }
}
