//! The World on its own: a bounded number of seeds finds nothing, the same seed is the same run to the last byte, and
//! when something lies to the oracles they notice.

use wasmqtt_sim::hunt::{self, Sum};
use wasmqtt_sim::recording::{Player, Reader};
use wasmqtt_sim::sight::Sight;
use wasmqtt_sim::world::faults::KINDS;
use wasmqtt_sim::world::{self, Sabotage};

const SEEDS: u64 = 300;
/// Seeds within which each lie must be noticed.
const SABOTAGED_SEEDS: u64 = 150;

/// A third of the seeds, so that the thirds can run at the same time.
fn find_nothing(third: u64) {
    let mut sum = Sum::default();
    for seed in (0..SEEDS).filter(|seed| seed % 3 == third) {
        let (plan, outcome) = hunt::try_seed(seed);
        if let Some(objection) = outcome.objection.clone() {
            panic!("{}", hunt::shorten(plan, objection).report());
        }
        assert!(!outcome.cut_short, "seed {seed} does not come to rest");
        sum.add(&outcome);
    }
    assert!(sum.deliveries > sum.seeds * 10, "a world in which nothing happens proves nothing: {sum:?}");
    // Yes, more, and no: an authority that is never asked judges nobody.
    assert!(sum.verdicts.iter().all(|count| *count > 20), "{:?}", sum.verdicts);
    for (kind, count) in KINDS.iter().zip(sum.faults) {
        assert!(count > 3, "{kind} happened {count} times in {} seeds", sum.seeds);
    }
}

#[test]
fn a_hundred_seeds_find_nothing() {
    find_nothing(0);
}

#[test]
fn another_hundred_seeds_find_nothing() {
    find_nothing(1);
}

#[test]
fn a_third_hundred_seeds_find_nothing() {
    find_nothing(2);
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in 0..20 {
        let (_, first) = hunt::try_seed(seed);
        let (_, again) = hunt::try_seed(seed);
        assert_eq!(first, again, "seed {seed}");
    }
    let (_, one) = hunt::try_seed(1);
    let (_, other) = hunt::try_seed(2);
    assert_ne!(one.digest, other.digest);
}

/// What a run is kept as gives the same run again: every digest in it agrees, restarts and swaps included.
#[test]
fn a_recorded_run_can_be_played() {
    for seed in 0..12 {
        let plan = world::draw(seed);
        let (outcome, recorded) = world::run_recorded(&plan);
        assert_eq!(outcome.steps, world::run(&plan).steps);
        let mut reader = Reader::open(recorded.as_slice()).expect("the recording is whole");
        let mut player = Player::new(reader.head());
        assert!(player.compares());
        for placed in reader.by_ref() {
            let placed = placed.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            player.play(&placed).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        }
        assert!(player.progress().digests > 3, "seed {seed}: {:?}", player.progress());
    }
}

/// Whether an oracle of this name notices the lie in some seed.
fn is_noticed(lies: &[Sabotage], oracle: &str) -> bool {
    (0..SABOTAGED_SEEDS).any(|seed| {
        let plan = world::draw(seed);
        lies.iter().any(|lie| {
            let outcome = world::run_sabotaged(&plan, *lie);
            outcome.objection.is_some_and(|objection| objection.oracle == oracle)
        })
    })
}

/// A lie about one of many messages.
fn any_of(lie: fn(u32) -> Sabotage) -> Vec<Sabotage> {
    (1..60).step_by(4).map(lie).collect()
}

#[test]
fn a_message_that_is_swallowed_is_missed() {
    assert!(is_noticed(&any_of(Sabotage::Swallow), "qos"));
}

#[test]
fn messages_that_are_lost_are_missed() {
    assert!(is_noticed(&[Sabotage::Lose("a/")], "qos"));
    assert!(is_noticed(&[Sabotage::Idle], "shared"));
    assert!(is_noticed(&[Sabotage::Lose("w/")], "wills"));
    assert!(is_noticed(&[Sabotage::Lose("$d/")], "retained"));
}

#[test]
fn bridges_carry_messages_and_nobody_objects() {
    let met = (0..SABOTAGED_SEEDS).filter(|seed| {
        let mut crossed = 0;
        let mut listen = |_: u64, sight: &Sight| crossed += u32::from(matches!(sight, Sight::WentOut(..)));
        let outcome = world::run_heard(&world::draw(*seed), &mut listen);
        assert_eq!(outcome.objection, None, "seed {seed}");
        crossed > 3
    });
    assert!(met.count() > 20, "too few bridges have anything to carry");
}

#[test]
fn a_message_that_is_told_twice_is_noticed() {
    assert!(is_noticed(&any_of(Sabotage::Repeat), "qos"));
}

#[test]
fn a_message_that_is_told_late_is_noticed() {
    assert!(is_noticed(&any_of(Sabotage::Reorder), "order"));
}

#[test]
fn what_was_found_is_shortened_and_still_found() {
    let plan = world::draw(3);
    let actions = plan.actions.len();
    let (nth, objection) = (1..60)
        .find_map(|nth| Some((nth, world::run_sabotaged(&plan, Sabotage::Repeat(nth)).objection?)))
        .expect("a repetition is noticed");
    let find = hunt::shorten_with(plan, objection, &|plan| world::run_sabotaged(plan, Sabotage::Repeat(nth)));
    assert!(find.shortest.actions.len() < actions);
    assert_eq!(find.in_short.oracle, find.objection.oracle);
    assert!(find.report().contains("shortest story"), "{}", find.report());
}
