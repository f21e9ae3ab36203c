//! Inputs to begin with. A fuzzer that begins with what is right finds what is nearly right, and there the mistakes
//! are. The vectors, the stories and the kept files of the tests serve; if they aren't there, as in a program that
//! was copied elsewhere, it begins with less.

use std::fs;
use std::path::{Path, PathBuf};

use wasmqtt_broker::{Command, CommandId, Config, ConnectionId, Input, Peer, Seed, Time, Transport};
use wasmqtt_sim::recording::{BUILD, Beginning, Head, Writer};

/// CONNECT, 5.0, Clean Start, Client Identifier "a".
const CONNECT: &[u8] = b"\x10\x0E\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x01a";
const CONN: ConnectionId = ConnectionId { slot: 0, generation: 0 };

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests")
}

/// Files with this ending below a folder, in order.
fn files(folder: &Path, ending: &str, into: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            files(&path, ending, into);
        } else if path.extension().is_some_and(|found| found == ending) {
            into.push(path);
        }
    }
}

/// The packets of `tests/vectors`, valid or not.
#[must_use]
pub fn packets() -> Vec<Vec<u8>> {
    let mut paths = Vec::new();
    files(&tests().join("vectors"), "hex", &mut paths);
    let mut packets = vec![CONNECT.to_vec()];
    for text in paths.iter().filter_map(|path| fs::read_to_string(path).ok()) {
        let mut in_bytes = false;
        for line in text.lines() {
            match line.strip_prefix("  ") {
                Some(line) if in_bytes => hex(line, packets.last_mut().expect("one was begun")),
                Some(_) | None => in_bytes = line.starts_with("bytes:"),
            }
            if line.starts_with("bytes:") {
                packets.push(Vec::new());
            }
        }
    }
    packets
}

/// Bytes in hex and characters in quotes, up to a comment.
fn hex(line: &str, into: &mut Vec<u8>) {
    let mut rest = line.trim_start();
    while !rest.is_empty() && !rest.starts_with('#') {
        if let Some((text, after)) = rest.strip_prefix('"').and_then(|quoted| quoted.split_once('"')) {
            into.extend(text.bytes());
            rest = after.trim_start();
        } else {
            let (digits, after) = rest.split_once(' ').unwrap_or((rest, ""));
            into.extend(u8::from_str_radix(digits, 16));
            rest = after.trim_start();
        }
    }
}

/// A connection's bytes: a CONNECT and packets behind it, with choices of cuts before them.
#[must_use]
pub fn streams() -> Vec<Vec<u8>> {
    let packets = packets();
    let choices = [0, 3, 20, 40, 200];
    let mut streams: Vec<Vec<u8>> =
        packets.iter().map(|packet| [&choices[..], CONNECT, packet, packet].concat()).collect();
    streams.extend(packets.iter().map(|packet| [&[1, 7, 9, 15, 60], &packet[..], &[0xC0, 0]].concat()));
    streams.extend(packets.chunks(12).map(|packets| [&choices[..], CONNECT, &packets.concat()].concat()));
    streams
}

/// Choices: any bytes will do, and long ones make long stories.
#[must_use]
pub fn choices() -> Vec<Vec<u8>> {
    let mut random = crate::runner::Random::new(1);
    (0..40).map(|number| (0..100 * (number + 1)).map(|_| random.number() as u8).collect()).collect()
}

/// The stories of `tests/scenarios`.
#[must_use]
pub fn scenarios() -> Vec<Vec<u8>> {
    let mut paths = Vec::new();
    files(&tests().join("scenarios"), "scenario", &mut paths);
    let texts = paths.iter().filter_map(|path| fs::read(path).ok()).filter(|text| text.len() < 4_000);
    texts.chain([b"# A title\n\na connect v5\n---\n".to_vec()]).collect()
}

/// The head of a recording, without a first item.
#[must_use]
pub fn recording_head() -> Vec<u8> {
    let head = Head { build: BUILD.into(), config: Config { sys_interval_s: 0, ..Config::default() } };
    let writer = Writer::begin(Vec::new(), &head, Seed([0; 16]), &Beginning::Empty);
    let mut file = writer.and_then(|writer| writer.end("")).expect("a vector takes all");
    // Magic and version (10 bytes), the length of the text, the text, its checksum.
    let text_bytes = u32::from_le_bytes([file[10], file[11], file[12], file[13]]) as usize;
    file.truncate(14 + text_bytes + 4);
    file
}

/// Recordings as they are, and as items to be mended.
#[must_use]
pub fn recordings() -> Vec<Vec<u8>> {
    let mut paths = Vec::new();
    files(&tests().join("formats"), "wqr", &mut paths);
    let mut seeds: Vec<Vec<u8>> = paths.iter().filter_map(|path| fs::read(path).ok()).collect();
    let whole = recording().expect("a vector takes all");
    // An item is its length (below 128), a guard, kind and body, and four bytes of checksum.
    let mut rest = &whole[recording_head().len()..];
    let mut items = Vec::new();
    while let [length, _, after @ ..] = rest {
        items.push(*length);
        items.extend_from_slice(&after[..usize::from(*length)]);
        rest = &after[usize::from(*length) + 4..];
    }
    seeds.push(whole);
    seeds.iter_mut().for_each(|seed| seed.insert(0, 0));
    items.insert(0, 1);
    seeds.push(items);
    seeds
}

/// A short run with every kind of item.
fn recording() -> std::io::Result<Vec<u8>> {
    let head = Head { build: BUILD.into(), config: Config { sys_interval_s: 0, ..Config::default() } };
    let mut writer = Writer::begin(Vec::new(), &head, Seed([0; 16]), &Beginning::Empty)?;
    let peer = Peer { listener: 0, address: "fuzz".into(), transport: Transport::Tcp, identity: None };
    let publish = b"\x32\x0B\x00\x01t\x00\x02\x00hello";
    writer.input(Time(1), &Input::Opened { conn: CONN, peer })?;
    writer.input(Time(2), &Input::Received { conn: CONN, bytes: CONNECT.into() })?;
    writer.input(Time(2), &Input::Tick)?;
    writer.input(Time(3), &Input::Received { conn: CONN, bytes: publish[..].into() })?;
    writer.input(Time(3), &Input::Sent { conn: CONN, len: 20 })?;
    writer.input(Time(3), &Input::Command { id: CommandId(4), command: Command::Digest })?;
    writer.digest(CommandId(4), 0)?;
    writer.begin_again("again", Seed([1; 16]), &Beginning::Log(Vec::new()))?;
    writer.input(Time(9), &Input::Closed { conn: CONN })?;
    writer.input(Time(9), &Input::Tick)?;
    writer.end("told")
}

/// Upgrade requests and frames.
#[must_use]
pub fn transports() -> Vec<Vec<u8>> {
    let request = b"GET /mqtt HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
        Origin: https://a.example\r\nSec-WebSocket-Protocol: chat, mqtt\r\n\r\n";
    let mask = [0x37, 0xFA, 0x21, 0x3D];
    let frame = |first: u8, payload: &[u8]| -> Vec<u8> {
        let masked = payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask);
        [first, 0x80 | payload.len() as u8].into_iter().chain(mask).chain(masked).collect()
    };
    let frames = [
        frame(0x02, CONNECT),
        frame(0x89, b"ping"),
        frame(0x80, b"more"),
        frame(0x82, &[0; 125]),
        frame(0x8A, b""),
        frame(0x82, b"\xC0\x00"),
        frame(0x88, b"\x03\xE8"),
    ];
    let long = [&request[..20], &vec![b'a'; 9_000]].concat();
    let mut seeds = vec![
        [&[0, 17], &request[..]].concat(),
        [&[0, 200], &request[..], &frames.concat()].concat(),
        [&[0, 255], &long[..]].concat(),
        [&[1, 5], &frames.concat()[..]].concat(),
        [&[2, 40], &[0x11, 0, 8, 200, 3].repeat(60)[..]].concat(),
    ];
    seeds.extend(frames.iter().map(|frame| [&[1, 1], &frame[..], &frames[5]].concat()));
    seeds
}
