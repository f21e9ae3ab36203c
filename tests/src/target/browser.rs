//! The core in a web page: the very WebAssembly that the npm package ships, through the same glue, in headless
//! Chromium. Same driver, same inputs and same turns as the native core, so the digests must be equal too.
//!
//! A page loads the core from a server of this process and opens a WebSocket back; every turn is a question and an
//! answer on it. The browser belongs to a [`Page`] and ends with it.

mod chromium;
mod serve;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use tungstenite::Message;
use wasmqtt_broker::{Config, ConnectionId, Input, Lsn, Output, Record, Time};
use wasmqtt_sim::TargetError;

use self::chromium::Chromium;
use self::serve::Socket;
use super::driver::{Core, Driver, Turn};
use super::native::SEED;

/// A page with a core in it. Stories are told to it one after the other.
pub struct Page {
    socket: RefCell<Socket>,
    /// Ends with the page.
    _chromium: Chromium,
}

/// The core of a page as a driver's core.
pub struct Paged {
    page: Rc<Page>,
    config: Config,
    deadline: Option<Time>,
    /// What the last turn said to be waiting; all that the others have waiting is asked for.
    waiting: RefCell<BTreeMap<ConnectionId, Vec<u8>>>,
}

impl Page {
    /// Starts a browser and waits until its page is ready.
    ///
    /// # Errors
    ///
    /// There is no browser, the core was not built, or the page can't load it.
    pub fn open() -> Result<Rc<Page>, String> {
        let server = serve::Server::start()?;
        let chromium = Chromium::start(&server.address())?;
        let socket = server.socket(&chromium)?;
        Ok(Rc::new(Page { socket: RefCell::new(socket), _chromium: chromium }))
    }

    /// A driver around a core of the page that knows nothing yet.
    pub fn driver(self: &Rc<Page>, config: &Config) -> Result<Driver<Paged>, TargetError> {
        self.ask(Request::new('N').bytes(&encoded(config)).bytes(&SEED.0))?;
        Ok(Driver::new(Paged {
            page: Rc::clone(self),
            config: config.clone(),
            deadline: None,
            waiting: RefCell::default(),
        }))
    }

    fn ask(&self, request: Request) -> Result<Answer, TargetError> {
        let mut socket = self.socket.borrow_mut();
        let broken = |error: tungstenite::Error| TargetError::Broken(format!("the page: {error}"));
        socket.send(Message::Binary(request.0.into())).map_err(broken)?;
        loop {
            let Message::Binary(bytes) = socket.read().map_err(broken)? else { continue };
            return match bytes.split_first() {
                Some((0, answer)) => Ok(Answer { bytes: answer.to_vec(), at: 0 }),
                Some((_, error)) => Err(TargetError::Broken(format!("the page: {}", String::from_utf8_lossy(error)))),
                None => Err(TargetError::Broken("the page answered with nothing".into())),
            };
        }
    }
}

impl Core for Paged {
    fn turn(&mut self, now: Time, inputs: Vec<Input>) -> Result<Turn, TargetError> {
        // The page's turn ends with a tick of its own, as a driver's does.
        let told: Vec<&Input> = inputs.iter().filter(|input| !matches!(input, Input::Tick)).collect();
        let request = Request::new('T').f64(now.0).u32(told.len() as u32);
        let mut answer = self.page.ask(told.into_iter().fold(request, Request::input))?;
        let deadline = answer.f64();
        self.deadline = (deadline >= 0.0).then_some(Time(deadline as u64));
        let mut turn = Turn::default();
        for _ in 0..answer.u32() {
            let output: Output = postcard::from_bytes(answer.bytes())
                .map_err(|error| TargetError::Broken(format!("an output of the page: {error}")))?;
            turn.outputs.push(output);
        }
        let waiting = self.waiting.get_mut();
        waiting.clear();
        for _ in 0..answer.u32() {
            let conn = answer.connection();
            waiting.insert(conn, answer.bytes().to_vec());
            turn.ready.push(conn);
        }
        Ok(turn)
    }

    fn outgoing(&self, conn: ConnectionId) -> Vec<u8> {
        if let Some(bytes) = self.waiting.borrow().get(&conn) {
            return bytes.clone();
        }
        match self.page.ask(Request::new('O').connection(conn)) {
            Ok(mut answer) => {
                answer.connection();
                answer.bytes().to_vec()
            }
            // The next turn meets it too, and can say so.
            Err(_) => Vec::new(),
        }
    }

    fn deadline(&self) -> Option<Time> {
        self.deadline
    }

    fn restore(&mut self, log: Vec<(Lsn, Record)>) -> Result<(), TargetError> {
        let request = Request::new('R').bytes(&encoded(&self.config)).bytes(&SEED.0).u32(log.len() as u32);
        let add = |request: Request, (lsn, record): &(Lsn, Record)| request.f64(lsn.0).bytes(&encoded(record));
        self.page.ask(log.iter().fold(request, add))?;
        self.deadline = None;
        self.waiting.get_mut().clear();
        Ok(())
    }

    fn swap(&mut self) -> Result<(), TargetError> {
        self.page.ask(Request::new('S')).map(drop)
    }
}

fn encoded<T: serde::Serialize>(value: &T) -> Vec<u8> {
    postcard::to_allocvec(value).expect("memory is all that writing to memory needs")
}

/// A letter and its fields, as `page.js` reads them.
struct Request(Vec<u8>);

impl Request {
    fn new(letter: char) -> Self {
        Request(vec![letter as u8])
    }

    fn u8(mut self, value: u8) -> Self {
        self.0.push(value);
        self
    }

    fn u32(mut self, value: u32) -> Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    /// Times and places in the log, as JavaScript has them.
    fn f64(mut self, value: u64) -> Self {
        self.0.extend_from_slice(&(value as f64).to_le_bytes());
        self
    }

    fn bytes(mut self, value: &[u8]) -> Self {
        self = self.u32(value.len() as u32);
        self.0.extend_from_slice(value);
        self
    }

    fn connection(self, conn: ConnectionId) -> Self {
        self.u32(conn.slot).u32(conn.generation)
    }

    fn input(self, input: &Input) -> Self {
        match input {
            Input::Received { conn, bytes } => self.u8(b'r').connection(*conn).bytes(bytes),
            Input::Sent { conn, len } => self.u8(b's').connection(*conn).u32(*len),
            Input::Closed { conn } => self.u8(b'c').connection(*conn),
            other => self.u8(b'h').bytes(&encoded(other)),
        }
    }
}

/// What the page said. It is our own script, so what is not there is a bug.
struct Answer {
    bytes: Vec<u8>,
    at: usize,
}

impl Answer {
    fn take(&mut self, len: usize) -> &[u8] {
        self.at += len;
        self.bytes.get(self.at - len..self.at).expect("page.js writes what is read here")
    }

    fn number<const N: usize>(&mut self) -> [u8; N] {
        self.take(N).try_into().expect("just as many were taken")
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.number())
    }

    fn f64(&mut self) -> f64 {
        f64::from_le_bytes(self.number())
    }

    fn bytes(&mut self) -> &[u8] {
        let len = self.u32() as usize;
        self.take(len)
    }

    fn connection(&mut self) -> ConnectionId {
        ConnectionId { slot: self.u32(), generation: self.u32() }
    }
}
