//! All connections of a load in one thread: one poll for all of them, one big read for each that has something, and one
//! write for each destination and turn. Nothing is allocated for a message. Who uses it is a [`Handler`]: it is told of
//! packets, appends others to [`Links`], and calls [`Net::turn`] again.
//!
//! A socket is registered once, edge-triggered, for both directions: a read that gave less than it could has emptied
//! the socket, so it isn't read again until there is an event, and a write that fell short waits for one.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use wasmqtt_codec::ProtocolVersion;

use crate::failure::{Failure, Outcome};
use crate::packet::{Cut, Incoming, cut};
use crate::websocket::{self, Broken, WebSocket};

/// What one read may take.
const READ_BYTES: usize = 256 * 1024;

/// Events of one poll.
const EVENTS: usize = 1024;

/// Where the broker is and how it is spoken to.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its address.
    pub addr: SocketAddr,
    /// The path of its WebSocket; `None` for MQTT over TCP.
    pub websocket: Option<String>,
    /// The version that all clients speak.
    pub version: ProtocolVersion,
}

/// Who is told what happens on the connections.
pub trait Handler {
    /// A transport is open; MQTT may flow.
    fn opened(&mut self, links: &mut Links, link: u32) -> Outcome;
    /// Bytes came; whether the handler has taken them. If not, they are cut into packets.
    ///
    /// # Errors
    /// What the handler finds wrong.
    fn bytes(&mut self, _links: &mut Links, _link: u32, _bytes: &[u8]) -> Outcome<bool> {
        Ok(false)
    }
    /// A packet came.
    fn incoming(&mut self, links: &mut Links, link: u32, packet: Incoming<'_>) -> Outcome;
    /// A transport is gone, and this is why. Most handlers take that as the broker's fault.
    fn closed(&mut self, _links: &mut Links, link: u32, why: String) -> Outcome {
        Err(Failure::Closed(format!("client {link}: {why}")))
    }
}

/// One connection.
#[derive(Default)]
struct Link {
    stream: Option<TcpStream>,
    websocket: Option<Box<WebSocket>>,
    /// The beginning of a packet that isn't complete yet.
    rest: Vec<u8>,
    out: Vec<u8>,
    written: usize,
    is_connecting: bool,
    /// Has something to write and is on the list of those.
    is_dirty: bool,
    /// A write fell short; an event will come.
    is_blocked: bool,
    /// Is not read: a client that stalls.
    is_deaf: bool,
}

/// The connections, as handlers see them: places to append packets to.
#[derive(Default)]
pub struct Links {
    all: Vec<Link>,
    dirty: Vec<u32>,
}

impl Links {
    /// Lets a packet leave with the next flush.
    pub fn append(&mut self, link: u32, packet: &[u8]) {
        let state = &mut self.all[link as usize];
        if state.websocket.is_some() {
            websocket::frame_binary(packet, &mut state.out);
        } else {
            state.out.extend_from_slice(packet);
        }
        if !state.is_dirty {
            state.is_dirty = true;
            self.dirty.push(link);
        }
    }

    /// Connections that there are or were.
    #[must_use]
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there was never a connection.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Bytes that a connection could not write yet.
    #[must_use]
    pub fn unsent(&self, link: u32) -> usize {
        let state = &self.all[link as usize];
        state.out.len() - state.written
    }

    /// Stops or resumes reading a connection; [`Net::turn`] reads what came meanwhile.
    pub fn set_deaf(&mut self, link: u32, is_deaf: bool) {
        self.all[link as usize].is_deaf = is_deaf;
    }
}

/// System calls of this generator.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct Calls {
    /// epoll_wait or its like.
    pub polls: u64,
    /// read.
    pub reads: u64,
    /// write.
    pub writes: u64,
}

/// All connections and the poll over them.
pub struct Net {
    target: Target,
    poll: Poll,
    events: Events,
    input: Vec<u8>,
    /// Connections that may have more to read although no event will say so.
    again: Vec<u32>,
    /// Connections that were opened since the last turn.
    fresh: Vec<u32>,
    /// Nothing for this long, although something is owed, is a stall.
    pub patience: Duration,
    /// Where packets are appended.
    pub links: Links,
    /// System calls so far.
    pub calls: Calls,
}

impl Drop for Net {
    /// Resets what is open. A farewell would leave each port behind in TIME_WAIT, and the next run would search for
    /// free ones among them, a sixth of what a connection costs here.
    fn drop(&mut self) {
        for stream in self.links.all.iter().filter_map(|link| link.stream.as_ref()) {
            // Without it the next run is slower, and as right.
            let _ = rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO));
        }
    }
}

impl Net {
    /// No connections yet.
    ///
    /// # Errors
    /// If the machine has no poll for us.
    pub fn new(target: Target, patience: Duration) -> Outcome<Self> {
        let poll = Poll::new().map_err(|error| Failure::System("epoll", error))?;
        let links = Links::default();
        let events = Events::with_capacity(EVENTS);
        let input = vec![0; READ_BYTES];
        Ok(Net {
            target,
            poll,
            events,
            input,
            again: Vec::new(),
            fresh: Vec::new(),
            patience,
            links,
            calls: Calls::default(),
        })
    }

    /// Where this connects to.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Begins to open one more connection and gives its number.
    ///
    /// # Errors
    /// If the system refuses at once.
    pub fn open(&mut self) -> Outcome<u32> {
        self.links.all.push(Link::default());
        let link = (self.links.all.len() - 1) as u32;
        self.reopen(link)?;
        Ok(link)
    }

    /// Begins to open a connection anew under its number.
    ///
    /// # Errors
    /// If the system refuses at once.
    pub fn reopen(&mut self, link: u32) -> Outcome {
        let failed = |error| Failure::Connect(self.target.addr, error);
        let mut stream = TcpStream::connect(self.target.addr).map_err(failed)?;
        let both = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut stream, Token(link as usize), both).map_err(failed)?;
        let is_dirty = self.links.all[link as usize].is_dirty;
        let websocket = self.target.websocket.is_some().then(|| Box::new(WebSocket::new()));
        let fresh = Link { stream: Some(stream), websocket, is_connecting: true, is_dirty, ..Link::default() };
        self.links.all[link as usize] = fresh;
        self.fresh.push(link);
        Ok(())
    }

    /// Closes a connection without a word; nobody is told.
    pub fn close(&mut self, link: u32) {
        let state = &mut self.links.all[link as usize];
        // Closing takes it out of the poll.
        *state = Link { is_dirty: state.is_dirty, ..Link::default() };
    }

    /// Writes what it can of what was appended, and then closes a connection; nobody is told.
    pub fn close_politely(&mut self, link: u32) {
        let state = &mut self.links.all[link as usize];
        if let (Some(stream), false) = (&mut state.stream, state.is_connecting) {
            // What doesn't fit is lost, as it is with clients that end right behind their last words.
            let _ = stream.write(&state.out[state.written..]);
        }
        self.close(link);
    }

    /// Lets the kernel keep no more than this for a connection that is not read, where it allows that.
    pub fn set_receive_buffer(&mut self, link: u32, bytes: usize) {
        if let Some(stream) = &self.links.all[link as usize].stream {
            // Without it, a client that stalls is only noticed later.
            let _ = rustix::net::sockopt::set_socket_recv_buffer_size(stream, bytes);
        }
    }

    /// Whether a connection is open or opening.
    #[must_use]
    pub fn is_open(&self, link: u32) -> bool {
        self.links.all[link as usize].stream.is_some()
    }

    /// Reads a connection again that was deaf.
    pub fn listen_again(&mut self, link: u32) {
        self.links.set_deaf(link, false);
        self.again.push(link);
    }

    /// Waits for events, at most this long, and tells the handler of each packet that came.
    ///
    /// # Errors
    /// What the handler gives, what the poll gives, or a broker that breaks the protocol.
    pub fn turn(&mut self, handler: &mut impl Handler, timeout: Duration) -> Outcome<bool> {
        // Over loopback a connection is there at once: its first words go to the broker together with it, and neither
        // side is woken twice.
        let mut is_any_there = false;
        for link in std::mem::take(&mut self.fresh) {
            is_any_there |= self.established(handler, link)?;
        }
        if is_any_there {
            return Ok(true);
        }
        let timeout = if self.again.is_empty() { timeout } else { Duration::ZERO };
        self.calls.polls += 1;
        match self.poll.poll(&mut self.events, Some(timeout)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(false),
            polled => polled.map_err(|error| Failure::System("epoll", error))?,
        }
        let again = std::mem::take(&mut self.again);
        let happened = !self.events.is_empty() || !again.is_empty();
        for link in again {
            self.read(handler, link)?;
        }
        let events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        for event in &events {
            let link = event.token().0 as u32;
            if event.is_writable() {
                self.writable(handler, link)?;
            }
            if event.is_readable() || event.is_read_closed() || event.is_error() {
                self.read(handler, link)?;
            }
        }
        self.events = events;
        Ok(happened)
    }

    /// Writes what was appended, once for each destination.
    ///
    /// # Errors
    /// What the handler makes of a transport that is gone.
    pub fn flush(&mut self, handler: &mut impl Handler) -> Outcome {
        let mut dirty = std::mem::take(&mut self.links.dirty);
        for link in dirty.drain(..) {
            let state = &mut self.links.all[link as usize];
            state.is_dirty = false;
            if !state.is_blocked && !state.is_connecting {
                self.write(handler, link)?;
            }
        }
        // What the handler appended meanwhile, if anything, comes with the next flush.
        dirty.append(&mut self.links.dirty);
        self.links.dirty = dirty;
        Ok(())
    }

    fn writable(&mut self, handler: &mut impl Handler, link: u32) -> Outcome {
        let state = &mut self.links.all[link as usize];
        let Some(stream) = &mut state.stream else { return Ok(()) };
        if state.is_connecting {
            if let Ok(Some(error)) | Err(error) = stream.take_error() {
                return Err(Failure::Connect(self.target.addr, error));
            }
            return self.established(handler, link).map(drop);
        }
        if state.is_blocked {
            state.is_blocked = false;
            return self.write(handler, link);
        }
        Ok(())
    }

    /// Begins with a connection if it is there now, and says whether it is.
    fn established(&mut self, handler: &mut impl Handler, link: u32) -> Outcome<bool> {
        let state = &mut self.links.all[link as usize];
        let Some(stream) = &mut state.stream else { return Ok(false) };
        if !state.is_connecting || stream.peer_addr().is_err() {
            return Ok(false);
        }
        state.is_connecting = false;
        stream.set_nodelay(true).map_err(|error| Failure::System("TCP_NODELAY", error))?;
        match &self.target.websocket {
            Some(path) => {
                state.out.splice(..0, WebSocket::request(self.target.addr, path));
                self.write(handler, link)?;
            }
            None => handler.opened(&mut self.links, link)?,
        }
        Ok(true)
    }

    fn write(&mut self, handler: &mut impl Handler, link: u32) -> Outcome {
        let state = &mut self.links.all[link as usize];
        let Some(stream) = &mut state.stream else { return Ok(()) };
        while state.written < state.out.len() {
            self.calls.writes += 1;
            match stream.write(&state.out[state.written..]) {
                Ok(written) => state.written += written,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    state.is_blocked = true;
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return self.gone(handler, link, error.to_string()),
            }
        }
        state.out.clear();
        state.written = 0;
        Ok(())
    }

    fn read(&mut self, handler: &mut impl Handler, link: u32) -> Outcome {
        let state = &mut self.links.all[link as usize];
        let Some(stream) = &mut state.stream else { return Ok(()) };
        if state.is_deaf || state.is_connecting {
            return Ok(());
        }
        let kept = state.rest.len();
        if self.input.len() < kept + READ_BYTES {
            self.input.resize(kept + READ_BYTES, 0);
        }
        self.calls.reads += 1;
        let read = match stream.read(&mut self.input[kept..kept + READ_BYTES]) {
            Ok(0) => return self.gone(handler, link, "its end was reached".into()),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                self.again.push(link);
                return Ok(());
            }
            Err(error) => return self.gone(handler, link, error.to_string()),
        };
        if read == READ_BYTES {
            self.again.push(link);
        }
        self.input[..kept].copy_from_slice(&state.rest);
        state.rest.clear();
        let mut end = kept + read;
        if let Some(websocket) = &mut state.websocket {
            let was_open = websocket.is_open();
            let before = state.out.len();
            end = match websocket.unframe(&mut self.input, kept, end, &mut state.out) {
                Ok(end) => end,
                Err(Broken::Closed(status)) => {
                    return self.gone(handler, link, format!("the WebSocket is closed, status {status:?}"));
                }
                Err(Broken::Wrong(what)) => return Err(Failure::Protocol(format!("client {link}: {what}"))),
            };
            if state.out.len() > before && !state.is_dirty {
                state.is_dirty = true;
                self.links.dirty.push(link);
            }
            if !was_open && websocket.is_open() {
                handler.opened(&mut self.links, link)?;
            }
        }
        self.packets(handler, link, end)
    }

    /// Tells of the packets in `input[..end]` and keeps what is left.
    fn packets(&mut self, handler: &mut impl Handler, link: u32, end: usize) -> Outcome {
        if handler.bytes(&mut self.links, link, &self.input[..end])? {
            return Ok(());
        }
        let mut at = 0;
        while at < end {
            match cut(&self.input[at..end], self.target.version) {
                Cut::Packet(packet, bytes) => {
                    handler.incoming(&mut self.links, link, packet)?;
                    at += bytes;
                }
                Cut::Partial(_) => break,
                Cut::Bad(what) => return Err(Failure::Protocol(format!("client {link} got {what}"))),
            }
        }
        self.links.all[link as usize].rest.extend_from_slice(&self.input[at..end]);
        Ok(())
    }

    fn gone(&mut self, handler: &mut impl Handler, link: u32, why: String) -> Outcome {
        self.close(link);
        handler.closed(&mut self.links, link, why)
    }
}
