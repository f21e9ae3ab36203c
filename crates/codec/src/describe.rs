//! Every field of a packet with its bytes and bits, for people: for the simulator's inspector and for logs.
//!
//! This is not a second decoder. [`describe`] runs the decoder of this crate with a watcher that hands on each
//! field, so what it shows is what the broker read, and it stops where the broker would stop. Fields come in
//! the order of the wire. A field that holds others is a [`FieldValue::Group`]; the others, the leaves, cover
//! each bit of a valid packet exactly once.
//!
//! ```
//! use wasmqtt_codec::{FieldValue, ProtocolVersion, Sender, describe};
//!
//! let mut names = Vec::new();
//! describe(&[0xC0, 0x00], ProtocolVersion::V5, Sender::Client, &mut |field| names.push((field.depth, field.name)))?;
//! assert_eq!(names, [
//!     (0, "Fixed Header"),
//!     (1, "MQTT Control Packet type"),
//!     (1, "Reserved"),
//!     (1, "Remaining Length"),
//! ]);
//! # Ok::<(), wasmqtt_codec::DecodeError>(())
//! ```

use core::ops::Range;

use crate::packet;
use crate::reader::{Label, Part, Reader, Seen, Watch};
use crate::{Connect, DecodeError, PacketType, ProtocolVersion, ReasonCode, Sender};

/// One field of a packet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Field<'a> {
    /// The standard's name for it, in the packet's version.
    pub name: &'static str,
    /// The section that defines it, as `5:3.3.1.1` or `311:3.3.1.1`. MQTT 3.1 is shown with 3.1.1.
    pub section: &'static str,
    /// Its bytes in the frame. Empty if it is a value of zero length.
    pub bytes: Range<u32>,
    /// For a part of one byte, its highest and its lowest bit: 7 to 0.
    pub bits: Option<(u8, u8)>,
    /// How many groups it is inside of.
    pub depth: u8,
    /// What it says.
    pub value: FieldValue<'a>,
}

/// What a field says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FieldValue<'a> {
    /// An integer, or bits that are one.
    Number(u32),
    /// One bit, or a byte that is 0 or 1.
    Flag(bool),
    /// A UTF-8 Encoded String.
    Text(&'a str),
    /// Binary Data, or a Payload.
    Binary(&'a [u8]),
    /// A Reason Code of MQTT 5.0.
    Reason(ReasonCode),
    /// A packet type.
    Packet(PacketType),
    /// Nothing itself: the fields that follow with a greater depth, up to the end of its bytes, are its parts.
    Group,
}

/// Calls `each` for every field of the packet in `frame`, in the order of the wire.
///
/// `version` and `from` are as for [`Packet::decode`](crate::Packet::decode).
///
/// # Errors
///
/// Those of `decode`. All fields before the error, and the field in question if it could be read, have been
/// reported by then.
pub fn describe<'a>(
    frame: &'a [u8],
    version: ProtocolVersion,
    from: Sender,
    each: &mut dyn FnMut(Field<'a>),
) -> Result<(), DecodeError> {
    // A CONNECT names its version in its seventh or ninth byte; its first fields are named in that version too.
    let version = Connect::version_of(frame).unwrap_or(version);
    // A group is reported before its fields, but where a part of the packet ends is only known after it was
    // read. So the packet is read twice: once to find the parts, once to report. It is the same watcher both times, or
    // a page would download the decoder once more.
    let layout = Layout { starts: [None; 3], end: frame.len() };
    let mut describer = Describer { layout, open: Open::default(), each: None };
    let _ = packet::read(Reader::new(frame, version, from, &mut describer));
    describer.each = Some(each);
    packet::read(Reader::new(frame, version, from, &mut describer)).map(drop)
}

/// Where the parts of a packet start.
struct Layout {
    starts: [Option<usize>; 3],
    end: usize,
}

impl Layout {
    /// A part ends where the next begins.
    fn end_of(&self, part: Part) -> usize {
        self.starts[part as usize + 1..].iter().flatten().copied().next().unwrap_or(self.end)
    }
}

/// Finds the parts as long as there is nobody to tell, then hands on each field.
struct Describer<'a, 'f> {
    layout: Layout,
    open: Open,
    each: Option<&'f mut dyn FnMut(Field<'a>)>,
}

/// The ends of the groups that are open: a part, its property list, one property.
#[derive(Default)]
struct Open {
    ends: [usize; 4],
    depth: usize,
}

impl<'a> Watch<'a> for &mut Describer<'a, '_> {
    const ON: bool = true;

    fn part(&mut self, part: Part, start: usize, version: ProtocolVersion) {
        let label: &Label = match part {
            Part::FixedHeader => label!("Fixed Header", "2.1.1"; "Fixed header", "2.2"),
            Part::VariableHeader => label!("Variable Header", "2.2"; "Variable header", "2.3"),
            Part::Payload => label!("Payload", "2.3", "2.4"),
        };
        let name = if version.is_v5() { label.v5 } else { label.v3 };
        if self.each.is_none() {
            self.layout.starts[part as usize] = Some(start);
            return;
        }
        self.open.depth = 0;
        self.field(name, Seen { start, end: self.layout.end_of(part), bits: None, value: FieldValue::Group });
    }

    fn field(&mut self, (name, section): (&'static str, &'static str), seen: Seen<'a>) {
        let Some(each) = self.each.as_mut() else { return };
        // A group is over when a field reaches beyond it. An empty field at its very end may still be inside.
        while self.open.depth > 1 && seen.end > self.open.ends[self.open.depth - 1] {
            self.open.depth -= 1;
        }
        let (Seen { start, end, bits, value }, depth) = (seen, self.open.depth as u8);
        each(Field { name, section, bytes: start as u32..end as u32, bits, depth, value });
        if value == FieldValue::Group {
            self.open.ends[self.open.depth] = end;
            self.open.depth += 1;
        }
    }
}
