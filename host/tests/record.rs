//! `serve --record`: what a real server was told on real sockets, told again to the core in this process, gives the
//! same digests; and the commands that look at a recording, as their user meets them.

mod common;

use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use common::{CONNECT, config, connect, open, packet, ping, rest};
use wasmqtt_broker::{Command as Wish, Input, Reply, Transport};
use wasmqtt_host::server::{Running, Server, ServerOptions, StartError};
use wasmqtt_sim::recording::{Item, Placed, Player, Reader, mask};

/// CONNECT, 3.1.1, Clean Session, Client Identifier "b", Will Topic "w", Will Message "gone", QoS 1.
const CONNECT_B: &[u8] = b"\x10\x16\x00\x04MQTT\x04\x0E\x00\x00\x00\x01b\x00\x01w\x00\x04gone";
/// SUBSCRIBE, 3.1.1, Packet Identifier 1, "#", QoS 2.
const SUBSCRIBE_B: &[u8] = b"\x82\x06\x00\x01\x00\x01#\x02";

fn serve(record: &Path) -> Running {
    let mut config = config(&["tcp://127.0.0.1:0"]);
    config.core.sys_interval_s = 1;
    config.core.limits.outbox_bytes_max = 1 << 16;
    let record = Some(record.to_owned());
    Server::start(ServerOptions { config, module: Some(common::guest()), record, ..ServerOptions::default() }).unwrap()
}

/// A PUBLISH of 5.0 to "t": QoS 1 with this Packet Identifier, or QoS 0.
fn publish(identifier: Option<u16>, payload: &[u8]) -> Vec<u8> {
    let body = 4 + 2 * usize::from(identifier.is_some()) + payload.len();
    assert!(body < 1 << 14);
    let mut packet = vec![if identifier.is_some() { 0x32 } else { 0x30 }];
    match body {
        0..128 => packet.push(body as u8),
        _ => packet.extend([(body & 0x7F) as u8 | 0x80, (body >> 7) as u8]),
    }
    packet.extend(b"\x00\x01t");
    packet.extend(identifier.into_iter().flat_map(u16::to_be_bytes));
    packet.push(0);
    packet.extend_from_slice(payload);
    packet
}

/// Clients that publish and are answered, one that never reads, one that is taken over, one that vanishes, one that
/// sends nonsense, an operator.
fn traffic(server: &Running, address: SocketAddr) {
    let mut slow = connect(address, CONNECT_B);
    slow.write_all(SUBSCRIBE_B).unwrap();
    assert_eq!(packet(&mut slow), b"\x90\x03\x00\x01\x02");
    let mut anna = connect(address, CONNECT);
    for round in 1..=1_200 {
        if round % 3 == 0 {
            anna.write_all(&publish(None, &[b'x'; 9_000])).unwrap();
        }
        anna.write_all(&publish(Some(round), b"text")).unwrap();
        assert_eq!(packet(&mut anna), [0x40, 2, (round >> 8) as u8, round as u8]);
    }
    let mut stranger = open(address);
    stranger.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    assert_eq!(rest(&mut stranger), b"");
    let mut second = connect(address, CONNECT);
    assert!(rest(&mut anna).ends_with(b"\xE0\x01\x8E"), "taken over");
    assert!(matches!(server.command(Wish::Count), Some(Reply::Counters(_))));
    // Half a packet, and then it is gone; the other one reads now what it is owed.
    second.write_all(&publish(Some(1), b"text")[..5]).unwrap();
    second.shutdown(Shutdown::Both).unwrap();
    slow.write_all(common::PINGREQ).unwrap();
    let mut received = Vec::new();
    let mut block = vec![0; 1 << 16];
    while !received.ends_with(common::PINGRESP) {
        let len = slow.read(&mut block).unwrap();
        assert!(len > 0, "the server closed");
        received.extend_from_slice(&block[..len]);
    }
    let mut third = connect(address, CONNECT);
    ping(&mut third);
}

fn items(path: &Path) -> Vec<Placed> {
    let reader = Reader::open(BufReader::new(File::open(path).unwrap())).unwrap();
    reader.collect::<Result<_, _>>().unwrap_or_else(|error| panic!("{error}"))
}

fn replay(path: &Path) -> Player {
    let reader = Reader::open(BufReader::new(File::open(path).unwrap())).unwrap();
    let mut player = Player::new(reader.head());
    assert!(player.compares());
    for placed in reader {
        player.play(&placed.unwrap()).unwrap_or_else(|error| panic!("{error}"));
    }
    player
}

#[test]
fn the_core_in_this_process_agrees_with_a_real_server() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.wqr");
    let server = serve(&path);
    traffic(&server, common::address(&server, Transport::Tcp));
    server.stop();
    server.join().unwrap();
    let player = replay(&path);
    // One after a thousand steps, one at the end.
    assert!(player.progress().digests >= 2, "{:?}", player.progress());
    assert!(player.progress().steps > 1_200);
    let told = items(&path);
    let has = |wanted: fn(&Input) -> bool| {
        told.iter().any(|placed| matches!(&placed.item, Item::Input { input, .. } if wanted(input)))
    };
    assert!(has(|input| matches!(input, Input::Opened { peer, .. } if peer.address.starts_with("127.0.0.1:"))));
    assert!(has(|input| matches!(input, Input::Sent { .. })) && has(|input| matches!(input, Input::Closed { .. })));
    assert!(has(|input| matches!(input, Input::Command { command: Wish::Count, .. })));
    assert!(has(|input| matches!(input, Input::Command { command: Wish::Stop, .. })));
    assert!(matches!(&told.last().unwrap().item, Item::End { why } if why == "the server ended"));
    // Masked, all of it happens again, with nothing in it that was said.
    let masked = folder.path().join("masked.wqr");
    mask(File::open(&path).unwrap(), File::create_new(&masked).unwrap()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(replay(&masked).progress(), player.progress());
    let bytes = std::fs::read(&masked).unwrap();
    assert!(!bytes.windows(4).any(|window| window == b"text"));
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_file_that_is_there_is_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.wqr");
    std::fs::write(&path, "precious").unwrap();
    let options = ServerOptions {
        config: config(&["tcp://127.0.0.1:0"]),
        module: Some(common::guest()),
        record: Some(path.clone()),
        ..ServerOptions::default()
    };
    assert!(matches!(Server::start(options), Err(StartError::Record(named, _)) if named == path));
    let record = ["--record", path.to_str().unwrap()];
    let all = [&["serve", "--site", "off", "--listen", "tcp://127.0.0.1:0"], record.as_slice()].concat();
    let (code, _, error) = wasmqtt(&all);
    assert!(code == Some(2) && error.contains("found a file there; allowed: a new name"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), b"precious");
}

fn wasmqtt(arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_wasmqtt")).args(arguments).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn a_recording_is_shown_replayed_and_masked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.wqr");
    let server = serve(&path);
    let mut anna = connect(common::address(&server, Transport::Tcp), CONNECT);
    anna.write_all(&publish(Some(7), b"a secret message")).unwrap();
    packet(&mut anna);
    server.stop();
    server.join().unwrap();
    let masked = folder.path().join("masked.wqr");
    let [file, to] = [&path, &masked].map(|path| path.to_str().unwrap());

    let (code, shown, _) = wasmqtt(&["recording", "show", file]);
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("CONNECT, ") && shown.contains("Client Identifier \"a\""), "{shown}");
    assert!(shown.contains("Application Message (16 bytes)") && !shown.contains("a secret"), "{shown}");
    assert!(shown.contains("this program's core"), "{shown}");
    let (_, shown, _) = wasmqtt(&["recording", "show", "--secrets", file]);
    assert!(shown.contains("a secret message"), "{shown}");

    let (code, said, error) = wasmqtt(&["recording", "replay", file]);
    assert_eq!(code, Some(0), "{error}");
    assert!(said.contains("1 digests agree"), "{said}");

    let (code, _, error) = wasmqtt(&["recording", "mask", file, to]);
    assert_eq!(code, Some(0), "{error}");
    let (_, shown, _) = wasmqtt(&["recording", "show", "--secrets", to]);
    assert!(shown.contains("Application Message \"xxxxxxxxxxxxxxxx\""), "{shown}");
    assert_eq!(wasmqtt(&["recording", "replay", to]).0, Some(0));
    let (code, _, error) = wasmqtt(&["recording", "mask", file, to]);
    assert!(code == Some(2) && error.contains("allowed: a new name"), "{error}");
}

#[test]
fn what_is_wrong_with_a_recording_is_said_with_its_offset() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.wqr");
    let file = path.to_str().unwrap();
    let server = serve(&path);
    let mut anna = connect(common::address(&server, Transport::Tcp), CONNECT);
    ping(&mut anna);
    server.stop();
    server.join().unwrap();
    let whole = std::fs::read(&path).unwrap();
    let told = items(&path);

    // Another Keep Alive is another state: the digest at the end disagrees.
    let at = whole.windows(CONNECT.len()).position(|window| window == CONNECT).unwrap();
    let item = told.iter().rfind(|placed| placed.offset <= at as u64).unwrap().offset as usize;
    let next = told.iter().find(|placed| placed.offset > at as u64).unwrap().offset as usize;
    let mut other = whole.clone();
    other[at + 10] = 60;
    let checksum = crc32fast::hash(&other[item + 2..next - 4]).to_le_bytes();
    other[next - 4..next].copy_from_slice(&checksum);
    std::fs::write(&path, &other).unwrap();
    let (code, _, error) = wasmqtt(&["recording", "replay", file]);
    assert_eq!(code, Some(1), "{error}");
    let digest = told.iter().find(|placed| matches!(placed.item, Item::Digest { .. })).unwrap().offset;
    assert!(error.contains(&format!("run.wqr: offset {digest}: step ")) && error.contains(" disagrees: "), "{error}");

    other[at] ^= 0xFF;
    std::fs::write(&path, &other).unwrap();
    for command in ["show", "replay"] {
        let (code, _, error) = wasmqtt(&["recording", command, file]);
        assert!(code == Some(2) && error.contains(&format!("offset {item}: damaged")), "{error}");
    }
    let (code, _, error) = wasmqtt(&["recording", "mask", file, &format!("{file}.masked")]);
    assert!(code == Some(2) && error.contains(&format!("offset {item}: damaged")), "{error}");

    std::fs::write(&path, &whole[..whole.len() - 3]).unwrap();
    let (code, said, error) = wasmqtt(&["recording", "replay", file]);
    assert!(code == Some(0) && said.contains("1 digests agree"), "{said}{error}");
    assert!(error.contains("its writer was killed"), "{error}");

    std::fs::write(&path, "no recording").unwrap();
    let (code, _, error) = wasmqtt(&["recording", "show", file]);
    assert!(code == Some(2) && error.contains("offset 0: found ["), "{error}");
    assert_eq!(wasmqtt(&["recording", "show", "/nowhere/run.wqr"]).0, Some(2));
}
