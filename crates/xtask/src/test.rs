//! The one command that tests everything, on a fresh machine too: it installs what is missing and then runs what people
//! run by hand.

use std::time::Instant;

use crate::build;
use crate::count;
use crate::statements;
use crate::tidy;
use crate::tools::{self, Outcome, cargo, program, run};
use crate::www;

/// Crates that must build for a page, where there is no operating system.
const PORTABLE: [&str; 4] = ["wasmqtt-codec", "wasmqtt-broker", "wasmqtt-client", "wasmqtt-sim"];

/// Runs all tests, or those whose name contains `filter`.
pub fn test(filter: Option<&str>) -> Outcome {
    let mut steps = Steps::new();
    steps.step("tools", install)?;
    if filter.is_none() {
        steps.step("tidy", tidy::tidy)?;
        steps.step("statements", statements::check)?;
        steps.step("format", || run(cargo().args(["fmt", "--all", "--check"])))?;
    }
    // Before all that compiles the host, which has the site inside.
    steps.step("site", www::site)?;
    let mut guest = None;
    steps.step("guest", || build::guest(false).map(|built| guest = Some(built)))?;
    let guest = guest.expect("the step before made it");
    if filter.is_none() {
        steps.step("lints", || {
            let mut clippy = cargo();
            clippy.args(["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]);
            run(guest.embed_into(&mut clippy))?;
            let mut without_sandbox = cargo();
            without_sandbox.args(["clippy", "--package", "wasmqtt-host", "--features", "native-core", "--quiet", "--"]);
            run(guest.embed_into(without_sandbox.args(["-D", "warnings"])))?;
            let guest_lints = ["clippy", "--package", "wasmqtt-guest", "--target", "wasm32-wasip1", "--quiet", "--"];
            run(cargo().args(guest_lints).args(["-D", "warnings"]))
        })?;
        steps.step("portable", || {
            let mut check = cargo();
            check.args(["check", "--quiet", "--target", "wasm32-unknown-unknown"]);
            PORTABLE.iter().for_each(|package| {
                check.args(["--package", package]);
            });
            run(&mut check)?;
            www::clippy()
        })?;
        steps.step("stage", www::stage)?;
        steps.step("lints of the package", www::lints)?;
        steps.step("size of the package", www::size)?;
        steps.step("size of the languages", www::languages)?;
    }
    steps.step("tests", || {
        let mut nextest = cargo();
        nextest.args(["nextest", "run", "--workspace", "--no-fail-fast"]).args(filter);
        run(guest.embed_into(&mut nextest))
    })?;
    steps.step("tests of the package", || www::tests(filter))?;
    if filter.is_none() {
        steps.step("instructions", || count::count(false))?;
        steps.step("examples in the docs", || {
            let mut doc = cargo();
            doc.args(["test", "--doc", "--quiet"]);
            run(&mut doc)
        })?;
    }
    steps.summary();
    Ok(())
}

/// Everything that the tests need beside cargo.
fn install() -> Outcome {
    tools::wasm_targets()?;
    tools::nextest()?;
    tools::debian_packages(&[
        ("mosquitto_sub", "mosquitto-clients"),
        ("node", "nodejs"),
        ("npm", "npm"),
        ("python3", "python3"),
        ("chromium", "chromium"),
        ("firefox-esr", "firefox-esr"),
    ])?;
    // It has no program of its own: `python3 -m venv` is there without it, and fails.
    if !tools::works(program("python3").args(["-c", "import ensurepip"])) {
        tools::install_debian_packages(&["python3-venv"])?;
    }
    let js = tools::root().join("tests/clients/js");
    if !js.join("node_modules/mqtt").exists() {
        run(program("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&js))?;
    }
    let venv = tools::target_dir().join("python");
    if !tools::works(program(venv.join("bin/python")).args(["-c", "import paho.mqtt.client"])) {
        run(program("python3").args(["-m", "venv"]).arg(&venv))?;
        let requirements = tools::root().join("tests/clients/py/requirements.txt");
        run(program(venv.join("bin/pip")).args(["install", "--quiet", "-r"]).arg(requirements))?;
    }
    Ok(())
}

/// What ran and how long it took.
struct Steps {
    done: Vec<(&'static str, u64)>,
}

impl Steps {
    fn new() -> Self {
        Steps { done: Vec::new() }
    }

    fn step(&mut self, name: &'static str, work: impl FnOnce() -> Outcome) -> Outcome {
        println!("=== {name}");
        let begun = Instant::now();
        work()?;
        self.done.push((name, begun.elapsed().as_secs()));
        Ok(())
    }

    fn summary(&self) {
        for (name, seconds) in &self.done {
            println!("{seconds:>6} s  {name}");
        }
    }
}
