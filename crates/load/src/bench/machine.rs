//! Where and when figures were taken: they mean nothing without.

use std::process::Command;

use serde::{Deserialize, Serialize};

/// A machine at a moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's name.
    pub processor: String,
    /// Processors.
    pub cores: usize,
    /// Memory in GiB.
    pub memory_gib: u64,
    /// Kernel.
    pub kernel: String,
    /// Day and time, UTC.
    pub date: String,
    /// Commit of the checkout; a `+` means changes on top of it.
    pub commit: String,
    /// mosquitto's own words.
    pub mosquitto: String,
    /// Processes that wanted to run before the bench began, on average over a minute.
    pub load: f64,
}

impl Machine {
    /// This one, now.
    #[must_use]
    pub fn here(mosquitto: &str) -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let field = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
            line.split_once(':').map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
        };
        let memory = field(&read("/proc/meminfo"), "MemTotal");
        let memory_kib: u64 = memory.trim_end_matches(" kB").parse().unwrap_or_default();
        let changes = said("git", &["status", "--porcelain", "--untracked-files=no"]);
        let commit = said("git", &["rev-parse", "--short=10", "HEAD"]);
        Machine {
            processor: field(&read("/proc/cpuinfo"), "model name"),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_gib: memory_kib.div_ceil(1 << 20),
            kernel: read("/proc/sys/kernel/osrelease").trim().into(),
            date: said("date", &["-u", "+%Y-%m-%d %H:%M"]),
            commit: if changes.is_empty() { commit } else { commit + "+" },
            mosquitto: first_line(mosquitto, &["-h"]),
            load: read("/proc/loadavg").split(' ').next().and_then(|load| load.parse().ok()).unwrap_or_default(),
        }
    }

    /// Whether something else was at work, so that only ratios can be read.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.load > 0.5
    }
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}

fn first_line(program: &str, arguments: &[&str]) -> String {
    said(program, arguments).lines().next().unwrap_or_default().into()
}
