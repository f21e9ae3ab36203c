//! A recording that can be given away: replayed in the core of this program with every Application Message, Will,
//! password and Authentication Data replaced by text of equal length, and with digests of the run that this gives.
//! Topics, Client Identifiers, user names, addresses and properties stay, and with them everything that decides where a
//! message goes.
//!
//! The recording is read twice: once to find what is secret in each client's stream, which may begin in one input and
//! end in another, and once to write.

use core::fmt;
use std::collections::HashMap;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;

use bytes::Bytes;
use wasmqtt_broker::{Command, ConnectionId, Input, Record, Time, Verdict};

use super::stream::{Stream, secrets};
use super::{BUILD, Beginning, Head, Item, PlayError, Player, ReadError, Reader, Writer};

/// What stands for a secret.
const MASK: u8 = b'x';

/// Why a recording can't be masked.
#[derive(Debug)]
pub enum MaskError {
    /// It can't be read.
    Read(ReadError),
    /// It can't be played.
    Play(PlayError),
    /// It begins with a saved broker, in which messages can't be found.
    Saved {
        /// Where.
        offset: u64,
    },
    /// The output can't be written.
    Write(io::Error),
}

impl fmt::Display for MaskError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MaskError::Read(error) => error.fmt(out),
            MaskError::Play(error) => error.fmt(out),
            MaskError::Saved { offset } => write!(
                out,
                "offset {offset}: found a saved broker, whose messages can't be masked; \
                 allowed: to begin empty or with a log"
            ),
            MaskError::Write(error) => write!(out, "cannot write: {error}"),
        }
    }
}

impl std::error::Error for MaskError {}

impl From<ReadError> for MaskError {
    fn from(error: ReadError) -> Self {
        MaskError::Read(error)
    }
}

impl From<PlayError> for MaskError {
    fn from(error: PlayError) -> Self {
        MaskError::Play(error)
    }
}

impl From<io::Error> for MaskError {
    fn from(error: io::Error) -> Self {
        MaskError::Write(error)
    }
}

/// Writes the masked recording; one that was cut off is masked up to there.
///
/// # Errors
/// What is wrong with the input, or the output's.
pub fn mask<W: Write>(mut input: impl Read + Seek, output: W) -> Result<W, MaskError> {
    let rewind = |input: &mut _| Seek::seek(input, SeekFrom::Start(0));
    let io = |error| ReadError::Io { offset: 0, error };
    rewind(&mut input).map_err(io)?;
    let masks = Masks::find(Reader::open(&mut input)?)?;
    rewind(&mut input).map_err(io)?;
    Masking::run(Reader::open(&mut input)?, masks, output)
}

/// Which stream a transport's bytes belong to. Both readings count streams alike, in the order of their first bytes or
/// opening: a file from anywhere may name one transport twice, and a place in one stream is none in the other.
#[derive(Default)]
struct Streams {
    of: HashMap<ConnectionId, usize>,
    begun: usize,
}

impl Streams {
    /// A broker begins, and with it no transport is open.
    fn clear(&mut self) {
        self.of.clear();
    }

    fn open(&mut self, conn: ConnectionId) -> usize {
        let number = self.begun;
        self.begun += 1;
        self.of.insert(conn, number);
        number
    }

    fn number(&mut self, conn: ConnectionId) -> usize {
        self.of.get(&conn).copied().unwrap_or_else(|| self.open(conn))
    }
}

/// Where the streams have secrets, each in order.
#[derive(Default)]
struct Masks {
    streams: Vec<Vec<Range<u64>>>,
}

impl Masks {
    fn find(reader: Reader<impl Read>) -> Result<Self, ReadError> {
        let mut masks = Masks::default();
        let mut streams = Streams::default();
        let mut open: HashMap<usize, Stream> = HashMap::new();
        for placed in reader {
            let item = match placed {
                Ok(placed) => placed.item,
                Err(error) if error.is_cut_off() => break,
                Err(error) => return Err(error),
            };
            match item {
                Item::Begin { .. } => streams.clear(),
                Item::Input { input: Input::Opened { conn, peer }, .. } => {
                    open.insert(streams.open(conn), Stream::of(&peer));
                }
                Item::Input { input: Input::Received { conn, bytes }, .. } => {
                    let number = streams.number(conn);
                    let pieces = open.entry(number).or_default().feed(&bytes);
                    masks.of(number).extend(pieces.iter().flat_map(secrets));
                }
                Item::Input { .. } | Item::Digest { .. } | Item::End { .. } => {}
            }
        }
        // Packets of which only the beginning came.
        for (number, stream) in open.into_iter().filter(|(_, stream)| stream.partial_bytes() > 0) {
            masks.of(number).push(stream.partial_secrets());
        }
        Ok(masks)
    }

    fn of(&mut self, number: usize) -> &mut Vec<Range<u64>> {
        if self.streams.len() <= number {
            self.streams.resize_with(number + 1, Vec::new);
        }
        &mut self.streams[number]
    }

    /// Writes over the secrets in bytes that stand there in a stream.
    fn apply(&self, number: usize, at: u64, bytes: &[u8]) -> Bytes {
        let mut masked = bytes.to_vec();
        let end = at + bytes.len() as u64;
        let ranges = self.streams.get(number).map_or(&[][..], Vec::as_slice);
        let first = ranges.partition_point(|range| range.end <= at);
        for range in ranges[first..].iter().take_while(|range| range.start < end) {
            let from = range.start.max(at) - at;
            let to = range.end.min(end) - at;
            masked[from as usize..to as usize].fill(MASK);
        }
        masked.into()
    }
}

/// The second reading.
struct Masking<W> {
    player: Player,
    masks: Masks,
    writer: Writer<W>,
    streams: Streams,
    /// How much of each stream came.
    at: HashMap<usize, u64>,
}

impl<W: Write> Masking<W> {
    fn run(mut reader: Reader<impl Read>, masks: Masks, output: W) -> Result<W, MaskError> {
        let player = Player::new(reader.head());
        let head = Head { build: BUILD.into(), ..reader.head().clone() };
        let Some(first) = reader.next() else { return Err(ReadError::CutOff { offset: 0 }.into()) };
        let first = first?;
        let Item::Begin { seed, from, .. } = first.item else { unreachable!("the reader gives a beginning first") };
        let from = masked_beginning(first.offset, from)?;
        let writer = Writer::begin(output, &head, seed, &from)?;
        let (streams, at) = (Streams::default(), HashMap::new());
        let mut masking = Masking { player, masks, writer, streams, at };
        masking.player.begin(first.offset, seed, &from)?;
        for placed in reader {
            match placed {
                Ok(placed) => {
                    if let Item::End { why } = &placed.item {
                        return Ok(masking.writer.end(why)?);
                    }
                    masking.item(placed.offset, placed.item)?;
                }
                Err(error) if error.is_cut_off() => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(masking.writer.end("the original was cut off here")?)
    }

    fn item(&mut self, offset: u64, item: Item) -> Result<(), MaskError> {
        match item {
            Item::Begin { why, seed, from } => {
                let from = masked_beginning(offset, from)?;
                self.player.begin(offset, seed, &from)?;
                self.writer.begin_again(&why, seed, &from)?;
                self.streams.clear();
            }
            Item::Input { at, input } => {
                if let Some(input) = self.masked(input) {
                    self.tell(offset, at, input)?;
                }
            }
            Item::Digest { id, .. } => {
                let digest = self.player.answer(offset, id)?;
                self.writer.digest(id, digest)?;
            }
            Item::End { .. } => {}
        }
        Ok(())
    }

    fn tell(&mut self, offset: u64, at: Time, input: Input) -> Result<(), MaskError> {
        let mut written = Ok(());
        let writer = &mut self.writer;
        let mut told = |at: Time, input: &Input| {
            if written.is_ok() {
                written = writer.input(at, input);
            }
        };
        self.player.input(offset, at, input, &mut told)?;
        Ok(written?)
    }

    /// The input without secrets; `None` if nothing is left of it.
    fn masked(&mut self, input: Input) -> Option<Input> {
        Some(match input {
            Input::Received { conn, bytes } => {
                let number = self.streams.number(conn);
                let at = self.at.entry(number).or_default();
                let masked = self.masks.apply(number, *at, &bytes);
                *at += bytes.len() as u64;
                Input::Received { conn, bytes: masked }
            }
            // A packet that made no sense may be answered with fewer bytes now that it makes another kind of none.
            Input::Sent { conn, len } => {
                let len = len.min(self.player.outgoing_bytes(conn));
                if len == 0 {
                    return None;
                }
                Input::Sent { conn, len }
            }
            Input::Answered { question, verdict } => Input::Answered { question, verdict: masked_verdict(verdict) },
            Input::Command { id, command: Command::Publish { topic, payload, qos, retain } } => {
                let payload = masked_bytes(&payload);
                Input::Command { id, command: Command::Publish { topic, payload, qos, retain } }
            }
            Input::Command { id, command: Command::AddBridge(mut config) } => {
                config.password = config.password.as_deref().map(masked_bytes);
                Input::Command { id, command: Command::AddBridge(config) }
            }
            Input::Opened { conn, .. } => {
                self.streams.open(conn);
                input
            }
            Input::DialFailed { .. }
            | Input::Closed { .. }
            | Input::Stored { .. }
            | Input::StoreFailed { .. }
            | Input::Command { .. }
            | Input::Woke { .. }
            | Input::Tick => input,
        })
    }
}

fn masked_bytes(bytes: &[u8]) -> Bytes {
    vec![MASK; bytes.len()].into()
}

fn masked_verdict(verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::Allow(mut grant) => {
            grant.authentication_data = grant.authentication_data.as_deref().map(masked_bytes);
            Verdict::Allow(grant)
        }
        Verdict::Continue { data } => Verdict::Continue { data: masked_bytes(&data) },
        Verdict::Refuse { .. } => verdict,
    }
}

fn masked_beginning(offset: u64, from: Beginning) -> Result<Beginning, MaskError> {
    match from {
        Beginning::Empty => Ok(from),
        Beginning::Saved(_) => Err(MaskError::Saved { offset }),
        Beginning::Log(mut log) => {
            log.iter_mut().for_each(|(_, record)| mask_record(record));
            Ok(Beginning::Log(log))
        }
    }
}

fn mask_record(record: &mut Record) {
    match record {
        Record::Published(stored) => stored.message.payload = masked_bytes(&stored.message.payload),
        Record::Entered(entry) => {
            if let Some(will) = &mut entry.will {
                will.message.payload = masked_bytes(&will.message.payload);
            }
        }
        Record::Left { .. }
        | Record::WillTaken { .. }
        | Record::Ended { .. }
        | Record::Subscribed { .. }
        | Record::Unsubscribed { .. }
        | Record::Sent { .. }
        | Record::Received { .. }
        | Record::Finished { .. }
        | Record::Released { .. }
        | Record::HalfWay { .. }
        | Record::Held { .. }
        | Record::Owed { .. }
        | Record::Walked { .. }
        | Record::Used { .. }
        | Record::Met { .. }
        | Record::Requeued { .. } => {}
    }
}
