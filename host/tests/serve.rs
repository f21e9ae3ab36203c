//! The server in this process, with the real guest and real sockets: TCP and WebSocket, slow readers, passwords, time.

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;

use common::{
    BEGIN, CONNECT, PATIENCE, PINGREQ, PINGRESP, address, config, connect, guest, open, packet, ping, rest, serve,
};
use tungstenite::client::IntoClientRequest;
use tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tungstenite::protocol::frame::{Frame, FrameHeader};
use tungstenite::{Message, WebSocket};
use wasmqtt_broker::{Broker, Command, Config, ConnectionId, Input, Peer, Reply, Seed, Transport};
use wasmqtt_host::clock::Clock;
use wasmqtt_host::guest::{Beginning, GuestLimits};
use wasmqtt_host::module::IMPORTS_ALLOWED;
use wasmqtt_host::server::Running;
use wasmqtt_host::virtual_guest::VirtualGuest;

/// SUBSCRIBE to "t", QoS 0, and its SUBACK.
const SUBSCRIBE: &[u8] = b"\x82\x07\x00\x01\x00\x00\x01t\x00";
const SUBACK: &[u8] = b"\x90\x04\x00\x01\x00\x00";

#[test]
fn the_guest_imports_the_four_and_nothing_else() {
    let guest = guest();
    let mut imports: Vec<_> = guest.imports().collect();
    imports.sort_unstable();
    assert_eq!(imports, IMPORTS_ALLOWED);
}

#[test]
fn a_guest_driven_by_hand_is_in_the_same_state_as_the_core() {
    let (config, seed, conn) = (Config::default(), Seed([7; 16]), ConnectionId { slot: 0, generation: 0 });
    let peer = Peer { listener: 0, address: "test".into(), transport: Transport::Local, identity: None };
    let limits = GuestLimits::default();
    let mut driven = VirtualGuest::begin(&guest(), &config, seed, limits, Beginning::Empty).unwrap();
    let mut native = Broker::new(config.clone(), seed);
    let inputs = vec![Input::Opened { conn, peer }, Input::Received { conn, bytes: CONNECT.into() }];
    inputs.iter().for_each(|input| native.handle(BEGIN, input.clone()));
    native.handle(BEGIN, Input::Tick);
    let turn = driven.turn(BEGIN, inputs).unwrap();
    let outputs: Vec<_> = std::iter::from_fn(|| native.poll()).collect();
    assert_eq!(turn.outputs, outputs);
    assert_eq!(turn.ready, native.ready().collect::<Vec<_>>());
    let outgoing: Vec<u8> = native.outgoing(conn).flatten().copied().collect();
    assert_eq!(driven.outgoing(conn), outgoing);
    assert_eq!(driven.deadline(), native.deadline());
    // Half of the CONNACK is taken, then the rest.
    for len in [2, outgoing.len() as u32 - 2] {
        native.handle(BEGIN, Input::Sent { conn, len });
        native.handle(BEGIN, Input::Tick);
        driven.turn(BEGIN, vec![Input::Sent { conn, len }]).unwrap();
    }
    assert_eq!(driven.outgoing(conn), b"");
    assert_eq!(driven.digest(BEGIN).unwrap(), Some(native.digest()));
    // A guest that begins with what this one saved goes on where it was.
    let saved = Beginning::Saved(driven.save(BEGIN).unwrap().unwrap());
    let mut second = VirtualGuest::begin(&guest(), &config, seed, limits, saved).unwrap();
    assert_eq!(second.digest(BEGIN).unwrap(), Some(native.digest()));
}

/// The kernel tells of bytes and of the end behind them at once if both came while nobody asked, and then never again:
/// who stops where a read was short leaves a dead client connected until its Keep Alive is over.
#[test]
fn an_end_that_came_together_with_bytes_is_seen() {
    let running = serve(config(&["tcp://127.0.0.1:0"]), Clock::Real);
    let to = address(&running, Transport::Tcp);
    let mut busy = connect(to, b"\x10\x0E\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x01b");
    // The server is at it for a while: what comes meanwhile comes at once.
    let work = PINGREQ.repeat(100_000);
    for _ in 0..20 {
        let mut leaving = connect(to, CONNECT);
        std::thread::scope(|scope| {
            let mut half = busy.try_clone().unwrap();
            let work = &work;
            scope.spawn(move || half.write_all(work).unwrap());
            leaving.write_all(PINGREQ).unwrap();
            leaving.shutdown(std::net::Shutdown::Write).unwrap();
            for _ in 0..100_000 / 1_000 {
                busy.read_exact(&mut [0; 2_000]).unwrap();
            }
        });
        // PINGRESP, and the end.
        assert_eq!(rest(&mut leaving), PINGRESP);
    }
}

#[test]
fn a_command_larger_than_the_letters_room_arrives_whole() {
    let running = serve(config(&["tcp://127.0.0.1:0"]), Clock::Real);
    let mut subscriber = connect(address(&running, Transport::Tcp), CONNECT);
    subscriber.write_all(SUBSCRIBE).unwrap();
    assert_eq!(packet(&mut subscriber), SUBACK);
    let payload = vec![b'm'; 1_000_000];
    let publish =
        Command::Publish { topic: "t".into(), payload: payload.clone().into(), qos: Default::default(), retain: false };
    assert_eq!(running.command(publish), Some(Reply::Done));
    // PUBLISH, QoS 0, 1,000,004 bytes to follow.
    let mut got = vec![0; 8 + payload.len()];
    subscriber.read_exact(&mut got).unwrap();
    assert_eq!((&got[..8], &got[8..]), (&b"\x30\xC4\x84\x3D\x00\x01t\x00"[..], &payload[..]));
}

/// [5:MQTT-4.2-1] [311:MQTT-7.1.1-1]
#[test]
fn a_client_is_served_on_every_listener() {
    let running = serve(config(&["tcp://127.0.0.1:0", "tcp://[::1]:0"]), Clock::Real);
    for listen in running.addresses() {
        ping(&mut connect(listen.address, CONNECT));
    }
    assert!(
        matches!(running.command(Command::Count), Some(Reply::Counters(counters)) if counters.connections_opened == 2)
    );
}

#[test]
fn who_says_nothing_is_closed_when_its_time_is_up() {
    let running = serve(config(&["tcp://127.0.0.1:0", "ws://127.0.0.1:0"]), Clock::Virtual(BEGIN));
    let mut tcp = open(address(&running, Transport::Tcp));
    let mut half = open(address(&running, Transport::Tcp));
    half.write_all(&CONNECT[..5]).unwrap();
    let mut websocket = open(address(&running, Transport::WebSocket));
    websocket.write_all(b"GET /mqtt HTTP/1.1\r\n").unwrap();
    // Who is served has been accepted after those three.
    let mut patient = connect(address(&running, Transport::Tcp), CONNECT);
    settle(&running);
    running.advance(10_100_000).unwrap();
    assert_eq!(rest(&mut tcp), b"");
    assert_eq!(rest(&mut half), b"");
    assert!(rest(&mut websocket).starts_with(b"HTTP/1.1 408 "));
    ping(&mut patient);
}

/// Lets the server see what lies in its sockets: a newcomer on each listener is served after those before it.
fn settle(running: &Running) {
    let connect = |listen: &wasmqtt_host::listen::Listen| match listen.transport {
        Transport::WebSocket => drop(websocket(running, "mqtt")),
        Transport::Tcp | Transport::Local | Transport::Bridge(_) => ping(&mut connect(listen.address, &named(b'z'))),
    };
    running.addresses().iter().for_each(connect);
}

/// CONNECT with another Client Identifier.
fn named(name: u8) -> Vec<u8> {
    let mut connect = CONNECT.to_vec();
    *connect.last_mut().unwrap() = name;
    connect
}

#[test]
fn a_slow_reader_stalls_nobody() {
    let running = serve(config(&["tcp://127.0.0.1:0"]), Clock::Real);
    let address = address(&running, Transport::Tcp);
    let subscribe = |name| {
        let mut stream = connect(address, &named(name));
        stream.write_all(SUBSCRIBE).unwrap();
        assert_eq!(packet(&mut stream), SUBACK);
        stream
    };
    let slow = subscribe(b's');
    let mut quick = subscribe(b'q');
    let mut publisher = connect(address, &named(b'p'));
    // PUBLISH to "t", QoS 0, 64 KiB less 4 bytes in all: 16 MiB of them, far more than any socket holds. The next one
    // leaves when the quick reader has the last one, so nothing is dropped for it.
    let mut publish = b"\x30\xF8\xFF\x03\x00\x01t\x00".to_vec();
    publish.resize(65_536 - 4, b'm');
    let mut got = vec![0; publish.len()];
    for _ in 0..256 {
        publisher.write_all(&publish).unwrap();
        quick.read_exact(&mut got).unwrap();
        assert!(got == publish);
    }
    ping(&mut publisher);
    let Some(Reply::Counters(counters)) = running.command(Command::Count) else { panic!("no counters") };
    assert!(counters.dropped_outbox_full > 0, "the slow reader was never behind");
    drop(slow);
}

#[test]
fn a_stop_says_goodbye_and_ends() {
    let running = serve(config(&["tcp://127.0.0.1:0", "ws://127.0.0.1:0"]), Clock::Virtual(BEGIN));
    let mut client = connect(address(&running, Transport::Tcp), CONNECT);
    let mut socket = websocket(&running, "mqtt");
    running.stop();
    assert_eq!(rest(&mut client), common::SHUTTING_DOWN);
    drop(client);
    let Message::Close(Some(close)) = socket.read().unwrap() else { panic!("no close") };
    assert_eq!(close.code, CloseCode::Away);
    drop(socket);
    running.join().unwrap();
}

fn websocket(running: &Running, subprotocol: &str) -> WebSocket<TcpStream> {
    try_websocket(running, subprotocol).unwrap()
}

fn try_websocket(running: &Running, subprotocol: &str) -> Result<WebSocket<TcpStream>, u16> {
    let address = address(running, Transport::WebSocket);
    let mut request = format!("ws://{address}/mqtt").into_client_request().unwrap();
    if !subprotocol.is_empty() {
        request.headers_mut().insert("Sec-WebSocket-Protocol", subprotocol.parse().unwrap());
    }
    match tungstenite::client(request, open(address)) {
        Ok((socket, response)) => {
            assert_eq!(response.headers()["Sec-WebSocket-Protocol"], *subprotocol);
            Ok(socket)
        }
        Err(tungstenite::HandshakeError::Failure(tungstenite::Error::Http(response))) => {
            Err(response.status().as_u16())
        }
        Err(error) => panic!("{error}"),
    }
}

/// The bytes of the next messages until there are this many.
fn websocket_bytes(socket: &mut WebSocket<TcpStream>, len: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < len {
        match socket.read().unwrap() {
            Message::Binary(more) => bytes.extend_from_slice(&more),
            Message::Pong(_) => {}
            other => panic!("{other:?}"),
        }
    }
    bytes
}

/// [5:MQTT-6.0.0-1] [5:MQTT-6.0.0-2] [311:MQTT-6.0.0-1] [311:MQTT-6.0.0-2]
#[test]
fn packets_may_be_split_and_joined_over_frames() {
    let running = serve(config(&["ws://127.0.0.1:0"]), Clock::Real);
    for subprotocol in ["mqtt", "mqttv3.1"] {
        let mut socket = websocket(&running, subprotocol);
        for byte in CONNECT {
            socket.send(Message::Binary(vec![*byte].into())).unwrap();
        }
        let connack = websocket_bytes(&mut socket, 4);
        assert_eq!((connack[0], connack[3]), (0x20, 0));
        // Fragments of one message, with a ping between them; then three packets in one message.
        let fragment = |opcode, is_final, bytes: &'static [u8]| {
            let header = FrameHeader { is_final, opcode: OpCode::Data(opcode), ..FrameHeader::default() };
            Message::Frame(Frame::from_payload(header, bytes.into()))
        };
        socket.send(fragment(Data::Binary, false, &PINGREQ[..1])).unwrap();
        socket.send(Message::Ping(b"still there?".as_slice().into())).unwrap();
        socket.send(fragment(Data::Continue, true, &PINGREQ[1..])).unwrap();
        assert_eq!(socket.read().unwrap(), Message::Pong(b"still there?".as_slice().into()));
        assert_eq!(websocket_bytes(&mut socket, 2), PINGRESP);
        socket.send(Message::Binary([PINGREQ, PINGREQ, PINGREQ].concat().into())).unwrap();
        assert_eq!(websocket_bytes(&mut socket, 6), [PINGRESP, PINGRESP, PINGRESP].concat());
        // DISCONNECT: the code says that all is well.
        socket.send(Message::Binary(b"\xE0\x00".as_slice().into())).unwrap();
        assert_eq!(close_code(&mut socket), CloseCode::Normal);
    }
}

#[test]
fn a_slow_websocket_gets_every_byte_in_order() {
    let running = serve(config(&["ws://127.0.0.1:0"]), Clock::Real);
    let mut socket = websocket(&running, "mqtt");
    socket.send(Message::Binary(CONNECT.into())).unwrap();
    // SUBSCRIBE to "t", QoS 1.
    socket.send(Message::Binary(b"\x82\x07\x00\x01\x00\x00\x01t\x01".as_slice().into())).unwrap();
    // The answers arrive in one message or in two: CONNACK names its own length, SUBACK has 6 bytes.
    let mut bytes = websocket_bytes(&mut socket, 2);
    let answers = 2 + usize::from(bytes[1]) + 6;
    bytes.extend(websocket_bytes(&mut socket, answers - bytes.len()));
    assert_eq!(bytes.len(), answers);
    // 16 MB that nobody reads yet, so that frames are cut by short writes.
    let payload = |number: u8| vec![number; 1_000_000];
    for number in 0..16 {
        let qos = wasmqtt_broker::codec::Qos::AtLeastOnce;
        let publish = Command::Publish { topic: "t".into(), payload: payload(number).into(), qos, retain: false };
        assert_eq!(running.command(publish), Some(Reply::Done));
    }
    // PUBLISH, QoS 1, 1,000,006 bytes to follow, with Packet Identifiers in order.
    let expected = (0..16_u8)
        .flat_map(|number| [b"\x32\xC6\x84\x3D\x00\x01t\x00".as_slice(), &[number + 1, 0], &payload(number)].concat());
    let expected: Vec<u8> = expected.collect();
    assert!(websocket_bytes(&mut socket, expected.len()) == expected);
}

fn close_code(socket: &mut WebSocket<TcpStream>) -> CloseCode {
    loop {
        match socket.read().unwrap() {
            Message::Close(close) => return close.unwrap().code,
            Message::Binary(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

/// [5:MQTT-6.0.0-1] [5:MQTT-6.0.0-3] [311:MQTT-6.0.0-1] [311:MQTT-6.0.0-3]
#[test]
fn a_websocket_is_told_why_it_is_closed() {
    let running = serve(config(&["ws://127.0.0.1:0"]), Clock::Real);
    assert_eq!(try_websocket(&running, "").map(drop), Err(400));
    assert_eq!(try_websocket(&running, "amqp").map(drop), Err(400));
    let code = |message: Message| {
        let mut socket = websocket(&running, "mqtt");
        socket.send(message).unwrap();
        close_code(&mut socket)
    };
    assert_eq!(code(Message::Text("no".into())), CloseCode::Unsupported);
    assert_eq!(code(Message::Binary(PINGREQ.into())), CloseCode::Protocol);
    let mut socket = websocket(&running, "mqtt");
    socket.close(None).unwrap();
    assert!(matches!(socket.read(), Ok(Message::Close(_))));
}

#[test]
fn passwords_and_permissions_are_obeyed() {
    let folder = tempfile::tempdir().unwrap();
    let (passwords, acl) = (folder.path().join("passwords"), folder.path().join("acl"));
    let mut file = wasmqtt_host::auth::PasswordFile::empty();
    file.set("u", b"secret").unwrap();
    file.write(&passwords).unwrap();
    std::fs::write(&acl, "user u\ntopic t\ntopic deny no/#\n").unwrap();
    let mut config = config(&["tcp://127.0.0.1:0"]);
    (config.password_file, config.acl_file) = (Some(passwords), Some(acl));
    let running = serve(config, Clock::Real);
    let address = address(&running, Transport::Tcp);
    // CONNECT with user name "u" and this password.
    let with = |password: &[u8]| {
        let mut connect = b"\x10\x00\x00\x04MQTT\x05\xC2\x00\x00\x00\x00\x01a\x00\x01u\x00".to_vec();
        connect.push(password.len() as u8);
        connect.extend_from_slice(password);
        connect[1] = (connect.len() - 2) as u8;
        connect
    };
    let mut refused = open(address);
    refused.write_all(&with(b"wrong")).unwrap();
    assert_eq!(packet(&mut refused)[3], 0x87);
    let mut nameless = open(address);
    nameless.write_all(CONNECT).unwrap();
    assert_eq!(packet(&mut nameless)[3], 0x87);
    let mut client = connect(address, &with(b"secret"));
    client.write_all(SUBSCRIBE).unwrap();
    assert_eq!(packet(&mut client), SUBACK);
    // SUBSCRIBE to "no/x" is covered by the denial.
    client.write_all(b"\x82\x0A\x00\x02\x00\x00\x04no/x\x00").unwrap();
    assert_eq!(packet(&mut client).last(), Some(&0x87));
    client.set_read_timeout(Some(PATIENCE)).unwrap();
}
