//! Stories: whatever a file says, it is a story or an error with a place that exists.

use wasmqtt_sim::Scenario;

/// Parses the bytes as text.
pub fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match Scenario::parse(&text) {
        Ok(scenario) => drop(scenario.needs()),
        Err(error) => {
            // A line behind the last is where something is missing.
            assert!(error.line as usize <= text.lines().count() + 1, "{error} is beyond the file");
            assert!(!error.to_string().is_empty());
        }
    }
}
