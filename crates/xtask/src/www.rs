//! Builds what pages need: the core as WebAssembly with its JavaScript glue, and the npm package around it.

use std::path::PathBuf;

use crate::tools::{self, Outcome, cargo, program, run};

/// What LLVM assumes of every engine by default, so that wasm-opt may read and write it too.
const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];

/// The folder of all JavaScript.
pub fn folder() -> PathBuf {
    tools::root().join("www")
}

/// Installs the npm packages that `www/package-lock.json` names, unless they are there.
pub fn npm_packages() -> Outcome {
    let lock = folder().join("package-lock.json");
    let installed = folder().join("node_modules/.package-lock.json");
    if tools::is_older(&installed, &lock) {
        run(program("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(folder()))?;
    }
    Ok(())
}

/// Builds the core for pages into `www/wasmqtt/generated`.
pub fn core() -> Outcome {
    tools::wasm_targets()?;
    npm_packages()?;
    let target = "wasm32-unknown-unknown";
    run(cargo().args(["build", "--package", "wasmqtt-web", "--target", target, "--profile", "web"]))?;
    run(cargo().args(["build", "--package", "wasmqtt-bindgen"]))?;
    let wasm = tools::target_dir().join("wasm32-unknown-unknown/web/wasmqtt_web.wasm");
    let generated = folder().join("wasmqtt/generated");
    let optimised = generated.join("wasmqtt_bg.wasm");
    if !tools::is_older(&optimised, &wasm) {
        return Ok(());
    }
    let glue = tools::target_dir().join("web");
    run(program(tools::target_dir().join("debug/wasmqtt-bindgen")).arg(&wasm).arg(&glue).arg("wasmqtt"))?;
    std::fs::create_dir_all(&generated).map_err(|error| tools::file_failure(&generated, error))?;
    for name in ["wasmqtt.js", "wasmqtt.d.ts"] {
        let to = generated.join(name);
        std::fs::copy(glue.join(name), &to).map_err(|error| tools::file_failure(&to, error))?;
    }
    let mut shrink = program(folder().join("node_modules/.bin/wasm-opt"));
    shrink.args(["-Oz", "--strip-debug", "--strip-producers"]).args(FEATURES);
    run(shrink.arg(glue.join("wasmqtt_bg.wasm")).arg("-o").arg(&optimised))
}

/// Builds the core and the npm package.
pub fn package() -> Outcome {
    core()?;
    run(program("npm").args(["run", "build", "--workspace", "wasmqtt"]).current_dir(folder()))
}
