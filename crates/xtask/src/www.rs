//! Builds what pages need: the core as WebAssembly with its JavaScript glue, the npm package around it, and the site
//! that the server shows.

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
    // It has much of a kind.
    shrink: &["--merge-similar-functions", "-Oz", "--one-caller-inline-max-function-size=20", "--skip-pass=local-cse"],
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

/// Builds the Stage for the simulator into `www/simulator/generated`.
pub fn stage_wasm() -> Outcome {
    wasm(&STAGE)
}

/// Builds the Stage for the simulator, holds it to its size, and compares the logs that
/// it gives with native ones.
pub fn stage() -> Outcome {
    stage_wasm()?;
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

/// Measures the Stage, natively and in wasm under Node; fails where a figure is missed.
pub fn bench_stage() -> Outcome {
    stage_wasm()?;
    tools::nextest()?;
    let test = ["nextest", "run", "--release", "--package", "wasmqtt-sim", "--test", "stage_figures"];
    run(cargo().args(test).args(["--run-ignored", "only", "--no-capture"]))?;
    run(program("node").arg("simulator/test/figures.mjs").current_dir(folder()))
}

/// Builds the core and the npm package.
pub fn package() -> Outcome {
    core()?;
    run(npm().args(["run", "build", "--workspace", "wasmqtt"]))
}

/// Why JavaScript can't be built here, if so.
pub fn missing() -> Option<String> {
    // Vite wants this, and nothing else wants more.
    let version = "const [major, minor] = process.versions.node.split('.').map(Number);\
                   process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)";
    if !tools::works(program("node").args(["-e", version])) {
        return Some("there is no Node 20.19 or newer".into());
    }
    (!tools::works(program("npm").arg("--version"))).then(|| "there is no npm".into())
}

/// Where the site lies that hosts embed.
pub fn built_site() -> PathBuf {
    tools::target_dir().join("site")
}

/// Builds the npm package and the site: the pages, and the simulator below `simulator/`.
pub fn site() -> Outcome {
    package()?;
    run(npm().args(["run", "build", "--workspace", "wasmqtt-pages"]))?;
    let simulator = folder().join("simulator");
    let site = folder().join("site");
    stage_wasm()?;
    run(npm().args(["run", "build", "--workspace", "wasmqtt-simulator"]))?;
    tools::mirror(&simulator.join("dist"), &site.join("simulator"))?;
    run(npm().args(["run", "compress", "--workspace", "wasmqtt-pages"]))?;
    // Apart from what each build writes anew, so that a host with the same site inside is not built again.
    tools::mirror(&site, &built_site())
}

/// Holds what a page fetches to its bound; the package must be built.
pub fn size() -> Outcome {
    run(npm().args(["run", "size", "--workspace", "wasmqtt"]))
}

/// Holds each language of the simulator to its bound.
pub fn languages() -> Outcome {
    run(program("node").arg("simulator/languages.mjs").current_dir(folder()))
}

/// Formats, types and lints of all JavaScript; the package must be built.
pub fn lints() -> Outcome {
    run(npm().args(["run", "check"]))
}

/// The tests of all JavaScript, those in browsers too, or those whose name contains `filter`; the server must be built.
pub fn tests(filter: Option<&str>) -> Outcome {
    let mut test = npm();
    test.env("WASMQTT_SERVER", tools::target_dir().join("debug/wasmqtt"));
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
