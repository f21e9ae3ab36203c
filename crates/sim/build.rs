//! Names the build of the core: a hash of its sources. Recordings bear it, because digests can be compared only between
//! builds whose core is the same to the letter.

use std::fs;
use std::path::{Path, PathBuf};

/// What decides how a core behaves, seen from this crate's folder.
const SOURCES: [&str; 4] = ["../broker/Cargo.toml", "../broker/src", "../codec/Cargo.toml", "../codec/src"];

fn main() {
    let mut files = Vec::new();
    for source in SOURCES {
        println!("cargo:rerun-if-changed={source}");
        collect(Path::new(source), &mut files);
    }
    files.sort();
    let mut hash = 0xCBF2_9CE4_8422_2325;
    for file in &files {
        let text = fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        hash = fnv1a(hash, file.to_string_lossy().replace('\\', "/").as_bytes());
        // How a checkout ends its lines says nothing of the build.
        hash = fnv1a(hash, &text.into_iter().filter(|byte| *byte != b'\r').collect::<Vec<u8>>());
    }
    println!("cargo:rustc-env=WASMQTT_CORE_BUILD={}-{hash:016x}", env!("CARGO_PKG_VERSION"));
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) {
    if path.is_file() {
        files.push(path.to_owned());
        return;
    }
    let entries = fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    entries.flatten().for_each(|entry| collect(&entry.path(), files));
}

/// FNV-1a, 64 bits: nobody attacks the name of a build.
fn fnv1a(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01B3))
}
