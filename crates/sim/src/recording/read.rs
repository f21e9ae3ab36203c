//! Reading a recording, item by item. A file may come from anywhere: nothing in it is believed before it is checked, no
//! memory is taken because a length says so, and every error has its offset.

use std::io::{self, Read};

use serde::de::DeserializeOwned;
use wasmqtt_broker::{Command, CommandId, Input, Limits, Seed, Time};

use super::{Beginning, Damage, FORMAT, HEAD_BYTES_MAX, Head, Item, MAGIC, PREFIX_BYTES, Placed, ReadError, kind};

/// Reads a recording. As an iterator it gives items until the end or until the first error, which is the last it gives.
#[derive(Debug)]
pub struct Reader<R> {
    from: R,
    /// Bytes read.
    offset: u64,
    head: Head,
    format: u16,
    /// Time of the last input.
    last: Time,
    begun: bool,
    ended: bool,
    /// The end or an error was given.
    over: bool,
}

impl<R: Read> Reader<R> {
    /// Reads and checks the head.
    ///
    /// # Errors
    /// It is no recording, one of an unknown format, or its head is damaged or cut off.
    pub fn open(from: R) -> Result<Self, ReadError> {
        let mut from = from;
        let mut start = Vec::new();
        take(&mut from, PREFIX_BYTES as u64, &mut start, 0)?;
        let magic = start.get(..MAGIC.len()).unwrap_or(&start);
        if *magic != MAGIC[..magic.len()] || magic.is_empty() {
            return Err(ReadError::NotARecording { found: magic.to_vec() });
        }
        if start.len() < PREFIX_BYTES {
            return Err(ReadError::CutOff { offset: 0 });
        }
        let format = u16::from_le_bytes([start[8], start[9]]);
        if format == 0 || format > FORMAT {
            return Err(ReadError::UnknownFormat { found: format });
        }
        let length = u32::from_le_bytes([start[10], start[11], start[12], start[13]]);
        if length > HEAD_BYTES_MAX {
            return Err(ReadError::Damaged { offset: 10, what: Damage::Length { found: start[10..].to_vec() } });
        }
        let end = PREFIX_BYTES + length as usize;
        take(&mut from, u64::from(length) + 4, &mut start, PREFIX_BYTES as u64)?;
        if start.len() < end + 4 {
            return Err(ReadError::CutOff { offset: 0 });
        }
        let damaged = |offset, what| ReadError::Damaged { offset, what };
        check(&start[..end], &start[end..]).map_err(|what| damaged(end as u64, what))?;
        let head = serde_json::from_slice(&start[PREFIX_BYTES..end]);
        let head = head.map_err(|error| damaged(PREFIX_BYTES as u64, Damage::Head { why: error.to_string() }))?;
        let offset = end as u64 + 4;
        Ok(Reader { from, offset, head, format, last: Time(0), begun: false, ended: false, over: false })
    }

    /// What the recording says once.
    #[must_use]
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The next item; `None` behind the end.
    fn read(&mut self) -> Result<Option<Placed>, ReadError> {
        let offset = self.offset;
        let damaged = |what| ReadError::Damaged { offset, what };
        let Some(length) = self.length()? else {
            return if self.ended { Ok(None) } else { Err(ReadError::CutOff { offset }) };
        };
        if self.ended {
            return Err(damaged(Damage::AfterEnd));
        }
        let mut bytes = Vec::new();
        self.take(u64::from(length) + 4, &mut bytes)?;
        let Some((item, checksum)) = bytes.split_at_checked(length as usize).filter(|(_, rest)| rest.len() == 4) else {
            return Err(ReadError::CutOff { offset });
        };
        check(item, checksum).map_err(damaged)?;
        let item = self.item(item).map_err(damaged)?;
        if !self.begun && !matches!(item, Item::Begin { .. }) {
            return Err(damaged(Damage::NoBeginning));
        }
        self.begun = true;
        self.ended = matches!(item, Item::End { .. });
        Ok(Some(Placed { offset, item }))
    }

    /// The length of the next item; `None` if the file ends here.
    fn length(&mut self) -> Result<Option<u32>, ReadError> {
        let offset = self.offset;
        let mut bytes = Vec::new();
        let mut value = 0_u64;
        loop {
            let before = bytes.len();
            self.take(1, &mut bytes)?;
            let Some(&byte) = bytes.get(before) else {
                return if before == 0 { Ok(None) } else { Err(ReadError::CutOff { offset }) };
            };
            value |= u64::from(byte & 0x7F) << (7 * before);
            if byte & 0x80 == 0 {
                break;
            }
            if before == 4 {
                return Err(ReadError::Damaged { offset, what: Damage::Length { found: bytes } });
            }
        }
        let fitting = crc32fast::hash(&bytes) as u8;
        let digits = bytes.len();
        self.take(1, &mut bytes)?;
        let Some(&guard) = bytes.get(digits) else { return Err(ReadError::CutOff { offset }) };
        if value == 0 && guard == 0 && self.only_zeros()? {
            return Err(ReadError::CutOff { offset });
        }
        if guard != fitting {
            return Err(ReadError::Damaged { offset, what: Damage::Guard { found: guard, fitting } });
        }
        let shortest = digits == 1 || bytes[digits - 1] != 0;
        match u32::try_from(value) {
            Ok(length) if length > 0 && shortest => Ok(Some(length)),
            Ok(_) | Err(_) => {
                bytes.truncate(digits);
                Err(ReadError::Damaged { offset, what: Damage::Length { found: bytes } })
            }
        }
    }

    /// Whether all that is left are zeros, as file systems leave them behind a crash.
    fn only_zeros(&mut self) -> Result<bool, ReadError> {
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            self.take(4 << 10, &mut bytes)?;
            if bytes.is_empty() || bytes.iter().any(|byte| *byte != 0) {
                return Ok(bytes.is_empty());
            }
        }
    }

    fn item(&mut self, bytes: &[u8]) -> Result<Item, Damage> {
        let (kind, body) = bytes.split_first().ok_or(Damage::Length { found: vec![0] })?;
        Ok(match *kind {
            kind::BEGIN => {
                let (why, seed, from): (String, Seed, Beginning) = decode(body, "a beginning")?;
                Item::Begin { why, seed, from }
            }
            kind::INPUT => {
                let (since, input) = self.input(body)?;
                self.last = Time(self.last.0.wrapping_add_signed(since));
                Item::Input { at: self.last, input }
            }
            kind::DIGEST => {
                let (id, digest): (CommandId, [u8; 8]) = decode(body, "a digest")?;
                Item::Digest { id, digest: u64::from_le_bytes(digest) }
            }
            kind::END => Item::End { why: decode(body, "an end")? },
            other => return Err(Damage::Kind(other)),
        })
    }

    /// In format 1, the limits that end a `SetLimits` have one number less: the bound on bridges.
    fn input(&self, body: &[u8]) -> Result<(i64, Input), Damage> {
        const EXPECTED: &str = "a time and an input";
        let whole: Result<(i64, Input), Damage> = decode(body, EXPECTED);
        if self.format > 1 || whole.is_ok() {
            return whole;
        }
        let bridges_max = postcard::to_allocvec(&Limits::default().bridges_max).unwrap_or_default();
        let older: (i64, Input) = decode(&[body, &bridges_max].concat(), EXPECTED)?;
        let is_limits = matches!(older.1, Input::Command { command: Command::SetLimits(_), .. });
        if is_limits { Ok(older) } else { whole }
    }

    /// Reads up to `count` bytes more; fewer only at the end of the file.
    fn take(&mut self, count: u64, into: &mut Vec<u8>) -> Result<(), ReadError> {
        self.offset += take(&mut self.from, count, into, self.offset)?;
        Ok(())
    }
}

impl<R: Read> Iterator for Reader<R> {
    type Item = Result<Placed, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let read = self.read();
        self.over = !matches!(read, Ok(Some(_)));
        read.transpose()
    }
}

/// Memory grows with what comes, not with what was announced.
fn take(from: &mut impl Read, count: u64, into: &mut Vec<u8>, offset: u64) -> Result<u64, ReadError> {
    let taken: io::Result<usize> = from.by_ref().take(count).read_to_end(into);
    taken.map(|taken| taken as u64).map_err(|error| ReadError::Io { offset, error })
}

fn check(bytes: &[u8], checksum: &[u8]) -> Result<(), Damage> {
    let fitting = crc32fast::hash(bytes);
    let found = checksum.try_into().map_or(!fitting, u32::from_le_bytes);
    if found == fitting { Ok(()) } else { Err(Damage::Checksum { found, fitting }) }
}

/// The whole body and nothing behind it.
fn decode<T: DeserializeOwned>(body: &[u8], expected: &'static str) -> Result<T, Damage> {
    match postcard::take_from_bytes(body) {
        Ok((value, [])) => Ok(value),
        Ok(_) | Err(_) => Err(Damage::Body { expected }),
    }
}
