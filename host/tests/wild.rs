//! Guests gone wrong, written in WebAssembly text. Whatever they do, the host names it, stays up, and a fresh guest
//! serves whoever comes back.

mod common;

use std::io::Write;
use std::time::Duration;

use common::{config, open, rest};
use wasmqtt_abi::{Header, MAGIC, Row, Slice, Table, VERSION, row_flag};
use wasmqtt_broker::{Config, ConnectionId, Input, Seed, Time, Transport};
use wasmqtt_host::clock::Clock;
use wasmqtt_host::fault::GuestFault;
use wasmqtt_host::guest::{Guest, GuestLimits};
use wasmqtt_host::module::{GuestModule, ModuleError};
use wasmqtt_host::server::{Server, ServerOptions, StartError};
use wasmqtt_sim::recording::{Item, Reader};

const LIMITS: GuestLimits = GuestLimits { memory_bytes_max: 1 << 20, step_max: Duration::from_millis(50) };

/// Addresses in these guests.
const HEADER_AT: u32 = 1_024;
const ENTRIES_AT: u32 = 2_048;
const ROWS_AT: u32 = 8_192;
const SLICES_AT: u32 = 12_288;
const BLOCK_AT: u32 = 65_536;
const LETTERS_AT: u32 = 131_072;

/// The header of a guest in order.
fn header() -> Header {
    Header {
        magic: MAGIC,
        version: VERSION,
        entries_at: ENTRIES_AT,
        entries_room: 64,
        block_at: BLOCK_AT,
        block_room: 65_536,
        letters_in_at: LETTERS_AT,
        letters_in_room: 65_536,
        rows_at: ROWS_AT,
        slices_at: SLICES_AT,
        ..Header::default()
    }
}

/// A row as WebAssembly text for data.
fn data(at: u32, table: &impl Table, bytes: usize) -> String {
    let mut written = vec![0; bytes];
    table.write(&mut written).unwrap();
    let text: String = written.iter().map(|byte| format!("\\{byte:02x}")).collect();
    format!("(data (i32.const {at}) \"{text}\")")
}

/// A guest with this header, more data, and this body of `step`.
fn wat(header: &Header, more: &str, step: &str) -> String {
    format!(
        "(module (memory (export \"memory\") 4)
           {} {more}
           (func (export \"_initialize\"))
           (func (export \"configure\") (param i32))
           (func (export \"tables\") (param i32) (result i32) i32.const {HEADER_AT})
           (func $step (export \"step\") (param $now i64) (param $entries i32) (result i64) {step}))",
        data(HEADER_AT, header, Header::BYTES)
    )
}

fn module(wat: &str) -> GuestModule {
    GuestModule::from_wasm(&wat::parse_str(wat).unwrap()).unwrap()
}

/// What the first step of such a guest ends with.
fn fault(wat: &str) -> GuestFault {
    let mut guest = Guest::new(&module(wat), &Config::default(), Seed([0; 16]), LIMITS).unwrap();
    guest.step(Time(1)).unwrap_err()
}

const NO_DEADLINE: &str = "i64.const -1";

#[test]
fn a_guest_in_order_steps() {
    let module = module(&wat(&header(), "", NO_DEADLINE));
    let mut guest = Guest::new(&module, &Config::default(), Seed([0; 16]), LIMITS).unwrap();
    assert_eq!(guest.step(Time(1)), Ok(None));
}

#[test]
fn a_step_without_end_is_stopped() {
    let fault = fault(&wat(&header(), "", "(loop br 0) i64.const 0"));
    let GuestFault::TimedOut { step_max, frames } = fault else { panic!("{fault}") };
    assert_eq!(step_max, LIMITS.step_max);
    assert!(frames[0].starts_with("step"), "{frames:?}");
}

#[test]
fn memory_without_end_is_refused() {
    let grow = "(loop (br_if 0 (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) unreachable";
    let expected = GuestFault::OutOfMemory { memory_bytes_max: 1 << 20, wanted_bytes: (1 << 20) + 65_536 };
    assert_eq!(fault(&wat(&header(), "", grow)), expected);
}

#[test]
fn a_trap_says_where() {
    let trapped = fault(&wat(&header(), "", "unreachable"));
    let GuestFault::Trapped { what, frames, .. } = trapped else { panic!("{trapped}") };
    assert!(what.contains("unreachable"), "{what}");
    assert!(frames[0].starts_with("step"), "{frames:?}");
}

#[test]
fn what_a_guest_says_before_it_traps_is_kept() {
    // An iovec at 16 that names 9 bytes at 32.
    let said = "(data (i32.const 16) \"\\20\\00\\00\\00\\09\\00\\00\\00\") (data (i32.const 32) \"x.rs:7: y\")";
    let step = "(drop (call $write (i32.const 2) (i32.const 16) (i32.const 1) (i32.const 8))) unreachable";
    let import = "(module (import \"wasi_snapshot_preview1\" \"fd_write\"
        (func $write (param i32 i32 i32 i32) (result i32)))";
    let trapped = fault(&wat(&header(), said, step).replacen("(module", import, 1));
    assert!(matches!(&trapped, GuestFault::Trapped { said, .. } if said == "x.rs:7: y"), "{trapped}");
    assert!(trapped.to_string().contains("it said: x.rs:7: y; at step"), "{trapped}");
}

#[test]
fn wild_pointers_are_named() {
    let wild = |header: Header, more: &str| match fault(&wat(&header, more, NO_DEADLINE)) {
        GuestFault::WildPointer { what, .. } => what,
        other => panic!("{other}"),
    };
    assert_eq!(wild(Header { rows_at: 0xFFFF_FFF0, rows_len: 1, ..header() }, ""), "the rows");
    assert_eq!(wild(Header { rows_len: 0xFFFF, ..header() }, ""), "the rows");
    assert_eq!(wild(Header { slices_at: 262_140, slices_len: 1, ..header() }, ""), "the slices");
    assert_eq!(wild(Header { letters_out_at: 1, letters_out_len: 262_144, ..header() }, ""), "the letters out");
    let slice = data(SLICES_AT, &Slice { at: 262_143, len: 2 }, Slice::BYTES);
    assert_eq!(wild(Header { slices_len: 1, ..header() }, &slice), "a slice to send");
}

#[test]
fn wild_tables_are_found_at_the_start() {
    let begin = |header: Header| {
        let module = module(&wat(&header, "", NO_DEADLINE));
        Guest::new(&module, &Config::default(), Seed([0; 16]), LIMITS).map(drop).unwrap_err()
    };
    assert!(matches!(begin(Header { entries_at: 262_143, ..header() }), GuestFault::WildPointer { .. }));
    assert!(matches!(begin(Header { block_room: 1 << 20, ..header() }), GuestFault::WildPointer { .. }));
    assert!(matches!(begin(Header { letters_in_at: 0xFFFF_FFFF, ..header() }), GuestFault::WildPointer { .. }));
    assert!(matches!(begin(Header { letters_in_room: 1, ..header() }), GuestFault::BadTable { .. }));
    assert!(matches!(begin(Header { entries_room: 0, ..header() }), GuestFault::BadTable { .. }));
    assert!(matches!(begin(Header { magic: 7, ..header() }), GuestFault::BadTable { found: 7, .. }));
    assert!(matches!(begin(Header { version: 99, ..header() }), GuestFault::BadTable { found: 99, .. }));
}

#[test]
fn rows_and_letters_that_make_no_sense_are_named() {
    let row = data(ROWS_AT, &Row { slices_first: 0xFFFF_FFFF, slices_len: 2, ..Row::default() }, Row::BYTES);
    let bad_row = fault(&wat(&Header { rows_len: 1, ..header() }, &row, NO_DEADLINE));
    assert!(matches!(bad_row, GuestFault::BadTable { found: 2, .. }), "{bad_row}");
    let letters = Header { letters_out_at: 20_000, letters_out_len: 3, ..header() };
    let bad_letter = fault(&wat(&letters, "(data (i32.const 20000) \"\\ff\\ff\\ff\")", NO_DEADLINE));
    assert_eq!(bad_letter, GuestFault::BadLetter { offset: 0 });
}

/// A million outputs are far more than a step in order has; the host keeps no more of them.
#[test]
fn more_outputs_than_a_step_can_mean_are_refused() {
    const OUTPUTS: u32 = (1 << 20) + 1;
    // Four bytes of 1 are `Output::Read` of connection 1.1.
    let letters = Header { letters_out_at: LETTERS_AT, letters_out_len: 4 * OUTPUTS, ..header() };
    let fill = format!("(memory.fill (i32.const {LETTERS_AT}) (i32.const 1) (i32.const {}))", 4 * OUTPUTS);
    let text = wat(&letters, "", &format!("{fill} {NO_DEADLINE}"));
    let text = text.replace("(export \"memory\") 4)", "(export \"memory\") 80)");
    let limits = GuestLimits { memory_bytes_max: 8 << 20, step_max: Duration::from_secs(60) };
    let mut guest = Guest::new(&module(&text), &Config::default(), Seed([0; 16]), limits).unwrap();
    let found = OUTPUTS - 1;
    assert_eq!(guest.step(Time(1)), Err(GuestFault::BadTable { what: "the number of letters", found }));
}

/// A guest that takes a few entries a step while its host has ever more to tell must not make that keep them all.
#[test]
fn more_entries_than_may_wait_end_the_guest() {
    const ENTRIES: u32 = 4 << 20;
    let module = module(&wat(&header(), "", NO_DEADLINE));
    let mut guest = Guest::new(&module, &Config::default(), Seed([0; 16]), LIMITS).unwrap();
    let conn = ConnectionId { slot: 0, generation: 0 };
    (0..ENTRIES).for_each(|_| guest.entries.writable(conn));
    assert_eq!(guest.step(Time(1)), Ok(None));
    (0..=64).for_each(|_| guest.entries.writable(conn));
    let found = ENTRIES + 1;
    let too_many = GuestFault::BadTable { what: "the number of entries that wait", found };
    assert_eq!(guest.step(Time(2)), Err(too_many));
}

#[test]
fn imports_beyond_the_four_are_refused() {
    let clock = "(module (import \"wasi_snapshot_preview1\" \"clock_time_get\"
        (func (param i32 i64 i32) (result i32))))";
    match GuestModule::from_wasm(&wat::parse_str(clock).unwrap()).map(drop).unwrap_err() {
        ModuleError::Import { name, .. } => assert_eq!(name, "clock_time_get"),
        other => panic!("{other}"),
    }
}

#[test]
fn a_guest_that_cannot_start_is_an_error_of_the_start() {
    let wat = wat(&header(), "", NO_DEADLINE).replace("(param i32))\n", "(param i32) unreachable)\n");
    let options = ServerOptions {
        config: config(&["tcp://127.0.0.1:0"]),
        module: Some(module(&wat)),
        ..ServerOptions::default()
    };
    assert!(matches!(Server::start(options), Err(StartError::Guest(GuestFault::Trapped { .. }))));
}

/// Says back the first byte it is given, and traps if that is an "x".
fn echo_or_trap() -> String {
    echo_or("", "unreachable")
}

/// Says back the first byte it is given; an "x" makes it do something else, with more outside of its functions.
fn echo_or(more: &str, wild: &str) -> String {
    let row = Row { slices_len: 1, ..Row::default() };
    let rows = data(ROWS_AT, &row, Row::BYTES);
    let slice = data(SLICES_AT, &Slice { at: BLOCK_AT, len: 1 }, Slice::BYTES);
    let last = ENTRIES_AT as i32 - 20;
    // Looks at the last entry: RECEIVED (kind 1) gives a row with its connection, everything else none.
    let step = format!(
        "(local $entry i32)
         (i32.store (i32.const {rows_len}) (i32.const 0))
         (i32.store (i32.const {slices_len}) (i32.const 1))
         (local.set $entry (i32.add (i32.const {last}) (i32.mul (local.get $entries) (i32.const 20))))
         (if (i32.and (i32.ne (local.get $entries) (i32.const 0))
                      (i32.eq (i32.load (local.get $entry)) (i32.const 1)))
           (then
             (i32.store (i32.const {ROWS_AT}) (i32.load offset=4 (local.get $entry)))
             (i32.store (i32.const {generation}) (i32.load offset=8 (local.get $entry)))
             (i32.store (i32.const {rows_len}) (i32.const 1))
             (if (i32.eq (i32.load8_u (i32.const {BLOCK_AT})) (i32.const 0x78)) (then {wild}))))
         {NO_DEADLINE}",
        rows_len = HEADER_AT + 9 * 4,
        slices_len = HEADER_AT + 11 * 4,
        generation = ROWS_AT + 4,
    );
    wat(&header(), &format!("{rows} {slice} {more}"), &step)
}

/// Sets a word of the header.
fn set(word: u32, value: u32) -> String {
    format!("(i32.store (i32.const {}) (i32.const {}))", HEADER_AT + word * 4, value.cast_signed())
}

/// Whatever a guest does wrong in a step: the fault has its name, every connection is closed, and the next one that
/// comes is served by a fresh guest. The recording shows the name: it is what the log says too.
#[test]
fn every_fault_has_a_name_and_a_fresh_guest_follows() {
    let overlong = |word| (String::new(), set(word, 1 << 21));
    let bad_letters = "(data (i32.const 20000) \"\\ff\\ff\\ff\")".to_owned();
    // Rows that all name the same slice.
    let rows = data(ROWS_AT + 20, &Row { slices_len: 1, ..Row::default() }, Row::BYTES);
    let recursion = "(drop (call $step (local.get $now) (local.get $entries)))";
    let growth = "(loop (br_if 0 (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) unreachable";
    let exit = "(call $exit (i32.const 3))";
    let cases: [((String, String), &str); 14] = [
        (
            (String::new(), "unreachable".into()),
            "the guest trapped: wasm trap: wasm `unreachable` instruction executed",
        ),
        ((String::new(), "(loop br 0)".into()), "the guest was stopped: one call took longer than 50ms"),
        ((String::new(), growth.into()), "the guest is out of memory: it wanted 1114112 bytes"),
        ((String::new(), recursion.into()), "call stack exhausted"),
        ((String::new(), exit.into()), "the guest exited with code 3"),
        ((String::new(), set(8, 0xFFFF_FFF0)), "the guest gave a wild pointer: the rows at 0xfffffff0"),
        ((String::new(), set(10, 262_140)), "the guest gave a wild pointer: the slices at 0x3fffc"),
        ((String::new(), set(4, 262_000)), "the guest gave a wild pointer: the block at 0x3ff70"),
        ((bad_letters, set(12, 20_000) + &set(13, 3)), "the guest gave a bad letter at offset 0"),
        (overlong(9), "the guest gave a bad table: the number of rows is 2097152"),
        (overlong(11), "the guest gave a bad table: the number of slices is 2097152"),
        ((rows, set(9, 2)), "the guest gave a bad table: the number of slices of all rows is 1"),
        ((String::new(), set(0, 7)), "the guest gave a bad table: the header's first word is 7"),
        ((String::new(), set(3, 0)), "the guest gave a bad table: the room for entries is 0"),
    ];
    for ((more, wild), name) in cases {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.wqr");
        let mut text = echo_or(&more, &wild);
        if wild == exit {
            let import = "(module (import \"wasi_snapshot_preview1\" \"proc_exit\" (func $exit (param i32)))";
            text = text.replacen("(module", import, 1);
        }
        let mut config = config(&["tcp://127.0.0.1:0"]);
        config.guest_limits = LIMITS;
        let options = ServerOptions {
            config,
            module: Some(module(&text)),
            record: Some(path.clone()),
            ..ServerOptions::default()
        };
        let running = Server::start(options).unwrap();
        let address = common::address(&running, Transport::Tcp);
        let mut bystander = open(address);
        let mut client = open(address);
        client.write_all(b"x").unwrap();
        assert_eq!(rest(&mut client), b"", "{name}");
        assert_eq!(rest(&mut bystander), b"", "{name}");
        let mut next = open(address);
        next.write_all(b"a").unwrap();
        let mut answer = [0];
        std::io::Read::read_exact(&mut next, &mut answer).unwrap();
        assert_eq!(&answer, b"a", "{name}");
        drop(running);
        let bytes = std::fs::read(&path).unwrap();
        let faults: Vec<String> = Reader::open(&bytes[..])
            .unwrap()
            .filter_map(|placed| match placed.unwrap().item {
                Item::Begin { why, .. } if !why.is_empty() => Some(why),
                _ => None,
            })
            .collect();
        assert!(faults.len() == 1 && faults[0].contains(name), "expected {name}, found {faults:?}");
    }
}

/// A guest whose next deadline is always over keeps the host busy, but not from serving, nor from ending.
#[test]
fn a_guest_that_always_has_something_due_starves_nobody() {
    let text = echo_or_trap().replace(&format!("{NO_DEADLINE}))"), "i64.const 0))");
    assert!(!text.contains(NO_DEADLINE));
    let options = ServerOptions {
        config: config(&["tcp://127.0.0.1:0"]),
        module: Some(module(&text)),
        ..ServerOptions::default()
    };
    let running = Server::start(options).unwrap();
    for _ in 0..3 {
        let mut client = open(common::address(&running, Transport::Tcp));
        client.write_all(b"a").unwrap();
        std::io::Read::read_exact(&mut client, &mut [0]).unwrap();
    }
    running.stop();
    running.join().unwrap();
}

/// More than is kept of what it says is thrown away, and costs the host nothing.
#[test]
fn a_guest_that_never_stops_talking_is_heard_to_a_limit() {
    // An iovec at 16 that names all of the first 64 KiB, said 64 times.
    let said = "(data (i32.const 16) \"\\00\\00\\00\\00\\00\\00\\01\\00\")";
    let step = "(local $times i32)
        (loop
          (drop (call $write (i32.const 2) (i32.const 16) (i32.const 1) (i32.const 8)))
          (local.set $times (i32.add (local.get $times) (i32.const 1)))
          (br_if 0 (i32.lt_u (local.get $times) (i32.const 64))))
        unreachable";
    let import = "(module (import \"wasi_snapshot_preview1\" \"fd_write\"
        (func $write (param i32 i32 i32 i32) (result i32)))";
    match fault(&wat(&header(), said, step).replacen("(module", import, 1)) {
        GuestFault::Trapped { said, .. } => assert!(said.len() <= 64 << 10, "{} bytes are kept", said.len()),
        other => panic!("{other}"),
    }
}

/// What a guest does wrong before its first step keeps the server from starting, and is named.
#[test]
fn a_guest_that_goes_wrong_while_it_starts_is_named() {
    let start =
        |text: String| Guest::new(&module(&text), &Config::default(), Seed([0; 16]), LIMITS).map(drop).unwrap_err();
    let initialize = |body: &str| {
        let text = wat(&header(), "", NO_DEADLINE);
        text.replace("(func (export \"_initialize\"))", &format!("(func (export \"_initialize\") {body})"))
    };
    assert!(matches!(start(initialize("(loop br 0)")), GuestFault::TimedOut { .. }));
    assert!(matches!(start(initialize("unreachable")), GuestFault::Trapped { .. }));
    let large = wat(&header(), "", NO_DEADLINE).replace("(export \"memory\") 4)", "(export \"memory\") 400)");
    assert!(matches!(start(large), GuestFault::OutOfMemory { wanted_bytes: 26_214_400, .. }));
    let table = wat(&header(), "(table 2000000 funcref)", NO_DEADLINE);
    assert!(matches!(start(table), GuestFault::Trapped { .. }));
    let without = |export: &str| {
        start(wat(&header(), "", NO_DEADLINE).replace(&format!("(export \"{export}\")"), "(export \"other\")"))
    };
    assert_eq!(without("configure"), GuestFault::BadExport { name: "configure" });
    assert_eq!(without("tables"), GuestFault::BadExport { name: "tables" });
    assert_eq!(without("_initialize"), GuestFault::BadExport { name: "_initialize" });
    assert_eq!(without("memory"), GuestFault::BadExport { name: "memory" });
}

#[test]
fn after_a_trap_a_fresh_guest_serves_who_comes_back() {
    let options = ServerOptions {
        config: config(&["tcp://127.0.0.1:0"]),
        clock: Clock::Virtual(Time(1)),
        module: Some(module(&echo_or_trap())),
        ..ServerOptions::default()
    };
    let running = Server::start(options).unwrap();
    let address = common::address(&running, Transport::Tcp);
    let mut bystander = open(address);
    for _ in 0..3 {
        let mut client = open(address);
        let mut answer = [0];
        client.write_all(b"a").unwrap();
        std::io::Read::read_exact(&mut client, &mut answer).unwrap();
        assert_eq!(&answer, b"a");
        client.write_all(b"x").unwrap();
        assert_eq!(rest(&mut client), b"");
    }
    assert_eq!(rest(&mut bystander), b"");
}

/// A recording goes on behind a fault, and says what it was.
#[test]
fn a_recording_has_a_new_beginning_after_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.wqr");
    let options = ServerOptions {
        config: config(&["tcp://127.0.0.1:0"]),
        clock: Clock::Virtual(Time(1)),
        module: Some(module(&echo_or_trap())),
        record: Some(path.clone()),
        ..ServerOptions::default()
    };
    let running = Server::start(options).unwrap();
    let mut client = open(common::address(&running, Transport::Tcp));
    client.write_all(b"x").unwrap();
    assert_eq!(rest(&mut client), b"");
    let mut client = open(common::address(&running, Transport::Tcp));
    client.write_all(b"a").unwrap();
    std::io::Read::read_exact(&mut client, &mut [0]).unwrap();
    drop(running);
    let bytes = std::fs::read(&path).unwrap();
    let mut told = Vec::new();
    for placed in Reader::open(&bytes[..]).unwrap() {
        told.push(match placed.unwrap().item {
            Item::Begin { why, .. } if why.contains("the guest trapped: ") => "begins again".to_owned(),
            Item::Begin { .. } => "begins".into(),
            Item::Input { input: Input::Opened { .. }, .. } => "opened".into(),
            Item::Input { input: Input::Received { bytes, .. }, .. } => format!("received {bytes:?}"),
            Item::Input { .. } => continue,
            Item::Digest { .. } => "digest".into(),
            Item::End { .. } => "ends".into(),
        });
    }
    // The second "opened" may be a step of its own or not; this guest answers no digest command.
    let expected = ["begins", "opened", "received b\"x\"", "begins again", "opened", "received b\"a\"", "ends"];
    assert_eq!(told, expected);
}

#[test]
fn a_last_row_closes_the_connection() {
    let last = Row { slices_len: 1, flags: row_flag::LAST, ..Row::default() };
    let wat = echo_or_trap().replace(
        &data(ROWS_AT, &Row { slices_len: 1, ..Row::default() }, Row::BYTES),
        &data(ROWS_AT, &last, Row::BYTES),
    );
    let options = ServerOptions {
        config: config(&["tcp://127.0.0.1:0"]),
        module: Some(module(&wat)),
        ..ServerOptions::default()
    };
    let running = Server::start(options).unwrap();
    let mut client = open(common::address(&running, Transport::Tcp));
    client.write_all(b"a").unwrap();
    assert_eq!(rest(&mut client), b"a");
}

/// A guest closes a connection at once, and then says so a thousand times more, each time with all the patience in the
/// world, and again in every step from then on. The first word counts: the connection ends, nobody else's does, and the
/// host keeps no list of it.
#[test]
fn a_guest_that_closes_again_and_again_is_heard_once() {
    const AGAIN: usize = 1_000;
    /// Behind all that the host writes.
    const SAID_AT: u32 = 196_608;
    // `Output::Close` of connection 0.0, for `CloseReason::Stopping`, until `Time(0)` and until `Time(u64::MAX)`.
    let at_once = "\\02\\00\\00\\02\\00".to_owned();
    let patient = "\\02\\00\\00\\02\\ff\\ff\\ff\\ff\\ff\\ff\\ff\\ff\\ff\\01";
    let letters = format!("(data (i32.const {SAID_AT}) \"{at_once}{}\")", patient.repeat(AGAIN));
    let bytes = 5 + 14 * AGAIN as u32;
    // The connection that sent the "x" is the one that is meant; both of its numbers take one byte here.
    let name = format!(
        "(local.set $entry (i32.const {SAID_AT}))
         (loop $next
           (i32.store8 offset=1 (local.get $entry) (i32.load (i32.const {ROWS_AT})))
           (i32.store8 offset=2 (local.get $entry) (i32.load (i32.const {})))
           (local.set $entry (i32.add (local.get $entry)
             (if (result i32) (i32.eq (local.get $entry) (i32.const {SAID_AT}))
               (then (i32.const 5)) (else (i32.const 14)))))
           (br_if $next (i32.lt_u (local.get $entry) (i32.const {}))))",
        ROWS_AT + 4,
        SAID_AT + bytes,
    );
    let says = set(12, SAID_AT) + &set(13, bytes);
    let text = echo_or(&letters, &format!("{name} {says}"));
    let options = ServerOptions {
        config: config(&["tcp://127.0.0.1:0"]),
        module: Some(module(&text)),
        ..ServerOptions::default()
    };
    let running = Server::start(options).unwrap();
    let address = common::address(&running, Transport::Tcp);
    let mut bystander = open(address);
    let mut echo = |byte: u8| {
        let mut answer = [0];
        bystander.write_all(&[byte]).unwrap();
        std::io::Read::read_exact(&mut bystander, &mut answer).unwrap();
        assert_eq!(answer, [byte]);
    };
    echo(b'a');
    let mut client = open(address);
    client.write_all(b"x").unwrap();
    assert_eq!(rest(&mut client), b"x");
    (b'b'..b'n').for_each(&mut echo);
    running.stop();
    running.join().unwrap();
}
