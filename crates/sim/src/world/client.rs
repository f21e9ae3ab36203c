//! A client of the World: the sans-IO client with a user who wants to be connected or not, acknowledges late, remembers
//! what to do once connected, and a rude one that breaks a rule on purpose.

use std::collections::VecDeque;
use std::rc::Rc;

use wasmqtt_client::{Client, Event, Message, Options, PropertyList, Will};
use wasmqtt_codec::{
    Packet, PacketIdentifier, Properties, Property, Publish, Qos, ReasonCode, RetainHandling, SubscriptionOptions,
    TopicName,
};

use crate::sight::{ConnNo, MessageNo, Seen, SeenPublish, number_of, payload};
use crate::world::plan::{Act, Letter, Profile, Role, Wish};

/// Numbers of Will Messages begin here; the connection's number is added.
pub const WILLS_FROM: MessageNo = 1_000_000;
/// Numbers of a rude client's messages begin here.
pub const RUDE_FROM: MessageNo = 2_000_000;

/// The Authentication Method of all who have one.
const METHOD: &str = "words";

/// A client and its user.
#[derive(Clone, Debug)]
pub struct Actor {
    /// How it behaves.
    pub profile: Profile,
    client: Client,
    /// Its transport.
    pub link: Option<ConnNo>,
    /// Whether it comes back when a connection breaks.
    pub wants: bool,
    /// Raised with every transport, so that old timers do nothing.
    pub epoch: u32,
    /// What waits for a connection.
    todo: VecDeque<Act>,
    /// What its user has not acknowledged yet.
    unacknowledged: VecDeque<(PacketIdentifier, Qos)>,
    /// Topics that this connection has set aliases to.
    aliases: [Option<&'static str>; 3],
    /// The largest alias the server takes.
    alias_max: u16,
    /// When its timer stands in the World's list.
    pub tick_at_us: Option<u64>,
    /// Whether it has asked for a clean start and does not know that it got one.
    must_clean: bool,
    /// When the last connection was over that it knows to have been accepted.
    closed_us: Option<u64>,
    /// How long the Session surely outlives that connection, in seconds, if the server has read all that was said.
    expiry_s: u32,
    /// Connections that came to nothing since the last one that was live.
    failures: u32,
    /// Whether a re-authentication has begun that is not answered.
    reauthenticating: bool,
    /// Bytes to send before what the sans-IO client sends.
    aside: Vec<u8>,
}

/// What a client wants its driver to do.
#[derive(Clone, Debug)]
pub enum Want {
    /// Its user was told a message, and whether it will be acknowledged by hand, later.
    Told(Rc<Seen>, bool),
    /// The transport is of no use any more.
    Close,
}

impl Actor {
    /// A client that has no transport yet.
    #[must_use]
    pub fn new(profile: Profile) -> Self {
        let mut options = Options::new(profile.name.as_str());
        options.version = profile.version;
        options.keep_alive_s = profile.keep_alive_s;
        options.manual_acknowledgement = profile.ack_us > 0;
        options.user_name = profile.user();
        options.password = profile.password().map(String::into_bytes);
        Actor {
            client: Client::new(options),
            profile,
            link: None,
            wants: false,
            epoch: 0,
            todo: VecDeque::new(),
            unacknowledged: VecDeque::new(),
            aliases: [None; 3],
            alias_max: 0,
            tick_at_us: None,
            must_clean: false,
            failures: 0,
            closed_us: None,
            expiry_s: 0,
            reauthenticating: false,
            aside: Vec::new(),
        }
    }

    /// It has a transport: CONNECT is on its way. Whether that asks for a clean start.
    pub fn connected(&mut self, now_us: u64, link: ConnNo, clean: bool) -> bool {
        let v5 = self.profile.version.is_v5();
        // Whose Session may have run out, and who was not answered since, can't know whether what the server has is the
        // old one or a new one; whose clean start was not answered can't either. Both must start anew.
        let over_us = self.closed_us.map(|at| at + u64::from(self.expiry_s) * 1_000_000);
        let runs_out = v5 && self.expiry_s != u32::MAX && over_us.is_some_and(|over| over <= now_us);
        self.must_clean |= clean || runs_out && self.failures > 0;
        let clean = self.must_clean;
        let mut properties = PropertyList::new();
        if v5 {
            properties = properties
                .with(&Property::SessionExpiryInterval(self.profile.session_expiry_s))
                .with(&Property::ReceiveMaximum(self.profile.receive_maximum))
                .with(&Property::TopicAliasMaximum(self.profile.topic_alias_maximum));
            if self.profile.auth_rounds.is_some() {
                properties = properties.with(&Property::AuthenticationMethod(METHOD));
            }
            if let Some(bytes) = self.profile.packet_bytes_max {
                properties = properties.with(&Property::MaximumPacketSize(bytes));
            }
        }
        let will = self.profile.will.as_ref().map(|plan| {
            let number = WILLS_FROM + link;
            let mut message = Message::new(format!("w/{}", self.profile.name), payload(number, 0)).qos(plan.qos);
            message.retain = plan.retain;
            if v5 {
                message.properties = PropertyList::new().with(&Property::WillDelayInterval(plan.delay_s));
                if let Some(expiry_s) = plan.expiry_s {
                    message.properties = message.properties.with(&Property::MessageExpiryInterval(expiry_s));
                }
            }
            Will(message)
        });
        let options = self.client.options_mut();
        options.clean_start = clean;
        options.properties = properties;
        options.will = will;
        self.link = Some(link);
        self.epoch += 1;
        self.failures += 1;
        self.unacknowledged.clear();
        self.aliases = [None; 3];
        self.reauthenticating = false;
        self.aside.clear();
        self.client.connected(now_us);
        clean
    }

    /// Whether its Session would survive if somebody with its name came in now and went on with it.
    #[must_use]
    pub fn survives_a_double(&self) -> bool {
        let lasts = if self.profile.version.is_v5() { self.profile.session_expiry_s > 0 } else { !self.profile.clean };
        lasts && self.client.is_live()
    }

    /// Its transport is gone, as far as it knows.
    pub fn closed(&mut self, now_us: u64) {
        if self.failures == 0 {
            self.closed_us = Some(now_us);
        }
        self.link = None;
        self.unacknowledged.clear();
        self.aside.clear();
        self.client.closed();
    }

    /// How long it waits before it comes back, in microseconds: longer each time that it got no CONNACK.
    #[must_use]
    pub fn back_us(&self) -> u64 {
        const LONGEST_US: u64 = 3_000_000;
        (self.profile.back_us << self.failures.min(16)).min(LONGEST_US)
    }

    /// From now on its user is quick.
    pub fn heal(&mut self) {
        self.profile.ack_us = 0;
        self.profile.latency_us = self.profile.latency_us.min(1_000);
        self.client.options_mut().manual_acknowledgement = false;
    }

    /// Bytes came.
    pub fn received(&mut self, now_us: u64, bytes: &[u8]) {
        self.client.received(now_us, bytes);
    }

    /// Time has passed.
    pub fn tick(&mut self, now_us: u64) {
        self.client.tick(now_us);
    }

    /// When [`Self::tick`] is due.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        self.client.deadline()
    }

    /// What it sends.
    pub fn take_outgoing(&mut self) -> Vec<u8> {
        let mut bytes = core::mem::take(&mut self.aside);
        bytes.append(&mut self.client.take_outgoing());
        bytes
    }

    /// What happened to it since the last call.
    pub fn poll(&mut self, now_us: u64) -> Option<Want> {
        loop {
            match self.client.poll()? {
                Event::Connected { properties, .. } => self.live(now_us, &properties),
                Event::Closed(_) => return Some(Want::Close),
                Event::Message { message, id, dup } => return Some(self.told(&message, id, dup)),
                Event::Challenge { reason, .. } => self.challenged(now_us, reason),
                Event::Subscribed { .. } | Event::Unsubscribed { .. } | Event::Finished { .. } | Event::Pong => {}
            }
        }
    }

    /// The server wants to hear more, or is content.
    fn challenged(&mut self, now_us: u64, reason: ReasonCode) {
        match reason {
            ReasonCode::ContinueAuthentication => self.authenticate(now_us, reason),
            _ => self.reauthenticating = false,
        }
    }

    fn authenticate(&mut self, now_us: u64, reason: ReasonCode) {
        let properties = PropertyList::new()
            .with(&Property::AuthenticationMethod(METHOD))
            .with(&Property::AuthenticationData(b"what it knows"));
        // Without a connection there is nobody to tell.
        let _ = self.client.authenticate(now_us, reason, &properties);
    }

    fn told(&mut self, message: &Message, id: Option<PacketIdentifier>, dup: bool) -> Want {
        let properties = message.properties.as_properties();
        let seen = SeenPublish {
            dup,
            qos: message.qos,
            retain: message.retain,
            topic: message.topic.as_str().into(),
            id: id.map(PacketIdentifier::get),
            expiry_s: properties.message_expiry_interval_s(),
            identifiers: properties.subscription_identifiers().collect(),
            number: number_of(&message.payload),
            len: message.payload.len(),
        };
        let by_hand = id.filter(|_| self.client.is_live() && self.profile.ack_us > 0);
        if let Some(id) = by_hand {
            self.unacknowledged.push_back((id, message.qos));
        }
        Want::Told(Rc::new(Seen::Publish(seen)), by_hand.is_some())
    }

    /// CONNACK came: what waited for it is done now.
    fn live(&mut self, now_us: u64, properties: &PropertyList) {
        self.must_clean = false;
        self.failures = 0;
        self.expiry_s = self.profile.session_expiry_s;
        let properties = properties.as_properties();
        self.alias_max = properties.topic_alias_maximum().unwrap_or(0);
        let todo: Vec<Act> = self.todo.drain(..).collect();
        for act in todo {
            self.act(now_us, act);
        }
        if self.profile.role == Role::Rude {
            self.wants = false;
            self.be_rude(properties.receive_maximum().unwrap_or(u16::MAX));
        }
    }

    /// Sends one QoS 2 message more than the server takes, or many if it takes that many.
    fn be_rude(&mut self, receive_maximum: u16) {
        const MANY: u16 = 24;
        let id = PacketIdentifier::new;
        for (number, id) in (0..receive_maximum.saturating_add(1).min(MANY)).filter_map(|n| Some((n, id(n + 1)?))) {
            let payload = payload(RUDE_FROM + MessageNo::from(number), 0);
            let publish = Publish {
                dup: false,
                qos: Qos::ExactlyOnce,
                retain: false,
                topic: TopicName::parse("r/x").ok(),
                packet_identifier: Some(id),
                properties: Properties::EMPTY,
                payload: &payload,
            };
            self.send_aside(&Packet::Publish(publish));
        }
    }

    /// Sends a packet that the sans-IO client would not.
    fn send_aside(&mut self, packet: &Packet<'_>) {
        self.aside.append(&mut self.client.take_outgoing());
        packet.encode(self.profile.version, &mut self.aside);
    }

    /// Its user acknowledges the oldest message that is not acknowledged.
    pub fn acknowledge(&mut self, now_us: u64) {
        if let Some((id, qos)) = self.unacknowledged.pop_front() {
            // Without a connection there is nothing to acknowledge any more.
            let _ = self.client.acknowledge(now_us, id, qos, ReasonCode::Success);
        }
    }

    /// Does something, at once or when it is connected.
    pub fn act(&mut self, now_us: u64, act: Act) {
        match &act {
            Act::Publish { letter, .. } => return self.publish(now_us, letter),
            Act::Clear { topic, qos, .. } => {
                let mut message = Message::new(*topic, Vec::new()).qos(*qos);
                message.retain = true;
                // QoS 0 without a connection is lost, as it is in life.
                let _ = self.client.publish(now_us, message);
                return;
            }
            Act::Subscribe { .. } | Act::Unsubscribe { .. } if !self.client.is_live() => {}
            Act::Subscribe { wish, .. } => return self.subscribe(now_us, wish),
            Act::Unsubscribe { filter, .. } => {
                let done = self.client.unsubscribe(now_us, &[filter]);
                return done.map(drop).expect("it is connected and the filter is one");
            }
            Act::Reauthenticate { .. } if self.client.is_live() && !self.reauthenticating => {
                self.reauthenticating = true;
                return self.authenticate(now_us, ReasonCode::ReAuthenticate);
            }
            Act::Connect { .. } | Act::Leave { .. } | Act::Reauthenticate { .. } | Act::Fault(_) => return,
        }
        self.todo.push_back(act);
    }

    /// Says DISCONNECT.
    pub fn leave(&mut self, now_us: u64, with_will: bool, session_expiry_s: Option<u32>) {
        let reason = if with_will { ReasonCode::DisconnectWithWill } else { ReasonCode::NORMAL_DISCONNECTION };
        let mut properties = PropertyList::new();
        if let Some(seconds) = session_expiry_s {
            properties = properties.with(&Property::SessionExpiryInterval(seconds));
            self.expiry_s = self.expiry_s.min(seconds);
        }
        self.client.disconnect(now_us, reason, &properties);
    }

    fn subscribe(&mut self, now_us: u64, wish: &Wish) {
        let v5 = self.profile.version.is_v5();
        let options = SubscriptionOptions {
            qos: wish.qos,
            no_local: wish.no_local,
            retain_as_published: wish.retain_as_published,
            retain_handling: if v5 { wish.retain_handling } else { RetainHandling::SendAtSubscribe },
        };
        let mut properties = PropertyList::new();
        if let Some(identifier) = wish.identifier {
            properties = properties.with(&Property::SubscriptionIdentifier(identifier));
        }
        let done = self.client.subscribe(now_us, &[(wish.filter, options)], &properties);
        done.map(drop).expect("it is connected and the filter is one");
    }

    fn publish(&mut self, now_us: u64, letter: &Letter) {
        let mut message = Message::new(letter.topic, payload(letter.number, letter.len)).qos(letter.qos);
        message.retain = letter.retain;
        if let Some(expiry_s) = letter.expiry_s {
            message.properties = message.properties.with(&Property::MessageExpiryInterval(expiry_s));
        }
        // Only QoS 0, which is sent at once or never: an alias means nothing on another connection.
        let alias = letter.alias.filter(|alias| *alias <= self.alias_max && letter.qos == Qos::AtMostOnce);
        let Some(alias) = alias.filter(|_| self.client.is_live()) else {
            let _ = self.client.publish(now_us, message);
            return;
        };
        let known = self.aliases[usize::from(alias)] == Some(letter.topic);
        self.aliases[usize::from(alias)] = Some(letter.topic);
        message.properties = message.properties.with(&Property::TopicAlias(alias));
        if !known {
            let _ = self.client.publish(now_us, message);
            return;
        }
        let packet = Publish {
            dup: false,
            qos: Qos::AtMostOnce,
            retain: letter.retain,
            topic: None,
            packet_identifier: None,
            properties: message.properties.as_properties(),
            payload: &message.payload,
        };
        self.send_aside(&Packet::Publish(packet));
    }
}
