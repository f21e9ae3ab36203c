//! What can be typed behind `wasmqtt`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use wasmqtt_host::config::{Log, LogFormat, LogLevel, ServerConfig};
use wasmqtt_host::listen::Listen;

/// An MQTT 5.0, 3.1.1 and 3.1 broker whose core runs as WebAssembly.
#[derive(Parser)]
#[command(name = "wasmqtt", version, about, max_term_width = 100)]
pub struct Flags {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Serve clients until SIGTERM or Ctrl-C
    Serve(ServeFlags),
    /// Read a configuration and the files it names, and say what is wrong
    CheckConfig {
        /// The configuration file
        file: PathBuf,
    },
    /// Set a user's password in a password file; the password is asked for, or read from the input
    Passwd {
        /// The password file; it is made if it isn't there
        file: PathBuf,
        /// The user name
        user: String,
    },
    /// Compile a guest ahead of time, for a build that embeds it
    #[command(hide = true)]
    Precompile { from: PathBuf, to: PathBuf },
}

/// Flags win over the file.
#[derive(Args)]
pub struct ServeFlags {
    /// Configuration file (TOML)
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where to listen, such as tcp://127.0.0.1:1883 or ws://127.0.0.1:8083/mqtt; may be given several times
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Vec<Listen>,
    /// Let clients in that don't say who they are
    #[arg(long)]
    pub allow_anonymous: bool,
    /// Password file, made by `wasmqtt passwd`
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// ACL file, in mosquitto's grammar
    #[arg(long, value_name = "FILE")]
    pub acl_file: Option<PathBuf>,
    /// Run this guest instead of the one inside this program
    #[arg(long, value_name = "FILE.wasm")]
    pub guest: Option<PathBuf>,
    /// How log lines look
    #[arg(long, value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
    /// Which log lines are written
    #[arg(long, value_name = "LEVEL")]
    pub log_level: Option<LogLevel>,
    /// Write this file once clients can connect: one address a line, with real port numbers
    #[arg(long, value_name = "FILE")]
    pub ready_file: Option<PathBuf>,
}

impl ServeFlags {
    pub fn apply(self, config: &mut ServerConfig, log: &mut Log) {
        if !self.listen.is_empty() {
            config.listen = self.listen;
        }
        config.allow_anonymous |= self.allow_anonymous;
        config.password_file = self.password_file.or(config.password_file.take());
        config.acl_file = self.acl_file.or(config.acl_file.take());
        config.guest = self.guest.or(config.guest.take());
        log.format = self.log_format.unwrap_or(log.format);
        log.level = self.log_level.unwrap_or(log.level);
    }
}
