//! The tables through which guest and host talk. The guest owns all of them; the host finds them by one [`Header`]
//! and reads and writes them in the guest's linear memory, so that a whole turn of the server costs one call.
//!
//! ```text
//!   host                                             guest
//!   ----                                             -----
//!   reads sockets into the block                     block:      bytes as they came from sockets
//!   one Entry per read, per write done, per close    entries:    what happened, in order
//!   rare inputs as postcard letters                  letters in
//!   step(now, entries) ----------------------------> handles all, lets timers fire
//!                      <---------------------------- the next deadline, and the Header written anew
//!   one write per Row, from its Slices               rows, slices: what to send on which connection
//!   obeys the letters                                letters out: postcard outputs, one after another
//! ```
//!
//! The guest exports four functions besides its memory:
//!
//! - `_initialize()` runs its constructors;
//! - `tables(letter_bytes: u32) -> u32` makes room for that many bytes of letters and gives the address of the
//!   [`Header`]; what was in the letters before is gone;
//! - `configure(letter_bytes: u32)` starts the broker that the letters in describe, in postcard: a configuration, a
//!   seed, and either nothing more, or a log to restore from, or what a broker saved
//!   (`(Config, Seed, Vec<(Lsn, Record)>, Vec<u8>)`);
//! - `step(now_us: u64, entries: u32) -> u64` is one turn. It returns when it wants to be called next if nothing
//!   happens, in microseconds since 1970, or [`NO_DEADLINE`].
//!
//! Everything is little-endian and made of `u32`, so a table is read with plain loads on the guest's side and with
//! [`Table::read`] on the host's, where no byte of the guest is trusted. **Tables move**: the host reads the header
//! again after each call, and holds no slice of guest memory across one.
#![no_std]
#![forbid(unsafe_code)]

/// Raised whenever a table or the meaning of an export changes; host and guest must agree exactly.
pub const VERSION: u32 = 1;

/// First word of the [`Header`]: "WMQT" in memory, so that a wild address is noticed.
pub const MAGIC: u32 = u32::from_le_bytes(*b"WMQT");

/// What `step` returns when it waits for nothing but input.
pub const NO_DEADLINE: u64 = u64::MAX;

/// A table row that the host reads and writes in guest memory.
pub trait Table: Sized {
    /// Bytes of one row.
    const BYTES: usize;

    /// Reads a row from exactly [`Self::BYTES`] bytes; `None` if there are fewer.
    fn read(from: &[u8]) -> Option<Self>;

    /// Writes the row into exactly [`Self::BYTES`] bytes; `None` if there is no room.
    fn write(&self, into: &mut [u8]) -> Option<()>;
}

/// Declares a table of `u32` columns with its layout, so that the struct, its size and its reading never part.
macro_rules! table {
    ($(#[$doc:meta])* $name:ident, $words:literal words { $($(#[$field_doc:meta])* $field:ident,)* }) => {
        $(#[$doc])*
        #[repr(C)]
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
        pub struct $name { $($(#[$field_doc])* pub $field: u32,)* }

        const _: () = assert!(size_of::<$name>() == $words * 4 && align_of::<$name>() == 4);

        impl Table for $name {
            const BYTES: usize = $words * 4;

            #[inline]
            fn read(from: &[u8]) -> Option<Self> {
                let (words, _) = from.get(..Self::BYTES)?.as_chunks::<4>();
                let mut words = words.iter();
                Some($name { $($field: u32::from_le_bytes(*words.next()?),)* })
            }

            #[inline]
            fn write(&self, into: &mut [u8]) -> Option<()> {
                let (words, _) = into.get_mut(..Self::BYTES)?.as_chunks_mut::<4>();
                let mut words = words.iter_mut();
                $(*words.next()? = self.$field.to_le_bytes();)*
                Some(())
            }
        }
    };
}

table! {
    /// Where everything is. The guest writes it; `*_at` are addresses, the rest are numbers of rows or of bytes.
    Header, 16 words {
        /// [`MAGIC`].
        magic,
        /// [`VERSION`].
        version,
        /// Room for [`Entry`] rows.
        entries_at,
        /// How many entries fit.
        entries_room,
        /// Where socket bytes go.
        block_at,
        /// How many bytes fit there.
        block_room,
        /// Where the host's letters go.
        letters_in_at,
        /// How many bytes of them fit.
        letters_in_room,
        /// [`Row`]s: connections with something to write, each named once.
        rows_at,
        /// How many rows.
        rows_len,
        /// [`Slice`]s of all rows.
        slices_at,
        /// How many slices.
        slices_len,
        /// The guest's letters: outputs in postcard, one after another.
        letters_out_at,
        /// How many bytes of them.
        letters_out_len,
        /// [`flag`]s.
        flags,
        /// 0; keeps the size a power of two.
        reserved,
    }
}

table! {
    /// One thing that happened, told by the host.
    Entry, 5 words {
        /// One of [`kind`].
        kind,
        /// The connection's slot; 0 for letters.
        slot,
        /// The connection's generation; 0 for letters.
        generation,
        /// Where in the block or in the letters the bytes begin; never before the end of the entry before it.
        offset,
        /// How many bytes: received, sent, or of the letter.
        len,
    }
}

table! {
    /// What one connection has to send.
    Row, 5 words {
        /// The connection's slot.
        slot,
        /// The connection's generation.
        generation,
        /// Index of its first [`Slice`].
        slices_first,
        /// How many slices; 0 only with [`row_flag::LAST`].
        slices_len,
        /// [`row_flag`]s.
        flags,
    }
}

table! {
    /// Bytes to send. They stay where they are until the host's next call.
    Slice, 2 words {
        /// Their address.
        at,
        /// How many.
        len,
    }
}

/// What an [`Entry`] tells.
pub mod kind {
    /// Bytes came: `offset` and `len` are a range of the block.
    pub const RECEIVED: u32 = 1;
    /// The transport took `len` bytes of those listed last. If it took fewer than were listed it is blocked, and is
    /// not listed again before [`WRITABLE`]. Every row is answered by one such entry, unless the transport closed.
    pub const SENT: u32 = 2;
    /// A blocked transport takes bytes again.
    pub const WRITABLE: u32 = 3;
    /// The transport is gone.
    pub const CLOSED: u32 = 4;
    /// Any other input, in postcard: `offset` and `len` are a range of the letters in.
    pub const LETTER: u32 = 5;
}

/// Flags of a [`Header`].
pub mod flag {
    /// Not everything fitted into this turn's tables: step again without waiting.
    pub const MORE: u32 = 1;
    /// Something waits for the news that bytes were sent: step again once they were, without waiting for input.
    pub const WANTS_SENT: u32 = 2;
}

/// Flags of a [`Row`].
pub mod row_flag {
    /// The broker wants this transport closed, and nothing is left to send after these slices.
    pub const LAST: u32 = 1;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_little_endian_words_in_the_order_of_its_fields() {
        let entry = Entry { kind: kind::SENT, slot: 0x0102, generation: 3, offset: 0, len: 0xFFFF_FFFE };
        let mut bytes = [0xAA; 24];
        assert_eq!(entry.write(&mut bytes[..19]), None);
        assert_eq!(entry.write(&mut bytes), Some(()));
        let by_hand = [2, 0, 0, 0, 2, 1, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0xFE, 0xFF, 0xFF, 0xFF];
        assert_eq!(bytes[..20], by_hand);
        assert_eq!(bytes[20..], [0xAA; 4]);
        assert_eq!(Entry::read(&bytes), Some(entry));
        assert_eq!(Entry::read(&bytes[..19]), None);
    }
}
