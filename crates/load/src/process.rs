//! What the system knows of a process: the processor time it took, to the nanosecond where the kernel tells, and the
//! memory it holds. Linux's /proc; elsewhere there are no such figures.

use std::io;
use std::time::Duration;

use crate::failure::{Failure, Outcome};

/// Another process on this machine.
#[derive(Clone, Copy, Debug)]
pub struct Process {
    pid: u32,
}

impl Process {
    /// The process of this number.
    ///
    /// # Errors
    /// If there is none, or it may not be looked at.
    pub fn new(pid: u32) -> Outcome<Self> {
        let process = Process { pid };
        process.cpu()?;
        process.rss_bytes()?;
        Ok(process)
    }

    /// User and system time of all its threads.
    ///
    /// # Errors
    /// If the process is gone.
    pub fn cpu(self) -> Outcome<Duration> {
        self.scheduled().or_else(|_| self.ticked()).map_err(|error| Failure::Process(self.pid, error))
    }

    /// Nanoseconds between two values that [`Self::cpu`] can tell apart.
    #[must_use]
    pub fn resolution_ns(self) -> u64 {
        if self.scheduled().is_ok() { 1 } else { 1_000_000_000 / rustix::param::clock_ticks_per_second() }
    }

    /// Memory it holds now (VmRSS).
    ///
    /// # Errors
    /// If the process is gone.
    pub fn rss_bytes(self) -> Outcome<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid))
            .map_err(|error| Failure::Process(self.pid, error))?;
        let kib =
            status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix("kB")?.trim().parse().ok());
        kib.map(|kib: u64| kib * 1024).ok_or_else(|| Failure::Process(self.pid, unreadable("status has no VmRSS")))
    }

    /// Its memory once that has stopped to change, or after two seconds.
    ///
    /// # Errors
    /// If the process is gone.
    pub fn settled_rss_bytes(self) -> Outcome<u64> {
        let mut last = self.rss_bytes()?;
        let mut unchanged = 0;
        for _ in 0..40 {
            std::thread::sleep(Duration::from_millis(50));
            let now = self.rss_bytes()?;
            unchanged = if now == last { unchanged + 1 } else { 0 };
            last = now;
            if unchanged == 4 {
                break;
            }
        }
        Ok(last)
    }

    /// The scheduler's own count, in nanoseconds. Threads that have ended are not in it; brokers keep theirs.
    fn scheduled(self) -> io::Result<Duration> {
        let mut total = Duration::ZERO;
        for task in std::fs::read_dir(format!("/proc/{}/task", self.pid))? {
            let text = std::fs::read_to_string(task?.path().join("schedstat"))?;
            let ns = text.split_whitespace().next().and_then(|ns| ns.parse().ok());
            total += Duration::from_nanos(ns.ok_or_else(|| unreadable("schedstat"))?);
        }
        Ok(total)
    }

    /// utime and stime, in clock ticks.
    fn ticked(self) -> io::Result<Duration> {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.pid))?;
        // The second field is the name in parentheses, which may contain anything.
        let (_, fields) = text.rsplit_once(')').ok_or_else(|| unreadable("stat"))?;
        let mut fields = fields.split_whitespace().skip(11).map_while(|field| field.parse::<u64>().ok());
        match (fields.next(), fields.next()) {
            (Some(user), Some(system)) => {
                Ok(Duration::from_secs_f64((user + system) as f64 / rustix::param::clock_ticks_per_second() as f64))
            }
            _ => Err(unreadable("stat")),
        }
    }
}

/// Processor time of this process.
#[must_use]
pub fn own_cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

/// Time that all processors of this machine were at work for anybody.
#[must_use]
pub fn machine_cpu() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/stat").ok()?;
    let fields = text.lines().next()?.split_whitespace().skip(1).map_while(|field| field.parse::<u64>().ok());
    // user, nice, system, idle, iowait, irq, softirq, steal; what follows is contained in the first two.
    let ticks: u64 = fields.take(8).enumerate().filter(|(at, _)| !matches!(at, 3 | 4)).map(|(_, ticks)| ticks).sum();
    Some(Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64))
}

/// Makes sure that this many files can be open.
///
/// # Errors
/// If the hard limit is lower.
pub fn allow_descriptors(wanted: u64) -> Outcome {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= wanted) {
        return Ok(());
    }
    let allowed = limit.maximum.unwrap_or(u64::MAX);
    let raised = Rlimit { current: Some(wanted), maximum: limit.maximum };
    if allowed < wanted || setrlimit(Resource::Nofile, raised).is_err() {
        return Err(Failure::Descriptors { wanted, allowed });
    }
    Ok(())
}

fn unreadable(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{what} can't be read"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_can_be_looked_at() {
        let process = Process::new(std::process::id()).expect("it runs");
        let before = process.ticked().expect("stat is there");
        assert!(process.rss_bytes().expect("it runs") > 100_000);
        assert!(machine_cpu().expect("stat is there") >= before);
        assert!(process.scheduled().expect("schedstat is there") + Duration::from_millis(100) >= before);
    }

    #[test]
    fn a_process_that_is_not_there_is_named() {
        // Numbers end below 2^22.
        let failure = Process::new(1 << 30).expect_err("there is none");
        assert!(failure.to_string().contains("1073741824"), "{failure}");
    }
}
