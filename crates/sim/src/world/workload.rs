//! What the clients of a run do, drawn from its seed: who they are, which version they speak, what they subscribe to,
//! publish, clear and leave behind. The faults are drawn beside it, and the whole is a [`Plan`].

use wasmqtt_broker::{Authentication, Config, Limits, Storage};
use wasmqtt_codec::{ProtocolVersion, Qos, RetainHandling};

use crate::luck::Luck;
use crate::sight::ClientNo;
use crate::world::authority::{Authority, RIGHTS, Rights};
use crate::world::faults;
use crate::world::plan::{Act, Letter, Plan, Planned, Profile, Role, WillPlan, Wish};
use crate::world::remote::{BridgePlan, REMOTE_TOPICS};

/// Topic Names of ordinary messages.
const TOPICS: [&str; 6] = ["a/b", "a/c", "a/b/c", "b/c", "c", "$d/e"];
/// Topic Names that Shared Subscriptions match.
const SHARED_TOPICS: [&str; 2] = ["s/1", "s/2"];
/// Topic Filters of ordinary Subscriptions, all of which some Topic Name matches.
const FILTERS: [&str; 12] = ["a/b", "a/+", "a/#", "#", "+/c", "+/b/#", "b/c", "c/#", "w/#", "$d/#", "s/+", "+"];
/// Shared Subscriptions.
const SHARES: [&str; 3] = ["$share/g/s/#", "$share/h/s/+", "$share/g/s/1"];
/// The names of clients; as many as a run can have, besides the witness and a rude one.
const NAMES: [&str; 7] = ["alice", "bob", "carol", "dave", "erin", "frank", "grace"];
/// When the workload begins: the witness has subscribed by then.
const BEGIN_US: u64 = 1_000_000;

/// The Subscription Identifier that a Topic Filter always has.
fn identifier_of(filter: &str) -> u32 {
    let at = FILTERS.iter().chain(&SHARES).position(|known| *known == filter);
    at.map_or(200, |at| at as u32 + 1)
}

/// Draws the plan of a seed.
#[must_use]
pub fn draw(seed: u64) -> Plan {
    let mut luck = Luck::of(seed, 0);
    let authority = authority(&mut Luck::of(seed, 1));
    let mut config = config(&mut luck);
    if authority.is_some() {
        config.authentication = Authentication::Ask;
    }
    let heal_at_us = luck.of_these(&[8, 20, 45]) * 1_000_000;
    let mut clients = vec![witness()];
    let count = luck.between(2, NAMES.len() as u64) as usize;
    for name in &NAMES[..count] {
        clients.push(profile(&mut luck, name));
    }
    if authority.is_some() {
        let mut luck = Luck::of(seed, 2);
        clients.iter_mut().skip(1).for_each(|profile| introduce(&mut luck, profile));
    }
    let bridge = if authority.is_none() { bridge(&mut Luck::of(seed, 3)) } else { None };
    let remote = bridge.as_ref().map(|_| {
        clients.push(remote(&mut Luck::of(seed, 4)));
        clients.len() - 1
    });
    let rude = luck.chance(15).then(|| {
        clients.push(Profile { name: "rude".into(), role: Role::Rude, ..witness() });
        clients.len() - 1
    });
    let mut actions = vec![
        Planned { at_us: 0, act: Act::Connect { who: 0, clean: false } },
        Planned { at_us: 200_000, act: Act::Subscribe { who: 0, wish: everything("#") } },
    ];
    for (who, profile) in clients.iter().enumerate().take(count + 1).skip(1) {
        let at_us = BEGIN_US + luck.below(500_000);
        let clean = begins_clean(&mut luck, profile);
        actions.push(Planned { at_us, act: Act::Connect { who, clean } });
        for _ in 0..luck.between(0, 3) {
            let wish = wish(&mut luck, profile);
            actions.push(Planned { at_us: at_us + luck.below(400_000), act: Act::Subscribe { who, wish } });
        }
    }
    if let Some(who) = rude {
        let at_us = luck.between(BEGIN_US, heal_at_us);
        actions.push(Planned { at_us, act: Act::Connect { who, clean: true } });
    }
    let busy = luck.of_these(&[15, 50, 110]);
    for number in 0..busy {
        let at_us = luck.between(BEGIN_US + 500_000, heal_at_us);
        let who = luck.between(1, count as u64) as ClientNo;
        let act = act(&mut luck, who, &clients[who], number as u32);
        actions.push(Planned { at_us, act });
    }
    if let Some(who) = remote {
        let mut luck = Luck::of(seed, 5);
        for number in busy..busy + luck.between(5, 20) {
            let at_us = luck.between(BEGIN_US + 500_000, heal_at_us);
            let topic = luck.of_these(&REMOTE_TOPICS);
            let letter = letter(&mut luck, &clients[who], number as u32);
            let letter = Letter { topic, alias: None, retain: letter.retain && topic == "cloud/c", ..letter };
            actions.push(Planned { at_us, act: Act::Publish { who, letter } });
        }
        // The wire suffers as much as all other links together.
        let bound = heal_at_us - 500_000;
        faults::draw_for(&mut luck, who, bound, &mut actions);
    }
    faults::draw(&mut luck, count as u64 + 1, config.storage, heal_at_us - 500_000, &mut actions);
    actions.sort_by_key(|planned| planned.at_us);
    let store_us = luck.of_these(&[0, 0, 100, 5_000, 40_000]);
    Plan { seed, config, authority, bridge, store_us, heal_at_us, clients, actions }
}

/// Half of the others have a bridge.
fn bridge(luck: &mut Luck) -> Option<BridgePlan> {
    luck.chance(50).then(|| BridgePlan {
        qos: [(); 3].map(|()| luck.of_these(&[Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce, Qos::ExactlyOnce])),
        keep_alive_s: luck.of_these(&[0, 5, 60]),
        unreachable_percent: luck.of_these(&[0, 0, 30, 70]),
    })
}

fn remote(luck: &mut Luck) -> Profile {
    Profile {
        name: "remote".into(),
        role: Role::Remote,
        version: luck.of_these(&[ProtocolVersion::V5, ProtocolVersion::V5, ProtocolVersion::V3_1_1]),
        receive_maximum: luck.of_these(&[1, 3, u16::MAX]),
        topic_alias_maximum: luck.of_these(&[0, 1, 10]),
        latency_us: luck.of_these(&[10, 1_000, 30_000]),
        identifies: false,
        ..witness()
    }
}

/// A third of all runs have somebody who is asked.
fn authority(luck: &mut Luck) -> Option<Authority> {
    const DELAYS_US: [&[u64]; 4] = [&[0], &[0, 300_000], &[1_000, 2_000_000], &[0, 20_000, 7_000_000, 30_000_000]];
    luck.chance(35).then(|| Authority {
        delays_us: luck.of_these(&DELAYS_US).to_vec(),
        refuse_percent: luck.of_these(&[0, 10, 30]),
        silent_percent: luck.of_these(&[0, 0, 10]),
    })
}

/// A client says who it is, and has rights for it.
fn introduce(luck: &mut Luck, profile: &mut Profile) {
    profile.introduces = true;
    if luck.chance(50) {
        profile.rights = RIGHTS[luck.below(RIGHTS.len() as u64) as usize].clone();
    }
    if profile.version.is_v5() && luck.chance(40) {
        profile.auth_rounds = Some(luck.below(3) as u32);
    }
}

fn config(luck: &mut Luck) -> Config {
    let limits = Limits {
        receive_maximum: luck.of_these(&[1, 3, 20, 1_024]),
        in_flight_max: luck.of_these(&[1, 4, 64, 1_024]),
        queue_messages_max: luck.of_these(&[6, 10_000, 10_000, 10_000]),
        outbox_bytes_max: luck.of_these(&[400, 1 << 20, 1 << 20]),
        turn_bytes_max: luck.of_these(&[600, 16 << 20, 16 << 20]),
        retained_messages_max: luck.of_these(&[1, 2, 4, 1_000_000, 1_000_000, 1_000_000]),
        topic_alias_maximum: luck.of_these(&[0, 2, 64]),
        topic_alias_out_max: luck.of_these(&[0, 2, 64]),
        ..Limits::default()
    };
    let storage = luck.of_these(&[Storage::Log, Storage::Log, Storage::Memory]);
    // Nobody subscribes to `$SYS`: it must be there and reach nobody.
    let sys_interval_s = luck.of_these(&[0, 0, 10]);
    // What it keeps itself counts too, and would be more than the smallest limits allow.
    let sys_interval_s = if limits.retained_messages_max < 1_000 { 0 } else { sys_interval_s };
    Config { limits, storage, sys_interval_s, ..Config::default() }
}

/// The client that sees everything: it never chooses to forget, and whatever breaks, it comes back.
fn witness() -> Profile {
    Profile {
        name: "witness".into(),
        version: ProtocolVersion::V5,
        role: Role::Listener,
        session_expiry_s: u32::MAX,
        clean: false,
        receive_maximum: u16::MAX,
        topic_alias_maximum: 4,
        packet_bytes_max: None,
        keep_alive_s: 0,
        will: None,
        ack_us: 0,
        latency_us: 1_000,
        back_us: 50_000,
        identifies: true,
        introduces: false,
        rights: Rights::default(),
        auth_rounds: None,
    }
}

/// A Subscription of the witness.
pub(super) fn everything(filter: &'static str) -> Wish {
    Wish {
        filter,
        qos: Qos::ExactlyOnce,
        no_local: false,
        retain_as_published: true,
        retain_handling: RetainHandling::DoNotSend,
        identifier: Some(identifier_of(filter)),
    }
}

fn profile(luck: &mut Luck, name: &str) -> Profile {
    let version =
        luck.of_these(&[ProtocolVersion::V3_1, ProtocolVersion::V3_1_1, ProtocolVersion::V5, ProtocolVersion::V5]);
    let worker = Role::Worker(luck.below(SHARES.len() as u64) as usize);
    let role = match version.is_v5() {
        true => luck.of_these(&[Role::Listener, worker, Role::Mixed]),
        false => luck.of_these(&[Role::Listener, Role::Listener, worker]),
    };
    let will = luck.chance(40).then(|| WillPlan {
        qos: qos(luck),
        retain: luck.chance(30),
        delay_s: luck.of_these(&[0, 0, 2, 10]),
        expiry_s: luck.of_these(&[None, None, Some(30)]),
    });
    // What is too large for the member of a share that it goes to is lost to all of them, as the standard has it.
    let alone = version.is_v5() && role == Role::Listener;
    Profile {
        name: name.into(),
        version,
        role,
        session_expiry_s: luck.of_these(&[0, 4, 30, 300, u32::MAX, u32::MAX]),
        clean: luck.chance(30),
        receive_maximum: luck.of_these(&[1, 2, 10, u16::MAX]),
        topic_alias_maximum: luck.of_these(&[0, 1, 10]),
        packet_bytes_max: if alone { luck.of_these(&[None, None, Some(100), Some(200)]) } else { None },
        keep_alive_s: luck.of_these(&[0, 3, 20, 60]),
        will,
        ack_us: luck.of_these(&[0, 0, 20_000, 700_000]),
        latency_us: luck.of_these(&[10, 1_000, 30_000, 150_000]),
        back_us: luck.of_these(&[1_000, 300_000, 3_000_000]),
        identifies: role == Role::Mixed || luck.chance(50),
        introduces: false,
        rights: Rights::default(),
        auth_rounds: None,
    }
}

fn begins_clean(luck: &mut Luck, profile: &Profile) -> bool {
    match profile.version {
        // 3.1 has no Session Present: a client that changes its mind can't know what the server still has.
        ProtocolVersion::V3_1 => profile.clean,
        ProtocolVersion::V3_1_1 => profile.clean || luck.chance(20),
        ProtocolVersion::V5 => luck.chance(40),
    }
}

fn qos(luck: &mut Luck) -> Qos {
    luck.of_these(&[Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce, Qos::ExactlyOnce])
}

fn act(luck: &mut Luck, who: ClientNo, profile: &Profile, number: u32) -> Act {
    match luck.below(100) {
        0..66 => Act::Publish { who, letter: letter(luck, profile, number) },
        66..72 => Act::Clear { who, topic: luck.of_these(&TOPICS), qos: qos(luck) },
        72..84 => Act::Subscribe { who, wish: wish(luck, profile) },
        84..90 => Act::Unsubscribe { who, filter: filter(luck, profile.role) },
        90 if profile.auth_rounds.is_some() => Act::Reauthenticate { who },
        90..95 => {
            let v5 = profile.version.is_v5();
            let session_expiry_s = luck.chance(40).then(|| luck.of_these(&[0, 3, 40, 1_000, u32::MAX])).filter(|_| v5);
            Act::Leave { who, with_will: v5 && luck.chance(40), session_expiry_s }
        }
        _ => Act::Connect { who, clean: begins_clean(luck, profile) },
    }
}

fn letter(luck: &mut Luck, profile: &Profile, number: u32) -> Letter {
    let v5 = profile.version.is_v5();
    let shared = luck.chance(35);
    Letter {
        number,
        topic: if shared { luck.of_these(&SHARED_TOPICS) } else { luck.of_these(&TOPICS) },
        qos: qos(luck),
        retain: !shared && luck.chance(25),
        expiry_s: (v5 && luck.chance(20)).then(|| luck.of_these(&[0, 1, 3, 20, 1_000])),
        len: luck.of_these(&[0, 0, 30, 130, 400]),
        alias: (v5 && luck.chance(30)).then(|| luck.of_these(&[1, 2])),
    }
}

fn filter(luck: &mut Luck, role: Role) -> &'static str {
    match role {
        Role::Worker(which) => SHARES[which],
        Role::Mixed if luck.chance(50) => luck.of_these(&SHARES),
        Role::Listener | Role::Mixed | Role::Rude | Role::Remote => luck.of_these(&FILTERS),
    }
}

fn wish(luck: &mut Luck, profile: &Profile) -> Wish {
    let filter = filter(luck, profile.role);
    let v5 = profile.version.is_v5();
    let handling = [RetainHandling::SendAtSubscribe, RetainHandling::SendIfNew, RetainHandling::DoNotSend];
    Wish {
        filter,
        qos: qos(luck),
        // [5:MQTT-3.8.3-4] forbids it with Shared Subscriptions.
        no_local: v5 && !filter.starts_with('$') && luck.chance(15),
        retain_as_published: v5 && luck.chance(30),
        retain_handling: if v5 { luck.of_these(&handling) } else { RetainHandling::SendAtSubscribe },
        identifier: (v5 && profile.identifies).then(|| identifier_of(filter)),
    }
}
