//! Builds the server and starts it as its user would.

use crate::build;
use crate::tools::{self, Outcome};

/// Runs `wasmqtt serve` with these arguments until it ends.
pub fn serve(release: bool, arguments: &[String]) -> Outcome {
    let server = build::server(release)?;
    let mut command = tools::program(&server);
    command.arg("serve").args(arguments);
    if let Some(here) = std::env::var_os("PWD") {
        // Paths in the arguments are the caller's.
        command.current_dir(here);
    }
    tools::become_program(&mut command)
}
