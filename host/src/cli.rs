//! What can be typed behind `wasmqtt`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use wasmqtt_host::config::{Log, LogFormat, LogLevel, ServerConfig};
use wasmqtt_host::listen::Listen;
use wasmqtt_host::site::SiteWish;

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
    /// Look at a recording that `serve --record` made
    #[command(subcommand)]
    Recording(RecordingCommand),
    /// Compile a guest ahead of time, for a build that embeds it
    #[command(hide = true)]
    Precompile { from: PathBuf, to: PathBuf },
}

/// What can be done with a recording.
#[derive(Subcommand)]
pub enum RecordingCommand {
    /// Print what it tells, one line an item: offset, seconds since the first input, what happened
    Show {
        /// The recording
        file: PathBuf,
        /// Show Application Messages, passwords and Authentication Data too, not only how long they are
        #[arg(long)]
        secrets: bool,
    },
    /// Tell it to the core of this program and compare each digest; exit code 1 names the first step that disagrees
    Replay {
        /// The recording
        file: PathBuf,
    },
    /// Write one in which text of equal length stands for Application Messages, passwords and Authentication Data
    Mask {
        /// The recording
        from: PathBuf,
        /// The masked one, a new file
        to: PathBuf,
    },
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
    /// Where to serve the page: off, ADDRESS:PORT, or auto: 127.0.0.1:8080 if that is free
    #[arg(long, value_name = "ADDRESS")]
    pub site: Option<SiteWish>,
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
    /// Write down all that happens to the broker, passwords too, in this new file; see `wasmqtt recording`
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
}

impl ServeFlags {
    pub fn apply(self, config: &mut ServerConfig, log: &mut Log) {
        if !self.listen.is_empty() {
            config.listen = self.listen;
        }
        config.site = self.site.unwrap_or(config.site);
        config.allow_anonymous |= self.allow_anonymous;
        config.password_file = self.password_file.or(config.password_file.take());
        config.acl_file = self.acl_file.or(config.acl_file.take());
        config.guest = self.guest.or(config.guest.take());
        log.format = self.log_format.unwrap_or(log.format);
        log.level = self.log_level.unwrap_or(log.level);
    }
}
