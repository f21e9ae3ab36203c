//! The page: examples and simulator, served over HTTP to browsers on this machine. Its files are inside the program and
//! never change; there is nothing to ask for but them, so a request reads no file, takes no path apart and changes
//! nothing. It has a thread of its own and shares nothing with the broker.

use std::convert::Infallible;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Deserialize;
use tokio::sync::Semaphore;

/// Where the page is served unless the operator says otherwise.
pub const ADDRESS_DEFAULT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// Connections at a time; one more waits in the kernel until one of them ends.
const CONNECTIONS_MAX: usize = 64;
/// A browser sends its request at once, and one that keeps a connection open for later comes again soon.
const HEAD_MAX: Duration = Duration::from_secs(10);

/// What a page may do: load and run what comes from here, WebAssembly included, and talk to brokers anywhere. MQTT.js
/// takes its timers from a worker that it makes of a `blob:`.
const POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; \
                      connect-src 'self' ws: wss:; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; \
                      base-uri 'none'; form-action 'none'";

/// A file of the page.
#[derive(Clone, Copy, Debug)]
pub struct File {
    /// Its path below the root, such as `assets/index.js`.
    pub path: &'static str,
    /// Its media type.
    pub mime: &'static str,
    /// Its entity tag, quotes included: a hash of the bytes.
    pub tag: &'static str,
    /// What is in it.
    pub bytes: &'static [u8],
    /// The same, compressed by brotli.
    pub brotli: Option<&'static [u8]>,
}

/// The files inside this program; none if it was built without.
#[must_use]
pub fn embedded() -> &'static [File] {
    crate::module::SITE
}

/// Whether and where the page is served.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(try_from = "String")]
pub enum SiteWish {
    /// At [`ADDRESS_DEFAULT`], if there is a page in this program and the port is free.
    #[default]
    IfPossible,
    /// Not at all.
    Off,
    /// Here, or the server does not start.
    At(SocketAddr),
}

/// What is neither `off` nor an address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SiteWishError(String);

impl fmt::Display for SiteWishError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "\"{}\" is no place to serve the page; allowed: \"off\", \"auto\" or ADDRESS:PORT", self.0)
    }
}

impl std::error::Error for SiteWishError {}

impl FromStr for SiteWish {
    type Err = SiteWishError;

    fn from_str(text: &str) -> Result<Self, SiteWishError> {
        match text {
            "off" => Ok(SiteWish::Off),
            "auto" => Ok(SiteWish::IfPossible),
            address => address.parse().map(SiteWish::At).map_err(|_| SiteWishError(address.into())),
        }
    }
}

impl TryFrom<String> for SiteWish {
    type Error = SiteWishError;

    fn try_from(text: String) -> Result<Self, SiteWishError> {
        text.parse()
    }
}

/// Serves `files` until the program ends; gives the address with the port that it really has.
///
/// # Errors
/// The address can't be listened on, or the system refuses a thread.
pub fn serve(address: SocketAddr, files: &'static [File]) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let bound = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    let run = move || runtime.block_on(accept(listener, files));
    std::thread::Builder::new().name("site".into()).spawn(run)?;
    Ok(bound)
}

async fn accept(listener: TcpListener, files: &'static [File]) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%error, "the page cannot be served"),
    };
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let place = room.clone().acquire_owned().await.expect("the semaphore is never closed");
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // No file descriptor is left, say: the next try may do better.
                tracing::debug!(%error, "a connection to the page cannot be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        tokio::spawn(async move {
            let answer = service_fn(move |request| async move { Ok::<_, Infallible>(respond(&request, files)) });
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(HEAD_MAX);
            // What goes wrong on a browser's connection is the browser's business.
            let _ = http.serve_connection(TokioIo::new(stream), answer).await;
            drop(place);
        });
    }
}

/// The answer to a request.
fn respond(request: &Request<Incoming>, files: &[File]) -> Response<Full<Bytes>> {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "This page can only be read.\n");
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let path = request.uri().path().trim_start_matches('/');
    if !path.is_empty() && !path.ends_with('/') && find(files, &format!("{path}/")).is_some() {
        // Links in a folder's page are relative to the folder.
        let mut response = plain(StatusCode::PERMANENT_REDIRECT, "");
        let to = HeaderValue::try_from(format!("/{path}/")).expect("it is the name of a folder of ours");
        response.headers_mut().insert(header::LOCATION, to);
        return response;
    }
    let Some(file) = find(files, path) else {
        return plain(StatusCode::NOT_FOUND, "There is no such page here. The first one is at /\n");
    };
    // What is compressed is another representation, and so has another tag (RFC 9110, 8.8.3.3).
    let compressed = file.brotli.filter(|_| takes_brotli(request));
    let is_compressed = compressed.is_some();
    let bytes = compressed.unwrap_or(file.bytes);
    let tag = if is_compressed { format!("{}-br\"", file.tag.trim_end_matches('"')) } else { file.tag.into() };
    let is_known = listed(request, header::IF_NONE_MATCH).any(|known| known == tag);
    let mut response = Response::new(Full::new(if is_known { Bytes::new() } else { Bytes::from_static(bytes) }));
    *response.status_mut() = if is_known { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
    let text = file.mime.starts_with("text/") && !file.mime.contains("charset");
    let mime = if text { format!("{}; charset=utf-8", file.mime) } else { file.mime.into() };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::try_from(mime).expect("a media type is printable"));
    headers.insert(header::ETAG, HeaderValue::try_from(tag).expect("it was made of a hash"));
    if file.brotli.is_some() {
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if is_compressed {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
        }
    }
    // The next version of the program has other files under the same names, unless the name has a hash of the bytes.
    let cache = if is_hashed(file.path) { "max-age=31536000, immutable" } else { "no-cache" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Nothing here is secret, and a sandboxed frame, which has no origin of its own, may load modules only so.
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

/// Whether a file is named as the bundler names all in its `assets`: `NAME-HASH.js`, the hash being eight characters of
/// base64url.
fn is_hashed(path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let hash = stem.len().checked_sub(9).and_then(|at| stem.get(at..)).and_then(|end| end.strip_prefix('-'));
    let is_one = |hash: &str| hash.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    (folder == "assets" || folder.ends_with("/assets")) && hash.is_some_and(is_one)
}

/// Whether brotli is among what the browser can undo.
fn takes_brotli(request: &Request<Incoming>) -> bool {
    listed(request, header::ACCEPT_ENCODING).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let is_refused = weight.trim().strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0));
        name.trim().eq_ignore_ascii_case("br") && !is_refused
    })
}

/// The members of a header that is a list.
fn listed(request: &Request<Incoming>, name: header::HeaderName) -> impl Iterator<Item = &str> {
    let values = request.headers().get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}

/// The file at a path; that of a folder, which ends with a slash, is its `index.html`.
fn find<'a>(files: &'a [File], path: &str) -> Option<&'a File> {
    let index = if path.is_empty() || path.ends_with('/') { "index.html" } else { "" };
    files.iter().find(|file| file.path.strip_prefix(path) == Some(index))
}

fn plain(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
