//! Embeds what `cargo xtask` built: `WASMQTT_GUEST` names the guest's `.wasm`, `WASMQTT_GUEST_COMPILED` what
//! `wasmqtt precompile` made of that, `WASMQTT_SITE` the folder of the page. Without them the program has no guest of
//! its own and asks for `--guest`, and has no page to serve.

use std::fmt::Write;
use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};

fn main() {
    let out = std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
    let wasm = embedded("WASMQTT_GUEST");
    let compiled = embedded("WASMQTT_GUEST_COMPILED");
    let mut code = format!(
        "pub(crate) const WASM: Option<&[u8]> = {wasm};\npub(crate) const COMPILED: Option<&[u8]> = {compiled};\n"
    );
    write!(code, "pub(crate) const SITE: &[crate::site::File] = &[\n{}];\n", site()).expect("a String takes it");
    std::fs::write(Path::new(&out).join("embedded.rs"), code).expect("OUT_DIR can be written");
}

/// The path that this variable names, if it is set.
fn named(variable: &str) -> Option<PathBuf> {
    println!("cargo:rerun-if-env-changed={variable}");
    let path = std::env::var_os(variable).filter(|path| !path.is_empty())?;
    let path = std::fs::canonicalize(&path).unwrap_or_else(|error| panic!("{variable}={}: {error}", path.display()));
    println!("cargo:rerun-if-changed={}", path.display());
    Some(path)
}

/// The expression that includes the file that this variable names.
fn embedded(variable: &str) -> String {
    named(variable).map_or_else(|| "None".into(), |path| format!("Some(include_bytes!({path:?}))"))
}

/// The files of the page, in the order of their paths. What lies beside a file under its name and `.br` is the same
/// file, compressed by brotli.
fn site() -> String {
    let Some(root) = named("WASMQTT_SITE") else { return String::new() };
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    let mut code = String::new();
    for file in files.iter().filter(|file| file.extension().is_none_or(|extension| extension != "br")) {
        let path = file.strip_prefix(&root).expect("it lies in the folder").to_string_lossy().replace('\\', "/");
        let bytes = std::fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let mut hasher = DefaultHasher::new();
        hasher.write(&bytes);
        let tag = format!("\"{:016x}\"", hasher.finish());
        let mime = mime_guess::from_path(file).first_or_octet_stream();
        let compressed = PathBuf::from(format!("{}.br", file.display()));
        let brotli = files.contains(&compressed).then(|| format!("include_bytes!({compressed:?})"));
        let brotli = brotli.map_or_else(|| "None".into(), |bytes| format!("Some({bytes})"));
        writeln!(
            code,
            "crate::site::File {{ path: {path:?}, mime: {:?}, tag: {tag:?}, bytes: include_bytes!({file:?}), \
             brotli: {brotli} }},",
            mime.essence_str()
        )
        .expect("a String takes it");
    }
    code
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() { collect(&path, files) } else { files.push(path) }
    }
}
