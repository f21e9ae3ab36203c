//! Where a server listens, as people write it: `tcp://127.0.0.1:1883`, `ws://[::1]:8083/mqtt`.

use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::str::FromStr;

use mio::net::TcpListener;
use serde::Deserialize;
use wasmqtt_broker::Transport;

/// Connections that the kernel may hold for us: with 100 a burst of clients stalls for seconds.
const BACKLOG: i32 = 4_096;

/// The path of a WebSocket listener that names none.
pub const WEBSOCKET_PATH: &str = "/mqtt";

/// An address to listen on.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Listen {
    /// TCP or WebSocket.
    pub transport: Transport,
    /// The first address that the name stands for; port 0 lets the system choose.
    pub address: SocketAddr,
    /// The path of a WebSocket; empty for TCP.
    pub path: String,
}

/// What is wrong with an address to listen on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ListenError {
    /// It has another form than those allowed.
    Form(String),
    /// Its host is not an address of this machine, or its name stands for none.
    Host(String, String),
}

impl fmt::Display for ListenError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ListenError::Form(found) => {
                write!(out, "\"{found}\" is no address to listen on; allowed: tcp://HOST:PORT or ws://HOST:PORT/PATH")
            }
            ListenError::Host(found, why) => {
                write!(out, "\"{found}\": {why}; allowed: tcp://HOST:PORT or ws://HOST:PORT/PATH")
            }
        }
    }
}

impl std::error::Error for ListenError {}

impl FromStr for Listen {
    type Err = ListenError;

    fn from_str(text: &str) -> Result<Self, ListenError> {
        let form = || ListenError::Form(text.into());
        let (scheme, rest) = text.split_once("://").ok_or_else(form)?;
        let (host, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let (transport, path) = match (scheme, path) {
            ("tcp" | "mqtt", "" | "/") => (Transport::Tcp, ""),
            ("ws", "" | "/") => (Transport::WebSocket, WEBSOCKET_PATH),
            ("ws", path) => (Transport::WebSocket, path),
            _ => return Err(form()),
        };
        let port_is_a_number = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        if !port_is_a_number {
            return Err(form());
        }
        let mut addresses =
            host.to_socket_addrs().map_err(|error| ListenError::Host(text.into(), error.to_string()))?;
        let address = addresses.next().ok_or_else(form)?;
        Ok(Listen { transport, address, path: path.into() })
    }
}

impl TryFrom<String> for Listen {
    type Error = ListenError;

    fn try_from(text: String) -> Result<Self, ListenError> {
        text.parse()
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.transport {
            Transport::WebSocket => "ws",
            Transport::Tcp | Transport::Local | Transport::Bridge(_) => "tcp",
        };
        write!(out, "{scheme}://{}{}", self.address, self.path)
    }
}

/// Opens a listener with a long backlog; gives it with the port that it really has.
pub(crate) fn open(listen: &Listen) -> std::io::Result<(TcpListener, Listen)> {
    let listener = TcpListener::bind(listen.address)?;
    // Listening again only changes the backlog.
    rustix::net::listen(&listener, BACKLOG)?;
    // Small packets must not wait for each other; what is accepted inherits it, which saves a call for each.
    rustix::net::sockopt::set_tcp_nodelay(&listener, true)?;
    let address = listener.local_addr()?;
    Ok((listener, Listen { address, ..listen.clone() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_accepted_sends_small_packets_at_once() {
        let (listener, listen) = open(&"tcp://127.0.0.1:0".parse().unwrap()).unwrap();
        let _client = std::net::TcpStream::connect(listen.address).unwrap();
        assert!(listener.accept().unwrap().0.nodelay().unwrap());
    }

    #[test]
    fn addresses_as_people_write_them() {
        let round = |text: &str| text.parse::<Listen>().map(|listen| listen.to_string());
        assert_eq!(round("tcp://127.0.0.1:1883"), Ok("tcp://127.0.0.1:1883".into()));
        assert_eq!(round("ws://[::1]:8083/broker"), Ok("ws://[::1]:8083/broker".into()));
        assert_eq!(round("ws://127.0.0.1:8083"), Ok("ws://127.0.0.1:8083/mqtt".into()));
        for bad in ["127.0.0.1:1883", "tcp://127.0.0.1", "tcp://127.0.0.1:x", "http://127.0.0.1:1", "tcp://[::1]:1/a"] {
            assert_eq!(round(bad), Err(ListenError::Form(bad.into())));
        }
    }
}
