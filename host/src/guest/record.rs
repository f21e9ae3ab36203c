//! A recording of what this guest is told: the same inputs, in the same order and with the same times, that its core
//! sees. It is taken at the one place that all of them pass, [`Guest::step`], so nothing can be told unrecorded.
//!
//! Every so often the guest is asked for its digest, so that a replay can say where it went another way. The question
//! is an input like any other and is recorded too. It is the first of its step, and only asked when the guest had said
//! all it had to say: then a replay knows in which state it finds the core. A guest that has much in
//! its memory isn't asked, for a recording must never be what stops a broker.
//!
//! When a guest is replaced, the recording goes on with a new beginning that says why. A recording that can't be
//! written any more ends there, with a line in the log; the server goes on.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use wasmqtt_abi::{Entry, flag, kind};
use wasmqtt_broker::{Command, CommandId, ConnectionId, Input, Output, Reply, Seed, Time};
use wasmqtt_sim::recording::{Beginning, Head, Writer};

use super::Guest;
use crate::fault::GuestFault;

/// The name of the digest commands asked for here; those of operators count from 1.
const DIGEST: CommandId = CommandId(u64::MAX - 1);
/// Steps from one digest to the next, at least.
const DIGEST_STEPS: u32 = 1_000;
/// A digest looks at the whole state. What it took passes this many times over before the next.
const DIGEST_TIME_SHARE: u32 = 100;
/// A digest is made of all state written down: with more memory than this in use it would take seconds.
const DIGEST_MEMORY_BYTES_MAX: u64 = 512 << 20;
/// And it needs room: the writing may take thrice the state while it grows.
const DIGEST_ROOM: u64 = 4;
/// What is recorded leaves the buffer at least this often while there are steps.
const FLUSH_AFTER: Duration = Duration::from_secs(1);
const BUFFER_BYTES: usize = 256 << 10;
/// Steps after which a guest that always has more to say ends without a last digest.
const LAST_STEPS_MAX: usize = 1_000;

/// Where a recording stands.
#[derive(Debug)]
enum Stage {
    /// No guest has begun.
    Waiting(File),
    Writing(Writer<BufWriter<File>>),
    /// It is ended, or can't be written any more.
    Over,
}

/// Writes down what guests are told.
#[derive(Debug)]
pub struct Recorder {
    head: Head,
    stage: Stage,
    /// Why the last guest is gone.
    why: String,
    /// Steps since the last digest.
    steps: u32,
    /// The digest is asked for and not answered.
    asked: bool,
    step_begun: Instant,
    digest_not_before: Instant,
    flushed: Instant,
}

impl Recorder {
    /// Makes the file: a new one that only its owner can read, for it has everything in it that clients send.
    ///
    /// # Errors
    /// Those of the system; a file that is there already is one.
    pub fn create(path: &Path, head: Head) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        let now = Instant::now();
        Ok(Recorder {
            head,
            stage: Stage::Waiting(file),
            why: String::new(),
            steps: 0,
            asked: false,
            step_begun: now,
            digest_not_before: now,
            flushed: now,
        })
    }

    /// A guest begins, empty.
    fn begin(&mut self, seed: Seed) {
        (self.steps, self.asked) = (0, false);
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Waiting(file) => {
                let out = BufWriter::with_capacity(BUFFER_BYTES, file);
                match Writer::begin(out, &self.head, seed, &Beginning::Empty) {
                    Ok(writer) => self.stage = Stage::Writing(writer),
                    Err(error) => failed(&error),
                }
            }
            Stage::Writing(writer) => {
                self.stage = Stage::Writing(writer);
                let why = std::mem::take(&mut self.why);
                self.write(|writer| writer.begin_again(&why, seed, &Beginning::Empty));
            }
            Stage::Over => {}
        }
    }

    /// The guest is about to be told this.
    fn step(&mut self, now: Time, entries: &[Entry], letters: &[u8], block: &[u8]) {
        self.steps = self.steps.saturating_add(1);
        self.step_begun = Instant::now();
        let flush = self.step_begun.duration_since(self.flushed) >= FLUSH_AFTER;
        if flush {
            self.flushed = self.step_begun;
        }
        self.write(|writer| {
            entries.iter().try_for_each(|entry| write_entry(writer, now, entry, letters, block))?;
            writer.input(now, &Input::Tick)?;
            if flush { writer.flush() } else { Ok(()) }
        });
    }

    /// What came of it.
    fn stepped(&mut self, outputs: &[Output]) {
        if !self.asked {
            return;
        }
        let answer = outputs.iter().find_map(|output| match output {
            Output::Reply { id: DIGEST, reply: Reply::Digest(digest) } => Some(*digest),
            _ => None,
        });
        if let Some(digest) = answer {
            let now = Instant::now();
            (self.steps, self.asked) = (0, false);
            self.digest_not_before = now + (now - self.step_begun) * DIGEST_TIME_SHARE;
            self.write(|writer| writer.digest(DIGEST, digest));
        }
    }

    fn is_digest_due(&self) -> bool {
        !self.asked && self.steps >= DIGEST_STEPS && self.step_begun >= self.digest_not_before
    }

    /// Ends the recording when no guest follows the one that failed.
    pub fn end_without_guest(mut self: Box<Self>) {
        let why = format!("the server ended after {}", std::mem::take(&mut self.why));
        self.end(&why);
    }

    fn end(mut self: Box<Self>, why: &str) {
        if let Stage::Writing(writer) = std::mem::replace(&mut self.stage, Stage::Over)
            && let Err(error) = writer.end(why)
        {
            failed(&error);
        }
    }

    fn write(&mut self, write: impl FnOnce(&mut Writer<BufWriter<File>>) -> io::Result<()>) {
        if let Stage::Writing(writer) = &mut self.stage
            && let Err(error) = write(writer)
        {
            failed(&error);
            self.stage = Stage::Over;
        }
    }
}

fn failed(error: &io::Error) {
    tracing::error!(%error, "the recording can't be written and ends here; the server goes on");
}

/// What the guest makes of an entry: `crates/guest/src/turn.rs`.
fn write_entry(
    writer: &mut Writer<BufWriter<File>>,
    now: Time,
    entry: &Entry,
    letters: &[u8],
    block: &[u8],
) -> io::Result<()> {
    let conn = ConnectionId { slot: entry.slot, generation: entry.generation };
    let range = entry.offset as usize..entry.offset as usize + entry.len as usize;
    match entry.kind {
        kind::RECEIVED => {
            let bytes = Bytes::copy_from_slice(&block[range]);
            writer.input(now, &Input::Received { conn, bytes })
        }
        kind::SENT if entry.len > 0 => writer.input(now, &Input::Sent { conn, len: entry.len }),
        kind::CLOSED => writer.input(now, &Input::Closed { conn }),
        // Letters are inputs in the very encoding that a recording has them in.
        kind::LETTER => writer.encoded_input(now, &letters[range]),
        // What else there is concerns the guest's half of the driver and never reaches its core.
        _ => Ok(()),
    }
}

impl Guest {
    /// Has what this guest is told recorded from now on. It must not have been told anything yet.
    pub fn record(&mut self, mut recorder: Box<Recorder>, seed: Seed) {
        recorder.begin(seed);
        self.recorder = Some(recorder);
    }

    /// This guest did wrong: gives the recorder back for the next one.
    pub fn release_recorder(&mut self, fault: &GuestFault) -> Option<Box<Recorder>> {
        let mut recorder = self.recorder.take()?;
        recorder.why = fault.to_string();
        // Whatever becomes of this program: what led to the fault is on its way.
        recorder.write(Writer::flush);
        Some(recorder)
    }

    /// Ends the recording, with a last digest if the guest can still give one.
    pub fn end_recording(&mut self, now: Time, why: &str) {
        for _ in 0..LAST_STEPS_MAX {
            if self.recorder.is_none() || self.header.flags & flag::MORE == 0 && self.entries.is_empty() {
                break;
            }
            if self.step(now).is_err() {
                break;
            }
        }
        let can_digest = self.can_digest();
        if let Some(recorder) = &mut self.recorder
            && can_digest
        {
            recorder.asked = true;
            self.entries.letter(&Input::Command { id: DIGEST, command: Command::Digest });
            // A fault ends nothing that isn't ending.
            let _ = self.step(now);
        }
        if let Some(recorder) = self.recorder.take() {
            recorder.end(why);
        }
    }

    /// Writes down what the next `count` entries tell.
    pub(super) fn record_step(&mut self, now: Time, count: usize) {
        if let Some(recorder) = &mut self.recorder {
            let memory = self.memory.data(&self.store);
            // Both ends were checked when the header was read.
            let block = &memory[self.header.block_at as usize..][..self.entries.block_used()];
            recorder.step(now, self.entries.first(count), self.entries.letters(), block);
        }
    }

    /// Writes down a digest that came, and asks for the next when it is time.
    pub(super) fn record_stepped(&mut self) {
        let Some(recorder) = &mut self.recorder else { return };
        recorder.stepped(&self.outputs);
        if recorder.is_digest_due() && self.can_digest() {
            self.recorder.iter_mut().for_each(|recorder| recorder.asked = true);
            self.entries.letter(&Input::Command { id: DIGEST, command: Command::Digest });
        }
    }

    /// Whether a digest can be asked for as the first input of the next step, without harm.
    fn can_digest(&self) -> bool {
        let memory_bytes = self.memory.data_size(&self.store) as u64;
        let memory_bytes_max = self.store.data().limits.memory_bytes_max;
        self.entries.is_empty()
            && self.header.flags & flag::MORE == 0
            && memory_bytes <= DIGEST_MEMORY_BYTES_MAX.min(memory_bytes_max / DIGEST_ROOM)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `/dev/full` is a disk that is full from the first byte on.
    #[test]
    fn a_full_disk_ends_the_recording_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let head = Head { build: String::new(), config: wasmqtt_broker::Config::default() };
        let mut recorder = Recorder::create(&folder.path().join("run.wqr"), head).unwrap();
        recorder.stage = Stage::Waiting(OpenOptions::new().write(true).open("/dev/full").unwrap());
        recorder.begin(Seed([0; 16]));
        recorder.step(Time(1), &[], &[], &[]);
        assert!(matches!(recorder.stage, Stage::Writing(_)), "all of it is in the buffer");
        recorder.write(Writer::flush);
        assert!(matches!(recorder.stage, Stage::Over));
        recorder.step(Time(2), &[], &[], &[]);
        recorder.begin(Seed([1; 16]));
        Box::new(recorder).end("");
    }
}
