//! The program as its user meets it: flags, exit codes, signals, what it prints.

mod common;

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Output, Stdio};

use common::{CONNECT, SHUTTING_DOWN, connect, rest};

/// The program. Without a guest inside it is given the one that the tests were built with.
fn wasmqtt(arguments: &[&str]) -> Command {
    common::guest();
    let mut command = Command::new(env!("CARGO_BIN_EXE_wasmqtt"));
    command.args(arguments);
    command
}

fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = wasmqtt(arguments).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

/// A running server that is killed, by its own pid, when a test ends early.
struct Served {
    child: Child,
    tcp: SocketAddr,
}

impl Served {
    fn start(arguments: &[&str]) -> Self {
        let listen = ["--listen", "tcp://127.0.0.1:0", "--listen", "ws://127.0.0.1:0"];
        let all = [&["serve", "--site", "off"], listen.as_slice(), arguments].concat();
        let mut command = wasmqtt(&all);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut greeting = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut greeting).unwrap();
        let tcp = greeting.split("tcp://").nth(1).and_then(|rest| rest.split_whitespace().next());
        let tcp = tcp.unwrap_or_else(|| panic!("{greeting}")).parse().unwrap();
        Served { child, tcp }
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Waits for its end; gives the exit code and the log.
    fn end(mut self) -> (Option<i32>, String) {
        let mut log = String::new();
        std::io::Read::read_to_string(self.child.stderr.as_mut().unwrap(), &mut log).unwrap();
        (self.child.wait().unwrap().code(), log)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn sigterm_is_a_clean_end() {
    let served = Served::start(&[]);
    let mut client = connect(served.tcp, CONNECT);
    served.signal(rustix::process::Signal::TERM);
    assert_eq!(rest(&mut client), SHUTTING_DOWN);
    drop(client);
    let (code, log) = served.end();
    assert_eq!(code, Some(0), "{log}");
    let line = log.lines().find(|line| line.contains(" connected ")).unwrap_or_else(|| panic!("{log}"));
    assert!(
        line.contains("client=\"a\"") && line.contains("address=127.0.0.1:") && line.contains("version=5.0"),
        "{line}"
    );
    assert!(log.contains(" disconnected "), "{log}");
}

#[test]
fn a_second_signal_ends_at_once() {
    let served = Served::start(&["--log-format", "human"]);
    let mut client = connect(served.tcp, CONNECT);
    served.signal(rustix::process::Signal::INT);
    // From here on the server only waits, for a second at most, that this client closes too.
    assert_eq!(rest(&mut client), SHUTTING_DOWN);
    served.signal(rustix::process::Signal::TERM);
    let (code, _) = served.end();
    // 0 if this machine was so busy that the second was over.
    assert!(code == Some(128 + 15) || code == Some(0), "{code:?}");
    drop(client);
}

#[test]
fn what_a_client_did_wrong_is_logged_with_the_statement() {
    let served = Served::start(&["--log-format", "human"]);
    let mut client = common::open(served.tcp);
    client.write_all(b"\xC0\x00").unwrap();
    assert_eq!(rest(&mut client), b"");
    served.signal(rustix::process::Signal::TERM);
    let (_, log) = served.end();
    let line = log.lines().find(|line| line.contains(" refused ")).unwrap_or_else(|| panic!("{log}"));
    assert!(line.contains("311:MQTT-3.1.0-1") && line.contains("address=127.0.0.1:"), "{line}");
}

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let (code, _, error) = run(&["serve", "--site", "off", "--listen", &format!("tcp://127.0.0.1:{port}")]);
    assert_eq!(code, Some(1), "{error}");
    assert!(error.contains(&format!("port {port} is in use")) && error.contains("tcp://127.0.0.1:"), "{error}");
}

#[test]
fn mistakes_in_flags_and_configuration_exit_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wasmqtt.toml");
    let file = path.to_str().unwrap();
    std::fs::write(&path, "listen = [\"tcp://127.0.0.1:0\"]\n[limits]\nreceive_maximum = 70000\n").unwrap();
    for arguments in [["serve", "--config", file].as_slice(), &["check-config", file]] {
        let (code, _, error) = run(arguments);
        assert_eq!(code, Some(2), "{error}");
        assert!(error.contains("wasmqtt.toml, line 3: receive_maximum = 70000: "), "{error}");
        assert!(error.contains("expected u16"), "{error}");
    }
    std::fs::write(&path, "listen = [\"tcp://127.0.0.1:0\"]\n").unwrap();
    assert_eq!(run(&["check-config", file]).0, Some(0));
    for (arguments, named) in [
        (["serve", "--listen", "127.0.0.1"].as_slice(), "tcp://HOST:PORT"),
        (&["serve", "--site", "off", "--listen", "tcp://0.0.0.0:0"], "--allow-anonymous"),
        (&["serve", "--log-level", "loud"], "possible values"),
        (&["serve", "--port", "1883"], "--port"),
        (&["serve", "--config", "/nowhere/wasmqtt.toml"], "/nowhere/wasmqtt.toml"),
    ] {
        let (code, _, error) = run(arguments);
        assert_eq!(code, Some(2), "{error}");
        assert!(error.contains(named), "{error}");
    }
}

#[test]
fn a_password_is_read_from_the_input() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("passwords");
    let mut passwd = wasmqtt(&["passwd", path.to_str().unwrap(), "anna"]);
    let mut child = passwd.stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"secret\n").unwrap();
    assert!(child.wait().unwrap().success());
    let file = wasmqtt_host::auth::PasswordFile::read(&path).unwrap();
    assert!(file.check("anna", b"secret"));
}

#[test]
fn a_ready_file_names_the_real_ports() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ready");
    let served = Served::start(&["--ready-file", path.to_str().unwrap()]);
    connect(served.tcp, CONNECT);
    served.signal(rustix::process::Signal::TERM);
    assert_eq!(served.end().0, Some(0));
    let ready = std::fs::read_to_string(&path).unwrap();
    assert!(ready.starts_with("tcp://127.0.0.1:") && ready.contains("\nws://127.0.0.1:"), "{ready}");
}
