//! Properties of the Stage over random scenarios and commands: the same ones give the same log to the byte, whoever
//! goes back to any entry and on from there finds the same, what was tried and refused has changed nothing, and the
//! future that a branch left behind is kept.

mod stage_runs;

use stage_runs::{command, scenario};
use wasmqtt_sim::luck::Luck;
use wasmqtt_sim::stage::{Command, Entry, History, Scenario, text};

/// Seeds that are tried; each is a scenario of its own.
const SEEDS: u64 = 60;

/// A run: what was told when, and the log that it gave.
fn run(seed: u64) -> (History, u32) {
    let mut luck = Luck::of(seed, 1);
    let scenario = Scenario::parse(&scenario(&mut luck, seed)).unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"));
    let mut history = History::new(scenario);
    let mut refused = 0;
    for _ in 0..60 {
        match luck.below(3) {
            0 => {
                history.step();
            }
            1 => history.run_until(history.playhead().at + luck.below(900_000)),
            _ => {}
        }
        let command = Command::parse(&command(&mut luck)).unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"));
        let (before, state) = (history.playhead(), history.stage().digest());
        if let Err(error) = history.command(command) {
            refused += 1;
            assert!(!error.to_string().is_empty());
            assert_eq!((before, state), (history.playhead(), history.stage().digest()), "seed {seed}: {error}");
        }
    }
    history.run_until(history.playhead().at + 10_000_000);
    (history, refused)
}

fn bytes(log: &[std::rc::Rc<Entry>]) -> String {
    log.iter().map(|entry| entry.to_json() + "\n").collect()
}

#[test]
fn the_same_commands_give_the_same_log() {
    let (mut entries, mut refused) = (0, 0);
    for seed in 0..SEEDS {
        let ((first, one), (again, other)) = (run(seed), run(seed));
        assert_eq!(bytes(first.log()), bytes(again.log()), "seed {seed}");
        assert_eq!(one, other);
        assert_eq!(first.stage().digest(), again.stage().digest(), "seed {seed}");
        (entries, refused) = (entries + first.log().len(), refused + one);
    }
    assert!(entries > 60 * SEEDS as usize, "little happens: {entries} entries");
    assert!(refused > SEEDS as u32, "nothing is ever refused: {refused}");
}

/// Every packet that left has one end at most, and comes back in the order in which it left.
#[test]
fn nothing_is_lost_in_a_stream_that_lasts() {
    for seed in 0..SEEDS {
        let (history, _) = run(seed);
        let log: Vec<serde_json::Value> =
            history.log().iter().map(|entry| serde_json::from_str(&entry.to_json()).expect("it is JSON")).collect();
        let mut last = std::collections::BTreeMap::new();
        let mut broken = std::collections::BTreeSet::new();
        for entry in &log {
            let name = |key: &str| entry.get(key).cloned();
            if let Some(delivered) = name("delivered") {
                let way = (delivered["link"].as_u64(), delivered["toward"].as_str().map(str::to_owned));
                let packet = delivered["packet"].as_u64();
                assert!(last.insert(way.clone(), packet).is_none_or(|before| before < packet), "seed {seed}: {entry}");
                assert!(!broken.contains(&way), "seed {seed}: a packet came behind one that was lost: {entry}");
            }
            if let Some(lost) = name("lost") {
                broken.insert((lost["link"].as_u64(), lost["toward"].as_str().map(str::to_owned)));
            }
        }
    }
}

#[test]
fn whoever_goes_back_finds_the_same() {
    for seed in 0..SEEDS {
        let (mut history, _) = run(seed);
        let (whole, state) = (bytes(history.log()), history.stage().digest());
        let ends_at = history.playhead().at;
        let mut luck = Luck::of(seed, 2);
        for _ in 0..12 {
            let n = luck.below(history.log().len() as u64);
            history.seek(Some(n)).unwrap();
            assert!(history.playhead().entries > n && bytes(history.log()) == whole, "seed {seed}, entry {n}");
            assert_eq!(history.playhead().at, history.past().last().unwrap().at);
            let there = history.stage().digest();
            // Forth and back again is the same place.
            let after = history.playhead();
            if after.entries < after.of && history.step() && history.step_back() {
                assert_eq!((history.playhead(), history.stage().digest()), (after, there), "seed {seed}, entry {n}");
            }
        }
        history.run_until(ends_at);
        assert_eq!(history.playhead().entries as usize, history.log().len());
        assert_eq!((bytes(history.log()), history.stage().digest()), (whole, state), "seed {seed}");
    }
}

#[test]
fn a_branch_leaves_the_old_future_as_it_was() {
    for seed in 0..SEEDS {
        let (mut history, _) = run(seed);
        let whole = bytes(history.log());
        let ends_at = history.playhead().at;
        history.seek(Some(history.log().len() as u64 / 2)).unwrap();
        let from = history.playhead().entries;
        let restart = Command::parse(r#"{"do":"restart","storage":false}"#).unwrap();
        history.command(restart).unwrap();
        assert_eq!(history.playhead().branch, 1);
        history.run_until(ends_at);
        assert!(whole.starts_with(&bytes(&history.log()[..from as usize])), "seed {seed}");
        assert_eq!(bytes(history.log_of(0).unwrap()), whole, "seed {seed}");
        let compared = history.compare(0, 1).unwrap();
        assert!(compared.common >= from, "seed {seed}: {compared:?}");
        let other = bytes(history.log());
        history.switch(0).unwrap();
        assert_eq!(bytes(history.log()), whole);
        history.seek(Some(from - 1)).unwrap();
        history.switch(1).unwrap();
        assert_eq!(bytes(history.log()), other, "seed {seed}");
    }
}

/// Whoever acts in the past again and again makes a tree of branches, each of which stays what it was when it was left.
#[test]
fn a_tree_of_branches_stays_as_it_was() {
    for seed in 0..SEEDS {
        let (mut history, _) = run(seed);
        let mut luck = Luck::of(seed, 4);
        let mut known = vec![bytes(history.log())];
        while known.len() < 6 {
            history.switch(luck.below(known.len() as u64) as usize).unwrap();
            history.seek(Some(luck.below(history.log().len() as u64))).unwrap();
            let (parent, from) = (history.playhead().branch, history.playhead().entries);
            let acts = from < history.playhead().of;
            if history.command(Command::parse(&command(&mut luck)).unwrap()).is_err() || !acts {
                known[parent] = bytes(history.log());
                continue;
            }
            history.run_until(history.playhead().at + luck.below(20_000_000));
            let branch = &history.branches()[known.len()];
            assert_eq!((branch.branch, branch.parent, branch.from), (known.len(), Some(parent), from), "seed {seed}");
            known.push(bytes(history.log()));
        }
        for (branch, log) in known.iter().enumerate() {
            assert_eq!(&bytes(history.log_of(branch).unwrap()), log, "seed {seed}, branch {branch}");
            history.switch(branch).unwrap();
            assert_eq!(&bytes(history.log()), log, "seed {seed}, branch {branch}");
            // From its beginning it happens again as it is written: a difference would be a panic.
            let ends = history.playhead();
            history.seek(None).unwrap();
            while history.playhead().entries < ends.of {
                assert!(history.step());
            }
            assert_eq!(&bytes(history.log()), log, "seed {seed}, branch {branch}");
        }
        let sides = history.compare(1, 2).unwrap();
        let common = sides.common as usize;
        let (left, right) = (history.log_of(1).unwrap(), history.log_of(2).unwrap());
        assert_eq!(bytes(&left[..common]), bytes(&right[..common]), "seed {seed}");
    }
}

/// A permalink carries the scenario, and what a person did as a part of its script: it tells the same story.
#[test]
fn a_scenario_with_what_was_done_gives_the_same_log() {
    let by_script = |log: String| log.replace(r#""by":"user""#, r#""by":"script""#);
    for seed in 0..SEEDS {
        let (history, _) = run(seed);
        let alone = history.scenario_json(false);
        assert_eq!(Scenario::parse(&alone).unwrap().to_json(&[]), alone, "seed {seed}");
        let whole = history.scenario_json(true);
        let scenario = Scenario::parse(&whole).unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"));
        assert_eq!(scenario.to_json(&[]), whole, "seed {seed}");
        let mut again = History::new(scenario);
        again.run_until(history.playhead().at);
        let (then, now) = (by_script(bytes(history.log())), by_script(bytes(again.log())));
        let differs = then.lines().zip(now.lines()).find(|(then, now)| then != now);
        assert_eq!(differs, None, "seed {seed}");
        assert_eq!(then.len(), now.len(), "seed {seed}");
    }
}

/// Whatever is done, what a branch's log once said it says for ever; all that can happen is that more follows.
#[test]
fn logs_are_only_added_to() {
    for seed in 0..SEEDS / 2 {
        let mut luck = Luck::of(seed, 5);
        let scenario = Scenario::parse(&scenario(&mut luck, seed)).unwrap();
        let mut history = History::new(scenario);
        let mut known: Vec<String> = Vec::new();
        for _ in 0..60 {
            let at = history.playhead().at;
            match luck.below(8) {
                0 => drop(history.step()),
                1 => drop(history.step_back()),
                2 | 3 => history.run_until(at + luck.below(2_000_000)),
                4 => history.seek_time(luck.below(at + 1)),
                5 => history.switch(luck.below(history.branches().len() as u64) as usize).unwrap(),
                _ => drop(history.give(&command(&mut luck))),
            }
            let branches = history.branches().len();
            known.resize(branches, String::new());
            for (branch, known) in known.iter_mut().enumerate() {
                let now = bytes(history.log_of(branch).unwrap());
                assert!(now.starts_with(&*known), "seed {seed}, branch {branch}");
                *known = now;
            }
        }
        assert!(known.len() > 1 || seed > 0, "nobody ever acts in the past");
    }
}

/// A small budget makes rewinding slower and nothing else.
#[test]
fn keyframes_stay_within_their_budget() {
    const BUDGET: usize = 200_000;
    let mut luck = Luck::of(3, 1);
    let scenario = Scenario::parse(&scenario(&mut luck, 3)).unwrap();
    let mut history = History::with_budget(scenario, BUDGET);
    for n in 0..400 {
        let _ = history.command(Command::parse(&command(&mut luck)).unwrap());
        history.run_until(n * 300_000);
        assert!(history.keyframe_bytes() <= BUDGET);
    }
    assert!(history.keyframe_bytes() > BUDGET / 4, "{}", history.keyframe_bytes());
    let whole = text(history.log());
    for n in (0..history.log().len()).step_by(97) {
        history.seek(Some(n as u64)).unwrap();
        assert_eq!(text(history.log()), whole);
    }
}
