//! Recordings from anywhere. The bytes are read as they are; and as the bodies of items whose lengths and checksums are
//! right, so that what lies behind those is reached too: showing, replaying and masking.

use std::io::Cursor;

use wasmqtt_sim::recording::{Beginning, Describer, Item, Placed, Player, ReadError, Reader, mask};

use crate::seeds;

/// Reads, and if the first byte says so, mends before.
pub fn run(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first() else { return };
    match first % 4 {
        0 => read(rest),
        _ => read(&mended(rest)),
    }
}

/// A head in order, and items of these bytes: a length byte, a kind, a body, and so on.
fn mended(bytes: &[u8]) -> Vec<u8> {
    let mut file = seeds::recording_head();
    let mut rest = bytes;
    while let Some((&length, after)) = rest.split_first() {
        let (item, after) = after.split_at(usize::from(length & 0x7F).min(after.len()));
        rest = after;
        if item.is_empty() {
            continue;
        }
        file.push(item.len() as u8);
        file.push(crc32fast::hash(&[item.len() as u8]) as u8);
        file.extend_from_slice(item);
        file.extend(crc32fast::hash(item).to_le_bytes());
    }
    file
}

fn read(bytes: &[u8]) {
    let reader = match Reader::open(bytes) {
        Ok(reader) => reader,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let mut player = Player::new(reader.head());
    let mut describer = Describer::new(false);
    let mut plays = true;
    let mut last = 0;
    for placed in reader {
        match placed {
            Ok(placed) => {
                assert!(placed.offset > last && placed.offset < bytes.len() as u64, "items stand one behind the other");
                last = placed.offset;
                assert!(!describer.line(&placed).is_empty());
                // A saved broker is a memory image, which must be trusted.
                plays &= !is_saved(&placed);
                if plays && player.play(&placed).is_err() {
                    plays = false;
                }
            }
            Err(ReadError::Damaged { offset, .. } | ReadError::CutOff { offset }) => {
                assert!(offset <= bytes.len() as u64);
            }
            Err(error) => panic!("behind the head: {error}"),
        }
    }
    if let Ok(masked) = mask(Cursor::new(bytes), Vec::new()) {
        let reader = Reader::open(&masked[..]).expect("a masked recording has a head");
        let mut player = Player::new(reader.head());
        for placed in reader {
            let placed = placed.expect("a masked recording is whole");
            player.play(&placed).expect("a masked recording replays");
        }
    }
}

fn is_saved(placed: &Placed) -> bool {
    matches!(placed.item, Item::Begin { from: Beginning::Saved(_), .. })
}
