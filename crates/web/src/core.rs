//! The broker behind its door. Inputs that come often (bytes, acknowledged bytes) have a function of their own; all
//! others go through `handle` as values.

use bytes::Bytes;
use js_sys::{Array, Reflect, Uint8Array, Uint32Array};
use wasm_bindgen::prelude::*;
use wasmqtt_broker::{Broker, Config, ConnectionId, Input, Lsn, Output, Peer, Record, Seed, Time, Transport};

use crate::value::{from_js, to_js};

/// A broker, and the time of the turn that it is in.
#[wasm_bindgen]
pub struct Core {
    broker: Broker,
    now: Time,
}

#[wasm_bindgen]
impl Core {
    /// A broker that knows nothing yet. What `config` leaves out has its default; all luck comes from the 16 bytes of
    /// `seed`.
    #[wasm_bindgen(constructor)]
    pub fn new(config: JsValue, seed: &[u8]) -> Result<Core, JsError> {
        Ok(Core::around(Broker::new(from_js(config)?, seed_of(seed)?)))
    }

    /// A broker as its records left it: an array of what `poll` gave as `append` and `lsn`, in their order, or of what
    /// `records` gave, all with the `lsn` at which it was asked.
    pub fn restore(config: JsValue, seed: &[u8], lsns: &[f64], records: Array) -> Result<Core, JsError> {
        let config: Config = from_js(config)?;
        let mut log = Vec::with_capacity(lsns.len());
        for (lsn, record) in lsns.iter().zip(records.iter()) {
            let bytes = Uint8Array::from(record).to_vec();
            let record: Record =
                postcard::from_bytes(&bytes).map_err(|_| JsError::new("a record of the log can't be read"))?;
            log.push((Lsn(*lsn as u64), record));
        }
        let broker = Broker::restore(config, seed_of(seed)?, log.into_iter())
            .map_err(|error| JsError::new(&format!("the log can't be restored: {error:?}")))?;
        Ok(Core::around(broker))
    }

    /// A broker as `save` left it, with every connection.
    pub fn load(saved: &[u8]) -> Result<Core, JsError> {
        let broker =
            Broker::load(saved).map_err(|error| JsError::new(&format!("the snapshot can't be loaded: {error:?}")))?;
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

    /// Any other input, as a value.
    pub fn handle(&mut self, input: JsValue) -> Result<(), JsError> {
        self.broker.handle(self.now, from_js(input)?);
        Ok(())
    }

    /// Ends the turn: timers fire. Gives slot and generation of each connection that came to have something to send.
    pub fn end(&mut self) -> Uint32Array {
        self.broker.handle(self.now, Input::Tick);
        let ready: Vec<u32> = self.broker.ready().flat_map(|conn| [conn.slot, conn.generation]).collect();
        Uint32Array::from(&ready[..])
    }

    /// The next thing that the broker wants done, `undefined` if there is none. A record for the log is
    /// `{ lsn, append: Uint8Array }`.
    pub fn poll(&mut self) -> JsValue {
        match self.broker.poll() {
            None => JsValue::UNDEFINED,
            Some(Output::Append { lsn, record }) => {
                let append = js_sys::Object::new();
                set(&append, "lsn", &JsValue::from_f64(lsn.0 as f64));
                set(&append, "append", &bytes_of(&record).into());
                append.into()
            }
            Some(output) => to_js(&output),
        }
    }

    /// A copy of the oldest bytes that wait to be sent on a connection, at most `bytes_max` of them. They stay until
    /// `sent` says so.
    pub fn outgoing(&self, slot: u32, generation: u32, bytes_max: u32) -> Uint8Array {
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
        joined
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
    pub fn records(&self) -> Array {
        self.broker.records().map(|record| JsValue::from(bytes_of(&record))).collect()
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

fn bytes_of(record: &Record) -> Uint8Array {
    let bytes = postcard::to_allocvec(record).expect("a record can be written down");
    Uint8Array::from(&bytes[..])
}

fn set(object: &js_sys::Object, name: &str, value: &JsValue) {
    Reflect::set(object, &name.into(), value).expect("a new object takes any property");
}
