//! Reads what is written down with postcard: saved brokers, records, and what crosses the door of a page. What is
//! damaged is noted and read on as zeros and nothings, and said once, at the end.
//!
//! That is why the error type has no values. What serde derives for a type has a way out behind every field, which
//! drops the fields before it; with an error that can't be, the compiler leaves all of them out. In the WebAssembly
//! that a page downloads they were as large as the rest of the core's state machine.

use core::fmt::{Debug, Display, Formatter, Result as FmtResult};

use serde::de::value::U32Deserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error, IntoDeserializer, MapAccess, SeqAccess,
    StdError, VariantAccess, Visitor,
};

/// A type whose only value is checked by the type itself: an identifier 0 is damage, not a reason to panic.
const NOT_ZERO: &str = "PacketIdentifier";

/// A value from its bytes; `None` if they are not what was written for a `T`.
#[must_use]
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let mut reader = Reader { bytes, damaged: false, not_zero: false };
    let Ok(value) = T::deserialize(&mut reader);
    (!reader.damaged).then_some(value)
}

/// What can't happen: the reader gives every type a value that it takes.
enum Never {}

impl Error for Never {
    #[cold]
    fn custom<T: Display>(_: T) -> Self {
        unreachable!("the reader gives every type a value that it takes")
    }
}

impl StdError for Never {}

impl Display for Never {
    fn fmt(&self, _: &mut Formatter<'_>) -> FmtResult {
        match *self {}
    }
}

impl Debug for Never {
    fn fmt(&self, _: &mut Formatter<'_>) -> FmtResult {
        match *self {}
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    damaged: bool,
    /// The next number may not be 0.
    not_zero: bool,
}

impl<'a> Reader<'a> {
    fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    #[inline(never)]
    fn take(&mut self, len: u64) -> &'a [u8] {
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        match self.bytes.split_at_checked(len) {
            Some((taken, rest)) => {
                self.bytes = rest;
                taken
            }
            None => {
                self.damaged = true;
                self.bytes = &[];
                &[]
            }
        }
    }

    /// Seven bits a byte, the lowest first.
    #[inline(never)]
    fn number(&mut self, bits: u32) -> u64 {
        let mut number = 0;
        for shift in (0..70).step_by(7) {
            let byte = self.byte();
            let part = u64::from(byte & 0x7F);
            number |= part << shift;
            if (part << shift) >> shift != part {
                break;
            }
            if byte < 0x80 {
                if bits < 64 && number >> bits != 0 {
                    break;
                }
                return number;
            }
        }
        self.damaged = true;
        0
    }

    fn flag(&mut self) -> bool {
        let byte = self.byte();
        self.damaged |= byte > 1;
        byte == 1
    }

    /// How many there are. Each takes a byte at least, so that damage makes nobody reserve memory for it.
    fn count(&mut self) -> usize {
        let count = self.number(64);
        if count > self.bytes.len() as u64 {
            self.damaged = true;
            return 0;
        }
        count as usize
    }

    #[inline(never)]
    fn text(&mut self) -> &'a str {
        let len = self.number(64);
        core::str::from_utf8(self.take(len)).unwrap_or_else(|_| {
            self.damaged = true;
            ""
        })
    }
}

/// Kinds of values that nothing in this crate has.
macro_rules! none_has {
    ($($method:ident)*) => { $(
        #[cold]
        fn $method<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Never> {
            unreachable!("nothing that is written down has such a field")
        }
    )* };
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Never;

    none_has! {
        deserialize_any deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_f32 deserialize_f64
        deserialize_char deserialize_identifier deserialize_ignored_any
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
        visitor.visit_bool(self.flag())
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
        visitor.visit_u8(self.byte())
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
        let mut number = self.number(16) as u16;
        if core::mem::take(&mut self.not_zero) && number == 0 {
            self.damaged = true;
            number = 1;
        }
        visitor.visit_u16(number)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
        visitor.visit_u32(self.number(32) as u32)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
        visitor.visit_u64(self.number(64))
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
        visitor.visit_borrowed_str(self.text())
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
        let len = self.number(64);
        visitor.visit_borrowed_bytes(self.take(len))
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
        if self.flag() { visitor.visit_some(self) } else { visitor.visit_none() }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Never> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Never> {
        self.not_zero = name == NOT_ZERO;
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
        let left = self.count();
        visitor.visit_seq(Parts { reader: self, left })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Never> {
        visitor.visit_seq(Fields { reader: self })
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Never> {
        visitor.visit_seq(Fields { reader: self })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
        let left = self.count();
        visitor.visit_map(Parts { reader: self, left })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Never> {
        visitor.visit_seq(Fields { reader: self })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Never> {
        visitor.visit_enum(Choice { reader: self, variants: variants.len() as u32 })
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

/// The fields of a struct or a tuple. What reads them asks as often as there are some, so nothing need be counted, and
/// no code is made for fields that don't come.
struct Fields<'r, 'de> {
    reader: &'r mut Reader<'de>,
}

impl<'de> SeqAccess<'de> for Fields<'_, 'de> {
    type Error = Never;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Never> {
        seed.deserialize(&mut *self.reader).map(Some)
    }
}

/// The items of a list, the entries of a map.
struct Parts<'r, 'de> {
    reader: &'r mut Reader<'de>,
    left: usize,
}

impl<'de> SeqAccess<'de> for Parts<'_, 'de> {
    type Error = Never;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Never> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(&mut *self.reader).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

impl<'de> MapAccess<'de> for Parts<'_, 'de> {
    type Error = Never;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Never> {
        self.next_element_seed(seed)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Never> {
        seed.deserialize(&mut *self.reader)
    }
}

/// A variant of an enum: its number, then what it carries.
struct Choice<'r, 'de> {
    reader: &'r mut Reader<'de>,
    variants: u32,
}

impl<'r, 'de> EnumAccess<'de> for Choice<'r, 'de> {
    type Error = Never;
    type Variant = Fields<'r, 'de>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Fields<'r, 'de>), Never> {
        let mut number = self.reader.number(32) as u32;
        if number >= self.variants {
            self.reader.damaged = true;
            number = 0;
        }
        let number: U32Deserializer<Never> = number.into_deserializer();
        Ok((seed.deserialize(number)?, Fields { reader: self.reader }))
    }
}

impl<'de> VariantAccess<'de> for Fields<'_, 'de> {
    type Error = Never;

    fn unit_variant(self) -> Result<(), Never> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Never> {
        seed.deserialize(self.reader)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Never> {
        visitor.visit_seq(self)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Never> {
        visitor.visit_seq(self)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use wasmqtt_codec::{PacketIdentifier, ProtocolVersion, Qos};

    use super::*;
    use crate::{Config, Entry, Input, Lsn, Record};

    fn records() -> Vec<Vec<u8>> {
        let entry = Entry {
            session: 300,
            client_identifier: "sensor".into(),
            version: ProtocolVersion::V5,
            user: Some("ann".into()),
            permissions: Some(Config::default().permissions),
            session_expiry_interval_s: u32::MAX,
            will: None,
            durable: true,
        };
        let packet_identifier = PacketIdentifier::new(7).unwrap();
        let records = [
            Record::Entered(entry.into()),
            Record::Sent { session: 300, sequence: u64::MAX, packet_identifier },
            Record::Held { session: 1, packet_identifier },
        ];
        records.iter().map(|record| postcard::to_allocvec(record).unwrap()).collect()
    }

    #[test]
    fn reads_what_postcard_writes() {
        for bytes in records() {
            assert_eq!(read::<Record>(&bytes), postcard::from_bytes(&bytes).ok());
        }
        let stored = Input::Stored { upto: Lsn(u64::MAX) };
        assert_eq!(read(&postcard::to_allocvec(&stored).unwrap()), Some(stored));
        assert_eq!(read::<Qos>(&[2]), Some(Qos::ExactlyOnce));
    }

    #[test]
    fn damage_is_seen_where_postcard_sees_it() {
        for bytes in records() {
            for len in 0..bytes.len() {
                assert_eq!(read::<Record>(&bytes[..len]), None);
            }
            for at in 0..bytes.len() {
                for value in [0, 1, 0x7F, 0x80, 0xFF] {
                    let mut damaged = bytes.clone();
                    damaged[at] = value;
                    assert_eq!(read::<Record>(&damaged), postcard::from_bytes(&damaged).ok(), "{at}: {value}");
                }
            }
        }
    }

    #[test]
    fn an_identifier_0_a_long_number_and_a_wrong_name_are_damage() {
        assert_eq!(read::<PacketIdentifier>(&[0]), None);
        assert_eq!(read::<PacketIdentifier>(&[0xFF, 0xFF, 0x03]).map(PacketIdentifier::get), Some(u16::MAX));
        assert_eq!(read::<u16>(&[0x80, 0x80, 0x04]), None);
        assert_eq!(read::<u64>(&[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02]), None);
        assert_eq!(read::<Qos>(&[3]), None);
        assert_eq!(read::<Vec<u8>>(&[0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 1]), None);
    }
}
