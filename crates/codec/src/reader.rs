//! The one reader under every decoder: it takes fields off a frame and tells a watcher about each.
//!
//! Decoding and describing must never disagree, so there is one decoder, generic over a [`Watch`]. To decode,
//! the watcher is `()`, whose methods are empty: the compiler removes them and every [`Label`] with them. To
//! describe, the watcher hands each field on. The reader knows the data types of section 1.5 and the shape of
//! the fixed header; what the fields mean is written in `packet/` and `property/`.

use crate::describe::FieldValue;
use crate::string::locate_utf8;
use crate::{DecodeError, PacketIdentifier, PacketType, ProtocolVersion, ReasonCode, Rule, Sender, TopicName, varint};

/// The name of a field and the section that defines it, for MQTT 5.0 and for 3.x.
#[derive(Clone, Copy)]
pub(crate) struct Label {
    pub v5: (&'static str, &'static str),
    pub v3: (&'static str, &'static str),
}

/// Makes a `&'static Label` from a name, its section in 5.0 and, if it exists there, in 3.1.1.
macro_rules! label {
    ($name:literal, $v5:literal) => {
        label!($name, $v5; $name, "5", $v5)
    };
    ($name:literal, $v5:literal, $v3:literal) => {
        label!($name, $v5; $name, "311", $v3)
    };
    ($name5:literal, $v5:literal; $name3:literal, $v3:literal) => {
        label!($name5, $v5; $name3, "311", $v3)
    };
    ($name5:literal, $v5:literal; $name3:literal, $standard:literal, $v3:literal) => {
        const {
            &crate::reader::Label {
                v5: ($name5, concat!("5:", $v5)),
                v3: ($name3, concat!($standard, ":", $v3)),
            }
        }
    };
}

/// The three parts of a packet (section 2.1).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    FixedHeader,
    VariableHeader,
    Payload,
}

/// One observation: bytes `start..end` of the frame, or `bits` of one byte, mean this.
pub(crate) struct Seen<'a> {
    pub start: usize,
    pub end: usize,
    pub bits: Option<(u8, u8)>,
    pub value: FieldValue<'a>,
}

/// Who is told about the fields while a packet is decoded.
pub(crate) trait Watch<'a> {
    /// Whether anybody listens.
    const ON: bool;
    /// A part of the packet starts at this byte.
    fn part(&mut self, part: Part, start: usize, version: ProtocolVersion);
    /// A field was read. The fields after a `Group`, up to its `end`, are inside it.
    fn field(&mut self, name: (&'static str, &'static str), seen: Seen<'a>);
}

/// Nobody listens: decode only.
impl<'a> Watch<'a> for () {
    const ON: bool = false;
    #[inline(always)]
    fn part(&mut self, _: Part, _: usize, _: ProtocolVersion) {}
    #[inline(always)]
    fn field(&mut self, _: (&'static str, &'static str), _: Seen<'a>) {}
}

/// A frame, how far it was read, and whose it is.
pub(crate) struct Reader<'a, W> {
    /// What may be read: the frame, or its start up to the end of the property list being read.
    bytes: &'a [u8],
    at: usize,
    pub version: ProtocolVersion,
    pub from: Sender,
    watch: W,
}

impl<'a, W: Watch<'a>> Reader<'a, W> {
    #[inline(always)]
    pub fn new(bytes: &'a [u8], version: ProtocolVersion, from: Sender, watch: W) -> Self {
        Self { bytes, at: 0, version, from, watch }
    }

    /// The next byte to read, counted from the start of the frame.
    #[inline(always)]
    pub fn at(&self) -> usize {
        self.at
    }

    #[inline(always)]
    pub fn is_at_end(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// What is left.
    #[inline(always)]
    pub fn unread(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    /// Where it ends.
    #[inline(always)]
    pub fn end_at(&self) -> usize {
        self.bytes.len()
    }

    #[inline(always)]
    pub fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The fixed header (section 2.1.1): the packet type and the four flags, which are not checked yet.
    ///
    /// The frame must be exactly as long as its Remaining Length says.
    #[inline(always)]
    pub fn fixed_header(&mut self) -> Result<(PacketType, u8), DecodeError> {
        self.part(Part::FixedHeader);
        let first = self.byte()?;
        let Some(packet_type) = PacketType::from_bits(first >> 4) else {
            return fail(Rule::PacketTypeReserved, 0);
        };
        self.bits(label!("MQTT Control Packet type", "2.1.2", "2.2.1"), 7, 4, FieldValue::Packet(packet_type));
        if packet_type == PacketType::Publish {
            self.bits(label!("DUP", "3.3.1.1", "3.3.1.1"), 3, 3, FieldValue::Flag(first & 0b1000 != 0));
            self.bits(label!("QoS", "3.3.1.2", "3.3.1.2"), 2, 1, FieldValue::Number(u32::from(first >> 1 & 0b11)));
            self.bits(label!("RETAIN", "3.3.1.3", "3.3.1.3"), 0, 0, FieldValue::Flag(first & 1 != 0));
        } else {
            self.bits(label!("Reserved", "2.1.3", "2.2.2"), 3, 0, FieldValue::Number(u32::from(first & 0x0F)));
        }
        let length = self.varint(label!("Remaining Length", "2.1.4", "2.2.3"))? as usize;
        if length > self.remaining() {
            return fail(Rule::Truncated, self.bytes.len());
        }
        if length < self.remaining() {
            return fail(Rule::TrailingBytes, self.at + length);
        }
        Ok((packet_type, first & 0x0F))
    }

    /// Says that the next field belongs to this part of the packet.
    #[inline(always)]
    pub fn part(&mut self, part: Part) {
        self.watch.part(part, self.at, self.version);
    }

    /// The next byte, not yet a field: report it with [`Reader::bits`] or [`Reader::seen`].
    #[inline(always)]
    pub fn byte(&mut self) -> Result<u8, DecodeError> {
        match self.bytes.get(self.at) {
            Some(byte) => {
                self.at += 1;
                Ok(*byte)
            }
            None => fail(Rule::Truncated, self.at),
        }
    }

    /// The next `N` bytes, not yet a field.
    #[inline(always)]
    fn chunk<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        match self.unread().first_chunk() {
            Some(chunk) => {
                self.at += N;
                Ok(*chunk)
            }
            None => fail(Rule::Truncated, self.bytes.len()),
        }
    }

    /// The next `count` bytes, not yet a field.
    #[inline(always)]
    fn take(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        match self.unread().split_at_checked(count) {
            Some((taken, _)) => {
                self.at += count;
                Ok(taken)
            }
            None => fail(Rule::Truncated, self.bytes.len()),
        }
    }

    /// Reports bits of the byte just read.
    #[inline(always)]
    pub fn bits(&mut self, label: &'static Label, high: u8, low: u8, value: FieldValue<'a>) {
        let (start, end) = (self.at - 1, self.at);
        self.report(label, Seen { start, end, bits: Some((high, low)), value });
    }

    /// Reports what was read from `start` on as one field.
    #[inline(always)]
    pub fn seen(&mut self, label: &Label, start: usize, value: FieldValue<'a>) {
        self.report(label, Seen { start, end: self.at, bits: None, value });
    }

    /// Reports that the fields to come, up to `end`, belong together.
    #[inline(always)]
    pub fn group(&mut self, label: &Label, start: usize, end: usize) {
        self.report(label, Seen { start, end, bits: None, value: FieldValue::Group });
    }

    #[inline(always)]
    fn report(&mut self, label: &Label, seen: Seen<'a>) {
        if W::ON {
            let name = if self.version.is_v5() { label.v5 } else { label.v3 };
            self.watch.field(name, seen);
        }
    }

    /// One byte that is a number.
    #[inline(always)]
    pub fn u8(&mut self, label: &Label) -> Result<u8, DecodeError> {
        let byte = self.byte()?;
        self.seen(label, self.at - 1, FieldValue::Number(u32::from(byte)));
        Ok(byte)
    }

    /// A Two Byte Integer (section 1.5.2).
    #[inline(always)]
    pub fn u16(&mut self, label: &Label) -> Result<u16, DecodeError> {
        let start = self.at;
        let number = u16::from_be_bytes(self.chunk()?);
        self.seen(label, start, FieldValue::Number(u32::from(number)));
        Ok(number)
    }

    /// A Four Byte Integer (section 1.5.3).
    pub fn u32(&mut self, label: &Label) -> Result<u32, DecodeError> {
        let start = self.at;
        let number = u32::from_be_bytes(self.chunk()?);
        self.seen(label, start, FieldValue::Number(number));
        Ok(number)
    }

    /// A Variable Byte Integer (section 1.5.5).
    #[inline(always)]
    pub fn varint(&mut self, label: &Label) -> Result<u32, DecodeError> {
        let start = self.at;
        match varint::decode(self.unread()) {
            Ok(Some((number, length))) => {
                self.at += length;
                self.seen(label, start, FieldValue::Number(number));
                Ok(number)
            }
            Ok(None) => fail(Rule::Truncated, self.bytes.len()),
            Err(rule) => fail(rule, start),
        }
    }

    /// The bytes behind a Two Byte Integer that counts them; the count is reported, the bytes are not.
    #[inline(always)]
    pub fn prefixed(&mut self, label: &Label) -> Result<&'a [u8], DecodeError> {
        let length = Label { v5: ("Length", label.v5.1), v3: ("Length", label.v3.1) };
        let length = self.u16(&length)?;
        self.take(usize::from(length))
    }

    /// A UTF-8 Encoded String (section 1.5.4).
    pub fn utf8(&mut self, label: &Label) -> Result<&'a str, DecodeError> {
        let bytes = self.prefixed(label)?;
        self.utf8_in(label, bytes)
    }

    /// The same, of bytes that [`Reader::prefixed`] has just read.
    pub fn utf8_in(&mut self, label: &Label, bytes: &'a [u8]) -> Result<&'a str, DecodeError> {
        let start = self.at - bytes.len();
        // [5:MQTT-1.5.4-1] [5:MQTT-1.5.4-2] [311:MQTT-1.5.3-1] [311:MQTT-1.5.3-2]
        match locate_utf8(bytes) {
            Ok(string) => {
                self.seen(label, start, FieldValue::Text(string));
                Ok(string)
            }
            Err((rule, offset)) => fail(rule, start + offset),
        }
    }

    /// The string that was just read, as a Topic Name (section 4.7).
    pub fn topic_name(&self, name: &'a str) -> Result<TopicName<'a>, DecodeError> {
        TopicName::locate(name).or_else(|(rule, offset)| fail(rule, self.at - name.len() + offset))
    }

    /// Binary Data (section 1.5.6).
    pub fn binary(&mut self, label: &Label) -> Result<&'a [u8], DecodeError> {
        let bytes = self.prefixed(label)?;
        self.seen(label, self.at - bytes.len(), FieldValue::Binary(bytes));
        Ok(bytes)
    }

    /// The Packet Identifier (section 2.2.1).
    #[inline(always)]
    pub fn packet_identifier(&mut self) -> Result<PacketIdentifier, DecodeError> {
        let start = self.at;
        let number = self.u16(label!("Packet Identifier", "2.2.1", "2.3.1"))?;
        // [5:MQTT-2.2.1-3] [5:MQTT-2.2.1-4] [311:MQTT-2.3.1-1] Never zero.
        match PacketIdentifier::new(number) {
            Some(identifier) => Ok(identifier),
            None => fail(Rule::PacketIdentifierZero, start),
        }
    }

    /// A Reason Code that this packet may carry (section 2.4); `rule` is broken by any other byte.
    pub fn reason_code(
        &mut self,
        label: &Label,
        packet_type: PacketType,
        rule: Rule,
    ) -> Result<ReasonCode, DecodeError> {
        let at = self.at;
        let byte = self.byte()?;
        let code = ReasonCode::from_byte(byte);
        self.seen(label, at, code.map_or(FieldValue::Number(u32::from(byte)), FieldValue::Reason));
        match code {
            Some(code) if code.allowed_in(packet_type) => Ok(code),
            Some(_) | None => fail(rule, at),
        }
    }

    /// All bytes that are left, not yet a field.
    #[inline(always)]
    pub fn rest(&mut self) -> &'a [u8] {
        let rest = self.unread();
        self.at = self.bytes.len();
        rest
    }

    /// Ends the frame `count` bytes from here; gives back what to pass to [`Reader::widen`].
    pub fn narrow(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let whole = self.bytes;
        match whole.get(..self.at + count) {
            Some(narrowed) => {
                self.bytes = narrowed;
                Ok(whole)
            }
            None => fail(Rule::Truncated, whole.len()),
        }
    }

    /// Undoes [`Reader::narrow`].
    pub fn widen(&mut self, whole: &'a [u8]) {
        self.bytes = whole;
    }

    /// The packet ends here.
    #[inline(always)]
    pub fn end(&self) -> Result<(), DecodeError> {
        if self.is_at_end() { Ok(()) } else { fail(Rule::TrailingBytes, self.at) }
    }
}

/// The error that this rule was broken at this byte of the frame.
#[cold]
pub(crate) fn fail<T>(rule: Rule, offset: usize) -> Result<T, DecodeError> {
    // A frame has at most 5 + 268,435,455 bytes.
    Err(DecodeError { rule, offset: offset as u32 })
}
