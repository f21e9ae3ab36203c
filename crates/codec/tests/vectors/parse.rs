//! Reads `tests/vectors/*.hex`; the format is described in the README there.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use wasmqtt_codec::{ProtocolVersion, Sender};

/// What a vector says about its bytes.
#[derive(Debug, PartialEq, Eq)]
pub enum Expected {
    /// A valid packet, in the words of `summary`.
    Packet(String),
    /// The rule that is broken, and where.
    Error(String),
}

/// One vector.
#[derive(Debug)]
pub struct Vector {
    pub name: String,
    pub version: ProtocolVersion,
    pub from: Sender,
    pub bytes: Vec<u8>,
    pub expected: Expected,
    /// What a good encoder writes, where that is not `bytes`.
    pub encode: Option<Vec<u8>>,
}

/// All vectors of all files.
pub fn vectors() -> Vec<Vector> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors");
    let mut files: Vec<_> = fs::read_dir(&folder).expect("tests/vectors").map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "hex"));
    files.sort();
    let vectors: Vec<Vector> =
        files.iter().flat_map(|path| parse(&fs::read_to_string(path).expect("a vector file"))).collect();
    let names: BTreeSet<&str> = vectors.iter().map(|vector| vector.name.as_str()).collect();
    assert_eq!(names.len(), vectors.len(), "two vectors have the same name");
    vectors
}

fn parse(text: &str) -> Vec<Vector> {
    let mut vectors = Vec::new();
    let mut lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).peekable();
    while let Some(line) = lines.next() {
        let name = value(line, "name").to_owned();
        let version = match value(lines.next().unwrap(), "version") {
            "3.1" => ProtocolVersion::V3_1,
            "3.1.1" => ProtocolVersion::V3_1_1,
            "5.0" => ProtocolVersion::V5,
            other => panic!("{name}: version {other}"),
        };
        let from = match value(lines.next().unwrap(), "from") {
            "client" => Sender::Client,
            "server" => Sender::Server,
            other => panic!("{name}: from {other}"),
        };
        value(lines.next().unwrap(), "bytes");
        let mut bytes = Vec::new();
        while let Some(line) = lines.next_if(|line| line.starts_with("  ")) {
            bytes.extend(hex(line));
        }
        let (kind, rest) = lines.next().unwrap().split_once(": ").unwrap();
        let expected = match kind {
            "packet" => Expected::Packet(rest.to_owned()),
            "error" => Expected::Error(rest.to_owned()),
            other => panic!("{name}: {other}"),
        };
        let encode = lines.next_if(|line| line.starts_with("encode:")).map(|line| hex(value(line, "encode")));
        vectors.push(Vector { name, version, from, bytes, expected, encode });
    }
    vectors
}

fn value<'a>(line: &'a str, key: &str) -> &'a str {
    let rest = line.strip_prefix(key).and_then(|rest| rest.strip_prefix(':'));
    rest.unwrap_or_else(|| panic!("`{key}:` was expected, not `{line}`")).trim()
}

/// Bytes in hex, ASCII characters in quotes, spaces between them, a comment after `#`.
fn hex(line: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() && !rest.starts_with('#') {
        if let Some(quoted) = rest.strip_prefix('"') {
            let (text, after) = quoted.split_once('"').expect("a closing quote");
            bytes.extend(text.bytes());
            rest = after.trim_start();
        } else {
            let (digits, after) = rest.split_once(' ').unwrap_or((rest, ""));
            assert_eq!(digits.len(), 2, "{line}");
            bytes.push(u8::from_str_radix(digits, 16).expect(line));
            rest = after.trim_start();
        }
    }
    bytes
}
