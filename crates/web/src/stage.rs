//! The Stage for JavaScript. Everything crosses as text: scenarios, commands and checks come as JSON, views and the log
//! leave as JSON that `JSON.parse` reads, so that the log is the same to the byte here and in a native test. Times are
//! microseconds of virtual time, entries are counted from 0.

use serde::Serialize;
use wasm_bindgen::prelude::*;
use wasmqtt_sim::stage::{Check, History, KEYFRAME_BYTES_MAX, Scenario, fields_of, line, mermaid, text};
use wasmqtt_sim::world::faults::Toward;

/// A scenario with all that has happened in it, and a playhead.
#[wasm_bindgen]
pub struct Stage {
    history: History,
}

#[wasm_bindgen]
impl Stage {
    /// The beginning of a scenario. Keyframes take this many bytes at most, 64 MiB if nothing is said.
    #[wasm_bindgen(constructor)]
    pub fn new(scenario: &str, keyframe_bytes_max: Option<u32>) -> Result<Stage, JsError> {
        let bytes_max = keyframe_bytes_max.map_or(KEYFRAME_BYTES_MAX, |bytes| bytes as usize);
        Ok(Stage { history: History::with_budget(Scenario::parse(scenario)?, bytes_max) })
    }

    /// Obeys a command at the playhead. In the past that makes a branch. An error has changed nothing.
    pub fn command(&mut self, command: &str) -> Result<(), JsError> {
        Ok(self.history.give(command)?)
    }

    /// On to the end of the next moment at which something can be seen; false if there is none.
    pub fn step(&mut self) -> bool {
        self.history.step()
    }

    /// Back to the end of the moment before; false at the beginning.
    #[wasm_bindgen(js_name = stepBack)]
    pub fn step_back(&mut self) -> bool {
        self.history.step_back()
    }

    /// All moments up to this time, which is then the time.
    #[wasm_bindgen(js_name = runUntil)]
    pub fn run_until(&mut self, until_us: f64) {
        self.history.run_until(until_us as u64);
    }

    /// To the end of the moment that entry `n` belongs to; below 0 is the beginning.
    pub fn seek(&mut self, n: f64) -> Result<(), JsError> {
        Ok(self.history.seek((n >= 0.0).then_some(n as u64))?)
    }

    /// To a time, back or on.
    #[wasm_bindgen(js_name = seekTime)]
    pub fn seek_time(&mut self, at_us: f64) {
        self.history.seek_time(at_us as u64);
    }

    /// `{branch, entries, of, at, ends_at}`.
    pub fn playhead(&self) -> String {
        json(&self.history.playhead())
    }

    /// What happens next: `{at, delivery, script, timers: [{at, what, who}]}`.
    pub fn next(&self) -> String {
        json(&self.history.next())
    }

    /// Entries of the current branch, from one to before another, those behind the playhead too: a list.
    pub fn log(&self, from: f64, to: Option<f64>) -> String {
        let log = self.history.log();
        let to = to.map_or(log.len(), |to| (to as usize).min(log.len()));
        json(&log.get(from as usize..to).unwrap_or(&[]))
    }

    /// Entries of any branch from one on: a list.
    #[wasm_bindgen(js_name = logOf)]
    pub fn log_of(&self, branch: u32, from: f64) -> Result<String, JsError> {
        Ok(json(&self.history.log_of(branch as usize)?.get(from as usize..).unwrap_or(&[])))
    }

    /// Entry `n` as words.
    pub fn line(&self, n: f64) -> Option<String> {
        let log = self.history.log();
        log.get(n as usize).map(|entry| line(entry, log))
    }

    /// All branches: a list of `{branch, parent, from, entries, ends_at, label, command}`.
    pub fn branches(&self) -> String {
        json(&self.history.branches())
    }

    /// Makes another branch the current one, at its end.
    pub fn switch(&mut self, branch: u32) -> Result<(), JsError> {
        Ok(self.history.switch(branch as usize)?)
    }

    /// Two branches side by side: `{common, at, left, right}`.
    pub fn compare(&self, left: u32, right: u32) -> Result<String, JsError> {
        Ok(json(&self.history.compare(left as usize, right as usize)?))
    }

    /// Clients and Sessions at the playhead.
    pub fn sessions(&self) -> String {
        json(&self.history.stage().sessions())
    }

    /// Topics at the playhead: a list.
    pub fn topics(&self) -> String {
        json(&self.history.topics())
    }

    /// A Topic Filter tried on all topics: `{error, topics: [[name, level or null]]}`.
    #[wasm_bindgen(js_name = tryFilter)]
    pub fn try_filter(&self, filter: &str) -> String {
        json(&self.history.try_filter(filter))
    }

    /// Why a message came or not; `n` is any entry about it.
    pub fn why(&self, n: f64) -> Result<String, JsError> {
        Ok(json(&self.history.why(n as u64)?))
    }

    /// A packet with its fields, its cause and its effects; `n` is any entry about it.
    pub fn packet(&self, n: f64) -> Result<String, JsError> {
        Ok(json(&self.history.packet(n as u64)?))
    }

    /// The fields of bytes that nobody sent, while a person edits them: `[fields, error]`.
    pub fn describe(bytes: &[u8], level: u8, toward_broker: bool) -> String {
        json(&fields_of(bytes, level, if toward_broker { Toward::Broker } else { Toward::Client }))
    }

    /// Whether a check holds at the playhead: `{holds, parts}`.
    pub fn check(&self, check: &str) -> Result<String, JsError> {
        Ok(json(&self.history.check(&Check::parse(check)?)))
    }

    /// The same for the scenario's goal, if it has one.
    pub fn goal(&self) -> Option<String> {
        self.history.scenario().goal.as_ref().map(|goal| json(&self.history.check(goal)))
    }

    /// The log up to the playhead as text, one line an entry.
    pub fn text(&self) -> String {
        text(self.history.past())
    }

    /// The log up to the playhead as a Mermaid sequence diagram.
    pub fn mermaid(&self) -> String {
        mermaid(self.history.past())
    }

    /// The scenario as one line of JSON; with what a person did as part of its script, if wished.
    pub fn scenario(&self, with_commands: bool) -> String {
        self.history.scenario_json(with_commands)
    }

    /// Bytes that the keyframes take, about.
    #[wasm_bindgen(js_name = keyframeBytes)]
    pub fn keyframe_bytes(&self) -> f64 {
        self.history.keyframe_bytes() as f64
    }
}

fn json<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).expect("views are numbers, texts and lists")
}
