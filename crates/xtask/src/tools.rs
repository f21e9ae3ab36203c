//! Running other programs, and installing those that are missing. Nothing is installed that is there already, and
//! nothing outside this machine's own package managers is asked.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

/// Why a command of ours did not succeed.
#[derive(Debug)]
pub enum Failure {
    /// A program could not be started.
    Start { program: String, error: io::Error },
    /// A program ended with a failure; it has said why itself.
    Exit { command: String, status: ExitStatus },
    /// Something is missing that can't be installed from here.
    Missing { what: String, install: String },
    /// A file could not be read or written.
    File { path: PathBuf, error: io::Error },
    /// `tidy` found these.
    Untidy(Vec<String>),
    /// `statements` found these.
    Statements(Vec<String>),
    /// `count` found these.
    Dearer(Vec<String>),
    /// A program did not print what it should.
    Output { of: &'static str, wanted: &'static str },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Start { program, error } => write!(f, "{program} can't be started: {error}"),
            Failure::Exit { command, status } => write!(f, "`{command}` failed: {status}"),
            Failure::Missing { what, install } => write!(f, "{what} is missing; install it with: {install}"),
            Failure::File { path, error } => write!(f, "{}: {error}", path.display()),
            Failure::Untidy(findings) => write!(f, "untidy:\n  {}", findings.join("\n  ")),
            Failure::Statements(findings) => write!(f, "statements:\n  {}", findings.join("\n  ")),
            Failure::Dearer(findings) => write!(f, "dearer than they may be:\n  {}", findings.join("\n  ")),
            Failure::Output { of, wanted } => write!(f, "{of} printed no {wanted}"),
        }
    }
}

pub type Outcome<T = ()> = Result<T, Failure>;

/// The folder of the checkout.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("xtask lies two folders below the root").into()
}

/// The folder that cargo builds into.
pub fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// A program to run in the root of the checkout.
pub fn program(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    command.current_dir(root());
    command
}

/// The cargo that runs us.
pub fn cargo() -> Command {
    program(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// Reads a file of the checkout.
pub fn read(path: &Path) -> Outcome<String> {
    std::fs::read_to_string(path).map_err(|error| Failure::File { path: PathBuf::from(path), error })
}

/// Whether `made` is missing or older than what it is made from.
pub fn is_older(made: &Path, source: &Path) -> bool {
    let time = |path: &Path| std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    match (time(made), time(source)) {
        (Some(made), Some(source)) => made < source,
        _ => true,
    }
}

/// A failure about a file.
pub fn file_failure(path: &Path, error: io::Error) -> Failure {
    Failure::File { path: path.into(), error }
}

/// Keeps the time of a file whose content is the same, so that nothing that depends on it is made anew.
pub fn copy_if_changed(from: &Path, to: &Path) -> Outcome {
    let content = std::fs::read(from).map_err(|error| file_failure(from, error))?;
    if std::fs::read(to).is_ok_and(|old| old == content) {
        return Ok(());
    }
    std::fs::copy(from, to).map(drop).map_err(|error| file_failure(to, error))
}

/// Makes a folder's content that of another one, without touching files that are the same.
pub fn mirror(from: &Path, to: &Path) -> Outcome {
    std::fs::create_dir_all(to).map_err(|error| file_failure(to, error))?;
    for name in names(to)?.difference(&names(from)?) {
        let old = to.join(name);
        let removed = if old.is_dir() { std::fs::remove_dir_all(&old) } else { std::fs::remove_file(&old) };
        removed.map_err(|error| file_failure(&old, error))?;
    }
    for name in names(from)? {
        let (from, to) = (from.join(&name), to.join(&name));
        if from.is_dir() { mirror(&from, &to)? } else { copy_if_changed(&from, &to)? }
    }
    Ok(())
}

/// What lies in a folder.
fn names(folder: &Path) -> Outcome<BTreeSet<OsString>> {
    let read = || std::fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<_>>();
    read().map_err(|error| file_failure(folder, error))
}

/// Runs a program to its end; its output is ours.
pub fn run(command: &mut Command) -> Outcome {
    let shown = shown(command);
    println!("> {shown}");
    let status = command.status().map_err(|error| start_failure(command, error))?;
    if status.success() { Ok(()) } else { Err(Failure::Exit { command: shown, status }) }
}

/// Becomes another program, so that signals reach it and not a parent that waits.
#[cfg(unix)]
pub fn become_program(command: &mut Command) -> Outcome {
    use std::os::unix::process::CommandExt;
    let error = command.exec();
    Err(start_failure(command, error))
}

/// Runs another program in our stead.
#[cfg(not(unix))]
pub fn become_program(command: &mut Command) -> Outcome {
    run(command)
}

/// Whether a program can be started and is content.
pub fn works(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// What a program prints.
pub fn output(command: &mut Command) -> Outcome<String> {
    let done = command.stderr(Stdio::inherit()).output().map_err(|error| start_failure(command, error))?;
    if done.status.success() {
        return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
    }
    Err(Failure::Exit { command: shown(command), status: done.status })
}

fn start_failure(command: &Command, error: io::Error) -> Failure {
    Failure::Start { program: command.get_program().to_string_lossy().into_owned(), error }
}

/// Installs the WebAssembly targets that are not there yet.
pub fn wasm_targets() -> Outcome {
    let installed = output(program("rustup").args(["target", "list", "--installed"]))?;
    for target in ["wasm32-wasip1", "wasm32-unknown-unknown"] {
        if !installed.lines().any(|line| line.trim() == target) {
            run(program("rustup").args(["target", "add", target]))?;
        }
    }
    Ok(())
}

/// Installs Debian packages whose programs are not there yet.
pub fn debian_packages(wanted: &[(&str, &str)]) -> Outcome {
    let is_missing = |program_name: &str| !works(program("sh").args(["-c", &format!("command -v {program_name}")]));
    let missing: Vec<&str> =
        wanted.iter().filter(|(program_name, _)| is_missing(program_name)).map(|(_, package)| *package).collect();
    if missing.is_empty() { Ok(()) } else { install_debian_packages(&missing) }
}

/// Installs Debian packages, or says how to.
pub fn install_debian_packages(missing: &[&str]) -> Outcome {
    let is_root = output(program("id").arg("-u"))?.trim() == "0";
    if !is_root || !works(program("apt-get").arg("--version")) {
        let install = format!("sudo apt-get install {}", missing.join(" "));
        return Err(Failure::Missing { what: missing.join(", "), install });
    }
    run(program("apt-get").args(["update", "-qq"]))?;
    let mut install = program("apt-get");
    install.args(["install", "-y", "-qq", "--no-install-recommends"]).args(missing);
    run(install.env("DEBIAN_FRONTEND", "noninteractive"))
}

/// Installs the test runner if it is not there.
pub fn nextest() -> Outcome {
    if works(cargo().args(["nextest", "--version"])) {
        return Ok(());
    }
    println!("installing cargo-nextest, the test runner: this takes some minutes, once");
    run(cargo().args(["install", "--locked", "cargo-nextest", "--version", "0.9.143"]))
}
