//! Writes the JavaScript glue of `crates/web`: `wasmqtt-bindgen IN.wasm OUT_DIR NAME`. It is wasm-bindgen's own program
//! as a library, so that nobody has to install one of just the version that the crate has. A package of its own, since
//! it takes two minutes to compile and `xtask` must not.

use std::process::ExitCode;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, folder, name] = &arguments[..] else {
        eprintln!("usage: wasmqtt-bindgen IN.wasm OUT_DIR NAME");
        return ExitCode::FAILURE;
    };
    let written = Bindgen::new()
        .input_path(input)
        .out_name(name)
        .typescript(true)
        .omit_default_module_path(true)
        .web(true)
        .and_then(|bindgen| bindgen.generate(folder));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wasmqtt-bindgen: {error:#}");
            ExitCode::FAILURE
        }
    }
}
