//! The server's transports: HTTP requests that want to become a WebSocket, and frames around MQTT. However the bytes
//! are cut the same comes of them, and nothing collects more than its limit.

use std::io;

use wasmqtt_host::transport::websocket::{End, WebSocket};
use wasmqtt_host::transport::{Handshake, Progress, UpgradeRules};

/// A request's head may be this long; the piece that exceeds it is the last that is taken.
const HEAD_BYTES_MAX: usize = 8 << 10;
/// Pongs and headers that wait: one pong of 125 bytes and one header, each in its frame.
const OUT_BYTES_MAX: usize = 300;

/// The first byte says what the rest is, the second how it is cut.
pub fn run(bytes: &[u8]) {
    let Some(([what, cut], rest)) = bytes.split_at_checked(2).map(|(two, rest)| ([two[0], two[1]], rest)) else {
        return;
    };
    let piece = usize::from(cut).max(1);
    match what % 3 {
        0 => handshake(rest, piece),
        1 => frames_in(rest, piece),
        _ => frames_out(rest, piece),
    }
}

fn handshake(bytes: &[u8], piece: usize) {
    let rules = UpgradeRules { path: "/mqtt".into(), origins: vec!["https://a.example".into()] };
    let whole = Handshake::default().advance(bytes, &rules);
    let mut handshake = Handshake::default();
    let mut taken = 0;
    for part in bytes.chunks(piece) {
        taken += part.len();
        match handshake.advance(part, &rules) {
            Progress::More => assert!(taken <= HEAD_BYTES_MAX, "{taken} bytes and still no end"),
            Progress::Upgraded { response, rest } => {
                let Progress::Upgraded { response: expected, rest: all } = &whole else { panic!("{whole:?}") };
                assert_eq!(&response, expected);
                assert!(all.starts_with(&rest) && all.len() - rest.len() == bytes.len() - taken);
                return frames_in(&rest, piece);
            }
            Progress::Refused(refusal) => {
                assert!(matches!(whole, Progress::Refused(_)), "{refusal} in pieces, {whole:?} in one");
                assert!(refusal.response().starts_with(b"HTTP/1.1 4"));
                return;
            }
        }
    }
    assert!(bytes.is_empty() || whole == Progress::More, "{whole:?} in one, more in pieces");
}

/// All of the broker's bytes in frames, and how they end; `out` is what the socket has to say.
fn unframe(socket: &mut WebSocket, pieces: impl Iterator<Item = Vec<u8>>) -> (Vec<u8>, Option<End>) {
    let (mut payload, mut end) = (Vec::new(), None);
    for mut piece in pieces {
        let unframed = socket.unframe(&mut piece);
        assert!(unframed.payload_bytes <= piece.len() && (end.is_none() || unframed.payload_bytes == 0));
        payload.extend_from_slice(&piece[..unframed.payload_bytes]);
        end = unframed.end;
    }
    (payload, end)
}

fn frames_in(bytes: &[u8], piece: usize) {
    let (mut one, mut many) = (WebSocket::default(), WebSocket::default());
    let whole = unframe(&mut one, std::iter::once(bytes.to_vec()));
    assert_eq!(unframe(&mut many, bytes.chunks(piece).map(<[u8]>::to_vec)), whole);
    let mut out = [Vec::new(), Vec::new()];
    for (socket, out) in [&mut one, &mut many].into_iter().zip(&mut out) {
        assert!(socket.flush(out).expect("a vector takes all"));
        assert!(out.len() <= OUT_BYTES_MAX, "{} bytes wait to be sent", out.len());
    }
    assert_eq!(out[0], out[1]);
}

/// A stream that takes so many bytes at a time and then none.
struct Narrow {
    taken: Vec<u8>,
    room: usize,
}

impl io::Write for Narrow {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let len = bytes.len().min(self.room);
        if len == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.room -= len;
        self.taken.extend_from_slice(&bytes[..len]);
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a broker sends through a slow socket, with pings in between, comes out of the frames as it went in.
fn frames_out(bytes: &[u8], piece: usize) {
    let ping = [0x89, 0x82, 0, 0, 0, 0, b'h', b'i'];
    let mut socket = WebSocket::default();
    let mut stream = Narrow { taken: Vec::new(), room: 0 };
    let mut sent = 0;
    while sent < bytes.len() {
        stream.room = usize::from(bytes[sent]).max(1);
        if bytes[sent] & 7 == 0 {
            socket.unframe(&mut ping.clone());
        }
        // What is listed again may have grown, and begins with what was not taken.
        let end = bytes.len().min(sent + piece);
        let (first, second) = bytes[sent..end].split_at((end - sent) / 2);
        let written = socket.write(&mut stream, [first, second].into_iter()).expect("it waits or writes");
        assert!(written.payload_bytes <= end - sent && (written.blocked || written.payload_bytes == end - sent));
        sent += written.payload_bytes;
    }
    stream.room = usize::MAX;
    assert!(socket.flush(&mut stream).expect("there is room for all"));
    assert_eq!(payload(&stream.taken), bytes);
}

/// The data in a server's frames, read as RFC 6455, 5.2 says.
fn payload(mut bytes: &[u8]) -> Vec<u8> {
    let mut payload = Vec::new();
    while let [first, second, rest @ ..] = bytes {
        assert_eq!(second & 0x80, 0, "a server masks nothing");
        let (len, rest) = match second {
            126 => (usize::from(u16::from_be_bytes([rest[0], rest[1]])), &rest[2..]),
            127 => panic!("no frame is that long here"),
            len => (usize::from(*len), rest),
        };
        let (data, after) = rest.split_at(len);
        match first {
            0x82 => payload.extend_from_slice(data),
            0x8A => assert_eq!(data, b"hi"),
            other => panic!("a frame that begins with {other:02X}"),
        }
        bytes = after;
    }
    assert!(bytes.is_empty(), "half a header");
    payload
}
