//! The body `scenario` of `crates/fuzz` for libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wasmqtt_fuzz::run("scenario", bytes));
