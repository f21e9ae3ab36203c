//! How the large structs are saved: their fields one behind the other, named in one list for both ways.
//!
//! What serde derives for reading keeps each field apart until all have come, and puts in front of every field the code
//! that drops those before it. For a Session's 24 fields and a connection's 30 that was a tenth of what a page
//! downloads. Read into a blank value instead, a field costs a call.

use serde::de::{Deserialize, Error, SeqAccess};

/// `saved!(Type from BLANK; field, ...; without field, ...)`: all saved fields in the order of the format, and those
/// that are no state and keep the value that they have in `BLANK`. A field that stands in neither list does not
/// compile.
macro_rules! saved {
    ($type:ident from $blank:expr; $($field:ident),+ $(,)?; without $($scratch:ident),* $(,)?) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                let $type { $($field,)+ $($scratch: _,)* } = self;
                let mut fields = to.serialize_tuple([$(stringify!($field)),+].len())?;
                $(serde::ser::SerializeTuple::serialize_element(&mut fields, $field)?;)+
                serde::ser::SerializeTuple::end(fields)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                struct Fields;
                impl<'de> serde::de::Visitor<'de> for Fields {
                    type Value = $type;
                    fn expecting(&self, to: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                        to.write_str(stringify!($type))
                    }
                    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut from: A) -> Result<$type, A::Error> {
                        let mut whole = $blank;
                        $(whole.$field = $crate::saved::next(&mut from)?;)+
                        Ok(whole)
                    }
                }
                from.deserialize_tuple([$(stringify!($field)),+].len(), Fields)
            }
        }
    };
}

pub(crate) use saved;

/// The next field. Never inlined, so that fields of one type share its code.
#[inline(never)]
pub(crate) fn next<'de, T: Deserialize<'de>, A: SeqAccess<'de>>(from: &mut A) -> Result<T, A::Error> {
    from.next_element()?.ok_or_else(|| A::Error::custom("ends too early"))
}
