//! The page's server: four files over HTTP on a free port of loopback, and the WebSocket that the page opens.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;
use std::{fs, io, thread};

use tungstenite::WebSocket;

use super::chromium::Chromium;

/// The page's WebSocket.
pub type Socket = WebSocket<TcpStream>;

/// How long a browser may take to start and to load the page.
const PATIENCE: Duration = Duration::from_secs(60);
const PAGE: &str = "<!doctype html><title>wasmqtt</title><script type=module src=/page.js></script>";
const SCRIPT: &str = include_str!("page.js");

/// Listens until the process ends.
pub struct Server {
    address: String,
    sockets: Receiver<Socket>,
}

/// Where `cargo xtask www` puts the core for pages.
fn generated(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../www/wasmqtt/generated").join(name)
}

impl Server {
    pub fn start() -> Result<Server, String> {
        for name in ["wasmqtt.js", "wasmqtt_bg.wasm"] {
            let path = generated(name);
            fs::metadata(&path).map_err(|error| {
                format!("{}: {error}; `cargo xtask test` and `cargo xtask www` build it", path.display())
            })?;
        }
        let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let (opened, sockets) = channel();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let opened = opened.clone();
                // A browser also opens connections on which it says nothing.
                thread::spawn(move || serve(stream, &opened));
            }
        });
        Ok(Server { address: format!("http://{address}/"), sockets })
    }

    /// The page's address.
    pub fn address(&self) -> String {
        self.address.clone()
    }

    /// Waits until the page has loaded the core.
    pub fn socket(&self, _browser: &Chromium) -> Result<Socket, String> {
        self.sockets.recv_timeout(PATIENCE).map_err(|_| {
            format!("the browser did not open the page or could not load the core within {} s", PATIENCE.as_secs())
        })
    }
}

/// One request; errors are the browser's business, which asks again or shows what is missing.
fn serve(mut stream: TcpStream, opened: &Sender<Socket>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut head = [0; 4096];
    let length = loop {
        let length = stream.peek(&mut head)?;
        if length == 0 || length == head.len() || head[..length].windows(4).any(|end| end == b"\r\n\r\n") {
            break length;
        }
    };
    let head = String::from_utf8_lossy(&head[..length]).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default();
    if path == "/core" {
        if let Ok(socket) = tungstenite::accept(stream) {
            let _ = opened.send(socket);
        }
        return Ok(());
    }
    stream.read_exact(&mut vec![0; length])?;
    let (status, kind, body) = match path {
        "/" => ("200 OK", "text/html", PAGE.into()),
        "/page.js" => ("200 OK", "text/javascript", SCRIPT.into()),
        "/wasmqtt.js" => ("200 OK", "text/javascript", fs::read(generated("wasmqtt.js"))?),
        "/wasmqtt_bg.wasm" => ("200 OK", "application/wasm", fs::read(generated("wasmqtt_bg.wasm"))?),
        _ => ("404 Not Found", "text/plain", Vec::new()),
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    )?;
    stream.write_all(&body)
}
