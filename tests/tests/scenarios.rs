//! Every scenario of the corpus, told to every target, each as a test of its own: `native::connect/takeover`.
//!
//! - `native`, `guest` and `host` are the three builds of the broker;
//! - `swapped` is the native one, saved and loaded behind every turn;
//! - `bytewise` is the native one, where everything that clients send arrives a byte at a time;
//! - `digest` tells the story to the native one and to the guest and compares the state of the two;
//! - `restore` looks at what a story with a log left in it: what it restores must restore the same again.

use libtest_mimic::{Arguments, Failed, Trial};
use wasmqtt_broker::Storage;
use wasmqtt_sim::{Scenario, Target, tell};
use wasmqtt_tests::corpus::{self, File, Make};
use wasmqtt_tests::target::{guest, host, native};

/// Stories with more steps are not swapped behind every turn: saving a large state that often takes too long.
const SWAPPED_STEPS_MAX: usize = 500;

fn main() {
    let arguments = Arguments::from_args();
    let files = corpus::files().unwrap_or_else(|error| panic!("the corpus can't be read: {error}"));
    let mut trials = Vec::new();
    for file in files.iter().filter(|file| is_wanted(file, &arguments)) {
        match file.read() {
            Ok((_, story)) => mount_all(file, &story, &mut trials),
            // A story that can't be read fails as a test, with the place of the mistake.
            Err(error) => trials.push(Trial::test(format!("native::{}", file.name), || Err(Failed::from(error)))),
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

/// Whether a test of this file can be asked for. A runner that starts a process for each test names it exactly; then
/// the other stories need not be read.
fn is_wanted(file: &File, arguments: &Arguments) -> bool {
    match (&arguments.filter, arguments.exact) {
        (Some(name), true) => name.split_once("::").is_some_and(|(_, story)| story == file.name),
        _ => true,
    }
}

fn mount_all(file: &File, story: &Scenario, trials: &mut Vec<Trial>) {
    let needs = story.needs();
    let named = |target: &str| story.targets.is_empty() || story.targets.iter().any(|t| t == target);
    if named("native") {
        mount("native", native::target, file, trials);
        mount("bytewise", native::target, file, trials);
        if story.steps.len() < SWAPPED_STEPS_MAX {
            mount("swapped", native::swapping, file, trials);
        }
        if story.config.storage == Storage::Log {
            restored(file, trials);
        }
    }
    if named("guest") && !needs.swap {
        mount("guest", guest::target, file, trials);
        same_digest(file, trials);
    }
    if named("host") && !needs.restart && !needs.swap && !needs.inside && !needs.flow {
        mount("host", host::target, file, trials);
    }
}

/// Adds a story as a test on a target.
fn mount(target: &'static str, make: Make, file: &File, trials: &mut Vec<Trial>) {
    let file = file.clone();
    let name = format!("{target}::{}", file.name);
    // A story that says how its bytes are cut has a reason.
    let change = move |story: &mut Scenario| {
        if target == "bytewise" && story.split == 0 {
            story.split = 1;
        }
    };
    trials.push(Trial::test(name, move || file.check_as(make, change).map_err(Failed::from)));
}

/// After a story with a log, what the log restores must be what it restores again.
fn restored(file: &File, trials: &mut Vec<Trial>) {
    let name = format!("restore::{}", file.name);
    let file = file.clone();
    let check = move || {
        let (_, story) = file.read()?;
        let mut driver = native::driver(&story);
        tell(&story, &mut driver).map_err(|error| error.to_string())?;
        Ok(native::check_restore(&driver, &story.config).map_err(|error| error.to_string())?)
    };
    trials.push(Trial::test(name, check));
}

/// After a story the core in this process and the one in WebAssembly must be in the very same state.
fn same_digest(file: &File, trials: &mut Vec<Trial>) {
    let name = format!("digest::{}", file.name);
    let file = file.clone();
    let check = move || {
        let (_, story) = file.read()?;
        let mut native = native::driver(&story);
        let mut wasm = guest::driver(&story.config).map_err(|error| error.to_string())?;
        for target in [&mut native as &mut dyn Target, &mut wasm] {
            tell(&story, target).map_err(|error| error.to_string())?;
        }
        let digests = (native.digest(), wasm.digest());
        match digests.0.is_some() && digests.0 == digests.1 {
            true => Ok(()),
            false => Err(Failed::from(format!("native {:x?}, guest {:x?}", digests.0, digests.1))),
        }
    };
    trials.push(Trial::test(name, check));
}
