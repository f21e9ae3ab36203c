//! The program `wasmqtt`: flags, files and signals around the library. Exit code 0 is a clean end, 2 a mistake in flags
//! or configuration or a file that isn't what it should be, 1 anything else: it couldn't serve, a replay disagrees.

mod cli;
mod recording;

use std::io::{IsTerminal, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use wasmqtt_broker::Transport;
use wasmqtt_host::auth::PasswordFile;
use wasmqtt_host::config::{LogFormat, ServerConfig};
use wasmqtt_host::listen::Listen;
use wasmqtt_host::server::{Remote, Server, ServerOptions, StartError};
use wasmqtt_host::site::{self, SiteWish};

use cli::{Command, Flags, ServeFlags};

/// A mistake in flags or configuration.
const EXIT_CONFIG: u8 = 2;
/// Anything else that kept it from serving.
const EXIT_FAILED: u8 = 1;

fn main() -> ExitCode {
    let done = match Flags::parse().command {
        Command::Serve(flags) => serve(flags),
        Command::CheckConfig { file } => check_config(&file),
        Command::Passwd { file, user } => passwd(&file, &user),
        Command::Recording(command) => recording::run(&command),
        Command::Precompile { from, to } => precompile(&from, &to),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err((code, message)) => {
            eprintln!("wasmqtt: {message}");
            ExitCode::from(code)
        }
    }
}

/// An exit code and what to say.
type Failure = (u8, String);

fn serve(flags: ServeFlags) -> Result<(), Failure> {
    let wrong = |error: wasmqtt_host::config::ConfigError| (EXIT_CONFIG, error.to_string());
    let (ready_file, record, config) = (flags.ready_file.clone(), flags.record.clone(), flags.config.clone());
    let read = config.map_or_else(|| Ok(Default::default()), |path| ServerConfig::from_file(&path));
    let (mut config, mut log) = read.map_err(wrong)?;
    flags.apply(&mut config, &mut log);
    wasmqtt_host::log::start(log);

    prepare_files(config.core.limits.connections_max);
    let site = serve_site(config.site)?;
    // Signals that come while it starts are kept and obeyed after.
    let signals = Signals::new([SIGTERM, SIGINT]).map_err(failed)?;
    let running = Server::start(ServerOptions { config, record, ..ServerOptions::default() });
    let running = running.map_err(|error| match error {
        StartError::Config(error) => wrong(error),
        StartError::Record(..) => (EXIT_CONFIG, error.to_string()),
        other => (EXIT_FAILED, other.to_string()),
    })?;
    obey_signals(signals, running.remote()).map_err(failed)?;
    for listen in running.addresses() {
        tracing::info!(%listen, "listening");
    }
    if log.format == LogFormat::Human {
        // Nobody reading along is no reason not to serve.
        let _ = std::io::stdout().write_all(greeting(running.addresses(), site).as_bytes());
    }
    if let Some(path) = ready_file {
        tell_ready(&path, running.addresses(), site).map_err(failed)?;
    }
    running.join().map_err(failed)
}

/// Serves the page, if there is one and it is wished.
fn serve_site(wish: SiteWish) -> Result<Option<SocketAddr>, Failure> {
    let files = site::embedded();
    let none = || (EXIT_CONFIG, "site: this program was built without its page; allowed: \"off\"".into());
    match wish {
        SiteWish::Off => Ok(None),
        SiteWish::IfPossible if files.is_empty() => Ok(None),
        SiteWish::IfPossible => {
            let served = site::serve(site::ADDRESS_DEFAULT, files);
            let address = site::ADDRESS_DEFAULT;
            Ok(served.inspect_err(|error| tracing::warn!(%address, %error, "the page is not served")).ok())
        }
        SiteWish::At(_) if files.is_empty() => Err(none()),
        SiteWish::At(address) => {
            let served = site::serve(address, files).map(Some);
            served.map_err(|error| (EXIT_FAILED, format!("cannot serve the page on {address}: {error}")))
        }
    }
}

/// Each client takes a file descriptor, and the usual 1,024 are soon used up; the hard limit is meant for servers.
///
/// The kernel's table of them is made large now, as long as this process has one thread: with several, each doubling
/// stops whoever accepts for about 10 ms, since all processors must first have let go of the old table.
fn prepare_files(connections_max: u32) {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::debug!(%error, "cannot raise the number of open files");
        return;
    }
    let files_max = limit.current.map_or(u64::MAX, |files| files.saturating_sub(1));
    let last = i32::try_from(files_max.min(connections_max.into())).unwrap_or(i32::MAX);
    // The copy is closed at once; the table stays as large as it was for it.
    if let Err(error) = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stderr(), last) {
        tracing::debug!(%error, "cannot make room for open files");
    }
}

fn failed(error: std::io::Error) -> Failure {
    (EXIT_FAILED, error.to_string())
}

/// The first signal ends the server cleanly, the second at once.
fn obey_signals(mut signals: Signals, remote: Remote) -> std::io::Result<()> {
    let obey = move || {
        let mut stopping = false;
        for signal in signals.forever() {
            if stopping {
                std::process::exit(128 + signal);
            }
            stopping = true;
            tracing::info!("stopping; once more to end at once");
            remote.stop();
        }
    };
    std::thread::Builder::new().name("signals".into()).spawn(obey).map(drop)
}

/// What listens where and what to type next.
fn greeting(addresses: &[Listen], site: Option<SocketAddr>) -> String {
    let list: Vec<_> = addresses.iter().map(ToString::to_string).collect();
    let mut text = format!("wasmqtt {} listens on {}\n", env!("CARGO_PKG_VERSION"), list.join(" and "));
    if let Some(tcp) = addresses.iter().find(|listen| listen.transport == Transport::Tcp) {
        let (ip, port) = (tcp.address.ip(), tcp.address.port());
        let usual_host = ip.is_unspecified() || ip == Ipv4Addr::LOCALHOST;
        let host = if usual_host { String::new() } else { format!("-h {ip} ") };
        let port = if port == 1883 { String::new() } else { format!("-p {port} ") };
        text.push_str("Try, in two other terminals:\n");
        text.push_str(&format!("  mosquitto_sub {host}{port}-t 'home/#' -v\n"));
        text.push_str(&format!("  mosquitto_pub {host}{port}-t home/kitchen -m hello\n"));
    }
    if let Some(site) = site {
        text.push_str("Or open in a browser:\n");
        text.push_str(&format!("  http://{site}/simulator/  the simulator that teaches MQTT\n"));
        text.push_str(&format!("  http://{site}/            brokers inside a page, with their code\n"));
    }
    text.push_str("Ctrl-C ends it.\n");
    text
}

/// Writes a file with one address a line, for programs that wait for it: it is there whole or not at all.
fn tell_ready(path: &Path, addresses: &[Listen], site: Option<SocketAddr>) -> std::io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let site = site.map(|site| format!("http://{site}/\n"));
    let lines: String = addresses.iter().map(|listen| format!("{listen}\n")).chain(site).collect();
    std::fs::write(&beside, lines)?;
    std::fs::rename(&beside, path)
}

fn check_config(path: &Path) -> Result<(), Failure> {
    let checked = ServerConfig::from_file(path).and_then(|(mut config, _)| config.complete());
    checked.map_err(|error| (EXIT_CONFIG, error.to_string()))?;
    println!("{}: no mistakes found", path.display());
    Ok(())
}

fn passwd(path: &Path, user: &str) -> Result<(), Failure> {
    let password = ask_password(user).map_err(failed)?;
    if password.is_empty() {
        return Err((EXIT_CONFIG, format!("found no password for {user}; allowed: at least one character")));
    }
    let mut file = if path.exists() { PasswordFile::read(path) } else { Ok(PasswordFile::empty()) }
        .map_err(|error| (EXIT_CONFIG, error.to_string()))?;
    file.set(user, password.as_bytes()).map_err(|error| (EXIT_CONFIG, error.to_string()))?;
    file.write(path).map_err(|error| (EXIT_FAILED, error.to_string()))
}

/// From a person, without showing it; from a program, the first line of its input.
fn ask_password(user: &str) -> std::io::Result<String> {
    if std::io::stdin().is_terminal() {
        return rpassword::prompt_password(format!("Password for {user}: "));
    }
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\n', '\r']).into())
}

fn precompile(from: &Path, to: &Path) -> Result<(), Failure> {
    let wasm = std::fs::read(from).map_err(|error| (EXIT_FAILED, format!("{}: {error}", from.display())))?;
    let compiled = wasmqtt_host::module::precompile(&wasm).map_err(|error| (EXIT_FAILED, error.to_string()))?;
    std::fs::write(to, compiled).map_err(|error| (EXIT_FAILED, format!("{}: {error}", to.display())))
}
