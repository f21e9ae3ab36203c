//! Headless Chromium with one page, in a profile of its own. It ends when it is dropped.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::{env, fs, process};

/// Debian's names and others'; `CHROMIUM` says which one instead.
const PROGRAMS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/// No screen, no sandbox within a sandbox, and nothing that looks for a network.
const FLAGS: [&str; 11] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--disable-dev-shm-usage",
    "--disable-background-timer-throttling",
];

/// A browser of this process.
pub struct Chromium {
    child: Child,
    profile: PathBuf,
}

impl Chromium {
    /// Opens a page in a new browser.
    pub fn start(url: &str) -> Result<Chromium, String> {
        let profile = env::temp_dir().join(format!("wasmqtt-browser-{}", process::id()));
        fs::create_dir_all(&profile).map_err(|error| format!("{}: {error}", profile.display()))?;
        let chosen = env::var("CHROMIUM").ok();
        let programs: Vec<&str> = chosen.as_deref().map_or(PROGRAMS.to_vec(), |program| vec![program]);
        for program in &programs {
            let mut command = Command::new(program);
            command.args(FLAGS).arg(format!("--user-data-dir={}", profile.display())).arg(url);
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            if let Ok(child) = command.spawn() {
                return Ok(Chromium { child, profile });
            }
        }
        Err(format!("none of {} can be started; `cargo xtask test` installs chromium", programs.join(", ")))
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // Its other processes end with the first. What can't be removed now is in the folder for such things.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.profile);
    }
}
