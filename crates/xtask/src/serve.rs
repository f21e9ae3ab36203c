//! Builds the server and starts it as its user would.

use crate::build;
use crate::tools::{self, Failure, Outcome};

/// Runs `wasmqtt serve` with these arguments until it ends.
pub fn serve(release: bool, arguments: &[String]) -> Outcome {
    let server = build::server(release)?;
    let mut command = tools::program(&server);
    command.arg("serve").args(arguments);
    if let Some(here) = std::env::var_os("PWD") {
        // Paths in the arguments are the caller's.
        command.current_dir(here);
    }
    replace(command, &server)
}

/// Becomes the server, so that signals reach it and not a parent that waits.
#[cfg(unix)]
fn replace(mut command: std::process::Command, server: &std::path::Path) -> Outcome {
    use std::os::unix::process::CommandExt;
    let error = command.exec();
    Err(Failure::Start { program: server.display().to_string(), error })
}

#[cfg(not(unix))]
fn replace(mut command: std::process::Command, _server: &std::path::Path) -> Outcome {
    tools::run(&mut command)
}
