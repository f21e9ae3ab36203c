//! Writes the JavaScript side of `crates/web`: `wasmqtt-bindgen IN.wasm OUT_DIR NAME`. It is wasm-bindgen's own program
//! as a library, so that nobody has to install one of just the version that the crate has, and `schema`, which writes
//! the types that cross the door into `door.ts`. A package of its own, since it takes two minutes to compile and
//! `xtask` must not.

mod panics;
mod schema;

use std::path::Path;
use std::process::ExitCode;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, folder, name] = &arguments[..] else {
        eprintln!("usage: wasmqtt-bindgen IN.wasm OUT_DIR NAME");
        return ExitCode::FAILURE;
    };
    match write(input, folder.as_ref(), name) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wasmqtt-bindgen: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write(input: &str, folder: &Path, name: &str) -> Result<(), String> {
    let wasm = std::fs::read(input).map_err(|error| format!("{input}: {error}"))?;
    Bindgen::new()
        .input_bytes(name, panics::shorten(&wasm)?)
        .out_name(name)
        .typescript(true)
        .omit_default_module_path(true)
        .web(true)
        .and_then(|bindgen| bindgen.generate(folder))
        .map_err(|error| format!("{error:#}"))?;
    let door = folder.join("door.ts");
    std::fs::write(&door, schema::typescript()?).map_err(|error| format!("{}: {error}", door.display()))
}
