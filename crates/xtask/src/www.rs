//! Builds what pages need: the core as WebAssembly with its JavaScript glue, and the npm package around it.

use std::path::PathBuf;
use std::process::Command;

use crate::tools::{self, Failure, Outcome, cargo, program, run};

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
        // Not `npm ci`: it refuses a lock file without the packages of other platforms, and npm leaves those out that
        // the registry of the machine does not have. Without `--no-save` it would write the lock file anew.
        run(npm().args(["install", "--no-save", "--no-audit", "--no-fund"]))?;
    }
    Ok(())
}

/// A wasm for pages: what it is called, where it goes and what it is made of.
struct Wasm {
    name: &'static str,
    into: &'static str,
    features: &'static [&'static str],
    /// The files that go there beside the wasm.
    beside: &'static [&'static str],
    /// What wasm-opt is told.
    shrink: &'static [&'static str],
}

/// The core, for the npm package.
const CORE: Wasm = Wasm {
    name: "wasmqtt",
    into: "wasmqtt/generated",
    features: &[],
    beside: &["wasmqtt.js", "wasmqtt.d.ts", "door.ts"],
    // Functions that wasm-opt merges into their callers make fewer bytes and a longer download, since compression finds
    // less that it has seen before; so do expressions computed once and kept in a local.
    shrink: &["-Oz", "--one-caller-inline-max-function-size=20", "--skip-pass=local-cse", "--converge"],
};
/// The Stage, for the simulator.
const STAGE: Wasm = Wasm {
    name: "stage",
    into: "simulator/generated",
    features: &["--no-default-features", "--features", "sim"],
    beside: &["stage.js", "stage.d.ts"],
    // It has much of a kind, and nobody waits for it.
    shrink: &["--merge-similar-functions", "-Oz", "--converge"],
};

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
    for name in what.beside {
        let to = generated.join(name);
        std::fs::copy(glue.join(name), &to).map_err(|error| tools::file_failure(&to, error))?;
    }
    let mut shrink = program(folder().join("node_modules/.bin/wasm-opt"));
    shrink.args(what.shrink).args(["--strip-debug", "--strip-producers"]).args(FEATURES);
    run(shrink.arg(glue.join(format!("{}_bg.wasm", what.name))).arg("-o").arg(&optimised))
}

/// Lints what only exists in a page, once for each wasm. On its own, since the packages beside it would give it their
/// features, and with them a second standard library.
pub fn clippy() -> Outcome {
    [&CORE, &STAGE].into_iter().try_for_each(|what| {
        let mut clippy = cargo();
        clippy.args(["clippy", "--quiet", "--package", "wasmqtt-web", "--target", "wasm32-unknown-unknown"]);
        run(clippy.args(what.features).args(["--", "-D", "warnings"]))
    })
}

/// Builds the core for pages into `www/wasmqtt/generated`.
pub fn core() -> Outcome {
    wasm(&CORE)
}

/// Bytes that the Stage's wasm may take, compressed as servers do.
const STAGE_GZIP_BYTES_MAX: usize = 250 << 10;

/// Builds the Stage for the simulator into `www/simulator/generated`, holds it to its size, and compares the logs that
/// it gives with native ones.
pub fn stage() -> Outcome {
    wasm(&STAGE)?;
    let wasm = folder().join("simulator/generated/stage_bg.wasm");
    let gzip = "const { gzipSync } = require('node:zlib'); const { readFileSync } = require('node:fs');\
                console.log(gzipSync(readFileSync(process.argv[1]), { level: 9 }).length)";
    let printed = tools::output(program("node").args(["-e", gzip]).arg(&wasm))?;
    let bytes: usize = printed.trim().parse().map_err(|_| Failure::Output { of: "node", wanted: "number of bytes" })?;
    println!("{}: {} KiB compressed, {} at most", wasm.display(), bytes.div_ceil(1 << 10), STAGE_GZIP_BYTES_MAX >> 10);
    if bytes > STAGE_GZIP_BYTES_MAX {
        return Err(Failure::Dearer(vec![format!("{} has {bytes} bytes compressed", wasm.display())]));
    }
    tools::nextest()?;
    let test = ["nextest", "run", "--package", "wasmqtt-sim", "--test", "stage_wasm", "--run-ignored", "only"];
    run(cargo().args(test))
}

/// Builds the core and the npm package.
pub fn package() -> Outcome {
    core()?;
    run(npm().args(["run", "build", "--workspace", "wasmqtt"]))
}

/// Holds what a page fetches to its bound; the package must be built.
pub fn size() -> Outcome {
    run(npm().args(["run", "size", "--workspace", "wasmqtt"]))
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

/// Builds the package and measures its figures in Chromium; `rows` are some of them.
pub fn bench(rows: &[String]) -> Outcome {
    package()?;
    run(npm().args(["run", "bench", "--workspace", "wasmqtt-bench-web", "--"]).args(rows))
}

fn npm() -> Command {
    let mut npm = program("npm");
    npm.current_dir(folder());
    npm
}
