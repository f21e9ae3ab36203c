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

/// A wasm for pages: what it is called, where it goes and what it is made of.
struct Wasm {
    name: &'static str,
    into: &'static str,
    features: &'static [&'static str],
}

/// The core, for the npm package.
const CORE: Wasm = Wasm { name: "wasmqtt", into: "wasmqtt/generated", features: &[] };
/// The Stage, for the simulator.
const STAGE: Wasm =
    Wasm { name: "stage", into: "simulator/generated", features: &["--no-default-features", "--features", "sim"] };

/// Builds a wasm and its glue. Each has a target folder of its own for the last step, since both are the same package.
fn wasm(what: &Wasm) -> Outcome {
    tools::wasm_targets()?;
    npm_packages()?;
    let target = "wasm32-unknown-unknown";
    let mut build = cargo();
    build.args(["build", "--package", "wasmqtt-web", "--target", target, "--profile", "web"]).args(what.features);
    run(&mut build)?;
    run(cargo().args(["build", "--package", "wasmqtt-bindgen"]))?;
    let wasm = tools::target_dir().join("wasm32-unknown-unknown/web/wasmqtt_web.wasm");
    let glue = tools::target_dir().join("web");
    // Kept under its own name: the next build of the same package writes the file anew.
    let kept = glue.join(what.name).with_extension("wasm");
    std::fs::create_dir_all(&glue).map_err(|error| tools::file_failure(&glue, error))?;
    tools::copy_if_changed(&wasm, &kept)?;
    let generated = folder().join(what.into);
    let optimised = generated.join(format!("{}_bg.wasm", what.name));
    if !tools::is_older(&optimised, &kept) {
        return Ok(());
    }
    run(program(tools::target_dir().join("debug/wasmqtt-bindgen")).arg(&kept).arg(&glue).arg(what.name))?;
    std::fs::create_dir_all(&generated).map_err(|error| tools::file_failure(&generated, error))?;
    for suffix in ["js", "d.ts"] {
        let name = format!("{}.{suffix}", what.name);
        let to = generated.join(&name);
        std::fs::copy(glue.join(&name), &to).map_err(|error| tools::file_failure(&to, error))?;
    }
    let mut shrink = program(folder().join("node_modules/.bin/wasm-opt"));
    shrink.args(["-Oz", "--strip-debug", "--strip-producers"]).args(FEATURES);
    run(shrink.arg(glue.join(format!("{}_bg.wasm", what.name))).arg("-o").arg(&optimised))
}

/// Builds the core for pages into `www/wasmqtt/generated`.
pub fn core() -> Outcome {
    wasm(&CORE)
}

/// Builds the Stage for the simulator into `www/simulator/generated`, and says how large it is.
pub fn stage() -> Outcome {
    wasm(&STAGE)
}

/// Builds the core and the npm package.
pub fn package() -> Outcome {
    core()?;
    run(program("npm").args(["run", "build", "--workspace", "wasmqtt"]).current_dir(folder()))
}
