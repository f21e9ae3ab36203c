//! The broker behind its door. Inputs that come often (bytes, acknowledged bytes) have a function of their own; all
//! others go through `handle`. What has fields crosses as postcard, the encoding in which the core is saved and in
//! which the server talks to its guest: the page reads it by the shapes in `door.ts`, which `crates/bindgen` writes,
//! and the page's download has no second encoding of every type in it.

use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;
use js_sys::{Array, Uint8Array, Uint32Array};
use wasm_bindgen::prelude::*;
use wasmqtt_broker::codec::ReasonCode;
use wasmqtt_broker::{
    BridgeConfig, BridgeEnd, Broker, CloseReason, Config, ConnectionId, Event, Input, LoadError, Lsn, Output, Peer,
    Record, Reply, RestoreError, Seed, Time, Transport, read,
};

use crate::object::{Returned, object, set};

/// A broker, and the time of the turn that it is in.
#[wasm_bindgen]
pub struct Core {
    broker: Broker,
    now: Time,
}

#[wasm_bindgen]
impl Core {
    /// A broker that knows nothing yet, with a `Config`. All luck comes from the 16 bytes of `seed`.
    #[wasm_bindgen(constructor)]
    pub fn new(config: &[u8], seed: &[u8]) -> Result<Core, JsError> {
        Ok(Core::around(Broker::new(config_of(config)?, seed_of(seed)?)))
    }

    /// The `Config` that nobody has changed.
    #[wasm_bindgen(js_name = defaultConfig)]
    pub fn default_config() -> Vec<u8> {
        postcard::to_allocvec(&Config::default()).expect("memory is all that writing to memory needs")
    }

    /// The `BridgeConfig` that nobody has changed.
    #[wasm_bindgen(js_name = defaultBridge)]
    pub fn default_bridge() -> Vec<u8> {
        postcard::to_allocvec(&BridgeConfig::default()).expect("memory is all that writing to memory needs")
    }

    /// A broker as its records left it: an array of what `poll` gave as records with their `lsn`, in their order, or of
    /// what `records` gave, all with the `lsn` at which it was asked.
    pub fn restore(config: &[u8], seed: &[u8], lsns: &[f64], records: Array) -> Result<Core, JsError> {
        let config = config_of(config)?;
        let mut log = Vec::with_capacity(lsns.len());
        for (lsn, record) in lsns.iter().zip(records.iter()) {
            let bytes = Uint8Array::from(record).to_vec();
            let record: Record = read(&bytes).ok_or_else(|| JsError::new("a record of the log can't be read"))?;
            log.push((Lsn(*lsn as u64), record));
        }
        let broker = Broker::restore(config, seed_of(seed)?, log.into_iter()).map_err(|error| {
            JsError::new(match error {
                RestoreError::UnknownSession(_) => "a record of the log names a Session that none before it started",
                RestoreError::UnknownDelivery(_) => "a record of the log names a delivery that none before it queued",
                RestoreError::InvalidTopic(_) => "a record of the log has an invalid Topic Name or Topic Filter",
                RestoreError::OutOfOrder(_) => "the records of the log are not in their order",
            })
        })?;
        Ok(Core::around(broker))
    }

    /// A broker as `save` left it, with every connection.
    pub fn load(saved: &[u8]) -> Result<Core, JsError> {
        let broker = Broker::load(saved).map_err(|error| {
            JsError::new(match error {
                LoadError::NotSaved => "these bytes are no snapshot",
                LoadError::UnknownFormat(_) => "the snapshot has a format that this build doesn't know",
                LoadError::Damaged => "the snapshot is damaged",
            })
        })?;
        Ok(Core::around(broker))
    }

    /// Begins a turn, at this many microseconds since 1970. Time never goes back.
    pub fn begin(&mut self, now_us: f64) {
        self.now = self.now.max(Time(now_us as u64));
    }

    /// A transport was opened: `local` is a channel inside the page, else it is a WebSocket.
    pub fn opened(&mut self, slot: u32, generation: u32, local: bool, address: String) {
        let transport = if local { Transport::Local } else { Transport::WebSocket };
        let peer = Peer { listener: 0, address, transport, identity: None };
        self.broker.handle(self.now, Input::Opened { conn: ConnectionId { slot, generation }, peer });
    }

    /// Bytes arrived, cut anywhere.
    pub fn received(&mut self, slot: u32, generation: u32, bytes: Vec<u8>) {
        let conn = ConnectionId { slot, generation };
        self.broker.handle(self.now, Input::Received { conn, bytes: Bytes::from(bytes) });
    }

    /// The transport took this many of the bytes that `outgoing` gave.
    pub fn sent(&mut self, slot: u32, generation: u32, len: u32) {
        self.broker.handle(self.now, Input::Sent { conn: ConnectionId { slot, generation }, len });
    }

    /// The transport is gone.
    pub fn closed(&mut self, slot: u32, generation: u32) {
        self.broker.handle(self.now, Input::Closed { conn: ConnectionId { slot, generation } });
    }

    /// Any other `Input`.
    pub fn handle(&mut self, input: &[u8]) -> Result<(), JsError> {
        let input: Input = read(input).ok_or_else(|| JsError::new("not an Input of this core"))?;
        self.broker.handle(self.now, input);
        Ok(())
    }

    /// Ends the turn: timers fire. Gives slot and generation of each connection that came to have something to send.
    pub fn end(&mut self) -> Returned<Uint32Array> {
        self.broker.handle(self.now, Input::Tick);
        let ready: Vec<u32> = self.broker.ready().flat_map(|conn| [conn.slot, conn.generation]).collect();
        Ok(Uint32Array::from(&ready[..]))
    }

    /// The next `Output`: what the broker wants done, `undefined` if there is nothing. In an `Append` the record
    /// reaches to the end; a log keeps it as it is.
    pub fn poll(&mut self) -> Returned<Option<Uint8Array>> {
        Ok(self.broker.poll().map(|output| {
            let bytes = postcard::to_allocvec(&output).expect("memory is all that writing to memory needs");
            Uint8Array::from(&bytes[..])
        }))
    }

    /// A copy of the oldest bytes that wait to be sent on a connection, at most `bytes_max` of them. They stay until
    /// `sent` says so.
    pub fn outgoing(&self, slot: u32, generation: u32, bytes_max: u32) -> Returned<Uint8Array> {
        let slices = self.broker.outgoing(ConnectionId { slot, generation });
        let total: usize = slices.clone().map(<[u8]>::len).sum();
        let total = total.min(bytes_max as usize) as u32;
        let joined = Uint8Array::new_with_length(total);
        let mut at = 0;
        for slice in slices {
            let len = (slice.len() as u32).min(total - at);
            if len == 0 {
                break;
            }
            joined.subarray(at, at + len).copy_from(&slice[..len as usize]);
            at += len;
        }
        Ok(joined)
    }

    /// When the next turn is due if nothing else happens, in microseconds since 1970.
    pub fn deadline(&self) -> Option<f64> {
        self.broker.deadline().map(|time| time.0 as f64)
    }

    /// All state, connections too.
    pub fn save(&self) -> Vec<u8> {
        let mut saved = Vec::new();
        self.broker.save(&mut saved);
        saved
    }

    /// The shortest log that gives this durable state.
    pub fn records(&self) -> Returned<Array> {
        Ok(self.broker.records().map(|record| JsValue::from(bytes_of(&record))).collect())
    }

    /// A hash of all state, equal on every platform.
    pub fn digest(&self) -> u64 {
        self.broker.digest()
    }

    fn around(broker: Broker) -> Core {
        Core { broker, now: Time(0) }
    }
}

fn seed_of(seed: &[u8]) -> Result<Seed, JsError> {
    seed.try_into().map(Seed).map_err(|_| JsError::new("a seed has 16 bytes"))
}

fn config_of(config: &[u8]) -> Result<Config, JsError> {
    read(config).ok_or_else(|| JsError::new("not a Config of this core"))
}

fn bytes_of(record: &Record) -> Uint8Array {
    let bytes = postcard::to_allocvec(record).expect("a record can be written down");
    Uint8Array::from(&bytes[..])
}

/// What people want to know of an `Output`, as `poll` gave it, that tells of the end of something: `code`, and if it
/// was somebody's fault `statement` and `text`. Of the refusal of a bridge: `text`.
#[wasm_bindgen]
pub fn explain(output: &[u8]) -> Returned<JsValue> {
    let (fault, code) = match read(output) {
        Some(Output::Event(Event::Refused { fault, .. } | Event::LimitReached { fault, .. })) => {
            let code = fault.reason();
            (Some(fault), code)
        }
        Some(Output::Event(
            Event::Disconnected { why: Some(why), .. } | Event::BridgeDown { why: BridgeEnd::Closed(why), .. },
        )) => {
            let code = why.reason();
            (if let CloseReason::Fault(fault) = why { Some(fault) } else { None }, code)
        }
        Some(Output::Event(
            Event::BridgeDown { why: BridgeEnd::Refused(code), .. } | Event::BridgeTopicRefused { reason: code, .. },
        )) => (None, code),
        Some(Output::Reply { reply: Reply::NoBridge(error), .. }) => {
            return Ok(object(&[("text", error.text().into())]).into());
        }
        _ => return Ok(JsValue::UNDEFINED),
    };
    let explained = object(&[("code", code.byte().into())]);
    if let Some(fault) = fault {
        set(&explained, "statement", &fault.statement().into());
        set(&explained, "text", &fault.text().into());
    }
    Ok(explained.into())
}

/// A `ReasonCode`, as `handle` takes it, of this number; `undefined` if there is none.
#[wasm_bindgen]
pub fn reason(code: u8) -> Option<Vec<u8>> {
    let reason = ReasonCode::from_byte(code)?;
    Some(postcard::to_allocvec(&reason).expect("memory is all that writing to memory needs"))
}
