//! The project's own MQTT client for JavaScript, so that a page can publish and subscribe without bringing one.

use alloc::string::String;
use alloc::vec::Vec;

use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;
use wasmqtt_broker::codec::{PacketIdentifier, Qos, ReasonCode, RetainHandling, SubscriptionOptions};
use wasmqtt_client::{Acknowledged, Closed, CommandError, Event, Message, Options, PropertyList};

use crate::object::{Returned, object, set};

/// A client, MQTT 5.0 with Clean Start, that never pings: a channel inside the page says by itself when it is gone.
#[wasm_bindgen]
pub struct Client {
    client: wasmqtt_client::Client,
}

#[wasm_bindgen]
impl Client {
    /// A client that has no transport yet.
    #[wasm_bindgen(constructor)]
    pub fn new(client_identifier: String) -> Client {
        let options = Options { keep_alive_s: 0, ..Options::new(client_identifier) };
        Client { client: wasmqtt_client::Client::new(options) }
    }

    /// The transport is open.
    pub fn connected(&mut self) {
        self.client.connected(0);
    }

    /// The transport is gone.
    pub fn closed(&mut self) {
        self.client.closed();
    }

    /// Bytes arrived.
    pub fn received(&mut self, bytes: &[u8]) {
        self.client.received(0, bytes);
    }

    /// Bytes to send; they are no longer here then.
    #[wasm_bindgen(js_name = takeOutgoing)]
    pub fn take_outgoing(&mut self) -> Vec<u8> {
        self.client.take_outgoing()
    }

    /// Subscribes; the number comes back with `subscribed`.
    pub fn subscribe(&mut self, filter: &str, qos: u8) -> Result<u16, JsError> {
        let options = SubscriptionOptions {
            qos: qos_of(qos)?,
            no_local: false,
            retain_as_published: true,
            retain_handling: RetainHandling::SendAtSubscribe,
        };
        self.client.subscribe(0, &[(filter, options)], &PropertyList::new()).map(PacketIdentifier::get).map_err(error)
    }

    /// Unsubscribes; the number comes back with `unsubscribed`.
    pub fn unsubscribe(&mut self, filter: &str) -> Result<u16, JsError> {
        self.client.unsubscribe(0, &[filter]).map(PacketIdentifier::get).map_err(error)
    }

    /// Publishes a message.
    pub fn publish(&mut self, topic: String, payload: Vec<u8>, qos: u8, retain: bool) -> Result<(), JsError> {
        let mut message = Message::new(topic, payload).qos(qos_of(qos)?);
        message.retain = retain;
        self.client.publish(0, message).map_err(error)
    }

    /// Says DISCONNECT.
    pub fn disconnect(&mut self) {
        self.client.disconnect(0, ReasonCode::Success, &PropertyList::new());
    }

    /// What happened, as an object with a `type`; `undefined` if nothing did.
    pub fn poll(&mut self) -> Returned<JsValue> {
        Ok(match self.client.poll() {
            None => JsValue::UNDEFINED,
            Some(Event::Connected { .. }) => event("connected", &[]),
            Some(Event::Closed(why)) => event("closed", &[("why", text_of(&why).into())]),
            Some(Event::Challenge { .. }) => event("challenge", &[]),
            Some(Event::Subscribed { id, codes }) => event("subscribed", &[("id", id.get().into()), codes_of(&codes)]),
            Some(Event::Unsubscribed { id, codes }) => {
                event("unsubscribed", &[("id", id.get().into()), codes_of(&codes)])
            }
            Some(Event::Message { message, dup, .. }) => message_event(&message, dup),
            Some(Event::Finished { outcome, .. }) => {
                let code = match outcome {
                    Acknowledged::By(reason) => reason.byte().into(),
                    Acknowledged::SessionLost | Acknowledged::TooLarge => JsValue::UNDEFINED,
                };
                event("finished", &[("code", code)])
            }
            Some(Event::Pong) => event("pong", &[]),
        })
    }
}

fn text_of(why: &Closed) -> &'static str {
    match why {
        Closed::Refused(_) => "the broker refused the connection",
        Closed::Disconnected(reason) => reason.name(),
        Closed::Silent => "the broker is silent",
        Closed::Malformed(error) => error.rule.text(),
        Closed::Violation => "the broker sent what it may not send",
    }
}

fn message_event(message: &Message, dup: bool) -> JsValue {
    event(
        "message",
        &[
            ("topic", message.topic.as_str().into()),
            ("payload", Uint8Array::from(&message.payload[..]).into()),
            ("qos", message.qos.bits().into()),
            ("retain", message.retain.into()),
            ("dup", dup.into()),
        ],
    )
}

fn codes_of(codes: &[u8]) -> (&'static str, JsValue) {
    ("codes", codes.iter().map(|&code| JsValue::from(code)).collect::<Array>().into())
}

fn event(name: &str, fields: &[(&str, JsValue)]) -> JsValue {
    let event = object(fields);
    set(&event, "type", &name.into());
    event.into()
}

fn qos_of(qos: u8) -> Result<Qos, JsError> {
    Qos::from_bits(qos).ok_or_else(|| JsError::new("qos is 0, 1 or 2"))
}

fn error(error: CommandError) -> JsError {
    JsError::new(match error {
        CommandError::NotConnected => "there is no connection",
        CommandError::Topic => "not a Topic Name or Topic Filter (4.7)",
        CommandError::NoIdentifier => "65,535 answers are awaited already",
    })
}
