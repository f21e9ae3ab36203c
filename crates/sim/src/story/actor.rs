//! A client of a story, or the remote of a bridge: it sends what the story says, reads what the broker sends, and
//! acknowledges by itself unless the story wants to do that by hand. It remembers nothing over connections; a story
//! that resumes says what it sends.

use wasmqtt_codec::{Framing, Packet, PacketIdentifier, PacketType, ProtocolVersion, Qos, ReasonCode, Sender, frame};

use crate::scenario::Show;
use crate::scenario::wish::{Composer, Wish};
use crate::target::LinkId;
use crate::transcript::packet;

/// One client.
pub struct Actor {
    /// Its name in the story, and its Client Identifier where the story says no other.
    pub name: String,
    /// The version of its connection.
    pub version: ProtocolVersion,
    /// Who speaks to it: the broker as a server, or a bridge as a client.
    pub peer: Sender,
    /// Whether dialling it succeeds.
    pub reachable: bool,
    /// Its open transport.
    pub link: Option<LinkId>,
    /// Whether it acknowledges by itself.
    pub automatic: bool,
    /// Whether it said DISCONNECT and closes the transport.
    pub leaving: bool,
    /// How its bytes are cut.
    pub split: usize,
    /// When its link breaks: at a packet of this type, or behind so many.
    pub trigger: Option<(PacketType, u32)>,
    /// What it saw in this step.
    pub seen: Vec<String>,
    /// Acknowledgements that it will send.
    pub answers: Vec<Wish>,
    /// Packets that it sees and does not write down.
    hidden: Vec<PacketType>,
    assigned: Option<String>,
    buffer: Vec<u8>,
    last_id: u16,
}

/// What a packet does to a link that waits to break.
#[derive(PartialEq, Eq)]
enum Passing {
    Whole,
    CutBefore,
    CutAfter,
}

impl Actor {
    /// A client that has done nothing yet.
    pub fn new(name: &str, split: usize, hidden: Vec<PacketType>) -> Self {
        Actor {
            name: name.into(),
            version: ProtocolVersion::V5,
            peer: Sender::Server,
            reachable: true,
            link: None,
            automatic: true,
            leaving: false,
            split,
            trigger: None,
            seen: Vec::new(),
            answers: Vec::new(),
            hidden,
            assigned: None,
            buffer: Vec::new(),
            last_id: 0,
        }
    }

    /// Whether a client without a transport opens one to send this.
    pub fn may_open(wish: &Wish) -> bool {
        matches!(wish, Wish::Connect(_) | Wish::Raw(_))
    }

    /// A new transport is there.
    pub fn opened(&mut self, link: LinkId) {
        self.forget_link();
        self.link = Some(link);
        self.last_id = 0;
    }

    /// The transport is gone.
    pub fn forget_link(&mut self) {
        self.link = None;
        self.leaving = false;
        self.trigger = None;
        self.buffer.clear();
        self.answers.clear();
    }

    /// The broker closed the transport: worth a line, unless the client itself was leaving.
    pub fn closed(&mut self) {
        if !self.leaving {
            self.seen.push("<- closed".into());
        }
        self.forget_link();
    }

    /// The bytes of some packets, and whether the link breaks behind them.
    pub fn compose(&mut self, sends: &[Wish]) -> (Vec<u8>, bool) {
        let mut bytes = Vec::new();
        for wish in sends {
            let passing = wish.packet_type().map_or(Passing::Whole, |kind| self.pass(kind));
            if passing == Passing::CutBefore {
                return (bytes, true);
            }
            if let Wish::Connect(connect) = wish {
                self.version = connect.version;
            }
            self.leaving |= matches!(wish, Wish::Disconnect { .. });
            let name = self.assigned.as_deref().unwrap_or(&self.name);
            let as_assigned;
            let wish = match wish {
                Wish::Connect(connect) if connect.client_identifier.as_deref() == Some("*") => {
                    let mut connect = connect.clone();
                    connect.client_identifier = Some(name.into());
                    as_assigned = Wish::Connect(connect);
                    &as_assigned
                }
                other => other,
            };
            let mut composer =
                Composer { version: self.version, client_identifier: &self.name, next_id: &mut self.last_id };
            wish.compose(&mut composer, &mut bytes);
            if passing == Passing::CutAfter {
                return (bytes, true);
            }
        }
        (bytes, false)
    }

    /// Reads what arrived; whether the link breaks at it.
    pub fn receive(&mut self, bytes: &[u8], show: Show) -> bool {
        self.buffer.extend_from_slice(bytes);
        let buffer = core::mem::take(&mut self.buffer);
        let mut rest = buffer.as_slice();
        while !rest.is_empty() {
            match frame(rest, 0) {
                Ok(Framing::Complete { total_bytes, .. }) if total_bytes <= rest.len() => {
                    let (one, behind) = rest.split_at(total_bytes);
                    if self.packet(one, show) {
                        return true;
                    }
                    rest = behind;
                }
                Ok(_) => break,
                Err(error) => {
                    self.seen.push(format!("<- UNREADABLE {error:?} in {rest:02x?}"));
                    return false;
                }
            }
        }
        self.buffer = rest.to_vec();
        false
    }

    /// Reads one packet; whether the link breaks at it.
    fn packet(&mut self, bytes: &[u8], show: Show) -> bool {
        let packet = match Packet::decode(bytes, self.version, self.peer) {
            Ok(packet) => packet,
            Err(error) => {
                self.seen.push(format!("<- UNREADABLE {error:?} in {bytes:02x?}"));
                return false;
            }
        };
        let passing = self.pass(packet.packet_type());
        if passing == Passing::CutBefore {
            return true;
        }
        if !self.hidden.contains(&packet.packet_type()) {
            self.seen.push(format!("<- {}", packet::line(&packet, show)));
        }
        if let Packet::Connack(connack) = &packet
            && let Some(identifier) = connack.properties.assigned_client_identifier()
        {
            self.assigned = Some(identifier.into());
        }
        if let Packet::Connect(connect) = &packet {
            self.version = connect.version;
        }
        if self.automatic {
            self.answers.extend(acknowledgement(&packet));
        }
        passing == Passing::CutAfter
    }

    fn pass(&mut self, kind: PacketType) -> Passing {
        match &mut self.trigger {
            Some((at, 0)) if *at == kind => Passing::CutBefore,
            Some((at, 1)) if *at == kind => Passing::CutAfter,
            Some((at, count)) if *at == kind => {
                *count -= 1;
                Passing::Whole
            }
            _ => Passing::Whole,
        }
    }
}

/// What a good client answers by itself.
fn acknowledgement(packet: &Packet<'_>) -> Option<Wish> {
    let (kind, id) = match packet {
        Packet::Publish(publish) => match (publish.qos, publish.packet_identifier) {
            (Qos::AtLeastOnce, Some(id)) => (PacketType::Puback, id),
            (Qos::ExactlyOnce, Some(id)) => (PacketType::Pubrec, id),
            _ => return None,
        },
        Packet::Pubrec(ack) if !ack.reason.is_error() => (PacketType::Pubrel, ack.packet_identifier),
        Packet::Pubrel(ack) => (PacketType::Pubcomp, ack.packet_identifier),
        Packet::Subscribe(subscribe) => {
            let codes = subscribe.filters.iter().map(|entry| entry.options.qos.bits()).collect();
            return Some(Wish::Suback { id: subscribe.packet_identifier, codes, properties: Vec::new() });
        }
        Packet::Pingreq => return Some(Wish::Pingresp),
        _ => return None,
    };
    Some(wish(kind, id))
}

fn wish(kind: PacketType, id: PacketIdentifier) -> Wish {
    Wish::Ack { kind, id, reason: ReasonCode::Success, properties: Vec::new() }
}
