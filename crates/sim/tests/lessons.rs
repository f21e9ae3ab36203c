//! The lessons, played: every solution reaches its goal, nothing does by itself, and what people try who have not
//! understood yet fails and springs the trap that is meant for it. The page judges with the same code, after every
//! moment and as time passes; so does this.
//!
//! `lessons.json` is what the page's TypeScript says, and a test over there keeps it so. `attempts.json` is what people
//! try, `predictions.json` what the log would say if an answer to a lesson's question were right.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use wasmqtt_sim::stage::{Check, History, Scenario, TimerKind, text};

/// How often a goal is judged while nothing happens.
const LOOK_US: u64 = 250_000;
/// How long after the last command a goal may still come true.
const PATIENCE_US: u64 = 60_000_000;
/// A reconnect or a Will that is due sooner is part of what a person did, as in the page.
const LEADS_ON_US: u64 = 6_000_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lesson {
    number: usize,
    id: String,
    question: Question,
    scenario: Value,
    check: Value,
    traps: Vec<Value>,
    solution: Vec<(When, Value)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    options: Vec<String>,
    right: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum When {
    At(u64),
    /// When nothing is on its way and the script is over; the word is checked where the lesson is written.
    Settled(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Attempt {
    lesson: String,
    what: String,
    passes: bool,
    traps: BTreeSet<usize>,
    commands: Vec<(When, Value)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Prediction {
    lesson: String,
    /// The lesson's solution if it is absent.
    run: Option<Vec<(When, Value)>>,
    options: BTreeMap<String, Value>,
}

fn read<T: DeserializeOwned>(path: &str) -> T {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../www/simulator").join(path);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn lessons() -> Vec<Lesson> {
    read("src/lessons/generated/lessons.json")
}

fn check_of(lesson: &str, value: &Value) -> Check {
    Check::parse(&value.to_string()).unwrap_or_else(|wrong| panic!("{lesson}: {wrong}\n{value}"))
}

/// A lesson while somebody is at it.
struct Run {
    history: History,
    goal: Check,
    traps: Vec<Check>,
    passed: bool,
    /// The traps that were sprung before the goal was reached.
    sprung: BTreeSet<usize>,
}

impl Run {
    /// What the learner first sees.
    fn new(lesson: &Lesson) -> Self {
        let scenario = Scenario::parse(&lesson.scenario.to_string());
        let scenario = scenario.unwrap_or_else(|wrong| panic!("{}: {wrong}", lesson.id));
        assert!(scenario.goal.is_some(), "{}", lesson.id);
        let mut history = History::new(scenario);
        history.run_until(lesson.scenario.get("begin").and_then(Value::as_u64).unwrap_or(0));
        let goal = check_of(&lesson.id, &lesson.check);
        let traps = lesson.traps.iter().map(|trap| check_of(&lesson.id, trap)).collect();
        let mut run = Run { history, goal, traps, passed: false, sprung: BTreeSet::new() };
        run.judge();
        run
    }

    fn judge(&mut self) {
        self.passed |= self.history.check(&self.goal).holds;
        if !self.passed {
            let traps = self.traps.iter().enumerate().filter(|(_, trap)| self.history.check(trap).holds);
            self.sprung.extend(traps.map(|(n, _)| n));
        }
    }

    /// One moment, or a while without any; never beyond a time.
    fn look_on(&mut self, until_us: u64) {
        let due = self.history.next().at.unwrap_or(u64::MAX);
        let at = (self.history.playhead().at + LOOK_US).min(until_us);
        if due <= at {
            self.history.step();
        } else {
            self.history.run_until(at);
        }
        self.judge();
    }

    fn run_until(&mut self, until_us: u64) {
        while self.history.playhead().at < until_us {
            self.look_on(until_us);
        }
    }

    fn settle(&mut self) {
        let begun = self.history.playhead().at;
        while !self.is_settled() {
            self.look_on(u64::MAX);
            let taken = self.history.playhead().at - begun;
            assert!(taken < PATIENCE_US, "it never settles:\n{}", text(self.history.log()));
        }
    }

    fn is_settled(&self) -> bool {
        let (next, at) = (self.history.next(), self.history.playhead().at);
        let leads_on = |what| matches!(what, TimerKind::Reconnect | TimerKind::WillDelay);
        next.delivery.is_none()
            && next.script.is_none()
            && !next.timers.iter().any(|timer| leads_on(timer.what) && timer.at - at < LEADS_ON_US)
    }

    /// Does all this, and waits. The commands that were refused.
    fn play(&mut self, commands: &[(When, Value)]) -> Vec<String> {
        let mut refused = Vec::new();
        for (when, command) in commands {
            match when {
                When::At(at) => self.run_until(*at),
                When::Settled(word) => {
                    assert_eq!(word, "settled");
                    self.settle();
                }
            }
            refused.extend(self.history.give(&command.to_string()).err().map(|error| error.to_string()));
            self.judge();
        }
        self.run_until(self.history.playhead().at + PATIENCE_US);
        refused
    }

    fn log(&self) -> String {
        text(self.history.log())
    }
}

#[test]
fn every_solution_reaches_its_goal_and_springs_no_trap() {
    let lessons = lessons();
    assert_eq!(lessons.iter().map(|lesson| lesson.number).collect::<Vec<_>>(), (1..=19).collect::<Vec<_>>());
    for lesson in &lessons {
        let mut run = Run::new(lesson);
        let refused = run.play(&lesson.solution);
        assert!(refused.is_empty(), "{}: {refused:?}", lesson.id);
        assert!(run.passed, "{}\n{}", lesson.id, run.log());
        assert!(run.sprung.is_empty(), "{}: {:?}\n{}", lesson.id, run.sprung, run.log());
    }
}

/// A goal takes every command of its solution: whoever stops before the last has not reached it.
#[test]
fn no_part_of_a_solution_is_enough() {
    for lesson in &lessons() {
        for part in 0..lesson.solution.len() {
            let mut run = Run::new(lesson);
            run.play(&lesson.solution[..part]);
            assert!(!run.passed, "{}: {part} commands are enough\n{}", lesson.id, run.log());
        }
    }
}

#[test]
fn nothing_is_reached_and_no_trap_is_sprung_by_itself() {
    for lesson in &lessons() {
        let mut run = Run::new(lesson);
        run.play(&[]);
        assert!(!run.passed && run.sprung.is_empty(), "{}: {:?}\n{}", lesson.id, run.sprung, run.log());
    }
}

#[test]
fn attempts_pass_or_fail_and_spring_the_traps_that_are_meant_for_them() {
    let lessons = lessons();
    let attempts: Vec<Attempt> = read("test/attempts.json");
    let mut sprung: BTreeSet<(&str, usize)> = BTreeSet::new();
    let mut wrong = Vec::new();
    for attempt in &attempts {
        let lesson = lessons.iter().find(|lesson| lesson.id == attempt.lesson).expect("attempts are at lessons");
        let mut run = Run::new(lesson);
        run.play(&attempt.commands);
        if (run.passed, &run.sprung) != (attempt.passes, &attempt.traps) {
            wrong.push(format!("{}, {}: {} {:?}\n", lesson.id, attempt.what, run.passed, run.sprung) + &run.log());
        }
        if !run.passed {
            sprung.extend(run.sprung.iter().map(|trap| (lesson.id.as_str(), *trap)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for lesson in &lessons {
        for trap in 0..lesson.traps.len() {
            assert!(sprung.contains(&(&lesson.id, trap)), "{}: nothing springs trap {trap}", lesson.id);
        }
    }
}

/// Of the answers to a lesson's question, the right one is what happens, and no other is.
#[test]
fn the_right_prediction_is_what_happens() {
    let lessons = lessons();
    let predictions: Vec<Prediction> = read("test/predictions.json");
    assert_eq!(predictions.len(), lessons.len());
    for (lesson, prediction) in lessons.iter().zip(&predictions) {
        assert_eq!(lesson.id, prediction.lesson);
        let known: BTreeSet<&String> = lesson.question.options.iter().collect();
        assert_eq!(prediction.options.keys().collect::<BTreeSet<_>>(), known, "{}", lesson.id);
        let mut run = Run::new(lesson);
        let refused = run.play(prediction.run.as_ref().unwrap_or(&lesson.solution));
        assert!(refused.is_empty(), "{}: {refused:?}", lesson.id);
        for (option, check) in &prediction.options {
            let holds = run.history.check(&check_of(&lesson.id, check)).holds;
            assert_eq!(holds, *option == lesson.question.right, "{}: {option}\n{}", lesson.id, run.log());
        }
    }
}
