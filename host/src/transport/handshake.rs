//! The HTTP request that becomes a WebSocket: collected up to a limit, read by tungstenite, and answered. A request
//! that is no MQTT over WebSocket gets a status that says why.

use std::fmt;

use tungstenite::handshake::machine::TryParse;
use tungstenite::handshake::server::{Request, Response, create_response, write_response};
use tungstenite::http::{HeaderMap, HeaderValue, header};

/// Bytes of a request's head. Cookies of a site can be long, but not this long.
const HEAD_BYTES_MAX: usize = 8 << 10;

/// The names under which MQTT is spoken over WebSocket [5:MQTT-6.0.0-3] [311:MQTT-6.0.0-3], the standard's first;
/// `mqttv3.1` is what clients of 3.1 offer.
const SUBPROTOCOLS: [&str; 2] = ["mqtt", "mqttv3.1"];

/// What a request must fit.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct UpgradeRules {
    /// The path of the listener.
    pub path: String,
    /// Pages that browsers may come from; empty = any.
    pub origins: Vec<String>,
}

/// Why a request is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HandshakeRefusal {
    /// It is not HTTP, or not a WebSocket upgrade of version 13.
    NoUpgrade,
    /// It is longer than it may be.
    TooLong,
    /// It asks for another path.
    Path,
    /// It comes from a page that may not.
    Origin,
    /// It offers no subprotocol of MQTT.
    Subprotocol,
    /// It wasn't complete in time.
    Timeout,
}

impl HandshakeRefusal {
    /// The status line's number and words.
    fn status(self) -> &'static str {
        match self {
            HandshakeRefusal::NoUpgrade | HandshakeRefusal::Subprotocol => "400 Bad Request",
            HandshakeRefusal::TooLong => "431 Request Header Fields Too Large",
            HandshakeRefusal::Path => "404 Not Found",
            HandshakeRefusal::Origin => "403 Forbidden",
            HandshakeRefusal::Timeout => "408 Request Timeout",
        }
    }

    /// The whole answer.
    #[must_use]
    pub fn response(self) -> Vec<u8> {
        let body = format!("{self}\n");
        format!(
            "HTTP/1.1 {}\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{body}",
            self.status(),
            body.len()
        )
        .into_bytes()
    }
}

impl fmt::Display for HandshakeRefusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            HandshakeRefusal::NoUpgrade => "not a WebSocket upgrade of version 13",
            HandshakeRefusal::TooLong => "the request is longer than 8 KiB",
            HandshakeRefusal::Path => "no WebSocket at this path",
            HandshakeRefusal::Origin => "not allowed from this origin",
            HandshakeRefusal::Subprotocol => "the subprotocol must be mqtt or mqttv3.1",
            HandshakeRefusal::Timeout => "the request was not complete in time",
        })
    }
}

/// A request under way.
#[derive(Debug, Default)]
pub struct Handshake {
    head: Vec<u8>,
}

/// What to do after more bytes came.
#[derive(Debug, PartialEq, Eq)]
pub enum Progress {
    /// Wait for more.
    More,
    /// Send the response; then frames follow, and these bytes are the first of them.
    Upgraded {
        /// What to send.
        response: Vec<u8>,
        /// What came behind the request.
        rest: Vec<u8>,
    },
    /// Send [`HandshakeRefusal::response`] and close.
    Refused(HandshakeRefusal),
}

impl Handshake {
    /// Takes bytes that came.
    #[must_use]
    pub fn advance(&mut self, bytes: &[u8], rules: &UpgradeRules) -> Progress {
        self.head.extend_from_slice(bytes);
        let refused = |refusal| Progress::Refused(refusal);
        match Request::try_parse(&self.head) {
            Err(_) => refused(HandshakeRefusal::NoUpgrade),
            Ok(None) if self.head.len() > HEAD_BYTES_MAX => refused(HandshakeRefusal::TooLong),
            Ok(None) => Progress::More,
            Ok(Some((len, _))) if len > HEAD_BYTES_MAX => refused(HandshakeRefusal::TooLong),
            Ok(Some((len, request))) => match answer(&request, rules) {
                Ok(response) => Progress::Upgraded { response, rest: self.head.split_off(len) },
                Err(refusal) => refused(refusal),
            },
        }
    }
}

fn answer(request: &Request, rules: &UpgradeRules) -> Result<Vec<u8>, HandshakeRefusal> {
    if request.uri().path() != rules.path {
        return Err(HandshakeRefusal::Path);
    }
    // Only browsers send an Origin, and only they need to be kept from letting foreign pages in.
    let origin = request.headers().get(header::ORIGIN);
    let from_elsewhere = |origin: &HeaderValue| !rules.origins.iter().any(|allowed| origin == allowed.as_str());
    if !rules.origins.is_empty() && origin.is_some_and(from_elsewhere) {
        return Err(HandshakeRefusal::Origin);
    }
    let mut response: Response = create_response(request).map_err(|_| HandshakeRefusal::NoUpgrade)?;
    let subprotocol = subprotocol(request.headers()).ok_or(HandshakeRefusal::Subprotocol)?;
    response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(subprotocol));
    let mut bytes = Vec::new();
    write_response(&mut bytes, &response).map_err(|_| HandshakeRefusal::NoUpgrade)?;
    Ok(bytes)
}

/// The subprotocol to speak: `mqtt` wherever it is offered [5:MQTT-6.0.0-4] [311:MQTT-6.0.0-4]. Several headers or one
/// with commas, both are usual.
fn subprotocol(headers: &HeaderMap) -> Option<&'static str> {
    let offers = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    let names: Vec<&str> = offers.flat_map(|value| value.split(',')).map(str::trim).collect();
    SUBPROTOCOLS.into_iter().find(|ours| names.contains(ours))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &str = "GET /mqtt HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nOrigin: https://a.example\r\n\
        Sec-WebSocket-Protocol: chat, mqtt\r\n\r\n";

    fn ask(request: &str, origins: &[&str]) -> Progress {
        let origins = origins.iter().map(ToString::to_string).collect();
        Handshake::default().advance(request.as_bytes(), &UpgradeRules { path: "/mqtt".into(), origins })
    }

    #[test]
    fn an_upgrade_in_pieces_with_a_frame_behind_it() {
        let rules = UpgradeRules { path: "/mqtt".into(), origins: Vec::new() };
        let mut handshake = Handshake::default();
        let (first, second) = REQUEST.split_at(40);
        assert_eq!(handshake.advance(first.as_bytes(), &rules), Progress::More);
        let second = [second.as_bytes(), &[0x82, 0x80]].concat();
        let Progress::Upgraded { response, rest } = handshake.advance(&second, &rules) else { panic!("not upgraded") };
        let response = String::from_utf8(response).unwrap().to_lowercase();
        assert!(response.starts_with("http/1.1 101 "), "{response}");
        // The answer to this key stands in RFC 6455, 1.3.
        assert!(response.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=\r\n"), "{response}");
        assert!(response.contains("sec-websocket-protocol: mqtt\r\n"), "{response}");
        assert_eq!(rest, [0x82, 0x80]);
    }

    /// [5:MQTT-6.0.0-4] [311:MQTT-6.0.0-4]
    #[test]
    fn mqtt_is_chosen_wherever_it_is_offered() {
        for (offer, chosen) in [
            ("chat, mqtt", "mqtt"),
            ("mqttv3.1, mqtt", "mqtt"),
            ("mqttv3.1\r\nSec-WebSocket-Protocol: mqtt", "mqtt"),
            ("mqttv3.1", "mqttv3.1"),
        ] {
            let Progress::Upgraded { response, .. } = ask(&REQUEST.replace("chat, mqtt", offer), &[]) else {
                panic!("{offer} is not upgraded");
            };
            let response = String::from_utf8(response).unwrap().to_lowercase();
            assert!(response.contains(&format!("sec-websocket-protocol: {chosen}\r\n")), "{offer}: {response}");
        }
    }

    /// [5:MQTT-6.0.0-3] [311:MQTT-6.0.0-3]
    #[test]
    fn what_is_no_mqtt_over_websocket_is_refused_with_its_reason() {
        let refused = |request: &str| match ask(request, &[]) {
            Progress::Refused(refusal) => refusal,
            other => panic!("{other:?}"),
        };
        assert_eq!(refused(&REQUEST.replace("chat, mqtt", "chat")), HandshakeRefusal::Subprotocol);
        assert_eq!(refused(&REQUEST.replace("GET /mqtt", "GET /")), HandshakeRefusal::Path);
        assert_eq!(refused(&REQUEST.replace("Upgrade: websocket", "X: y")), HandshakeRefusal::NoUpgrade);
        assert_eq!(refused(&REQUEST.replace("Version: 13", "Version: 8")), HandshakeRefusal::NoUpgrade);
        assert_eq!(refused("\x10\x0c\x00\x04MQTT\x04\x02\r\n\r\n"), HandshakeRefusal::NoUpgrade);
        let long = REQUEST.replace("Host: x", &format!("Host: {}", "x".repeat(9_000)));
        assert_eq!(refused(&long), HandshakeRefusal::TooLong);
        assert_eq!(ask(REQUEST, &["https://b.example"]), Progress::Refused(HandshakeRefusal::Origin));
        assert!(matches!(ask(REQUEST, &["https://a.example"]), Progress::Upgraded { .. }));
        assert!(HandshakeRefusal::Path.response().starts_with(b"HTTP/1.1 404 "));
    }
}
