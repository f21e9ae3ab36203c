//! What can go wrong while load is put on a broker, by who is to blame: the one who typed the command, the machine, or
//! the broker. Each says what is wrong, where, and what to do or what is allowed.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// Why a run gave no figures.
#[derive(Debug)]
pub enum Failure {
    /// An argument that can't be: what it is, and what is allowed.
    Argument(String),
    /// This process may not open as many files as the scenario needs.
    Descriptors {
        /// Connections and a few more.
        wanted: u64,
        /// The hard limit.
        allowed: u64,
    },
    /// Something of the machine's that failed: which, and how.
    System(&'static str, io::Error),
    /// A process whose figures were asked for can't be looked at.
    Process(u32, io::Error),
    /// A program that was to be started or to give figures did not: which, and what it said.
    Program(String),
    /// No transport could be opened.
    Connect(SocketAddr, io::Error),
    /// The broker answered CONNECT with something else than "accepted".
    Refused(String),
    /// The broker granted no Subscription for a Topic Filter.
    Denied(String),
    /// The broker closed a connection, or its transport broke.
    Closed(String),
    /// The broker sent what is no MQTT, or no packet that belongs there.
    Protocol(String),
    /// Messages came not at all, twice, in the wrong order, changed, or to the wrong client.
    Delivery(String),
    /// A soak proved less than it should: what.
    Judged(String),
    /// Nothing came for this long although something was owed.
    Stalled(Duration, String),
}

/// What most functions here give.
pub type Outcome<T = ()> = Result<T, Failure>;

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Argument(what) | Failure::Program(what) => out.write_str(what),
            Failure::Descriptors { wanted, allowed } => write!(
                out,
                "{wanted} open files are needed and {allowed} are allowed; raise the hard limit (ulimit -Hn {wanted}) \
                 or give a smaller --connections"
            ),
            Failure::System(what, error) => write!(out, "{what}: {error}"),
            Failure::Process(pid, error) => write!(out, "process {pid} can't be looked at in /proc: {error}"),
            Failure::Connect(addr, error) => write!(out, "{addr}: no connection: {error}; does a broker listen there?"),
            Failure::Refused(what) => write!(out, "the broker refused a connection: {what}"),
            Failure::Denied(what) => write!(out, "the broker refused a Subscription: {what}"),
            Failure::Closed(what) => write!(out, "the broker closed a connection: {what}"),
            Failure::Protocol(what) => write!(out, "the broker broke the protocol: {what}"),
            Failure::Delivery(what) => write!(out, "wrong delivery: {what}"),
            Failure::Judged(what) => write!(out, "the soak is no proof: {what}"),
            Failure::Stalled(time, what) => {
                write!(out, "nothing came for {} s; outstanding: {what}", time.as_secs_f32())
            }
        }
    }
}

impl std::error::Error for Failure {}
