//! Frames of RFC 6455 around the broker's bytes. Frame headers are read and written by tungstenite; what is kept here
//! is where in the stream of frames each direction stands. Nothing is collected: data is unmasked where it lies and
//! moved together over the headers, so a frame may be as long as it likes and still costs no memory, and the broker
//! sees one stream of bytes, cut anywhere [5:MQTT-6.0.0-2] [311:MQTT-6.0.0-2].
//!
//! ```text
//!   in:   header [head] -> payload [remaining, mask] -> header ...     control frames may come between fragments
//!   out:  [out: pongs, header] -> payload [promised] -> ...            control frames go between data frames only
//! ```

use std::fmt;
use std::io::{self, Cursor, Write};

use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::coding::{CloseCode, Control, Data, OpCode};
use tungstenite::protocol::frame::{Frame, FrameHeader};
use wasmqtt_broker::CloseReason;
use wasmqtt_broker::codec::ReasonCode;

use super::{Written, write_all_slices};

/// The longest header there is.
const HEAD_BYTES_MAX: usize = 14;
/// The longest payload of a control frame (5.5).
const CONTROL_BYTES_MAX: u64 = 125;

/// Why a WebSocket is ended by the host itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WebSocketFault {
    /// A text frame [5:MQTT-6.0.0-1] [311:MQTT-6.0.0-1].
    Text,
    /// A frame from a client without a mask (5.1).
    Unmasked,
    /// Reserved bits, though no extension was agreed on (5.2).
    ReservedBits,
    /// An unknown opcode, or a header that makes no sense (5.2).
    Header,
    /// A control frame that is too long or fragmented (5.5).
    Control,
    /// A continuation of nothing, or a new message inside an unfinished one (5.4).
    Fragment,
}

impl WebSocketFault {
    /// What the peer is told.
    #[must_use]
    pub fn close_code(self) -> CloseCode {
        match self {
            WebSocketFault::Text => CloseCode::Unsupported,
            WebSocketFault::Unmasked
            | WebSocketFault::ReservedBits
            | WebSocketFault::Header
            | WebSocketFault::Control
            | WebSocketFault::Fragment => CloseCode::Protocol,
        }
    }

    /// The statement or section that was broken.
    #[must_use]
    pub fn statement(self) -> &'static str {
        match self {
            WebSocketFault::Text => "5:MQTT-6.0.0-1",
            WebSocketFault::Unmasked => "RFC6455:5.1",
            WebSocketFault::ReservedBits | WebSocketFault::Header => "RFC6455:5.2",
            WebSocketFault::Fragment => "RFC6455:5.4",
            WebSocketFault::Control => "RFC6455:5.5",
        }
    }
}

impl fmt::Display for WebSocketFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            WebSocketFault::Text => "a text frame; MQTT is binary",
            WebSocketFault::Unmasked => "a frame without a mask",
            WebSocketFault::ReservedBits => "a frame with reserved bits",
            WebSocketFault::Header => "a frame header that makes no sense",
            WebSocketFault::Control => "a control frame that is too long or fragmented",
            WebSocketFault::Fragment => "a fragment out of order",
        })
    }
}

/// How the peer's side of the stream ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// It sent a Close frame; what followed is ignored.
    PeerClosed,
    /// It did what it may not.
    Fault(WebSocketFault),
}

/// What became of bytes from the socket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unframed {
    /// The broker's bytes, now at the front.
    pub payload_bytes: usize,
    /// Whether no more will come.
    pub end: Option<End>,
}

/// A WebSocket after its handshake.
#[derive(Debug, Default)]
pub struct WebSocket {
    /// A header that isn't complete yet.
    head: [u8; HEAD_BYTES_MAX],
    head_len: usize,
    /// Payload of the current frame that hasn't come yet.
    remaining: u64,
    /// The mask, turned so that its first byte fits the next byte of payload.
    mask: [u8; 4],
    /// The current frame's opcode, if it is a control frame.
    control: Option<Control>,
    control_payload: Vec<u8>,
    /// Whether a fragmented message is unfinished.
    in_message: bool,
    ended: Option<End>,
    /// Headers and control frames that must leave before anything else.
    out: Vec<u8>,
    /// Payload of the current outgoing frame that hasn't left yet.
    promised: usize,
    /// The last Ping's payload: only the newest needs an answer (5.5.3).
    pong: Option<Vec<u8>>,
}

impl WebSocket {
    /// Takes bytes as they came and moves the broker's bytes among them to the front.
    pub fn unframe(&mut self, bytes: &mut [u8]) -> Unframed {
        let (mut read, mut kept) = (0, 0);
        while read < bytes.len() && self.ended.is_none() {
            if self.remaining == 0 {
                match self.header(&bytes[read..]) {
                    Ok(used) => read += used,
                    Err(fault) => self.ended = Some(End::Fault(fault)),
                }
                continue;
            }
            let len = usize::try_from(self.remaining).unwrap_or(usize::MAX).min(bytes.len() - read);
            unmask(&mut bytes[read..read + len], &mut self.mask);
            match self.control {
                Some(_) => self.control_payload.extend_from_slice(&bytes[read..read + len]),
                None => {
                    bytes.copy_within(read..read + len, kept);
                    kept += len;
                }
            }
            read += len;
            self.remaining -= len as u64;
            self.end_control();
        }
        Unframed { payload_bytes: kept, end: self.ended }
    }

    /// Reads a header that may have begun in earlier bytes; gives how many of these belong to it.
    fn header(&mut self, bytes: &[u8]) -> Result<usize, WebSocketFault> {
        let before = self.head_len;
        let parse = |bytes: &[u8]| {
            let mut cursor = Cursor::new(bytes);
            let parsed = FrameHeader::parse(&mut cursor).map_err(|_| WebSocketFault::Header)?;
            Ok(parsed.map(|(header, len)| (header, len, cursor.position() as usize)))
        };
        let parsed = if before == 0 {
            parse(bytes)?
        } else {
            let len = bytes.len().min(HEAD_BYTES_MAX - before);
            self.head[before..before + len].copy_from_slice(&bytes[..len]);
            parse(&self.head[..before + len])?
        };
        let Some((header, len, used)) = parsed else {
            if before == 0 {
                self.head[..bytes.len()].copy_from_slice(bytes);
            }
            self.head_len = before + bytes.len();
            return Ok(bytes.len());
        };
        self.head_len = 0;
        self.begin(&header, len)?;
        Ok(used - before)
    }

    fn begin(&mut self, header: &FrameHeader, len: u64) -> Result<(), WebSocketFault> {
        if header.rsv1 || header.rsv2 || header.rsv3 {
            return Err(WebSocketFault::ReservedBits);
        }
        self.mask = header.mask.ok_or(WebSocketFault::Unmasked)?;
        self.control = None;
        match header.opcode {
            OpCode::Control(_) if !header.is_final || len > CONTROL_BYTES_MAX => return Err(WebSocketFault::Control),
            OpCode::Control(control) => {
                self.control = Some(control);
                self.control_payload.clear();
            }
            OpCode::Data(Data::Text) => return Err(WebSocketFault::Text),
            OpCode::Data(Data::Binary) if self.in_message => return Err(WebSocketFault::Fragment),
            OpCode::Data(Data::Continue) if !self.in_message => return Err(WebSocketFault::Fragment),
            OpCode::Data(Data::Binary | Data::Continue) => self.in_message = !header.is_final,
            OpCode::Data(Data::Reserved(_)) => return Err(WebSocketFault::Header),
        }
        self.remaining = len;
        self.end_control();
        Ok(())
    }

    /// Obeys a control frame once it is complete.
    fn end_control(&mut self) {
        if self.remaining > 0 {
            return;
        }
        match self.control.take() {
            Some(Control::Ping) => self.pong = Some(self.control_payload.clone()),
            Some(Control::Close) => self.ended = Some(End::PeerClosed),
            Some(Control::Pong | Control::Reserved(_)) | None => {}
        }
    }

    /// Whether something must leave that is not the broker's.
    #[must_use]
    pub fn has_control_out(&self) -> bool {
        self.pong.is_some() || !self.out.is_empty()
    }

    /// Writes the broker's bytes, all of these slices as one frame if none is under way.
    ///
    /// # Errors
    /// Only those that end the stream.
    pub fn write<'a>(
        &mut self,
        stream: &mut impl Write,
        slices: impl Iterator<Item = &'a [u8]> + Clone,
    ) -> io::Result<Written> {
        let total: usize = slices.clone().map(<[u8]>::len).sum();
        let mut done = 0;
        while done < total {
            if self.promised == 0 {
                self.begin_frame(total - done);
            }
            let part = skip(slices.clone(), done, self.promised).map(|slice| -> &[u8] { slice });
            let part_bytes = self.promised.min(total - done);
            let out = std::mem::take(&mut self.out);
            let taken = write_all_slices(stream, std::iter::once(&out[..]).filter(|out| !out.is_empty()).chain(part));
            self.out = out;
            let taken = taken?;
            let payload = taken.saturating_sub(self.out.len());
            self.out.drain(..taken.min(self.out.len()));
            self.promised -= payload;
            done += payload;
            if payload < part_bytes {
                return Ok(Written { payload_bytes: done, blocked: true });
            }
        }
        Ok(Written { payload_bytes: done, blocked: false })
    }

    /// Writes what must leave that is not the broker's; gives whether nothing of it is left.
    ///
    /// # Errors
    /// Only those that end the stream.
    pub fn flush(&mut self, stream: &mut impl Write) -> io::Result<bool> {
        if self.promised == 0 {
            self.put_pong();
        }
        let taken = write_all_slices(stream, std::iter::once(&self.out[..]).filter(|out| !out.is_empty()))?;
        self.out.drain(..taken);
        Ok(self.out.is_empty())
    }

    /// Puts a Close frame at the end. Inside an unfinished frame there is no place for one.
    pub fn close(&mut self, code: CloseCode) {
        if self.promised == 0 {
            let frame = Frame::close(Some(CloseFrame { code, reason: "".into() }));
            frame.format(&mut self.out).expect("a vector can be written");
        }
    }

    fn begin_frame(&mut self, payload_bytes: usize) {
        self.put_pong();
        let header = FrameHeader { opcode: OpCode::Data(Data::Binary), ..FrameHeader::default() };
        header.format(payload_bytes as u64, &mut self.out).expect("a vector can be written");
        self.promised = payload_bytes;
    }

    fn put_pong(&mut self) {
        if let Some(payload) = self.pong.take() {
            Frame::pong(payload).format(&mut self.out).expect("a vector can be written");
        }
    }
}

/// The close code that says what the core says.
#[must_use]
pub fn close_code(why: &CloseReason) -> CloseCode {
    match why.reason() {
        ReasonCode::Success | ReasonCode::DisconnectWithWill => CloseCode::Normal,
        ReasonCode::ServerShuttingDown => CloseCode::Away,
        ReasonCode::PacketTooLarge => CloseCode::Size,
        ReasonCode::ServerUnavailable | ReasonCode::ServerBusy => CloseCode::Again,
        ReasonCode::UnspecifiedError | ReasonCode::ImplementationSpecificError => CloseCode::Error,
        ReasonCode::MalformedPacket
        | ReasonCode::ProtocolError
        | ReasonCode::UnsupportedProtocolVersion
        | ReasonCode::ReceiveMaximumExceeded
        | ReasonCode::TopicAliasInvalid
        | ReasonCode::TopicNameInvalid
        | ReasonCode::TopicFilterInvalid => CloseCode::Protocol,
        // Whatever else ends a connection is a rule of this server, not of the protocol.
        _ => CloseCode::Policy,
    }
}

/// Applies the mask and turns it for what follows.
fn unmask(bytes: &mut [u8], mask: &mut [u8; 4]) {
    let wide = u64::from_ne_bytes([mask[0], mask[1], mask[2], mask[3], mask[0], mask[1], mask[2], mask[3]]);
    let len = bytes.len();
    let (chunks, rest) = bytes.as_chunks_mut::<8>();
    for chunk in chunks {
        *chunk = (u64::from_ne_bytes(*chunk) ^ wide).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
    mask.rotate_left(len % 4);
}

/// `len` bytes of the slices, from `from` on.
fn skip<'a>(slices: impl Iterator<Item = &'a [u8]>, mut from: usize, mut len: usize) -> impl Iterator<Item = &'a [u8]> {
    slices.filter_map(move |slice| {
        let begin = from.min(slice.len());
        from -= begin;
        let end = slice.len().min(begin.saturating_add(len));
        len -= end - begin;
        (end > begin).then(|| &slice[begin..end])
    })
}

#[cfg(test)]
mod tests {
    use super::super::tcp::tests::Narrow;
    use super::*;

    /// A masked frame as a client sends it, made by hand (5.2).
    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mask = [0x37, 0xFA, 0x21, 0x3D];
        let mut frame = vec![first];
        match payload.len() {
            len @ 0..126 => frame.push(0x80 | len as u8),
            len => {
                frame.push(0xFE);
                frame.extend_from_slice(&(len as u16).to_be_bytes());
            }
        }
        frame.extend_from_slice(&mask);
        frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        frame
    }

    fn unframe(socket: &mut WebSocket, mut bytes: Vec<u8>) -> (Vec<u8>, Option<End>) {
        let unframed = socket.unframe(&mut bytes);
        bytes.truncate(unframed.payload_bytes);
        (bytes, unframed.end)
    }

    /// [5:MQTT-6.0.0-2] [311:MQTT-6.0.0-2]
    #[test]
    fn any_cut_of_fragments_and_pings_gives_the_same_bytes() {
        let long: Vec<u8> = (0..300_u32).map(|byte| byte as u8).collect();
        let stream =
            [frame(0x02, b"ab"), frame(0x89, b"ping"), frame(0x80, &long), frame(0x82, b""), frame(0x82, b"c")]
                .concat();
        let expected = [b"ab", &long[..], b"c"].concat();
        for cut in 0..stream.len() {
            let mut socket = WebSocket::default();
            let (first, _) = unframe(&mut socket, stream[..cut].to_vec());
            let (second, end) = unframe(&mut socket, stream[cut..].to_vec());
            assert_eq!(([first, second].concat(), end), (expected.clone(), None), "cut at {cut}");
            let mut out = Narrow { room: 100, taken: Vec::new() };
            assert!(socket.flush(&mut out).unwrap());
            assert_eq!(out.taken, b"\x8A\x04ping");
        }
        let mut socket = WebSocket::default();
        let by_bytes: Vec<u8> = stream.iter().flat_map(|&byte| unframe(&mut socket, vec![byte]).0).collect();
        assert_eq!(by_bytes, expected);
    }

    /// [5:MQTT-6.0.0-1] [311:MQTT-6.0.0-1]
    #[test]
    fn what_a_client_may_not_send_ends_the_stream_after_what_was_good() {
        let fault = |bad: Vec<u8>| {
            let (bytes, end) = unframe(&mut WebSocket::default(), [frame(0x82, b"ok"), bad].concat());
            assert_eq!(bytes, b"ok");
            end
        };
        let cases = [
            (frame(0x81, b"text"), WebSocketFault::Text, CloseCode::Unsupported),
            (vec![0x82, 0x01, 0x00], WebSocketFault::Unmasked, CloseCode::Protocol),
            (frame(0xC2, b""), WebSocketFault::ReservedBits, CloseCode::Protocol),
            (frame(0x83, b""), WebSocketFault::Header, CloseCode::Protocol),
            (frame(0x80, b"x"), WebSocketFault::Fragment, CloseCode::Protocol),
            ([frame(0x02, b""), frame(0x82, b"")].concat(), WebSocketFault::Fragment, CloseCode::Protocol),
            (frame(0x09, b""), WebSocketFault::Control, CloseCode::Protocol),
            (frame(0x89, &[0; 126]), WebSocketFault::Control, CloseCode::Protocol),
        ];
        for (bad, expected, code) in cases {
            assert_eq!(fault(bad), Some(End::Fault(expected)));
            assert_eq!(expected.close_code(), code);
        }
        assert_eq!(fault([frame(0x88, &[0x03, 0xE8]), frame(0x82, b"late")].concat()), Some(End::PeerClosed));
    }

    #[test]
    fn a_frame_that_began_is_finished_before_anything_else() {
        let mut socket = WebSocket::default();
        let mut stream = Narrow { room: 4, taken: Vec::new() };
        let write = |socket: &mut WebSocket, stream: &mut Narrow, slices: &[&'static [u8]]| {
            let written = socket.write(stream, slices.iter().copied()).unwrap();
            (written.payload_bytes, written.blocked)
        };
        assert_eq!(write(&mut socket, &mut stream, &[b"abc", b"def"]), (2, true));
        unframe(&mut socket, frame(0x89, b"p"));
        socket.close(CloseCode::Normal);
        stream.room = 100;
        // What is listed later begins with what was promised, and the pong finds its place behind it.
        assert_eq!(write(&mut socket, &mut stream, &[b"c", b"def", b"gh"]), (6, false));
        socket.close(CloseCode::Size);
        assert!(socket.flush(&mut stream).unwrap());
        assert_eq!(stream.taken, b"\x82\x06abcdef\x8A\x01p\x82\x02gh\x88\x02\x03\xF1");
    }

    #[test]
    fn close_codes_say_what_the_core_says() {
        use wasmqtt_broker::codec::ProtocolVersion;
        use wasmqtt_broker::{Fault, Refusal};
        let refused = |refusal| CloseReason::Fault(Fault::Refused(refusal, ProtocolVersion::V5));
        assert_eq!(close_code(&CloseReason::Client(ReasonCode::Success)), CloseCode::Normal);
        assert_eq!(close_code(&CloseReason::Stopping), CloseCode::Away);
        assert_eq!(close_code(&CloseReason::TakenOver), CloseCode::Policy);
        assert_eq!(close_code(&refused(Refusal::NotAuthorized)), CloseCode::Policy);
        assert_eq!(close_code(&CloseReason::Kicked(ReasonCode::PacketTooLarge)), CloseCode::Size);
        assert_eq!(close_code(&CloseReason::Kicked(ReasonCode::MalformedPacket)), CloseCode::Protocol);
    }
}
