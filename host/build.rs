//! Embeds the guest that `cargo xtask` built: `WASMQTT_GUEST` names its `.wasm`, `WASMQTT_GUEST_COMPILED` what
//! `wasmqtt precompile` made of that. Without them the program has no guest of its own and asks for `--guest`.

use std::path::Path;

fn main() {
    let out = std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
    let wasm = embedded("WASMQTT_GUEST");
    let compiled = embedded("WASMQTT_GUEST_COMPILED");
    let code = format!(
        "pub(crate) const WASM: Option<&[u8]> = {wasm};\npub(crate) const COMPILED: Option<&[u8]> = {compiled};\n"
    );
    std::fs::write(Path::new(&out).join("embedded.rs"), code).expect("OUT_DIR can be written");
}

/// The expression that includes the file that this variable names.
fn embedded(variable: &str) -> String {
    println!("cargo:rerun-if-env-changed={variable}");
    let Some(path) = std::env::var_os(variable).filter(|path| !path.is_empty()) else { return "None".into() };
    let path = std::fs::canonicalize(&path).unwrap_or_else(|error| panic!("{variable}={}: {error}", path.display()));
    println!("cargo:rerun-if-changed={}", path.display());
    format!("Some(include_bytes!({path:?}))")
}
