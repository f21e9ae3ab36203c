//! Log lines. The core's rare events become one line each, with who, from where, why, and the statement of the
//! standard.

use std::net::SocketAddr;

use tracing::field::display;
use wasmqtt_broker::codec::PacketType;
use wasmqtt_broker::{CloseReason, ConnectionId, Event, Fault};

use crate::config::{Log, LogFormat, LogLevel};

/// Sends log lines to stderr from now on. Once per process.
pub fn start(log: Log) {
    let level = match log.level {
        LogLevel::Error => tracing::Level::ERROR,
        LogLevel::Warn => tracing::Level::WARN,
        LogLevel::Info => tracing::Level::INFO,
        LogLevel::Debug => tracing::Level::DEBUG,
        LogLevel::Trace => tracing::Level::TRACE,
    };
    let lines = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).with_target(false);
    // Fails only if a logger is there already, and then that one serves.
    let _ = match log.format {
        LogFormat::Human => {
            let colours = std::io::IsTerminal::is_terminal(&std::io::stderr());
            tracing::subscriber::set_global_default(lines.with_ansi(colours).finish())
        }
        LogFormat::Json => tracing::subscriber::set_global_default(lines.json().flatten_event(true).finish()),
    };
}

/// Writes the line of an event.
pub(crate) fn event(event: &Event, peer: impl Fn(ConnectionId) -> Option<SocketAddr>) {
    let address = |conn: &ConnectionId| peer(*conn).map(display);
    match event {
        Event::Connected { conn, client_identifier, version, user, clean_start, session_present, keep_alive_s } => {
            let (address, user) = (address(conn), user.as_deref());
            tracing::info!(
                client = client_identifier, address, %version, user, clean_start, session_present, keep_alive_s,
                "connected"
            );
        }
        Event::Refused { conn, client_identifier, fault } => {
            let (client, address) = (client_identifier.as_deref(), address(conn));
            let (reason, statement) = (fault.reason().name(), fault.statement());
            tracing::info!(client, address, reason, statement, why = fault.text(), at = offset(fault), "refused");
        }
        Event::Disconnected { conn, client_identifier, why, session_kept } => {
            let address = address(conn);
            let reason = why.as_ref().map_or("connection lost", |why| why.reason().name_in(PacketType::Disconnect));
            let fault = match why {
                Some(CloseReason::Fault(fault)) => Some(fault),
                Some(
                    CloseReason::Client(_) | CloseReason::Stopping | CloseReason::TakenOver | CloseReason::Kicked(_),
                )
                | None => None,
            };
            let (statement, why) = (fault.map(Fault::statement), fault.map(Fault::text));
            tracing::info!(
                client = client_identifier,
                address,
                reason,
                statement,
                why,
                at = fault.and_then(offset),
                session_kept,
                "disconnected"
            );
        }
        Event::Dropping { client_identifier, why } => {
            tracing::warn!(client = client_identifier, ?why, "dropping messages");
        }
        Event::LimitReached { client_identifier, fault } => {
            let (reason, statement) = (fault.reason().name(), fault.statement());
            tracing::warn!(
                client = client_identifier.as_deref(),
                reason,
                statement,
                why = fault.text(),
                "limit reached"
            );
        }
        Event::SessionEnded { client_identifier, why } => {
            tracing::debug!(client = client_identifier, ?why, "session ended");
        }
    }
}

/// Where in a packet a fault was seen.
fn offset(fault: &Fault) -> Option<u32> {
    match fault {
        Fault::Packet { offset, .. } => Some(*offset),
        Fault::Violation(..) | Fault::Refused(..) => None,
    }
}
