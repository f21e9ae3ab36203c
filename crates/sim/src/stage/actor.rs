//! A client on the Stage: the project's sans-IO client, and a user who wants to be connected or not, may come back by
//! itself, may acknowledge by hand, and whose program can stand still.

use std::collections::VecDeque;
use std::rc::Rc;

use wasmqtt_client::{Client, Message, Options, PropertyList, Will};
use wasmqtt_codec::{PacketIdentifier, Property, Qos, SubscriptionOptions};

use super::command::{Refusal, Wish};
use super::scenario::{ClientSpec, ConnectSpec, MessageSpec};
use crate::world::faults::Toward;
use crate::world::link::{CutWhen, Pace};

/// A client and its user.
#[derive(Clone, Debug)]
pub struct Actor {
    /// What commands call it.
    pub id: Rc<str>,
    /// What it says in CONNECT, and how it behaves.
    pub spec: ConnectSpec,
    /// The protocol's side of it.
    pub client: Client,
    /// Its transport.
    pub link: Option<u32>,
    /// Whether it comes back when a connection breaks, if it comes back at all.
    pub wants: bool,
    /// When it comes back, and the entry that made it.
    pub back: Option<(u64, Option<u64>)>,
    /// Its program stands still.
    pub frozen: bool,
    /// It was taken away.
    pub removed: bool,
    /// How long its link takes.
    pub pace: Pace,
    /// Nothing arrives in these directions.
    pub dead: Vec<Toward>,
    /// What breaks its link at a packet.
    pub cuts: Vec<(Toward, CutWhen)>,
    /// What its user has not acknowledged yet.
    pub unacknowledged: VecDeque<(PacketIdentifier, Qos)>,
    /// What waits for CONNACK, each with the command that said it.
    pub todo: VecDeque<(Option<u64>, Todo)>,
    /// The Will that the last CONNECT carried, in the words of the log.
    pub armed: Option<Rc<super::scenario::WillSpec>>,
}

/// What waits for CONNACK.
#[derive(Clone, Debug)]
pub enum Todo {
    /// SUBSCRIBE.
    Subscribe(Rc<Wish>),
    /// UNSUBSCRIBE.
    Unsubscribe(Rc<str>),
    /// PUBLISH.
    Publish(Rc<MessageSpec>),
}

impl Actor {
    /// A client that has no transport yet.
    #[must_use]
    pub fn new(spec: &ClientSpec) -> Self {
        let mut options = Options::new(spec.connect.client_identifier.as_str());
        options.version = spec.connect.version;
        Actor {
            id: spec.id.as_str().into(),
            spec: spec.connect.clone(),
            client: Client::new(options),
            link: None,
            wants: false,
            back: None,
            frozen: false,
            removed: false,
            pace: spec.pace,
            dead: Vec::new(),
            cuts: Vec::new(),
            unacknowledged: VecDeque::new(),
            todo: VecDeque::new(),
            armed: None,
        }
    }

    /// It has a transport: CONNECT is on its way.
    pub fn connected(&mut self, now_us: u64, link: u32) {
        let spec = &self.spec;
        let v5 = spec.version.is_v5();
        let options = self.client.options_mut();
        options.version = spec.version;
        options.client_identifier = spec.client_identifier.clone();
        options.clean_start = spec.clean_start;
        options.keep_alive_s = spec.keep_alive_s;
        options.user_name = spec.user_name.clone();
        options.password = spec.password.as_ref().map(|password| password.clone().into_bytes());
        options.properties = if v5 { spec.properties() } else { PropertyList::new() };
        options.manual_acknowledgement = spec.manual_ack;
        options.will = spec.will.as_ref().map(|will| {
            let mut message = will.message.message(v5);
            if v5 && will.delay_s > 0 {
                message.properties = message.properties.with(&Property::WillDelayInterval(will.delay_s));
            }
            Will(message)
        });
        self.armed = spec.will.clone();
        self.link = Some(link);
        (self.wants, self.back) = (true, None);
        self.unacknowledged.clear();
        self.client.connected(now_us);
    }

    /// Its transport is gone, as far as it knows.
    pub fn closed(&mut self, now_us: u64) {
        self.link = None;
        self.unacknowledged.clear();
        for (_, todo) in core::mem::take(&mut self.todo) {
            // QoS 1 and 2 messages wait for the next connection, all else is over with this one.
            if matches!(&todo, Todo::Publish(message) if message.qos != Qos::AtMostOnce) {
                let _ = self.act(now_us, &todo);
            }
        }
        self.client.closed();
    }

    /// Whether it is connected and CONNACK has come.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.link.is_some() && self.client.is_live()
    }

    /// Does what waited or what was just said.
    ///
    /// # Errors
    /// `NoIdentifier`.
    pub fn act(&mut self, now_us: u64, todo: &Todo) -> Result<(), Refusal> {
        let none = |_| Refusal::NoIdentifier(self.id.to_string());
        match todo {
            Todo::Subscribe(wish) => {
                let options = SubscriptionOptions {
                    qos: wish.qos,
                    no_local: wish.no_local,
                    retain_as_published: wish.retain_as_published,
                    retain_handling: wish.retain_handling,
                };
                let mut properties = PropertyList::new();
                if let Some(identifier) = wish.identifier {
                    properties = properties.with(&Property::SubscriptionIdentifier(identifier));
                }
                self.client.subscribe(now_us, &[(&wish.filter, options)], &properties).map(drop).map_err(none)
            }
            Todo::Unsubscribe(filter) => self.client.unsubscribe(now_us, &[filter]).map(drop).map_err(none),
            Todo::Publish(message) => {
                let message = message.message(self.spec.version.is_v5());
                self.client.publish(now_us, message).map_err(none)
            }
        }
    }
}

impl ConnectSpec {
    fn properties(&self) -> PropertyList {
        let mut properties = PropertyList::new();
        let mut with = |property: Property<'_>| properties = core::mem::take(&mut properties).with(&property);
        if self.session_expiry_s > 0 {
            with(Property::SessionExpiryInterval(self.session_expiry_s));
        }
        if self.receive_maximum < u16::MAX {
            with(Property::ReceiveMaximum(self.receive_maximum));
        }
        if let Some(size) = self.maximum_packet_size {
            with(Property::MaximumPacketSize(size));
        }
        if self.topic_alias_maximum > 0 {
            with(Property::TopicAliasMaximum(self.topic_alias_maximum));
        }
        if let Some(wanted) = self.request_response_information {
            with(Property::RequestResponseInformation(wanted));
        }
        if let Some(wanted) = self.request_problem_information {
            with(Property::RequestProblemInformation(wanted));
        }
        for (key, value) in &self.user {
            with(Property::UserProperty(key, value));
        }
        properties
    }
}

impl MessageSpec {
    /// The message as the client takes it.
    #[must_use]
    pub fn message(&self, v5: bool) -> Message {
        let mut message = Message::new(self.topic.as_str(), self.payload.clone()).qos(self.qos);
        message.retain = self.retain;
        if !v5 {
            return message;
        }
        let mut with =
            |property: Property<'_>| message.properties = core::mem::take(&mut message.properties).with(&property);
        if let Some(is_text) = self.payload_is_text {
            with(Property::PayloadFormatIndicator(is_text));
        }
        if let Some(expiry_s) = self.expiry_s {
            with(Property::MessageExpiryInterval(expiry_s));
        }
        if let Some(content_type) = &self.content_type {
            with(Property::ContentType(content_type));
        }
        if let Some(topic) = &self.response_topic {
            with(Property::ResponseTopic(topic));
        }
        if let Some(correlation) = &self.correlation {
            with(Property::CorrelationData(correlation.as_bytes()));
        }
        for (key, value) in &self.user {
            with(Property::UserProperty(key, value));
        }
        message
    }

    /// The first field that only 5.0 has.
    #[must_use]
    pub fn only_v5(&self) -> Option<&'static str> {
        let said = [
            (self.expiry_s.is_some(), "expiry_s"),
            (self.content_type.is_some(), "content_type"),
            (self.response_topic.is_some(), "response_topic"),
            (self.correlation.is_some(), "correlation"),
            (self.payload_is_text.is_some(), "payload_is_text"),
            (!self.user.is_empty(), "user"),
        ];
        said.iter().find(|(said, _)| *said).map(|(_, name)| *name)
    }
}
