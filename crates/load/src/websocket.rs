//! The client's side of WebSocket (RFC 6455), as little as a load needs: one upgrade, then one frame for each MQTT
//! packet that leaves, as the common clients do it, and the payloads of whatever frames arrive, moved together in
//! place. Libraries allocate for each frame, which would make the generator the bottleneck.

use std::net::SocketAddr;

/// The frames' masking key. It has to be unpredictable only where a script could choose the bytes behind it.
const MASK: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

/// The key and the answer to it that RFC 6455 has as its example (section 1.3).
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// Longest answer to an upgrade that is read.
const RESPONSE_BYTES_MAX: usize = 8 * 1024;

/// One connection's inbound state.
#[derive(Default)]
pub struct WebSocket {
    /// The answer to the upgrade so far; `None` once it is complete.
    response: Upgrade,
    header: [u8; 10],
    header_bytes: usize,
    opcode: u8,
    left: u64,
    /// What a control frame carries.
    control: Vec<u8>,
}

#[derive(Default)]
enum Upgrade {
    /// The answer to the upgrade so far.
    Waiting(Vec<u8>),
    #[default]
    Done,
}

/// Why a stream is no WebSocket for us, or no more.
#[derive(Debug, PartialEq, Eq)]
pub enum Broken {
    /// The server closed it with this status.
    Closed(Option<u16>),
    /// What is wrong with it.
    Wrong(String),
}

impl WebSocket {
    /// A stream on which the upgrade is still to be answered.
    #[must_use]
    pub fn new() -> Self {
        WebSocket { response: Upgrade::Waiting(Vec::new()), ..WebSocket::default() }
    }

    /// What a client says first.
    #[must_use]
    pub fn request(addr: SocketAddr, path: &str) -> Vec<u8> {
        format!(
            "GET {path} HTTP/1.1\r\nHost: {addr}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"
        )
        .into_bytes()
    }

    /// Whether MQTT may flow.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.response, Upgrade::Done)
    }

    /// Takes what arrived as `bytes[from..to]`, moves what of it is MQTT to `from` and gives its new end. Answers to
    /// control frames are added to `out`.
    ///
    /// # Errors
    /// If the server closes, or sends what no server may.
    pub fn unframe(&mut self, bytes: &mut [u8], from: usize, to: usize, out: &mut Vec<u8>) -> Result<usize, Broken> {
        let mut at = from;
        if let Upgrade::Waiting(response) = &mut self.response {
            let known = response.len();
            response.extend_from_slice(&bytes[from..to]);
            let Some(end) = response.windows(4).position(|end| end == b"\r\n\r\n") else {
                let is_too_long = response.len() > RESPONSE_BYTES_MAX;
                return if is_too_long { Err(Broken::Wrong("an endless HTTP answer".into())) } else { Ok(from) };
            };
            check_response(&response[..end])?;
            at = from + end + 4 - known;
            self.response = Upgrade::Done;
        }
        let mut put = from;
        while at < to {
            if self.left == 0 {
                self.header[self.header_bytes] = bytes[at];
                self.header_bytes += 1;
                at += 1;
                self.header_complete()?;
            } else {
                let take = (to - at).min(usize::try_from(self.left).unwrap_or(usize::MAX));
                if self.opcode < 8 {
                    bytes.copy_within(at..at + take, put);
                    put += take;
                } else {
                    self.control.extend_from_slice(&bytes[at..at + take]);
                }
                at += take;
                self.left -= take as u64;
            }
            if self.left == 0 && self.header_bytes == 0 && self.opcode >= 8 {
                self.control_complete(out)?;
            }
        }
        Ok(put)
    }

    fn header_complete(&mut self) -> Result<(), Broken> {
        let header = &self.header[..self.header_bytes];
        let [first, second, extended @ ..] = header else { return Ok(()) };
        if second & 0x80 != 0 {
            return Err(Broken::Wrong("a masked frame from a server".into()));
        }
        self.left = match (second, extended) {
            (126, [high, low]) => u64::from(u16::from_be_bytes([*high, *low])),
            (126, _) => return Ok(()),
            (127, &[a, b, c, d, e, f, g, h]) => u64::from_be_bytes([a, b, c, d, e, f, g, h]),
            (127, _) => return Ok(()),
            (length, _) => u64::from(*length),
        };
        self.opcode = first & 0x0F;
        self.header_bytes = 0;
        if self.opcode >= 8 && self.left > 125 {
            return Err(Broken::Wrong("a control frame of more than 125 bytes".into()));
        }
        Ok(())
    }

    fn control_complete(&mut self, out: &mut Vec<u8>) -> Result<(), Broken> {
        let payload = std::mem::take(&mut self.control);
        let opcode = std::mem::take(&mut self.opcode);
        match opcode {
            8 => return Err(Broken::Closed(payload.first_chunk().map(|status| u16::from_be_bytes(*status)))),
            9 => frame(0x8A, &payload, out),
            _ => {}
        }
        Ok(())
    }
}

/// Adds an MQTT packet as a binary frame.
pub fn frame_binary(packet: &[u8], out: &mut Vec<u8>) {
    frame(0x82, packet, out);
}

fn frame(first: u8, payload: &[u8], out: &mut Vec<u8>) {
    out.push(first);
    match payload.len() {
        length @ 0..=125 => out.push(0x80 | length as u8),
        length @ 126..=0xFFFF => {
            out.push(0x80 | 126);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            out.push(0x80 | 127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&MASK);
    let begin = out.len();
    out.extend_from_slice(payload);
    for part in out[begin..].chunks_mut(MASK.len()) {
        part.iter_mut().zip(MASK).for_each(|(byte, mask)| *byte ^= mask);
    }
}

fn check_response(response: &[u8]) -> Result<(), Broken> {
    let text = String::from_utf8_lossy(response);
    let status = text.lines().next().unwrap_or_default();
    if !status.contains(" 101") {
        return Err(Broken::Wrong(format!("it answers the WebSocket upgrade with \"{status}\"")));
    }
    let is_accepted = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .any(|(name, value)| name.trim().eq_ignore_ascii_case("sec-websocket-accept") && value.trim() == ACCEPT);
    if is_accepted { Ok(()) } else { Err(Broken::Wrong("its Sec-WebSocket-Accept is wrong".into())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &[u8] =
        b"HTTP/1.1 101 Switching Protocols\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

    /// Feeds a stream in pieces and gives the MQTT in it and the answers.
    fn feed(stream: &[u8], piece: usize) -> Result<(Vec<u8>, Vec<u8>), Broken> {
        let (mut socket, mut mqtt, mut out) = (WebSocket::new(), Vec::new(), Vec::new());
        for piece in stream.chunks(piece) {
            let mut bytes = [b"kept", piece].concat();
            let to = bytes.len();
            let end = socket.unframe(&mut bytes, 4, to, &mut out)?;
            mqtt.extend_from_slice(&bytes[4..end]);
        }
        Ok((mqtt, out))
    }

    #[test]
    fn frames_cut_anywhere_become_one_stream() {
        // A binary frame of 2 bytes, a ping "x", a fragmented message of 1 + 200 bytes.
        let mut stream = [ANSWER, &[0x82, 2, 0xD0, 0, 0x89, 1, b'x', 0x02, 1, 0x30, 0x80, 126, 0, 200]].concat();
        stream.resize(stream.len() + 200, 7);
        let expected = [&[0xD0, 0, 0x30][..], &[7; 200]].concat();
        let pong = vec![0x8A, 0x81, 0x37, 0xFA, 0x21, 0x3D, b'x' ^ 0x37];
        for piece in [1, 3, 7, stream.len()] {
            assert_eq!(feed(&stream, piece), Ok((expected.clone(), pong.clone())), "in pieces of {piece}");
        }
    }

    #[test]
    fn what_leaves_is_masked() {
        let mut out = Vec::new();
        frame_binary(&[0xC0, 0, 1, 2, 3], &mut out);
        assert_eq!(out, [0x82, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0xF7, 0xFA, 0x20, 0x3F, 0x34]);
        out.clear();
        frame_binary(&[0; 300], &mut out);
        assert_eq!(out[..8], [0x82, 0xFE, 1, 44, 0x37, 0xFA, 0x21, 0x3D]);
        assert_eq!(out.len(), 308);
    }

    #[test]
    fn refusals_and_closes_are_told() {
        let refused = feed(b"HTTP/1.1 404 Not Found\r\n\r\n", 5);
        assert!(matches!(refused, Err(Broken::Wrong(why)) if why.contains("404 Not Found")));
        let closed = feed(&[ANSWER, &[0x88, 2, 0x03, 0xE8]].concat(), 1);
        assert_eq!(closed, Err(Broken::Closed(Some(1000))));
        let masked = feed(&[ANSWER, &[0x82, 0x81]].concat(), 100);
        assert_eq!(masked, Err(Broken::Wrong("a masked frame from a server".into())));
    }
}
