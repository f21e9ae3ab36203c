//! What an operator decides, from a TOML file and from flags; flags win. Every mistake is an error that names the file,
//! the line, what was found and what is allowed.

mod limits;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use wasmqtt_broker::{Authentication, Config as CoreConfig, Storage};

use crate::auth::{Acl, AclError, Gatekeeper, PasswordError, PasswordFile};
use crate::guest::GuestLimits;
use crate::listen::Listen;
use crate::site::SiteWish;

/// Where a server listens that is told nothing.
const LISTEN_DEFAULT: [&str; 2] = ["tcp://127.0.0.1:1883", "ws://127.0.0.1:8083/mqtt"];

/// All that a server is told before it starts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServerConfig {
    /// Where to listen.
    pub listen: Vec<Listen>,
    /// Whether clients without a user name may connect. Without a password file that is everybody, and then any address
    /// but loopback needs it.
    pub allow_anonymous: bool,
    /// Who may connect: lines of `user:$argon2id$…`.
    pub password_file: Option<PathBuf>,
    /// Who may do what, in mosquitto's grammar.
    pub acl_file: Option<PathBuf>,
    /// Another guest than the one inside this program.
    pub guest: Option<PathBuf>,
    /// What the guest may take.
    pub guest_limits: GuestLimits,
    /// Pages that browsers may open a WebSocket from, such as `https://example.org`; empty = any.
    pub websocket_origins: Vec<String>,
    /// Whether and where the program serves its page.
    pub site: SiteWish,
    /// How long a stopping server waits for its clients to take what they are owed.
    pub stop_grace: Duration,
    /// What the core is told.
    pub core: CoreConfig,
}

impl Default for ServerConfig {
    fn default() -> Self {
        let listen = LISTEN_DEFAULT.iter().map(|listen| listen.parse().expect("the defaults are addresses")).collect();
        ServerConfig {
            listen,
            allow_anonymous: false,
            password_file: None,
            acl_file: None,
            guest: None,
            guest_limits: GuestLimits::default(),
            websocket_origins: Vec::new(),
            site: SiteWish::default(),
            stop_grace: Duration::from_secs(5),
            core: CoreConfig::default(),
        }
    }
}

/// What is wrong with a configuration.
#[derive(Debug)]
pub enum ConfigError {
    /// A file that can't be read.
    Unreadable(PathBuf, std::io::Error),
    /// A line of the configuration file.
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1; 0 if the parser names none.
        line: usize,
        /// What it says.
        text: String,
        /// What is wrong and what is allowed.
        why: String,
    },
    /// An open address without authentication.
    OpenToAll(Listen),
    /// A value that makes no server.
    Value {
        /// The key.
        key: &'static str,
        /// What was found.
        found: u64,
        /// What is allowed.
        allowed: String,
    },
    /// Nowhere to listen.
    NoListener,
    /// A line of the password file.
    Password(PasswordError),
    /// A line of the ACL file.
    Acl(AclError),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConfigError::Unreadable(path, error) => write!(out, "{}: {error}", path.display()),
            ConfigError::Line { path, line, text, why } => {
                write!(out, "{}, line {line}: {}: {why}", path.display(), text.trim())
            }
            ConfigError::OpenToAll(listen) => write!(
                out,
                "listen: {listen} is open to others than this machine, and nobody is asked who they are; \
                 allowed: a loopback address, or password_file = \"FILE\", or --allow-anonymous"
            ),
            ConfigError::Value { key, found, allowed } => write!(out, "{key}: found {found}; allowed: {allowed}"),
            ConfigError::NoListener => write!(out, "listen: found none; allowed: at least one address"),
            ConfigError::Password(error) => error.fmt(out),
            ConfigError::Acl(error) => error.fmt(out),
        }
    }
}

impl std::error::Error for ConfigError {}

/// How log lines look.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Human,
    /// One JSON object a line.
    Json,
}

/// Which log lines are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// What went wrong here.
    Error,
    /// And what is odd.
    Warn,
    /// And who comes and goes.
    #[default]
    Info,
    /// And what this program does.
    Debug,
    /// And every decision about a message, if `trace` is on.
    Trace,
}

/// How to log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// How log lines look.
    pub format: LogFormat,
    /// Which are written.
    pub level: LogLevel,
}

/// The configuration file as it is written.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct File {
    listen: Option<Vec<Listen>>,
    allow_anonymous: Option<bool>,
    password_file: Option<PathBuf>,
    acl_file: Option<PathBuf>,
    guest: Option<PathBuf>,
    guest_memory_bytes_max: Option<u64>,
    guest_step_max_ms: Option<u32>,
    websocket_origins: Option<Vec<String>>,
    site: Option<SiteWish>,
    stop_grace_s: Option<u16>,
    storage: Option<StorageMode>,
    trace: Option<bool>,
    sys_interval_s: Option<u32>,
    response_information: Option<String>,
    log: Log,
    limits: limits::LimitsFile,
}

/// Least memory that a guest can do anything with.
const GUEST_MEMORY_BYTES_MIN: u64 = 16 << 20;

/// What of a guest's memory the core may count as its own; the rest is for blocks, tables and what falls between.
fn memory_for_core(guest_memory_bytes_max: u64) -> u64 {
    guest_memory_bytes_max / 4 * 3
}

/// Refuses values that the core would have to bring into range, and a core that wants more memory than its guest has.
fn check_values(config: &ServerConfig) -> Result<(), ConfigError> {
    let limits = &config.core.limits;
    let sane = limits.clone().within_reason();
    let pairs = [
        ("limits.connect_timeout_s", u64::from(limits.connect_timeout_s), u64::from(sane.connect_timeout_s)),
        ("limits.receive_maximum", u64::from(limits.receive_maximum), u64::from(sane.receive_maximum)),
        ("limits.in_flight_max", u64::from(limits.in_flight_max), u64::from(sane.in_flight_max)),
        ("limits.turn_bytes_max", u64::from(limits.turn_bytes_max), u64::from(sane.turn_bytes_max)),
        ("limits.packet_bytes_max", u64::from(limits.packet_bytes_max), u64::from(sane.packet_bytes_max)),
    ];
    for (key, found, nearest) in pairs {
        if found != nearest {
            let allowed = if found < nearest && found > 0 { "at least" } else { "in range, such as" };
            return Err(ConfigError::Value { key, found, allowed: format!("{allowed} {nearest}") });
        }
    }
    let (guest, core) = (config.guest_limits.memory_bytes_max, limits.memory_bytes_max);
    if guest < GUEST_MEMORY_BYTES_MIN {
        let allowed = format!("at least {GUEST_MEMORY_BYTES_MIN}");
        return Err(ConfigError::Value { key: "guest_memory_bytes_max", found: guest, allowed });
    }
    if core > memory_for_core(guest) {
        let allowed = format!("at most {}, three quarters of guest_memory_bytes_max", memory_for_core(guest));
        return Err(ConfigError::Value { key: "limits.memory_bytes_max", found: core, allowed });
    }
    Ok(())
}

/// How the core's records are kept.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum StorageMode {
    /// Not at all: a restart begins empty.
    Memory,
}

impl ServerConfig {
    /// Reads a configuration file. Paths in it are relative to it.
    ///
    /// # Errors
    /// Names the file, the line, what was found and what is allowed.
    pub fn from_file(path: &Path) -> Result<(Self, Log), ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError::Unreadable(path.into(), error))?;
        Self::from_text(&text, path)
    }

    fn from_text(text: &str, path: &Path) -> Result<(Self, Log), ConfigError> {
        let file: File = toml::from_str(text).map_err(|error| line_of(&error, text, path))?;
        let beside = |other: PathBuf| path.parent().unwrap_or(Path::new("")).join(other);
        let mut config = ServerConfig::default();
        let File { storage: Some(StorageMode::Memory) | None, log, .. } = file;
        config.core.storage = Storage::Memory;
        config.password_file = file.password_file.map(beside);
        config.acl_file = file.acl_file.map(beside);
        config.guest = file.guest.map(beside);
        config.core.response_information = file.response_information;
        set(&mut config.listen, file.listen);
        set(&mut config.allow_anonymous, file.allow_anonymous);
        set(&mut config.guest_limits.memory_bytes_max, file.guest_memory_bytes_max);
        let step_max = file.guest_step_max_ms.map(|ms| Duration::from_millis(ms.into()));
        set(&mut config.guest_limits.step_max, step_max);
        set(&mut config.websocket_origins, file.websocket_origins);
        set(&mut config.site, file.site);
        set(&mut config.stop_grace, file.stop_grace_s.map(|s| Duration::from_secs(s.into())));
        set(&mut config.core.trace, file.trace);
        set(&mut config.core.sys_interval_s, file.sys_interval_s);
        let memory_is_given = file.limits.memory_bytes_max.is_some();
        file.limits.apply(&mut config.core.limits);
        let room = memory_for_core(config.guest_limits.memory_bytes_max);
        if !memory_is_given {
            config.core.limits.memory_bytes_max = config.core.limits.memory_bytes_max.min(room);
        }
        check_values(&config)?;
        Ok((config, log))
    }

    /// Reads the files that this configuration names and checks it as a whole. Gives whom to ask about clients, and
    /// tells the core whether to ask.
    ///
    /// # Errors
    /// Names what was found and what is allowed.
    pub fn complete(&mut self) -> Result<Gatekeeper, ConfigError> {
        if self.listen.is_empty() {
            return Err(ConfigError::NoListener);
        }
        let open = self.listen.iter().find(|listen| !listen.address.ip().is_loopback());
        if let (Some(open), None, false) = (open, &self.password_file, self.allow_anonymous) {
            return Err(ConfigError::OpenToAll(open.clone()));
        }
        let passwords = self.password_file.as_deref().map(PasswordFile::read).transpose();
        let acl = self.acl_file.as_deref().map(Acl::read).transpose().map_err(ConfigError::Acl)?;
        let passwords = passwords.map_err(ConfigError::Password)?;
        if let Some(acl) = &acl {
            self.core.permissions = acl.permissions(None);
        }
        if passwords.is_some() {
            self.core.authentication = Authentication::Ask;
        }
        if passwords.is_none() && acl.as_ref().is_some_and(Acl::names_users) {
            tracing::warn!("the ACL file has `user` lines, but without password_file nobody proves to be a user");
        }
        Ok(Gatekeeper { passwords, acl, allow_anonymous: self.allow_anonymous })
    }
}

fn set<T>(into: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *into = value;
    }
}

/// The line of a mistake in a TOML file.
fn line_of(error: &toml::de::Error, text: &str, path: &Path) -> ConfigError {
    let at = error.span().map(|span| span.start.min(text.len()));
    let line = at.map_or(0, |at| text[..at].matches('\n').count() + 1);
    let found = line.checked_sub(1).and_then(|index| text.lines().nth(index)).unwrap_or_default();
    ConfigError::Line { path: path.into(), line, text: found.into(), why: error.message().into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ServerConfig, String> {
        let read = ServerConfig::from_text(text, Path::new("etc/wasmqtt.toml"));
        read.map(|(config, _)| config).map_err(|error| error.to_string())
    }

    #[test]
    fn every_kind_of_key_is_read() {
        let config = read(
            "listen = [\"tcp://[::1]:0\"]\nacl_file = \"acl\"\nstop_grace_s = 1\nstorage = \"memory\"\n\
             [log]\nlevel = \"debug\"\n[limits]\nreceive_maximum = 20\nmaximum_qos = 1\n",
        )
        .unwrap();
        assert_eq!(config.listen[0].to_string(), "tcp://[::1]:0");
        assert_eq!(config.acl_file.unwrap(), Path::new("etc/acl"));
        assert_eq!(config.core.limits.receive_maximum, 20);
        assert_eq!(config.core.limits.maximum_qos, wasmqtt_broker::codec::Qos::AtLeastOnce);
        assert_eq!(config.stop_grace, Duration::from_secs(1));
    }

    #[test]
    fn the_example_names_every_key_with_its_default() {
        let example = include_str!("../wasmqtt.example.toml");
        assert_eq!(read(example).unwrap(), read("").unwrap());
        // Each commented key is one that exists, too.
        let all: String = example
            .lines()
            .filter(|line| !line.starts_with("# "))
            .fold(String::new(), |all, line| all + line.strip_prefix('#').unwrap_or(line) + "\n");
        read(&all).unwrap();
    }

    #[test]
    fn mistakes_name_file_line_what_was_found_and_what_is_allowed() {
        let error = |text| read(text).unwrap_err();
        let unknown = error("trace = true\nlisen = []\n");
        assert!(
            unknown.starts_with("etc/wasmqtt.toml, line 2: lisen = []: unknown field `lisen`, expected"),
            "{unknown}"
        );
        let wrong = error("\n[limits]\nreceive_maximum = \"many\"\n");
        assert!(
            wrong.contains("line 3: receive_maximum = \"many\": invalid type: string \"many\", expected u16"),
            "{wrong}"
        );
        let large = error("[limits]\nmaximum_qos = 3\n");
        assert!(large.contains("line 2: maximum_qos = 3: ") && large.contains("0, 1 or 2"), "{large}");
        let listen = error("listen = [\"tcp:1883\"]\n");
        assert!(listen.contains("\"tcp:1883\" is no address") && listen.contains("tcp://HOST:PORT"), "{listen}");
        let storage = error("storage = \"disk\"\n");
        assert!(storage.contains("`disk`") && storage.contains("`memory`"), "{storage}");
        assert!(error("= 1").contains("line 1"));
    }

    #[test]
    fn an_open_address_needs_authentication_or_a_word() {
        let (mut config, _) = ServerConfig::from_text("listen = [\"tcp://0.0.0.0:0\"]", Path::new("x")).unwrap();
        assert!(matches!(config.complete(), Err(ConfigError::OpenToAll(_))));
        config.allow_anonymous = true;
        assert!(config.complete().is_ok());
    }
}
