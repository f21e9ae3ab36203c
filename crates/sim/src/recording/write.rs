//! Writing a recording, item by item, to anything that can be written. What is written is complete after every call;
//! buffering is the caller's choice.

use std::io::{self, Write};

use serde::Serialize;
use wasmqtt_broker::{CommandId, Input, Seed, Time};

use super::{Beginning, FORMAT, Head, MAGIC, kind};

/// Writes a recording.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    /// Time of the last input.
    last: Time,
    /// The item being made.
    item: Vec<u8>,
}

impl<W: Write> Writer<W> {
    /// Writes the head and the first beginning.
    ///
    /// # Errors
    /// Those of the output.
    pub fn begin(out: W, head: &Head, seed: Seed, from: &Beginning) -> io::Result<Self> {
        let mut writer = Writer { out, last: Time(0), item: Vec::new() };
        let text = serde_json::to_vec(head).map_err(io::Error::other)?;
        let len = u32::try_from(text.len()).map_err(io::Error::other)?;
        let mut bytes = Vec::with_capacity(text.len() + 32);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&FORMAT.to_le_bytes());
        bytes.extend_from_slice(&len.to_le_bytes());
        bytes.extend_from_slice(&text);
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
        writer.out.write_all(&bytes)?;
        writer.begin_again("", seed, from)?;
        Ok(writer)
    }

    /// Another broker takes the place of the one before.
    ///
    /// # Errors
    /// Those of the output.
    pub fn begin_again(&mut self, why: &str, seed: Seed, from: &Beginning) -> io::Result<()> {
        self.item(kind::BEGIN, &(why, seed, from))
    }

    /// Something entered the broker.
    ///
    /// # Errors
    /// Those of the output.
    pub fn input(&mut self, at: Time, input: &Input) -> io::Result<()> {
        let since = self.since_last(at);
        self.item(kind::INPUT, &(since, input))
    }

    /// The same for an input that is in postcard's encoding already.
    ///
    /// # Errors
    /// Those of the output.
    pub fn encoded_input(&mut self, at: Time, encoded: &[u8]) -> io::Result<()> {
        let since = self.since_last(at);
        self.start(kind::INPUT, &since);
        self.item.extend_from_slice(encoded);
        self.put()
    }

    /// The core's answer to the last `Command::Digest` of this name.
    ///
    /// # Errors
    /// Those of the output.
    pub fn digest(&mut self, id: CommandId, digest: u64) -> io::Result<()> {
        self.item(kind::DIGEST, &(id, digest.to_le_bytes()))
    }

    /// Ends the recording as it should end, and gives the output back.
    ///
    /// # Errors
    /// Those of the output.
    pub fn end(mut self, why: &str) -> io::Result<W> {
        self.item(kind::END, &why)?;
        self.out.flush()?;
        Ok(self.out)
    }

    /// Hands on what the output may have kept back.
    ///
    /// # Errors
    /// Those of the output.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// A driver's clock never goes back, but a recording can say what one did that should not.
    fn since_last(&mut self, at: Time) -> i64 {
        let since = at.0.wrapping_sub(self.last.0).cast_signed();
        self.last = at;
        since
    }

    fn item<T: Serialize>(&mut self, kind: u8, body: &T) -> io::Result<()> {
        self.start(kind, body);
        self.put()
    }

    fn start<T: Serialize>(&mut self, kind: u8, body: &T) {
        let mut item = std::mem::take(&mut self.item);
        item.clear();
        item.push(kind);
        self.item = postcard::to_extend(body, item).expect("what is recorded can be written to memory");
    }

    fn put(&mut self) -> io::Result<()> {
        let mut left = u32::try_from(self.item.len()).map_err(io::Error::other)?;
        let mut prefix = Vec::with_capacity(6);
        while left >= 0x80 {
            prefix.push(left as u8 | 0x80);
            left >>= 7;
        }
        prefix.push(left as u8);
        prefix.push(crc32fast::hash(&prefix) as u8);
        let checksum = crc32fast::hash(&self.item);
        self.item.extend_from_slice(&checksum.to_le_bytes());
        self.out.write_all(&prefix)?;
        self.out.write_all(&self.item)
    }
}
