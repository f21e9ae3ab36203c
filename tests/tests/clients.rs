//! Clients that others wrote, against a real server on loopback: mosquitto's, MQTT.js over TCP and WebSocket, paho for
//! Python. A tool that is missing is a failure that says what to install; nothing is left out silently.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use wasmqtt_tests::server::{RealServer, target_folder};

/// Versions as mosquitto's programs name them.
const VERSIONS: [&str; 3] = ["mqttv31", "mqttv311", "mqttv5"];

/// Runs a program to its end.
fn run(command: &mut Command, install: &str) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}; install {install}"));
    let said = String::from_utf8_lossy(&output.stdout);
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{said}{wrong}", output.status);
    output
}

fn mosquitto(program: &str, server: &RealServer, version: &str, words: &[&str]) -> Command {
    let mut command = Command::new(program);
    let (host, port) = (server.tcp.ip().to_string(), server.tcp.port().to_string());
    command.args(["-h", &host, "-p", &port, "-V", version]).args(words);
    command
}

fn mosquitto_pub(server: &RealServer, version: &str, words: &[&str]) {
    run(&mut mosquitto("mosquitto_pub", server, version, words), "the Debian package mosquitto-clients");
}

/// Starts mosquitto_sub and waits until the server knows its Subscription.
fn mosquitto_sub(server: &RealServer, version: &str, words: &[&str]) -> Child {
    let before = server.count().subscriptions;
    let mut command = mosquitto("mosquitto_sub", server, version, words);
    // It gives up by itself should nothing come.
    command.args(["-W", "60"]).stdout(Stdio::piped());
    let child = command.spawn();
    let child = child.unwrap_or_else(|error| panic!("mosquitto_sub: {error}; install mosquitto-clients"));
    server.wait_until("mosquitto_sub subscribed", |now| now.subscriptions > before);
    child
}

/// What a program printed until its end.
fn said(child: Child) -> String {
    let output = child.wait_with_output().unwrap_or_else(|error| panic!("{error}"));
    assert!(output.status.success(), "{}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// [311:MQTT-7.0.0-2]
#[test]
fn mosquitto_at_every_version_and_qos() {
    let server = RealServer::start();
    for from in VERSIONS {
        for to in VERSIONS {
            for qos in ["0", "1", "2"] {
                let print = ["-F", "%t %q %r %p"];
                let mut words = vec!["-t", "home/#", "-q", qos, "-C", "1", "-i", "sub"];
                words.extend(print);
                let sub = mosquitto_sub(&server, to, &words);
                mosquitto_pub(&server, from, &["-t", "home/kitchen", "-m", "hello", "-q", qos, "-i", "pub"]);
                assert_eq!(said(sub), format!("home/kitchen {qos} 0 hello\n"), "{from} to {to}");
                server.wait_until("both have left", |now| now.connections == 0);
            }
        }
    }
}

#[test]
fn mosquitto_retained() {
    let server = RealServer::start();
    for version in VERSIONS {
        mosquitto_pub(&server, version, &["-t", "kept", "-m", version, "-q", "1", "-r"]);
        // It has its message as soon as it subscribes, so there is nothing to wait for.
        let words = ["-t", "kept", "-C", "1", "-F", "%r %p", "-W", "60"];
        let output = run(&mut mosquitto("mosquitto_sub", &server, version, &words), "mosquitto-clients");
        assert_eq!(String::from_utf8_lossy(&output.stdout), format!("1 {version}\n"));
        mosquitto_pub(&server, version, &["-t", "kept", "-n", "-r"]);
        server.wait_until("it was removed", |now| now.retained == 0);
    }
}

#[test]
fn mosquitto_will() {
    let server = RealServer::start();
    for version in VERSIONS {
        let sub = mosquitto_sub(&server, version, &["-t", "will", "-C", "1", "-v"]);
        let words = ["-t", "other", "--will-topic", "will", "--will-payload", "gone", "--will-qos", "1"];
        let mut dying = mosquitto_sub(&server, version, &words);
        dying.kill().and_then(|()| dying.wait()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(said(sub), "will gone\n", "{version}");
        server.wait_until("all have left", |now| now.connections == 0);
    }
}

#[test]
fn mosquitto_session_over_connections() {
    let server = RealServer::start();
    for version in ["mqttv311", "mqttv5"] {
        let mut keep = vec!["-t", "queue", "-q", "1", "-i", version, "-c"];
        if version == "mqttv5" {
            keep.extend(["-x", "600"]);
        }
        let mut first = keep.clone();
        first.push("-E");
        run(&mut mosquitto("mosquitto_sub", &server, version, &first), "mosquitto-clients");
        server.wait_until("it has left", |now| now.connections == 0);
        for text in ["one", "two", "three"] {
            mosquitto_pub(&server, version, &["-t", "queue", "-m", text, "-q", "1"]);
        }
        keep.extend(["-C", "3", "-W", "60"]);
        let output = run(&mut mosquitto("mosquitto_sub", &server, version, &keep), "mosquitto-clients");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "one\ntwo\nthree\n", "{version}");
    }
}

#[test]
fn mosquitto_sys_tree() {
    let server = RealServer::start_with(1);
    let words = ["-t", "$SYS/broker/version", "-C", "1", "-W", "60"];
    let output = run(&mut mosquitto("mosquitto_sub", &server, "mqttv311", &words), "mosquitto-clients");
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("wasmqtt"));
}

#[test]
fn mosquitto_properties() {
    let server = RealServer::start();
    let sub = mosquitto_sub(&server, "mqttv5", &["-t", "p", "-C", "1", "-F", "%C|%R|%D|%P|%p"]);
    let mut words = vec!["-t", "p", "-m", "x"];
    words.extend(["-D", "publish", "content-type", "text"]);
    words.extend(["-D", "publish", "response-topic", "reply"]);
    words.extend(["-D", "publish", "correlation-data", "c1"]);
    words.extend(["-D", "publish", "user-property", "k", "v"]);
    mosquitto_pub(&server, "mqttv5", &words);
    assert_eq!(said(sub), "text|reply|c1|k:v|x\n");
}

fn mqtt_js(version: &str, over: &str) {
    let server = RealServer::start();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/js");
    let install = "nodejs and npm, then run `npm ci` in tests/clients/js";
    assert!(folder.join("node_modules/mqtt").exists(), "MQTT.js is missing: install {install}");
    let url = match over {
        "tcp" => format!("mqtt://{}", server.tcp),
        _ => format!("ws://{}/mqtt", server.websocket),
    };
    let output = run(Command::new("node").arg("roundtrip.mjs").args([&url, version]).current_dir(&folder), install);
    assert!(String::from_utf8_lossy(&output.stdout).ends_with("ok\n"));
}

#[test]
fn mqtt_js_over_tcp() {
    ["3", "4", "5"].iter().for_each(|version| mqtt_js(version, "tcp"));
}

#[test]
fn mqtt_js_over_websocket() {
    // MQTT.js offers the subprotocol `mqttv3.1` for 3.1 and `mqtt` for the others.
    ["3", "4", "5"].iter().for_each(|version| mqtt_js(version, "ws"));
}

#[test]
fn paho_python() {
    let server = RealServer::start();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/py");
    let python = target_folder().join("python/bin/python");
    let install = "python3-venv and run `cargo xtask test`, which makes the environment";
    for version in ["3", "4", "5"] {
        let (host, port) = (server.tcp.ip().to_string(), server.tcp.port().to_string());
        let mut command = Command::new(&python);
        command.arg("roundtrip.py").args([&host, &port, version]).current_dir(&folder);
        let output = run(&mut command, install);
        assert!(String::from_utf8_lossy(&output.stdout).ends_with("ok\n"));
    }
}
