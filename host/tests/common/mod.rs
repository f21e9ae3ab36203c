//! What the host's tests share: a guest, a server in this process, packets made by hand.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use wasmqtt_broker::{Time, Transport};
use wasmqtt_host::clock::Clock;
use wasmqtt_host::config::ServerConfig;
use wasmqtt_host::module::GuestModule;
use wasmqtt_host::server::{Running, Server, ServerOptions};

/// When virtual clocks begin: 2026-01-01 00:00:00 UTC.
pub const BEGIN: Time = Time(1_767_225_600_000_000);

/// Long enough for a busy machine; nothing waits that long when all is well.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// CONNECT, 5.0, Clean Start, no Keep Alive, Client Identifier "a".
pub const CONNECT: &[u8] = b"\x10\x0E\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x01a";
/// PINGREQ and PINGRESP.
pub const PINGREQ: &[u8] = b"\xC0\x00";
pub const PINGRESP: &[u8] = b"\xD0\x00";
/// DISCONNECT with 0x8B, Server shutting down.
pub const SHUTTING_DOWN: &[u8] = b"\xE0\x01\x8B";

/// The guest that this build embeds.
pub fn guest() -> GuestModule {
    GuestModule::embedded().expect("build with WASMQTT_GUEST, as `cargo xtask test` does")
}

/// A configuration with these listeners.
pub fn config(listen: &[&str]) -> ServerConfig {
    let listen = listen.iter().map(|listen| listen.parse().unwrap()).collect();
    ServerConfig { listen, ..ServerConfig::default() }
}

/// A server in this process, on ports of its own choice.
pub fn serve(config: ServerConfig, clock: Clock) -> Running {
    let options = ServerOptions { config, clock, module: Some(guest()), ..ServerOptions::default() };
    Server::start(options).unwrap()
}

/// Where it listens with this transport.
pub fn address(running: &Running, transport: Transport) -> SocketAddr {
    running.addresses().iter().find(|listen| listen.transport == transport).unwrap().address
}

/// A socket that gives up after a while.
pub fn open(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Sends CONNECT and takes the CONNACK, whose length is in its second byte.
pub fn connect(address: SocketAddr, connect: &[u8]) -> TcpStream {
    let mut stream = open(address);
    stream.write_all(connect).unwrap();
    let connack = packet(&mut stream);
    assert_eq!((connack[0], connack[3]), (0x20, 0), "CONNACK {connack:02X?}");
    stream
}

/// The next packet, if it is shorter than 128 bytes.
pub fn packet(stream: &mut impl Read) -> Vec<u8> {
    let mut packet = vec![0; 2];
    stream.read_exact(&mut packet).unwrap();
    assert!(packet[1] < 128, "a short packet");
    packet.resize(2 + usize::from(packet[1]), 0);
    stream.read_exact(&mut packet[2..]).unwrap();
    packet
}

/// All bytes until the peer closes; a reset counts as closing.
pub fn rest(stream: &mut impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Ok(_) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => bytes,
        Err(error) => panic!("{error}; until then {bytes:02X?}"),
    }
}

/// A PINGREQ that is answered: everything before it has been dealt with.
pub fn ping(stream: &mut TcpStream) {
    stream.write_all(PINGREQ).unwrap();
    assert_eq!(packet(stream), PINGRESP);
}
