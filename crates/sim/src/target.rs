//! What a story needs of a broker, whichever build of it is behind: transports that open, carry bytes and break, a
//! clock that the story moves, and, where the target can, a look from inside.

use core::fmt;

use wasmqtt_broker::{BridgeId, Command, Counters, Event, Question, QuestionId, Reply, Trace, Verdict};

/// One transport of a story, never used twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct LinkId(pub u32);

/// What arrived on a transport since it was last asked.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Received {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Whether the broker closed the transport behind them.
    pub closed: bool,
}

/// How the log behaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StoreMode {
    /// Records are on stable storage at the end of each turn.
    AtOnce,
    /// Records wait.
    Hold,
    /// What waits and what comes fails.
    Fail,
}

/// What a broker says beside bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Notice {
    /// A rare event.
    Event(Event),
    /// Why a message was delivered or not.
    Trace(Trace),
    /// A question that waits for [`Target::answer`].
    Asked(QuestionId, Question),
    /// The reply to the last command.
    Reply(Reply),
    /// A bridge wants a transport; answered by [`Target::dialled`].
    Dial(BridgeId, String),
}

/// Why a target could not do what a story wished.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TargetError {
    /// This build has no such thing.
    Unsupported(&'static str),
    /// The broker or what runs it broke.
    Broken(String),
}

impl fmt::Display for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TargetError::Unsupported(what) => write!(f, "this target has no {what}; leave it out in `targets:`"),
            TargetError::Broken(why) => f.write_str(why),
        }
    }
}

impl core::error::Error for TargetError {}

/// One build of the broker. The first group of methods is what every target has.
pub trait Target {
    /// Opens a transport.
    fn open(&mut self, link: LinkId) -> Result<(), TargetError>;
    /// Delivers bytes to the broker, all at once.
    fn send(&mut self, link: LinkId, bytes: &[u8]) -> Result<(), TargetError>;
    /// What arrived for the client since the last call.
    fn receive(&mut self, link: LinkId) -> Result<Received, TargetError>;
    /// The transport goes, without a word.
    fn cut(&mut self, link: LinkId) -> Result<(), TargetError>;
    /// Lets the broker work until it has nothing left to do at this moment.
    fn settle(&mut self) -> Result<(), TargetError>;
    /// Moves the clock to this many microseconds after the story's beginning and fires what is due.
    fn advance(&mut self, to_us: u64) -> Result<(), TargetError>;
    /// When something is due next, in microseconds after the story's beginning, if the target knows.
    fn deadline(&self) -> Option<u64> {
        None
    }

    /// Whether the client reads what is sent to it.
    fn freeze(&mut self, _link: LinkId, _frozen: bool) -> Result<(), TargetError> {
        Err(TargetError::Unsupported("link that freezes"))
    }
    /// What the broker said beside bytes since the last call.
    fn notices(&mut self) -> Vec<Notice> {
        Vec::new()
    }
    /// Answers a question.
    fn answer(&mut self, _question: QuestionId, _verdict: Verdict) -> Result<(), TargetError> {
        Err(TargetError::Unsupported("question to answer"))
    }
    /// Answers the dial of a bridge: with a transport, or with none.
    fn dialled(&mut self, _bridge: BridgeId, _link: Option<LinkId>) -> Result<(), TargetError> {
        Err(TargetError::Unsupported("bridge"))
    }
    /// An operator's wish; the reply comes as a notice.
    fn command(&mut self, _command: Command) -> Result<(), TargetError> {
        Err(TargetError::Unsupported("operator"))
    }
    /// The counters now.
    fn counters(&mut self) -> Result<Counters, TargetError> {
        Err(TargetError::Unsupported("counters"))
    }
    /// How the log behaves from now on.
    fn store(&mut self, _mode: StoreMode) -> Result<(), TargetError> {
        Err(TargetError::Unsupported("log"))
    }
    /// The broker crashes and a new one is restored from what was stored; every transport is gone.
    fn restart(&mut self) -> Result<(), TargetError> {
        Err(TargetError::Unsupported("restart"))
    }
    /// The broker's state moves into a new one, transports and all.
    fn swap(&mut self) -> Result<(), TargetError> {
        Err(TargetError::Unsupported("swap"))
    }
    /// The machine slept this long, in microseconds; the clock has moved already.
    fn sleep(&mut self, _slept_us: u64) -> Result<(), TargetError> {
        Err(TargetError::Unsupported("sleep"))
    }
    /// A hash of the broker's whole state, where it can be had.
    fn digest(&mut self) -> Option<u64> {
        None
    }
}
