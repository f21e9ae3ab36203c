//! What the broker says beside bytes, as lines of a transcript.

use wasmqtt_broker::{BridgeEnd, CloseReason, Delivery, Event, NotDelivered, Page, Question, Reply, Trace};
use wasmqtt_codec::{ProtocolVersion, Qos, RetainHandling};

use crate::scenario::property::{bare_or_quoted, quote};

/// `asks connect alice …`.
pub fn question(question: &Question) -> String {
    match question {
        Question::Connect { version, client_identifier, user_name, password, authentication, .. } => {
            let mut line = format!("asks connect {} {}", bare_or_quoted(client_identifier), version_name(*version));
            if let Some(user) = user_name {
                line += &format!(" user={}", quote(user.as_bytes()));
            }
            if let Some(password) = password {
                line += &format!(" password={}", quote(password));
            }
            if let Some((method, data)) = authentication {
                line += &format!(" method={}", quote(method.as_bytes()));
                line += &optional(" data", data.as_deref());
            }
            line
        }
        Question::Authenticate { client_identifier, method, data, again, .. } => {
            let verb = if *again { "asks reauthenticate" } else { "asks authenticate" };
            let method = quote(method.as_bytes());
            format!(
                "{verb} {} method={method}{}",
                bare_or_quoted(client_identifier),
                optional(" data", data.as_deref())
            )
        }
    }
}

fn optional(name: &str, data: Option<&[u8]>) -> String {
    data.map(|data| format!("{name}={}", quote(data))).unwrap_or_default()
}

/// `v3`, `v311` or `v5`.
fn version_name(version: ProtocolVersion) -> &'static str {
    match version {
        ProtocolVersion::V3_1 => "v3",
        ProtocolVersion::V3_1_1 => "v311",
        ProtocolVersion::V5 => "v5",
    }
}

/// `event connected alice …`.
pub fn event(event: &Event) -> String {
    let name = |name: &Option<String>| name.as_deref().map_or("-".into(), bare_or_quoted);
    match event {
        Event::Connected { client_identifier, version, user, session_present, keep_alive_s, .. } => {
            let mut line = format!("event connected {} {}", bare_or_quoted(client_identifier), version_name(*version));
            if let Some(user) = user {
                line += &format!(" user={}", quote(user.as_bytes()));
            }
            if *session_present {
                line += " session_present";
            }
            if *keep_alive_s > 0 {
                line += &format!(" keep_alive_s={keep_alive_s}");
            }
            line
        }
        Event::Refused { client_identifier, fault, .. } => {
            format!(
                "event refused {} reason={} [{}]",
                name(client_identifier),
                reason(fault.reason().byte()),
                fault.statement()
            )
        }
        Event::Disconnected { client_identifier, why, session_kept, .. } => {
            let kept = if *session_kept { " session_kept" } else { "" };
            format!("event disconnected {} {}{kept}", bare_or_quoted(client_identifier), close_reason(why.as_ref()))
        }
        Event::Dropping { client_identifier, why } => {
            format!("event dropping {} {why:?}", bare_or_quoted(client_identifier))
        }
        Event::LimitReached { client_identifier, fault } => {
            format!(
                "event limit {} reason={} [{}]",
                name(client_identifier),
                reason(fault.reason().byte()),
                fault.statement()
            )
        }
        Event::SessionEnded { client_identifier, why } => {
            format!("event session_ended {} {why:?}", bare_or_quoted(client_identifier))
        }
        Event::BridgeUp { name, session_present, keep_alive_s, .. } => {
            let present = if *session_present { " session_present" } else { "" };
            format!("event bridge_up {}{present} keep_alive_s={keep_alive_s}", bare_or_quoted(name))
        }
        Event::BridgeDown { name, why, dials_at } => {
            let again = if dials_at.is_some() { " dials_again" } else { "" };
            format!("event bridge_down {} {}{again}", bare_or_quoted(name), bridge_end(why))
        }
        Event::BridgeTopicRefused { name, filter, reason: code } => {
            let (name, filter) = (bare_or_quoted(name), bare_or_quoted(filter));
            format!("event bridge_topic_refused {name} {filter} reason={}", reason(code.byte()))
        }
    }
}

fn bridge_end(why: &BridgeEnd) -> String {
    match why {
        BridgeEnd::DialFailed => "dial failed".into(),
        BridgeEnd::Refused(code) => format!("refused reason={}", reason(code.byte())),
        BridgeEnd::Lost => "without a word".into(),
        BridgeEnd::Closed(CloseReason::Client(code)) => format!("remote reason={}", reason(code.byte())),
        BridgeEnd::Closed(why) => close_reason(Some(why)),
    }
}

fn close_reason(why: Option<&CloseReason>) -> String {
    match why {
        None => "without a word".into(),
        Some(CloseReason::Client(code)) => format!("client reason={}", reason(code.byte())),
        Some(CloseReason::Fault(fault)) => {
            format!("fault reason={} [{}]", reason(fault.reason().byte()), fault.statement())
        }
        Some(CloseReason::Stopping) => "stopping".into(),
        Some(CloseReason::TakenOver) => "taken over".into(),
        Some(CloseReason::Kicked(code)) => format!("kicked reason={}", reason(code.byte())),
        Some(CloseReason::Remote(code)) => format!("remote reason={}", reason(code.byte())),
        Some(CloseReason::BridgeRemoved) => "bridge removed".into(),
    }
}

fn reason(byte: u8) -> String {
    format!("0x{byte:02X}")
}

/// `trace published 1 …`.
pub fn trace(trace: &Trace) -> String {
    match trace {
        Trace::Published { publication, client_identifier, topic, qos, retain, .. } => {
            let who = client_identifier.as_deref().map_or("the broker".into(), bare_or_quoted);
            let retain = if *retain { " retain" } else { "" };
            format!("trace published {publication} by {who} {} qos={}{retain}", bare_or_quoted(topic), Qos::bits(*qos))
        }
        Trace::Delivered { publication, client_identifier, filter, qos, retained, how } => {
            let how = match how {
                Delivery::Sent => "sent",
                Delivery::Queued => "queued",
            };
            let retained = if *retained { " retained" } else { "" };
            let (who, filter) = (bare_or_quoted(client_identifier), bare_or_quoted(filter));
            format!("trace delivered {publication} to {who} filter={filter} qos={}{retained} {how}", Qos::bits(*qos))
        }
        Trace::NotDelivered { publication, client_identifier, why } => {
            let who = bare_or_quoted(client_identifier);
            format!("trace not delivered {publication} to {who} {} [{}]", not_delivered(why), why.statement())
        }
    }
}

fn not_delivered(why: &NotDelivered) -> String {
    match why {
        NotDelivered::NoSubscription => "no subscription".into(),
        NotDelivered::NoMatch { filter, level } => {
            format!("filter={} differs at level {level}", bare_or_quoted(filter))
        }
        NotDelivered::Dollar { filter } => format!("filter={} matches no $ topic", bare_or_quoted(filter)),
        NotDelivered::NoLocal { filter } => format!("filter={} no local", bare_or_quoted(filter)),
        NotDelivered::NotPermitted => "not permitted".into(),
        NotDelivered::AnotherMember { filter } => format!("filter={} another member", bare_or_quoted(filter)),
        NotDelivered::Offline => "offline".into(),
        NotDelivered::QueueFull => "queue full".into(),
        NotDelivered::OutboxFull => "outbox full".into(),
        NotDelivered::PacketTooLarge => "packet too large".into(),
        NotDelivered::Expired => "expired".into(),
        NotDelivered::Memory => "memory".into(),
        NotDelivered::NotBridged => "no topic of the bridge".into(),
        NotDelivered::BridgeLoop => "passed too many bridges".into(),
    }
}

/// The lines of a reply.
pub fn reply(reply: &Reply) -> Vec<String> {
    match reply {
        Reply::Done => vec!["<- done".into()],
        Reply::Refused(code) => vec![format!("<- refused reason={}", reason(code.byte()))],
        Reply::Page(page) => lines(page).into_iter().map(|line| format!("<- {line}")).collect(),
        Reply::Bridge(_) => vec!["<- bridge added".into()],
        Reply::NoBridge(error) => vec![format!("<- no bridge: {error:?}")],
        Reply::Counters(_) | Reply::Digest(_) | Reply::Saved(_) => Vec::new(),
    }
}

fn lines(page: &Page) -> Vec<String> {
    match page {
        Page::Sessions(all) => all
            .iter()
            .map(|s| {
                let connected = if s.conn.is_some() { "connected" } else { "away" };
                let (name, expiry) = (bare_or_quoted(&s.client_identifier), s.session_expiry_interval_s);
                format!(
                    "session {name} {connected} session_expiry_s={expiry} subscriptions={} queued={} in_flight={}",
                    s.subscriptions, s.queued, s.in_flight
                )
            })
            .collect(),
        Page::Subscriptions(all) => all
            .iter()
            .map(|s| {
                let o = s.options;
                let mut line = format!("subscription {} qos={}", bare_or_quoted(&s.filter), Qos::bits(o.qos));
                line += if o.no_local { " no_local" } else { "" };
                line += if o.retain_as_published { " rap" } else { "" };
                line += match o.retain_handling {
                    RetainHandling::SendAtSubscribe => "",
                    RetainHandling::SendIfNew => " rh=1",
                    RetainHandling::DoNotSend => " rh=2",
                };
                line + &s.identifier.map(|n| format!(" subscription_identifier={n}")).unwrap_or_default()
            })
            .collect(),
        Page::Bridges(all) => all
            .iter()
            .map(|b| {
                let state = match (b.up, b.conn, b.dials_at) {
                    (true, _, _) => "up",
                    (false, Some(_), _) => "connecting",
                    (false, None, Some(_)) => "waiting",
                    (false, None, None) => "dialling",
                };
                format!("bridge {} {} {state}", bare_or_quoted(&b.name), bare_or_quoted(&b.target))
            })
            .collect(),
        Page::InFlight(all) => {
            all.iter().map(|m| format!("in flight id={} awaits {:?}", m.packet_identifier, m.awaits)).collect()
        }
        Page::Queue(all) | Page::Retained(all) => all
            .iter()
            .map(|m| format!("message {} {} qos={}", bare_or_quoted(&m.topic), quote(&m.payload), Qos::bits(m.qos)))
            .collect(),
    }
}
