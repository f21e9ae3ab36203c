//! Recordings: what is written is read, whatever is cut off or damaged is found with its offset, a replay agrees or
//! says where it doesn't, and a masked recording has no secrets and replays like the one it was made from.

use std::io::Cursor;

use wasmqtt_broker::{
    Broker, Command, CommandId, Config, ConnectionId, Input, Output, Peer, Reply, Seed, Time, Transport,
};
use wasmqtt_sim::recording::{
    BUILD, Beginning, Damage, Describer, Head, Item, MaskError, Placed, PlayError, Player, ReadError, Reader, Writer,
    mask,
};

const SEED: Seed = Seed([7; 16]);
const BEGIN: Time = Time(1_767_225_600_000_000);
/// A recording of the first format.
const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/formats/recording-1.wqr");
/// CONNECT, 5.0, Client Identifier "a", User Name "u", Password "secret", Will Topic "w", Will Payload "farewell".
const CONNECT: &[u8] =
    b"\x10\x27\x00\x04MQTT\x05\xC6\x00\x00\x00\x00\x01a\x00\x00\x01w\x00\x08farewell\x00\x01u\x00\x06secret";
/// SUBSCRIBE, 5.0, Packet Identifier 1, "t", QoS 1.
const SUBSCRIBE: &[u8] = b"\x82\x07\x00\x01\x00\x00\x01t\x01";
/// PUBLISH, 5.0, QoS 1, "t", Packet Identifier 2, "confidential".
const PUBLISH: &[u8] = b"\x32\x12\x00\x01t\x00\x02\x00confidential";

/// A driver in this process that records what it tells its broker.
struct Recorded {
    broker: Broker,
    writer: Writer<Vec<u8>>,
    now: Time,
    commands: u64,
}

impl Recorded {
    fn new(build: &str) -> Self {
        let config = Config { sys_interval_s: 0, ..Config::default() };
        let head = Head { build: build.into(), config: config.clone() };
        let writer = Writer::begin(Vec::new(), &head, SEED, &Beginning::Empty).unwrap();
        Recorded { broker: Broker::new(config, SEED), writer, now: BEGIN, commands: 0 }
    }

    fn input(&mut self, input: Input) {
        self.writer.input(self.now, &input).unwrap();
        self.broker.handle(self.now, input);
    }

    /// Ends a turn and takes all that is outgoing.
    fn tick(&mut self) {
        self.input(Input::Tick);
        while self.broker.poll().is_some() {}
        let ready: Vec<ConnectionId> = self.broker.ready().collect();
        self.now = self.now.plus_us(1_500);
        for conn in ready {
            let len = self.broker.outgoing(conn).map(<[u8]>::len).sum::<usize>() as u32;
            self.input(Input::Sent { conn, len });
        }
    }

    fn digest(&mut self) -> u64 {
        self.commands += 1;
        let id = CommandId(self.commands);
        self.input(Input::Command { id, command: Command::Digest });
        let Some(Output::Reply { reply: Reply::Digest(digest), .. }) = self.broker.poll() else { panic!("no digest") };
        self.writer.digest(id, digest).unwrap();
        digest
    }
}

fn conn(slot: u32) -> ConnectionId {
    ConnectionId { slot, generation: 3 }
}

fn peer() -> Peer {
    Peer { listener: 0, address: "127.0.0.1:4242".into(), transport: Transport::Tcp, identity: None }
}

/// A client that subscribes and publishes to itself, with its bytes in pieces of this size, a half packet and an end.
fn story(build: &str, piece: usize) -> Vec<u8> {
    let mut run = Recorded::new(build);
    run.input(Input::Opened { conn: conn(0), peer: peer() });
    let stream = [CONNECT, SUBSCRIBE, PUBLISH].concat();
    for part in stream.chunks(piece) {
        run.input(Input::Received { conn: conn(0), bytes: part.to_vec().into() });
        run.tick();
    }
    run.digest();
    run.input(Input::Received { conn: conn(0), bytes: PUBLISH[..15].to_vec().into() });
    let payload = b"from the operator"[..].into();
    let command = Command::Publish { topic: "t".into(), payload, qos: Default::default(), retain: true };
    run.input(Input::Command { id: CommandId(900), command });
    run.tick();
    run.digest();
    run.input(Input::Closed { conn: conn(0) });
    run.tick();
    run.digest();
    run.writer.end("told").unwrap()
}

fn read(bytes: &[u8]) -> (Vec<Placed>, Option<ReadError>) {
    let mut items = Vec::new();
    for placed in Reader::open(bytes).unwrap() {
        match placed {
            Ok(placed) => items.push(placed),
            Err(error) => return (items, Some(error)),
        }
    }
    (items, None)
}

/// Plays all of it.
fn play(bytes: &[u8]) -> Result<Player, PlayError> {
    let mut player = Player::new(Reader::open(bytes).unwrap().head());
    let (items, error) = read(bytes);
    assert!(error.is_none(), "{error:?}");
    items.iter().try_for_each(|placed| player.play(placed)).map(|()| player)
}

#[test]
fn what_is_written_is_read() {
    let bytes = story(BUILD, 7);
    let (items, error) = read(&bytes);
    assert!(error.is_none());
    assert!(matches!(&items[0].item, Item::Begin { why, seed: SEED, from: Beginning::Empty } if why.is_empty()));
    let Item::Input { at: BEGIN, input: Input::Opened { conn: opened, .. } } = items[1].item else { panic!() };
    assert_eq!(opened, conn(0));
    assert!(matches!(&items.last().unwrap().item, Item::End { why } if why == "told"));
    assert!(items.windows(2).all(|pair| pair[0].offset < pair[1].offset));
}

#[test]
fn a_replay_agrees() {
    let player = play(&story(BUILD, 7)).unwrap();
    assert!(player.compares());
    assert_eq!((player.progress().digests, player.progress().begun), (3, 1));
    assert_eq!(player.broker().unwrap().check(), Ok(()));
}

#[test]
fn the_first_step_that_disagrees_is_named() {
    let bytes = story(BUILD, 1_000);
    // The second digest of the file, with one bit turned and the checksum made to fit.
    let (items, _) = read(&bytes);
    let digests = items.iter().enumerate().filter(|(_, placed)| matches!(placed.item, Item::Digest { .. }));
    let (index, placed) = digests.clone().nth(1).unwrap();
    let (from, to) = (placed.offset as usize + 2, items[index + 1].offset as usize - 4);
    let mut turned = bytes.clone();
    turned[to - 1] ^= 1;
    let checksum = crc32fast::hash(&turned[from..to]);
    turned[to..to + 4].copy_from_slice(&checksum.to_le_bytes());
    let Err(PlayError::Disagrees { offset, step, at, recorded, replayed }) = play(&turned) else { panic!() };
    assert_eq!((offset, step, at), (placed.offset, 2, BEGIN.plus_us(3_000)));
    assert_eq!(recorded ^ replayed, 1 << 56);
}

#[test]
fn a_file_cut_off_anywhere_is_told_from_a_damaged_one() {
    let bytes = story(BUILD, 50);
    let (whole, _) = read(&bytes);
    let head = whole[0].offset as usize;
    for len in 0..head {
        match Reader::open(&bytes[..len]).map(drop) {
            Err(ReadError::NotARecording { found }) => assert!(len == 0 && found.is_empty(), "{len}"),
            Err(ReadError::CutOff { offset: 0 }) => assert!(len > 0),
            other => panic!("cut to {len}: {other:?}"),
        }
    }
    for len in head..bytes.len() {
        let there = whole.iter().position(|placed| placed.offset as usize >= len).unwrap_or(whole.len());
        // An item is there once the next one begins.
        let complete = if whole.get(there).is_some_and(|next| next.offset as usize == len) { there } else { there - 1 };
        for tail in [0, 1, 5, 10_000] {
            let cut = [&bytes[..len], &vec![0; tail]].concat();
            let (items, error) = read(&cut);
            let between = whole.iter().any(|placed| placed.offset as usize == len);
            if tail > 0 && !between {
                // Zeros inside an item may look like a damaged one; what came before it stands all the same.
                assert_eq!(items[..], whole[..complete], "cut to {len}, then {tail} zeros");
                continue;
            }
            let Some(ReadError::CutOff { offset }) = error else { panic!("cut to {len}: {error:?}") };
            assert_eq!(items[..], whole[..complete], "cut to {len}");
            assert_eq!(offset, whole[complete].offset);
        }
    }
}

#[test]
fn any_damaged_byte_is_found_where_it_is() {
    let bytes = story(BUILD, 1_000);
    let (whole, _) = read(&bytes);
    let head = whole[0].offset as usize;
    for at in 0..bytes.len() {
        for bit in [0x01, 0x10, 0x80] {
            let mut damaged = bytes.clone();
            damaged[at] ^= bit;
            if at < head {
                assert!(Reader::open(&damaged[..]).is_err(), "byte {at}");
                continue;
            }
            let (items, error) = read(&damaged);
            let hit = whole.iter().rposition(|placed| placed.offset as usize <= at).unwrap();
            assert_eq!(items[..], whole[..hit], "byte {at}");
            match error {
                Some(ReadError::Damaged { offset, .. }) => assert_eq!(offset, whole[hit].offset, "byte {at}"),
                other => panic!("byte {at}: {other:?}"),
            }
        }
    }
}

#[test]
fn errors_say_what_was_found_and_what_is_allowed() {
    let open = |bytes: &[u8]| Reader::open(bytes).map(drop).unwrap_err().to_string();
    assert!(
        open(b"#!/bin/sh, and more").starts_with("offset 0: found [23, 21, 2F"),
        "{}",
        open(b"#!/bin/sh, and more")
    );
    let mut newer = story(BUILD, 1_000);
    newer[8] = 9;
    assert_eq!(open(&newer), "offset 8: found format 9; this build reads formats 1 to 2");
    let mut more = story(BUILD, 1_000);
    let end = more.len();
    more.extend_from_slice(b"\x01\x1B\x00\x00\x00\x00\x00");
    let Some(ReadError::Damaged { offset, what }) = read(&more).1 else { panic!() };
    assert!(offset == end as u64 && matches!(what, Damage::Guard { .. } | Damage::AfterEnd), "{what}");
    let cut = read(&story(BUILD, 1_000)[..end - 1]).1.unwrap();
    assert!(cut.is_cut_off() && cut.to_string().contains("its writer was killed"), "{cut}");
}

#[test]
fn under_another_build_the_player_takes_what_is_outgoing_itself() {
    let player = play(&story("0.0.1-another", 7)).unwrap();
    assert!(!player.compares());
    assert_eq!(player.progress().digests, 0);
    assert_eq!(player.broker().unwrap().counters().outbox_bytes, 0);
}

#[test]
fn what_no_driver_does_is_an_error_with_its_offset() {
    let opened = |conn| Input::Opened { conn, peer: peer() };
    for second in [conn(0), ConnectionId { slot: u32::MAX, generation: 0 }] {
        let mut run = Recorded::new(BUILD);
        run.input(opened(conn(0)));
        run.writer.input(BEGIN, &opened(second)).unwrap();
        let bytes = run.writer.end("").unwrap();
        let (items, _) = read(&bytes);
        assert_eq!(play(&bytes).map(drop), Err(PlayError::Slot { offset: items[2].offset, conn: second }));
    }
    let mut run = Recorded::new(BUILD);
    run.writer.digest(CommandId(5), 5).unwrap();
    assert!(matches!(play(&run.writer.end("").unwrap()), Err(PlayError::NotAsked { id: CommandId(5), .. })));
    let mut run = Recorded::new(BUILD);
    run.writer.begin_again("swap", SEED, &Beginning::Saved(b"nothing".to_vec())).unwrap();
    assert!(matches!(play(&run.writer.end("").unwrap()), Err(PlayError::Load { .. })));
}

#[test]
fn a_new_beginning_is_played_too() {
    let mut run = Recorded::new(BUILD);
    run.input(Input::Opened { conn: conn(0), peer: peer() });
    run.input(Input::Received { conn: conn(0), bytes: CONNECT.to_vec().into() });
    run.tick();
    let mut saved = Vec::new();
    run.broker.save(&mut saved);
    run.writer.begin_again("swapped", SEED, &Beginning::Saved(saved)).unwrap();
    run.input(Input::Closed { conn: conn(0) });
    run.tick();
    run.digest();
    run.broker = Broker::new(Config { sys_interval_s: 0, ..Config::default() }, Seed([8; 16]));
    run.writer.begin_again("crashed", Seed([8; 16]), &Beginning::Empty).unwrap();
    run.input(Input::Opened { conn: conn(0), peer: peer() });
    run.tick();
    run.digest();
    let bytes = run.writer.end("").unwrap();
    let player = play(&bytes).unwrap();
    assert_eq!((player.progress().begun, player.progress().digests), (3, 2));
    assert!(matches!(mask(Cursor::new(&bytes), Vec::new()), Err(MaskError::Saved { .. })));
}

/// Each saved core had the one before it inside: 3 KB of a file took gigabytes.
#[test]
fn answers_that_nobody_takes_do_not_pile_up() {
    let image_bytes = |saves: u64| {
        let mut run = Recorded::new(BUILD);
        for id in 0..saves {
            run.input(Input::Command { id: CommandId(id), command: Command::Save });
            while run.broker.poll().is_some() {}
        }
        let player = play(&run.writer.end("").unwrap()).unwrap();
        let mut saved = Vec::new();
        player.broker().unwrap().save(&mut saved);
        saved.len()
    };
    assert_eq!(image_bytes(12), image_bytes(1));
}

/// Whatever the pieces, nothing secret is left, and the masked recording replays with digests of its own.
#[test]
fn a_masked_recording_has_no_secrets_and_replays() {
    for piece in [1, 3, 7, 20, 1_000] {
        let bytes = story(BUILD, piece);
        let masked = mask(Cursor::new(&bytes), Vec::new()).unwrap();
        // What is secret may lie in several inputs: look at the stream as a client sent it.
        let stream = |bytes: &[u8]| -> Vec<u8> {
            let received = read(bytes).0.into_iter().filter_map(|placed| match placed.item {
                Item::Input { input: Input::Received { bytes, .. }, .. } => Some(bytes.to_vec()),
                _ => None,
            });
            received.flatten().collect()
        };
        let sent = stream(&masked);
        let expected = [
            &b"\x10\x27\x00\x04MQTT\x05\xC6\x00\x00\x00\x00\x01a\x00\x00\x01w\x00\x08xxxxxxxx"[..],
            b"\x00\x01u\x00\x06xxxxxx",
            SUBSCRIBE,
            b"\x32\x12\x00\x01t\x00\x02\x00xxxxxxxxxxxx",
            // Of this one only the beginning came, and nobody can say where its secrets begin.
            b"\x32\x12xxxxxxxxxxxxx",
        ];
        assert_eq!(sent, expected.concat(), "pieces of {piece}");
        assert_eq!(sent.len(), stream(&bytes).len());
        for secret in ["secret", "farewell", "confidential", "from the operator"] {
            let found = masked.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} in pieces of {piece}");
        }
        let (player, original) = (play(&masked).unwrap(), play(&bytes).unwrap());
        assert_eq!(player.progress(), original.progress());
        assert_ne!(player.broker().unwrap().digest(), original.broker().unwrap().digest());
    }
}

/// Found by the fuzzer: bytes that come before their transport opens are a stream of their own, whose secrets lie
/// elsewhere than those of the one that follows under the same name.
#[test]
fn one_transport_named_twice_has_two_streams_to_mask() {
    let mut run = Recorded::new(BUILD);
    // A PUBLISH with a Topic Name beyond its end: all that follows is secret.
    run.input(Input::Received { conn: conn(0), bytes: b"\x30\x05\x00\x09abc".to_vec().into() });
    run.input(Input::Opened { conn: conn(0), peer: peer() });
    run.input(Input::Received { conn: conn(0), bytes: [CONNECT, SUBSCRIBE].concat().into() });
    run.tick();
    run.input(Input::Closed { conn: conn(0) });
    run.input(Input::Opened { conn: conn(0), peer: peer() });
    run.input(Input::Received { conn: conn(0), bytes: [CONNECT, PUBLISH].concat().into() });
    run.tick();
    let masked = mask(Cursor::new(&run.writer.end("").unwrap()), Vec::new()).unwrap();
    let received = read(&masked).0.into_iter().filter_map(|placed| match placed.item {
        Item::Input { input: Input::Received { bytes, .. }, .. } => Some(bytes),
        _ => None,
    });
    let hidden = [
        b"\x10\x27\x00\x04MQTT\x05\xC6\x00\x00\x00\x00\x01a\x00\x00\x01w\x00\x08xxxxxxxx",
        &b"\x00\x01u\x00\x06xxxxxx"[..],
    ]
    .concat();
    let expected = [
        b"\x30\x05xxxxx".to_vec(),
        [&hidden, SUBSCRIBE].concat(),
        [&hidden, &b"\x32\x12\x00\x01t\x00\x02\x00xxxxxxxxxxxx"[..]].concat(),
    ];
    assert_eq!(received.collect::<Vec<_>>(), expected);
    play(&masked).unwrap();
}

#[test]
fn a_recording_that_was_cut_off_is_masked_up_to_there() {
    let bytes = story(BUILD, 7);
    let masked = mask(Cursor::new(&bytes[..bytes.len() - 30]), Vec::new()).unwrap();
    let (items, error) = read(&masked);
    assert!(error.is_none());
    assert!(matches!(&items.last().unwrap().item, Item::End { why } if why == "the original was cut off here"));
    play(&masked).unwrap();
}

#[test]
fn lines_name_packets_and_hide_secrets() {
    let bytes = story(BUILD, 20);
    let lines = |secrets| {
        let mut describer = Describer::new(secrets);
        read(&bytes).0.iter().map(|placed| describer.line(placed) + "\n").collect::<String>()
    };
    let hidden = lines(false);
    for secret in ["\"secret\"", "farewell", "confidential", "from the operator"] {
        assert!(!hidden.contains(secret), "{hidden}");
        assert!(lines(true).contains(secret), "{}", lines(true));
    }
    for told in [
        "a broker begins, empty\n",
        "0.000000 0.3 opened: Tcp, \"127.0.0.1:4242\", listener 0\n",
        "0.000000 0.3 received 20 bytes: 20 bytes of a packet\n",
        "Client Identifier \"a\"",
        "Password (6 bytes)",
        "PUBLISH, QoS 1, Topic Name \"t\", Packet Identifier 2, Application Message (12 bytes)\n",
        "0.3 closed\n",
        "tick\n",
        " for command 2\n",
        "the end: \"told\"\n",
    ] {
        assert!(hidden.contains(told), "{told}\n{hidden}");
    }
}

/// Written once, by an early build, and to be read for ever: if this fails, the format has changed, and then it needs a
/// new number and this build must go on reading the old one.
#[test]
fn a_recording_of_format_1_is_read_for_ever() {
    let kept = &std::fs::read(KEPT).unwrap()[..];
    let reader = Reader::open(kept).unwrap();
    assert_eq!(reader.head().config.limits.receive_maximum, 1_024);
    assert!(reader.head().build.starts_with("0.1.0-"));
    let player = play(kept).unwrap();
    assert_eq!((player.progress().begun, player.progress().steps), (1, 3));
    let messages = player.broker().unwrap().counters();
    assert_eq!((messages.retained, messages.sessions), (1, 0));
    let mut describer = Describer::new(true);
    let lines: Vec<String> = read(kept).0.iter().map(|placed| describer.line(placed)).collect();
    assert!(lines.iter().any(|line| line.ends_with("Application Message \"confidential\"")), "{lines:#?}");
}

/// Writes the file of the test above, for a new format: `cargo test -p wasmqtt-sim write_a_kept -- --ignored`.
#[test]
#[ignore = "the kept file is written once for each format"]
fn write_a_kept_recording() {
    let mut new = std::fs::OpenOptions::new().write(true).create_new(true).open(KEPT).unwrap();
    std::io::Write::write_all(&mut new, &story(BUILD, 1_000)).unwrap();
}
