//! Builds the server: the guest as WebAssembly, the guest compiled ahead for this processor family, and the host with
//! both inside.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::tools::{self, Outcome, cargo, run};
use crate::www;

/// A guest on disk, as WebAssembly and compiled ahead.
pub struct Guest {
    pub wasm: PathBuf,
    pub compiled: PathBuf,
}

impl Guest {
    /// Lets a build of the host embed it, and the site if one was built: always, since a host with another content is
    /// compiled anew.
    pub fn embed_into<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let site = www::built_site();
        command.envs(site.is_dir().then_some(("WASMQTT_SITE", site)));
        command.env("WASMQTT_GUEST", &self.wasm).env("WASMQTT_GUEST_COMPILED", &self.compiled)
    }
}

/// Builds the guest as WebAssembly.
pub fn guest_wasm() -> Outcome<PathBuf> {
    tools::wasm_targets()?;
    run(cargo().args(["build", "--package", "wasmqtt-guest", "--target", "wasm32-wasip1", "--profile", "guest"]))?;
    Ok(tools::target_dir().join("wasm32-wasip1/guest/wasmqtt_guest.wasm"))
}

/// Builds the guest and compiles it ahead, with a host that is built without one for that purpose.
pub fn guest(release: bool) -> Outcome<Guest> {
    let wasm = guest_wasm()?;
    let wasmtime = tools::target_dir().join(profile(release)).join("deps");
    if !has_wasmtime(&wasmtime) {
        println!("compiling wasmtime, which runs the guest: 5 to 10 minutes on two cores, once");
    }
    let host = host(release, None)?;
    let compiled = wasm.with_extension("cwasm");
    if tools::is_older(&compiled, &wasm) || tools::is_older(&compiled, &host) {
        run(tools::program(&host).arg("precompile").args([&wasm, &compiled]))?;
    }
    Ok(Guest { wasm, compiled })
}

/// Builds the server with the guest and the site inside and says where it is. Without npm it has no site.
pub fn server(release: bool) -> Outcome<PathBuf> {
    match www::missing() {
        None => www::site()?,
        Some(missing) => println!("the server is built without its page, since {missing}"),
    }
    let guest = guest(release)?;
    host(release, Some(&guest))
}

/// Builds the server whose core has no sandbox around it, to compare with. It goes to a file of its own.
pub fn server_without_sandbox(guest: &Guest) -> Outcome<PathBuf> {
    let mut command = cargo();
    command.args(["build", "--release", "--package", "wasmqtt-host", "--features", "native-core"]);
    run(guest.embed_into(&mut command))?;
    let built = tools::target_dir().join("release/wasmqtt");
    let kept = built.with_file_name("wasmqtt-without-sandbox");
    tools::copy_if_changed(&built, &kept)?;
    Ok(kept)
}

/// Builds the in-process load with a guest beside the native core.
pub fn in_process_load(guest: &Guest) -> Outcome<PathBuf> {
    let mut command = cargo();
    command.args(["build", "--release", "--package", "wasmqtt-bench", "--features", "guest"]);
    run(guest.embed_into(&mut command))?;
    Ok(tools::target_dir().join("release/wasmqtt-bench"))
}

fn profile(release: bool) -> &'static str {
    if release { "release" } else { "debug" }
}

/// Builds the host. Without a guest inside it goes to a folder of its own, so that the two don't displace each other.
fn host(release: bool, guest: Option<&Guest>) -> Outcome<PathBuf> {
    let mut command = cargo();
    command.args(["build", "--package", "wasmqtt-host"]);
    if release {
        command.arg("--release");
    }
    let built = tools::target_dir().join(profile(release)).join("wasmqtt");
    match guest {
        Some(guest) => {
            run(guest.embed_into(&mut command))?;
            Ok(built)
        }
        None => {
            let embedded = ["WASMQTT_GUEST", "WASMQTT_GUEST_COMPILED", "WASMQTT_SITE"];
            run(embedded.iter().fold(&mut command, |command, name| command.env_remove(name)))?;
            let kept = built.with_file_name("wasmqtt-without-guest");
            tools::copy_if_changed(&built, &kept)?;
            Ok(kept)
        }
    }
}

fn has_wasmtime(deps: &Path) -> bool {
    let entries = std::fs::read_dir(deps).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| entry.file_name().to_string_lossy().starts_with("libwasmtime-"))
}
