//! Every scenario of the corpus, told to every target, each as a test of its own: `native::connect/takeover`.

use libtest_mimic::{Arguments, Failed, Trial};
use wasmqtt_sim::{Scenario, Target, tell};
use wasmqtt_tests::corpus::{self, File, Make};
use wasmqtt_tests::target::{guest, host, native};

fn main() {
    let arguments = Arguments::from_args();
    let files = corpus::files().unwrap_or_else(|error| panic!("the corpus can't be read: {error}"));
    let mut trials = Vec::new();
    for file in files {
        mount("native", native::target, &file, &mut trials);
        if file.read().is_ok_and(|(_, story)| story.steps.len() < 500) {
            mount("swapped", native::swapping, &file, &mut trials);
        }
        mount("bytewise", native::target, &file, &mut trials);
        let needs = file.read().map(|(_, story)| story.needs()).unwrap_or_default();
        if !needs.reload {
            mount("guest", guest::target, &file, &mut trials);
            same_digest(&file, &mut trials);
        }
        if !needs.reload && !needs.inside && !needs.flow {
            mount("host", host::target, &file, &mut trials);
        }
        restored(&file, &mut trials);
    }
    libtest_mimic::run(&arguments, trials).exit();
}

/// Adds a story as a test on a target, if it can be told there.
///
/// Two of them are the native one again: `swapped`, where the broker is saved and loaded behind every turn, and
/// `bytewise`, where everything that clients send arrives a byte at a time.
fn mount(target: &'static str, make: Make, file: &File, trials: &mut Vec<Trial>) {
    let story = file.read();
    let named = story.as_ref().is_ok_and(|(_, s)| !s.targets.is_empty() && !s.targets.iter().any(|t| t == target));
    if !named {
        let file = file.clone();
        let name = format!("{target}::{}", file.name);
        let bytewise = target == "bytewise";
        let change = move |story: &mut Scenario| story.split = if bytewise { 1 } else { story.split };
        trials.push(Trial::test(name, move || file.check_as(make, change).map_err(Failed::from)));
    }
}

/// After a story with a log, what the log restores must be what it restores again.
fn restored(file: &File, trials: &mut Vec<Trial>) {
    let logs = |s: &Scenario| s.config.storage == wasmqtt_broker::Storage::Log;
    let Ok((_, story)) = file.read() else { return };
    if !logs(&story) {
        return;
    }
    let check = move || {
        let mut driver = native::driver(&story);
        tell(&story, &mut driver).map_err(|error| error.to_string())?;
        Ok(native::check_restore(&story.config, driver.log()).map_err(|error| error.to_string())?)
    };
    trials.push(Trial::test(format!("restore::{}", file.name), check));
}

/// After a story the core in this process and the one in WebAssembly must be in the very same state.
fn same_digest(file: &File, trials: &mut Vec<Trial>) {
    let Ok((_, story)) = file.read() else { return };
    let check = move || {
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
    trials.push(Trial::test(format!("digest::{}", file.name), check));
}
