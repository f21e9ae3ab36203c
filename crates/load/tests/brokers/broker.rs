//! A broker for the tests of the generator: the real core, a thread for each connection, and a fault to choose. What a
//! faulty broker does to the messages, it does to the bytes that leave.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Instant;

use wasmqtt_broker::{Broker, Config, ConnectionId, Input, Peer, Seed, Time, Transport};

/// What the broker does wrong. Numbers count the PUBLISH packets that leave, from 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Nothing.
    None,
    /// One PUBLISH doesn't leave.
    Swallow(u64),
    /// Of so many PUBLISH one doesn't leave.
    SwallowEvery(u64),
    /// One PUBLISH leaves twice.
    Double(u64),
    /// One PUBLISH leaves behind the next one.
    Swap(u64),
    /// The last byte of a payload's sequence number is another one.
    Spoil(u64),
    /// CONNACK says "not authorized" in 3.1.1.
    Refuse,
    /// SUBACK says 0x80.
    Deny,
    /// The connection is closed instead of a PUBLISH.
    Hang(u64),
}

/// A broker on loopback, until it is dropped.
pub struct FakeBroker {
    /// Where it listens.
    pub addr: SocketAddr,
    shared: Arc<Mutex<Shared>>,
    acceptor: Option<JoinHandle<()>>,
}

struct Shared {
    broker: Broker,
    begun: Instant,
    streams: HashMap<ConnectionId, TcpStream>,
    /// Bytes of the packet that a connection's output ends in.
    partial: HashMap<ConnectionId, Vec<u8>>,
    fault: Fault,
    published: u64,
    held: Option<Vec<u8>>,
    is_over: bool,
}

impl FakeBroker {
    /// Starts one on a free port.
    pub fn start(fault: Fault) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let addr = listener.local_addr().expect("it is bound");
        let config = Config { sys_interval_s: 0, ..Config::default() };
        let shared = Arc::new(Mutex::new(Shared {
            broker: Broker::new(config, Seed([1; 16])),
            begun: Instant::now(),
            streams: HashMap::new(),
            partial: HashMap::new(),
            fault,
            published: 0,
            held: None,
            is_over: false,
        }));
        let acceptor = std::thread::spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, &shared)
        });
        FakeBroker { addr, shared, acceptor: Some(acceptor) }
    }
}

impl Drop for FakeBroker {
    fn drop(&mut self) {
        lock(&self.shared).is_over = true;
        // Wakes the acceptor.
        drop(TcpStream::connect(self.addr));
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
        for stream in lock(&self.shared).streams.values() {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn accept(listener: &TcpListener, shared: &Arc<Mutex<Shared>>) {
    for (slot, stream) in (0..).zip(listener.incoming()) {
        if lock(shared).is_over {
            return;
        }
        let Ok(stream) = stream else { return };
        let conn = ConnectionId { slot, generation: 0 };
        let shared = Arc::clone(shared);
        std::thread::spawn(move || serve(conn, stream, &shared));
    }
}

fn serve(conn: ConnectionId, mut stream: TcpStream, shared: &Mutex<Shared>) {
    let peer = Peer { listener: 0, address: "test".into(), transport: Transport::Tcp, identity: None };
    stream.set_nodelay(true).expect("a TCP stream has that option");
    let writer = stream.try_clone().expect("a stream can be cloned");
    lock(shared).streams.insert(conn, writer);
    lock(shared).turn(Input::Opened { conn, peer });
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = stream.read(&mut buffer) {
        lock(shared).turn(Input::Received { conn, bytes: buffer[..read].to_vec().into() });
    }
    let mut shared = lock(shared);
    shared.streams.remove(&conn);
    shared.turn(Input::Closed { conn });
}

impl Shared {
    /// Hands an input in and carries everything out that follows.
    fn turn(&mut self, input: Input) {
        let now = Time(1_700_000_000_000_000 + self.begun.elapsed().as_micros() as u64);
        self.broker.handle(now, input);
        self.broker.handle(now, Input::Tick);
        while self.broker.poll().is_some() {}
        loop {
            let ready: Vec<ConnectionId> = self.broker.ready().collect();
            if ready.is_empty() {
                return;
            }
            for conn in ready {
                let bytes: Vec<u8> = self.broker.outgoing(conn).flatten().copied().collect();
                self.broker.handle(now, Input::Sent { conn, len: bytes.len() as u32 });
                self.leave(conn, &bytes);
            }
        }
    }

    /// Cuts what leaves into packets and lets the fault have them.
    fn leave(&mut self, conn: ConnectionId, bytes: &[u8]) {
        let mut stream = self.partial.remove(&conn).unwrap_or_default();
        stream.extend_from_slice(bytes);
        let mut rest = &stream[..];
        let mut out = Vec::new();
        while let Some(total) = packet_bytes(rest).filter(|&total| total <= rest.len()) {
            let (packet, after) = rest.split_at(total);
            self.tamper(conn, packet, &mut out);
            rest = after;
        }
        let rest = rest.to_vec();
        self.partial.insert(conn, rest);
        if let Some(stream) = self.streams.get_mut(&conn) {
            // A client that is gone is told to the core by its reader.
            let _ = stream.write_all(&out);
        }
    }

    fn tamper(&mut self, conn: ConnectionId, packet: &[u8], out: &mut Vec<u8>) {
        let mut packet = packet.to_vec();
        match (packet[0] >> 4, self.fault) {
            (2, Fault::Refuse) => packet[3] = 5,
            (9, Fault::Deny) => *packet.last_mut().expect("it has codes") = 0x80,
            (3, fault) => {
                self.published += 1;
                let number = self.published;
                match fault {
                    Fault::Swallow(n) if n == number => return,
                    Fault::SwallowEvery(n) if number.is_multiple_of(n) => return,
                    Fault::Double(n) if n == number => out.extend_from_slice(&packet),
                    Fault::Swap(n) if n == number => {
                        self.held = Some(packet);
                        return;
                    }
                    Fault::Spoil(n) if n == number => {
                        // The payload ends in the sequence number when it is as short as can be.
                        *packet.last_mut().expect("it has a payload") ^= 0x40;
                    }
                    Fault::Hang(n) if n == number => {
                        if let Some(stream) = self.streams.get(&conn) {
                            let _ = stream.shutdown(std::net::Shutdown::Both);
                        }
                        return;
                    }
                    Fault::None | Fault::Refuse | Fault::Deny => {}
                    Fault::Swallow(_)
                    | Fault::SwallowEvery(_)
                    | Fault::Double(_)
                    | Fault::Swap(_)
                    | Fault::Spoil(_)
                    | Fault::Hang(_) => {}
                }
                out.extend_from_slice(&packet);
                out.extend(self.held.take().into_iter().flatten());
                return;
            }
            (_, _) => {}
        }
        out.extend_from_slice(&packet);
    }
}

/// Length of the packet at the beginning, as its Remaining Length says.
fn packet_bytes(bytes: &[u8]) -> Option<usize> {
    let mut remaining = 0;
    for at in 1..5 {
        let byte = usize::from(*bytes.get(at)?);
        remaining |= (byte & 0x7F) << (7 * (at - 1));
        if byte & 0x80 == 0 {
            return Some(1 + at + remaining);
        }
    }
    None
}
