//! The page over HTTP, as a browser and as somebody rude would ask for it. Bytes by hand, RFC 9112.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use wasmqtt_host::site::{File, serve};

const FILES: &[File] = &[
    File { path: "index.html", mime: "text/html", tag: "\"1\"", bytes: b"<p>hello", brotli: None },
    File { path: "assets/core.wasm", mime: "application/wasm", tag: "\"2\"", bytes: b"\0asm", brotli: Some(b"<br>") },
    File { path: "assets/core-iyW-h_I4.js", mime: "text/javascript", tag: "\"4\"", bytes: b"0", brotli: None },
    File { path: "learn/assets/tab-DUTEXmmq.js", mime: "text/javascript", tag: "\"5\"", bytes: b"0", brotli: None },
    File { path: "learn/tab-DUTEXmmq.js", mime: "text/javascript", tag: "\"6\"", bytes: b"0", brotli: None },
    File { path: "learn/index.html", mime: "text/html", tag: "\"3\"", bytes: b"<p>learn", brotli: None },
];

fn site() -> SocketAddr {
    serve("127.0.0.1:0".parse().unwrap(), FILES).unwrap()
}

/// Sends this and gives all that comes until the connection ends.
fn ask(site: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(site).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8(answer).unwrap()
}

fn get(site: SocketAddr, path: &str, more: &str) -> String {
    ask(site, &format!("GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n{more}\r\n"))
}

#[test]
fn files_come_with_their_type() {
    let site = site();
    let page = get(site, "/", "");
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n"), "{page}");
    assert!(page.contains("content-type: text/html; charset=utf-8\r\n"), "{page}");
    assert!(page.contains("'wasm-unsafe-eval'"), "{page}");
    assert!(page.contains("access-control-allow-origin: *\r\n"), "{page}");
    assert!(page.ends_with("\r\n\r\n<p>hello"), "{page}");
    let wasm = get(site, "/assets/core.wasm?v=1", "");
    assert!(wasm.contains("content-type: application/wasm\r\n"), "{wasm}");
    assert!(get(site, "/learn/", "").ends_with("<p>learn"));
}

#[test]
fn what_is_compressed_goes_to_those_who_take_it() {
    let site = site();
    for takes in ["br", "gzip, deflate, BR;q=0.5", "gzip\r\nAccept-Encoding: br"] {
        let answer = get(site, "/assets/core.wasm", &format!("Accept-Encoding: {takes}\r\n"));
        assert!(answer.contains("content-encoding: br\r\n") && answer.ends_with("\r\n\r\n<br>"), "{answer}");
        assert!(answer.contains("content-type: application/wasm\r\n"), "{answer}");
        assert!(answer.contains("etag: \"2-br\"\r\n") && answer.contains("vary: accept-encoding\r\n"), "{answer}");
    }
    for takes in ["gzip", "br;q=0", "", "brotli"] {
        let answer = get(site, "/assets/core.wasm", &format!("Accept-Encoding: {takes}\r\n"));
        assert!(!answer.contains("content-encoding") && answer.ends_with("\r\n\r\n\0asm"), "{answer}");
        assert!(answer.contains("etag: \"2\"\r\n") && answer.contains("vary: accept-encoding\r\n"), "{answer}");
    }
    let known = get(site, "/assets/core.wasm", "Accept-Encoding: br\r\nIf-None-Match: \"2-br\"\r\n");
    assert!(known.starts_with("HTTP/1.1 304 "), "{known}");
    assert!(!get(site, "/", "Accept-Encoding: br\r\n").contains("vary"));
}

#[test]
fn a_folder_without_its_slash_is_elsewhere() {
    let answer = get(site(), "/learn", "");
    assert!(answer.starts_with("HTTP/1.1 308 "), "{answer}");
    assert!(answer.contains("location: /learn/\r\n"), "{answer}");
}

#[test]
fn what_a_browser_has_is_not_sent_again() {
    let answer = get(site(), "/", "If-None-Match: \"0\", \"1\"\r\n");
    assert!(answer.starts_with("HTTP/1.1 304 "), "{answer}");
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
    let head = ask(site(), "HEAD / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
    assert!(head.contains("content-length: 8\r\n") && head.ends_with("\r\n\r\n"), "{head}");
}

#[test]
fn only_what_has_its_hash_in_its_name_may_be_kept_unasked() {
    let site = site();
    for path in ["/assets/core-iyW-h_I4.js", "/learn/assets/tab-DUTEXmmq.js"] {
        let answer = get(site, path, "");
        assert!(answer.contains("cache-control: max-age=31536000, immutable\r\n"), "{path}: {answer}");
    }
    for path in ["/", "/assets/core.wasm", "/learn/", "/learn/tab-DUTEXmmq.js"] {
        let answer = get(site, path, "");
        assert!(answer.contains("cache-control: no-cache\r\n"), "{path}: {answer}");
    }
}

#[test]
fn nothing_else_can_be_had() {
    let site = site();
    for path in ["/nothing", "/../etc/passwd", "/assets", "/assets/", "//index.html/", "/%2e%2e/index.html", "/learn/x"]
    {
        let answer = get(site, path, "");
        assert!(answer.starts_with("HTTP/1.1 404 "), "{path}: {answer}");
    }
    let post = ask(site, "POST / HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    assert!(post.starts_with("HTTP/1.1 405 ") && post.contains("allow: GET, HEAD\r\n"), "{post}");
    assert!(ask(site, "\x10\x0d\0\x04MQTT\r\n\r\n").starts_with("HTTP/1.1 400 "));
}

#[test]
fn who_asks_for_nothing_keeps_nobody_else_waiting() {
    let site = site();
    let idle: Vec<TcpStream> = (0..32).map(|_| TcpStream::connect(site).unwrap()).collect();
    assert!(get(site, "/", "").ends_with("<p>hello"));
    drop(idle);
}
