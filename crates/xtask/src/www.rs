//! Builds what pages need: the core as WebAssembly with its JavaScript glue, and the npm package around it.

use std::path::PathBuf;
use std::process::Command;

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

/// What makes the download small. Functions that wasm-opt merges into their callers make fewer bytes and a longer
/// download, since compression finds less that it has seen before; so do expressions computed once and kept in a local.
const SHRINK: [&str; 5] =
    ["-Oz", "--one-caller-inline-max-function-size=20", "--skip-pass=local-cse", "--strip-debug", "--strip-producers"];

/// The folder of all JavaScript.
pub fn folder() -> PathBuf {
    tools::root().join("www")
}

/// Installs the npm packages that `www/package-lock.json` names, unless they are there.
pub fn npm_packages() -> Outcome {
    let lock = folder().join("package-lock.json");
    let installed = folder().join("node_modules/.package-lock.json");
    if tools::is_older(&installed, &lock) {
        // Not `npm ci`: it refuses a lock file without the packages of other platforms, and npm leaves those out that
        // the registry of the machine does not have. Without `--no-save` it would write the lock file anew.
        run(npm().args(["install", "--no-save", "--no-audit", "--no-fund"]))?;
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
    for name in ["wasmqtt.js", "wasmqtt.d.ts", "door.ts"] {
        let to = generated.join(name);
        std::fs::copy(glue.join(name), &to).map_err(|error| tools::file_failure(&to, error))?;
    }
    let mut shrink = program(folder().join("node_modules/.bin/wasm-opt"));
    shrink.args(SHRINK).args(FEATURES);
    run(shrink.arg(glue.join("wasmqtt_bg.wasm")).arg("-o").arg(&optimised))
}

/// Builds the core and the npm package.
pub fn package() -> Outcome {
    core()?;
    run(npm().args(["run", "build", "--workspace", "wasmqtt"]))
}

/// Formats, types and lints of all JavaScript; the core's glue must be there.
pub fn lints() -> Outcome {
    run(npm().args(["exec", "--", "biome", "check", "--error-on-warnings", "."]))?;
    run(npm().args(["run", "check", "--workspaces", "--if-present"]))
}

/// The tests of all JavaScript, those in a browser too, or those whose name contains `filter`.
pub fn tests(filter: Option<&str>) -> Outcome {
    let mut test = npm();
    test.args(["run", "test", "--workspaces", "--if-present", "--", "--passWithNoTests"]);
    run(test.args(filter.map(|name| ["-t", name]).into_iter().flatten()))
}

fn npm() -> Command {
    let mut npm = program("npm");
    npm.current_dir(folder());
    npm
}
