//! A broker and the few clients around it, led by choices: whoever does what next, the bytes say. After every input all
//! invariants must hold.
//!
//! A *faithful* world keeps the log as a driver must, and may restart the broker from it. Any other also says what no
//! driver would: that records are stored that aren't, that bytes were sent that weren't, and things about transports
//! that are long gone.

use std::collections::BTreeMap;

use bytes::Bytes;
use wasmqtt_broker::{
    Allowed, Authentication, Broker, Command, CommandId, Config, ConnectionId, Grant, Input, Limits, Lsn, Output, Peer,
    Permissions, Question, QuestionId, Record, Rules, Seed, Storage, Subject, Time, Transport, Verdict,
};
use wasmqtt_codec::{Framing, ProtocolVersion, Qos, ReasonCode, frame};

use crate::choices::Choices;
use crate::packets;
use crate::same::{assert_same, swapped};

const SLOTS: u32 = 5;
/// More inputs only make one run slow.
const STEPS_MAX: u32 = 400;
const SEED: Seed = Seed([5; 16]);

/// One client's side.
struct Client {
    conn: ConnectionId,
    version: ProtocolVersion,
    inbox: Vec<u8>,
    /// Acknowledgements that are due: first byte and Packet Identifier.
    due: Vec<(u8, u16)>,
    reading: bool,
    /// Whether it connected with an Authentication Method.
    method: bool,
}

/// A broker, its clients and its log.
pub struct World<'a> {
    choices: Choices<'a>,
    /// The broker.
    pub broker: Broker,
    config: Config,
    faithful: bool,
    now: u64,
    generation: u32,
    clients: BTreeMap<u32, Client>,
    questions: Vec<QuestionId>,
    log: Vec<(Lsn, Record)>,
    last: Lsn,
    commands: u64,
}

/// A configuration with limits that are easy to reach.
fn config(choices: &mut Choices<'_>, storage: Storage) -> Config {
    let limits = Limits {
        connections_max: tight(choices, 100, &[3]),
        sessions_max: tight(choices, 100, &[3]),
        session_expiry_max_s: tight(choices, u32::MAX, &[15]),
        receive_maximum: tight(choices, 1_024, &[2]),
        in_flight_max: tight(choices, 64, &[1]),
        queue_messages_max: tight(choices, 10_000, &[3]),
        queue_bytes_max: tight(choices, 64 << 20, &[300]),
        subscriptions_per_session_max: tight(choices, 20_000, &[3]),
        subscriptions_max: tight(choices, 1_000, &[5]),
        outbox_bytes_max: tight(choices, 1 << 20, &[200]),
        turn_bytes_max: tight(choices, 1 << 20, &[300]),
        retained_messages_max: tight(choices, 1_000, &[2]),
        retained_bytes_max: tight(choices, 1 << 20, &[5_200]),
        memory_bytes_max: tight(choices, 1 << 30, &[20_000]),
        packet_bytes_max: tight(choices, 1 << 20, &[1_000]),
        topic_alias_maximum: tight(choices, 64, &[1, 0]),
        topic_alias_out_max: tight(choices, 64, &[1, 0]),
        topic_levels_max: tight(choices, 128, &[2]),
        keep_alive_max_s: tight(choices, 0, &[50]),
        maximum_qos: tight(choices, Qos::ExactlyOnce, &[Qos::AtLeastOnce]),
        retain_available: !choices.chance(5),
        wildcard_subscription_available: !choices.chance(5),
        subscription_identifiers_available: !choices.chance(5),
        shared_subscription_available: !choices.chance(5),
        assigned_client_identifier: !choices.chance(5),
        ..Limits::default()
    };
    let authentication = choices.of(&[Authentication::Open, Authentication::Open, Authentication::Ask]);
    let permissions = permissions(choices);
    let response_information = choices.chance(10).then(|| "answers/%c".into());
    let (trace, sys_interval_s) = (choices.chance(20), choices.of(&[0, 10]));
    Config { limits, storage, authentication, permissions, trace, sys_interval_s, response_information }
}

/// The usual limit, or one that is reached at once.
fn tight<T: Copy>(choices: &mut Choices<'_>, usual: T, tight: &[T]) -> T {
    if choices.chance(12) { choices.of(tight) } else { usual }
}

fn permissions(choices: &mut Choices<'_>) -> Permissions {
    if !choices.chance(15) {
        return Permissions::everything();
    }
    let mut rules = || Rules {
        allow: choices
            .of(&[None, Some("a/#"), Some("%u/#")])
            .map_or(Allowed::Everything, |filter| Allowed::Filters(vec![filter.into()])),
        deny: choices.of(&[&[][..], &["a/b"], &["%c/#"]]).iter().map(|filter| (*filter).into()).collect(),
    };
    Permissions { publish: rules(), subscribe: rules(), receive: rules() }
}

impl<'a> World<'a> {
    /// A new broker; all that happens comes from `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8], faithful: bool) -> Self {
        let mut choices = Choices::new(bytes);
        let storage = if faithful { Storage::Log } else { choices.of(&[Storage::Memory, Storage::Log]) };
        let config = config(&mut choices, storage);
        World {
            choices,
            broker: Broker::new(config.clone(), SEED),
            config,
            faithful,
            now: 1_000_000_000,
            generation: 0,
            clients: BTreeMap::new(),
            questions: Vec::new(),
            log: Vec::new(),
            last: Lsn(0),
            commands: 0,
        }
    }

    /// Lets happen what the bytes say.
    pub fn run(&mut self) {
        for _ in 0..STEPS_MAX {
            if !self.choices.more() {
                return;
            }
            self.step();
        }
    }

    fn input(&mut self, input: Input) {
        self.broker.handle(Time(self.now), input);
        assert_eq!(self.broker.check(), Ok(()));
    }

    fn step(&mut self) {
        match self.choices.below(32) {
            0..2 => self.open(),
            2..12 => self.send_packet(),
            12..18 => self.take(),
            18..24 => self.acknowledge(),
            24 => self.close(),
            25 => self.now += self.choices.of(&[1_000, 2_000_000, 40_000_000, 4_000_000_000]),
            26 => self.store(),
            27 => self.answer(),
            28 => self.command(),
            29 if self.faithful => self.restart(),
            29 => self.lie(),
            30 => self.swap(),
            _ => {
                let slept_us = u64::from(self.choices.below(100_000_000));
                self.now += slept_us;
                self.input(Input::Woke { slept_us });
            }
        }
        if self.choices.chance(60) {
            self.tick();
        }
    }

    fn tick(&mut self) {
        self.input(Input::Tick);
        self.obey();
    }

    /// Carries out what the broker wants.
    fn obey(&mut self) {
        while let Some(output) = self.broker.poll() {
            match output {
                Output::Append { lsn, record } => {
                    assert!(lsn > self.last, "records are numbered upwards");
                    self.last = lsn;
                    self.log.push((lsn, record));
                }
                Output::Close { conn, .. } => {
                    if self.clients.get(&conn.slot).is_some_and(|client| client.conn == conn) && self.choices.chance(90)
                    {
                        self.clients.remove(&conn.slot);
                        self.input(Input::Closed { conn });
                    }
                }
                Output::Ask { question, what } => {
                    if let Question::Connect { client_identifier, .. } = what {
                        assert!(!client_identifier.is_empty(), "an identifier is assigned before anybody is asked");
                    }
                    self.questions.push(question);
                    if self.choices.chance(70) {
                        self.answer();
                    }
                }
                Output::Read { conn, on } => {
                    if let Some(client) = self.clients.get_mut(&conn.slot).filter(|client| client.conn == conn) {
                        client.reading = on;
                    }
                }
                Output::Reply { .. } | Output::Event(_) | Output::Trace(_) => {}
            }
        }
        let ready: Vec<ConnectionId> = self.broker.ready().collect();
        for conn in ready {
            assert!(self.broker.outgoing(conn).next().is_some(), "who is ready has something to send");
        }
    }

    fn open(&mut self) {
        let Some(slot) = (0..SLOTS).find(|slot| !self.clients.contains_key(slot)) else { return };
        self.generation += 1;
        let conn = ConnectionId { slot, generation: self.generation };
        let peer = Peer { listener: 0, address: "fuzz".into(), transport: Transport::Local, identity: None };
        self.input(Input::Opened { conn, peer });
        let version = packets::version(&mut self.choices);
        let asks = self.config.authentication == Authentication::Ask;
        let method = version.is_v5() && self.choices.chance(if asks { 40 } else { 3 });
        let client = Client { conn, version, inbox: Vec::new(), due: Vec::new(), reading: true, method };
        self.clients.insert(slot, client);
        if !self.choices.chance(3) {
            let packet = packets::connect(&mut self.choices, version, method);
            self.send(slot, packet);
        }
    }

    /// A slot with a client in it.
    fn any_client(&mut self) -> Option<u32> {
        let slots: Vec<u32> = self.clients.keys().copied().collect();
        (!slots.is_empty()).then(|| self.choices.of(&slots))
    }

    fn send_packet(&mut self) {
        let Some(slot) = self.any_client() else { return };
        let Client { version, method, .. } = self.clients[&slot];
        let packet = packets::other(&mut self.choices, version, method);
        self.send(slot, packet);
    }

    /// Sends a packet, which may be spoilt and cut.
    fn send(&mut self, slot: u32, mut packet: Vec<u8>) {
        packets::spoil(&mut self.choices, &mut packet);
        let Some(client) = self.clients.get(&slot) else { return };
        let (conn, reading) = (client.conn, client.reading);
        // A driver that obeys reads nothing now; a few bytes may have been on their way.
        if !reading && self.choices.chance(80) {
            return;
        }
        let cut = if self.choices.chance(20) { self.choices.below(packet.len() as u32 + 1) as usize } else { 0 };
        for part in [&packet[..cut], &packet[cut..]] {
            if !part.is_empty() {
                self.input(Input::Received { conn, bytes: Bytes::copy_from_slice(part) });
            }
        }
    }

    /// A transport takes some of what is outgoing, and its client reads it.
    fn take(&mut self) {
        let Some(slot) = self.any_client() else { return };
        let conn = self.clients[&slot].conn;
        let bytes: Vec<u8> = self.broker.outgoing(conn).flatten().copied().collect();
        let len =
            if self.choices.chance(80) { bytes.len() } else { self.choices.below(bytes.len() as u32 + 1) as usize };
        if len == 0 {
            return;
        }
        self.input(Input::Sent { conn, len: len as u32 });
        let Some(client) = self.clients.get_mut(&slot) else { return };
        client.inbox.extend_from_slice(&bytes[..len]);
        let mut from = 0;
        while let Ok(Framing::Complete { header_bytes, total_bytes }) = frame(&client.inbox[from..], 0) {
            let packet = &client.inbox[from..from + total_bytes];
            client.due.extend(answer_to(packet, usize::from(header_bytes)));
            from += total_bytes;
        }
        client.inbox.drain(..from);
    }

    fn acknowledge(&mut self) {
        let Some(slot) = self.any_client() else { return };
        let Some(client) = self.clients.get_mut(&slot).filter(|client| !client.due.is_empty()) else { return };
        let (first, identifier) = client.due.remove(0);
        let version = client.version;
        let packet = packets::ack(&mut self.choices, version, first, identifier);
        self.send(slot, packet);
    }

    fn close(&mut self) {
        let Some(slot) = self.any_client() else { return };
        if let Some(client) = self.clients.remove(&slot) {
            self.input(Input::Closed { conn: client.conn });
        }
    }

    fn store(&mut self) {
        self.obey();
        let upto = self.last;
        if self.choices.chance(80) {
            return self.input(Input::Stored { upto });
        }
        if !self.faithful {
            let from = Lsn(u64::from(self.choices.below(20)));
            return self.input(Input::StoreFailed { from });
        }
        if upto.0 > 0 {
            self.input(Input::StoreFailed { from: upto });
            self.obey();
            // The driver writes the log anew, and then all is stored.
            self.log = self.broker.records().map(|record| (self.last, record)).collect();
            self.input(Input::Stored { upto: self.last });
        }
    }

    fn answer(&mut self) {
        let question = match self.questions.is_empty() {
            true => QuestionId(u64::from(self.choices.below(5))),
            false => self.questions.remove(self.choices.below(self.questions.len() as u32) as usize),
        };
        let verdict = match self.choices.below(12) {
            0..8 => Verdict::Allow(Grant {
                user: self.choices.of(&[None, Some("u"), Some("+")]).map(Into::into),
                permissions: self.choices.chance(30).then(|| permissions(&mut self.choices)),
                authentication_data: self.choices.chance(20).then(|| Bytes::from_static(b"data")),
            }),
            8..11 => Verdict::Continue { data: Bytes::from_static(b"more") },
            _ => Verdict::Refuse {
                reason: self.choices.of(&[ReasonCode::NotAuthorized, ReasonCode::Success, ReasonCode::ServerMoved]),
                reason_string: self.choices.chance(50).then(|| "no".into()),
                server_reference: self.choices.chance(50).then(|| "elsewhere".into()),
            },
        };
        self.input(Input::Answered { question, verdict });
    }

    fn command(&mut self) {
        let name = self.choices.of(&["one", "two", "three", "nobody"]).to_owned();
        let command = match self.choices.below(16) {
            0..4 => Command::Publish {
                topic: self.choices.of(&["a", "a/b", "#", "$SYS/own"]).into(),
                payload: Bytes::from(vec![b'o'; self.choices.of(&[0, 5, 300])]),
                qos: self.choices.of(&[Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce]),
                retain: self.choices.chance(40),
            },
            4..7 => Command::Kick {
                client_identifier: name,
                reason: self.choices.of(&[ReasonCode::AdministrativeAction, ReasonCode::Success]),
                end_session: self.choices.chance(50),
            },
            7 => Command::SetLimits(config(&mut self.choices, Storage::Memory).limits),
            8 => Command::SetPermissions(permissions(&mut self.choices)),
            9..12 => Command::Inspect {
                subject: match self.choices.below(5) {
                    0 => Subject::Sessions,
                    1 => Subject::Subscriptions { client_identifier: name },
                    2 => Subject::InFlight { client_identifier: name },
                    3 => Subject::Queue { client_identifier: name },
                    _ => Subject::Retained { filter: self.choices.of(&["#", "a/+", "a/#/b"]).into() },
                },
                skip: self.choices.of(&[0, 1, u32::MAX]),
                limit: self.choices.of(&[10, 0, u32::MAX]),
            },
            12 => Command::Count,
            13 => Command::Digest,
            14 => Command::Save,
            // A broker that stops hears nothing any more, so this comes seldom.
            _ if self.choices.chance(10) => Command::Stop,
            _ => Command::Count,
        };
        self.commands += 1;
        self.input(Input::Command { id: CommandId(self.commands), command });
    }

    /// What no driver would say.
    fn lie(&mut self) {
        let conn = ConnectionId { slot: self.choices.below(SLOTS + 3), generation: self.choices.below(10) };
        let ours = self.clients.get(&conn.slot).is_some_and(|client| client.conn == conn);
        let input = match self.choices.below(5) {
            0 => Input::Sent { conn, len: self.choices.of(&[1, 70, u32::MAX]) },
            1 if !ours => Input::Closed { conn },
            2 => Input::Stored { upto: Lsn(self.choices.number()) },
            3 => {
                self.now = self.now.saturating_sub(5_000_000);
                return;
            }
            _ => Input::Received { conn, bytes: self.choices.bytes(30).into() },
        };
        self.input(input);
    }

    /// The program is swapped under the running broker.
    fn swap(&mut self) {
        self.broker = swapped(&self.broker);
    }

    /// A crash: only the log is left, and it gives the state that wrote it.
    pub fn restart(&mut self) {
        self.obey();
        let restore = |log: &[(Lsn, Record)]| {
            let restored = Broker::restore(self.config.clone(), Seed([1; 16]), log.iter().cloned());
            // The invariants hold from its first input on, which loses the connections that the log knew.
            restored.unwrap_or_else(|error| panic!("{error:?}"))
        };
        let restored = restore(&self.log);
        assert_same(&restored, &self.broker, Time(self.now), "the log gives the state that wrote it");
        let shortest: Vec<_> = self.broker.records().map(|record| (Lsn(1), record)).collect();
        self.broker = restore(&shortest);
        assert_same(&restored, &self.broker, Time(self.now), "the shortest log gives the same");
        (self.log, self.last) = (shortest, Lsn(1));
        self.clients.clear();
        self.questions.clear();
        self.tick();
    }
}

/// What a client owes for a packet from the broker: the first byte of its answer and the Packet Identifier.
fn answer_to(packet: &[u8], header_bytes: usize) -> Option<(u8, u16)> {
    let at = |offset: usize| packet.get(offset..offset + 2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    match packet[0] & 0xF6 {
        0x32 | 0x34 => {
            let topic = at(header_bytes)?;
            let answer = if packet[0] & 0x06 == 0x02 { 0x40 } else { 0x50 };
            Some((answer, at(header_bytes + 2 + usize::from(topic))?))
        }
        0x50 => Some((0x62, at(header_bytes)?)),
        0x60 | 0x62 => Some((0x70, at(header_bytes)?)),
        _ => None,
    }
}
