//! Reading JSON that a person or a link wrote: every value knows its place (`clients[2].will.qos`), every field that
//! nobody asks for is an error that names it, and an error says what was found and what is allowed.

use std::fmt;

use serde_json::{Map, Value};

/// Numbers up to here pass JavaScript unharmed.
pub const NUMBER_MAX: u64 = (1 << 53) - 1;

/// What is wrong with a text, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wrong {
    /// The place, such as `clients[2].will.qos`; empty for the whole.
    pub at: String,
    /// What is wrong there.
    pub what: Fault,
}

/// What can be wrong with a value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The text is no JSON.
    NotJson(String),
    /// A field is missing.
    Missing(&'static str),
    /// A field that nobody knows, and those that are allowed.
    Unknown(String, Vec<&'static str>),
    /// What was found, and what is wanted.
    Not(String, String),
    /// Two that must differ do not.
    Twice(String),
    /// A Topic Name or Topic Filter that is none: the text, and the rule that it breaks.
    Topic(String, &'static str, &'static str),
}

impl Wrong {
    /// The kind of fault as one word, which checks and pages go by.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.what {
            Fault::Topic(..) => "topic",
            Fault::NotJson(_) | Fault::Missing(_) | Fault::Unknown(..) | Fault::Not(..) | Fault::Twice(_) => {
                "malformed"
            }
        }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.at.is_empty() {
            write!(f, "{}: ", self.at)?;
        }
        match &self.what {
            Fault::NotJson(why) => write!(f, "this is no JSON: {why}"),
            Fault::Missing(name) => write!(f, "\"{name}\" is missing"),
            Fault::Unknown(name, allowed) if allowed.is_empty() => write!(f, "\"{name}\" is not known here"),
            Fault::Unknown(name, allowed) => {
                write!(f, "\"{name}\" is not known here; allowed are {}", allowed.join(", "))
            }
            Fault::Not(found, wanted) => write!(f, "{found} is not {wanted}"),
            Fault::Twice(name) => write!(f, "\"{name}\" is there twice"),
            Fault::Topic(text, rule, statement) => write!(f, "\"{text}\": {rule} [{statement}]"),
        }
    }
}

impl std::error::Error for Wrong {}

/// Reads a text as JSON.
///
/// # Errors
/// `NotJson`, with line and column.
pub fn value_of(text: &str) -> Result<Value, Box<Wrong>> {
    let wrong =
        |error: serde_json::Error| Box::new(Wrong { at: String::new(), what: Fault::NotJson(error.to_string()) });
    serde_json::from_str(text).map_err(wrong)
}

/// A value with its place.
#[derive(Clone, Debug)]
pub struct Found<'a> {
    /// Its place.
    pub at: String,
    /// The value.
    pub value: &'a Value,
}

/// An object whose fields are taken one after another.
pub struct Fields<'a> {
    at: String,
    map: &'a Map<String, Value>,
    asked: Vec<&'static str>,
}

impl<'a> Found<'a> {
    /// The whole of a text.
    #[must_use]
    pub fn whole(value: &'a Value) -> Self {
        Found { at: String::new(), value }
    }

    /// An error about this value.
    #[must_use]
    pub fn wrong(&self, what: Fault) -> Box<Wrong> {
        Box::new(Wrong { at: self.at.clone(), what })
    }

    /// It is something else than what is wanted.
    #[must_use]
    pub fn not(&self, wanted: &str) -> Box<Wrong> {
        const SHOWN: usize = 40;
        let mut found = text_of(self.value);
        if found.chars().count() > SHOWN {
            found = found.chars().take(SHOWN).chain("...".chars()).collect();
        }
        self.wrong(Fault::Not(found, wanted.to_owned()))
    }

    /// # Errors
    /// It is no text.
    pub fn text(&self) -> Result<&'a str, Box<Wrong>> {
        self.value.as_str().ok_or_else(|| self.not("a text"))
    }

    /// # Errors
    /// It is neither true nor false.
    pub fn flag(&self) -> Result<bool, Box<Wrong>> {
        self.value.as_bool().ok_or_else(|| self.not("true or false"))
    }

    /// # Errors
    /// It is no whole number of this range.
    pub fn number(&self, least: u64, most: u64) -> Result<u64, Box<Wrong>> {
        let number = self.value.as_u64().filter(|number| (least..=most).contains(number));
        number.ok_or_else(|| self.not(&format!("a whole number from {least} to {most}")))
    }

    /// # Errors
    /// It is none of these words.
    pub fn one_of<T: Copy>(&self, words: &[(&str, T)]) -> Result<T, Box<Wrong>> {
        let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        Ok(words[self.place_in(&names)?].1)
    }

    /// Which of these words it is.
    ///
    /// # Errors
    /// It is none of them.
    #[inline(never)]
    pub fn place_in(&self, words: &[&str]) -> Result<usize, Box<Wrong>> {
        let found = self.value.as_str().and_then(|text| words.iter().position(|word| *word == text));
        found.ok_or_else(|| {
            let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
            self.not(&match words.split_last() {
                Some((last, first)) if !first.is_empty() => format!("{} or {last}", first.join(", ")),
                _ => words.concat(),
            })
        })
    }

    /// # Errors
    /// It is no list.
    pub fn list(&self) -> Result<Vec<Found<'a>>, Box<Wrong>> {
        let list = self.value.as_array().ok_or_else(|| self.not("a list"))?;
        let place = |(n, value)| Found { at: format!("{}[{n}]", self.at), value };
        Ok(list.iter().enumerate().map(place).collect())
    }

    /// # Errors
    /// It is no list of as many.
    pub fn pair(&self) -> Result<[Found<'a>; 2], Box<Wrong>> {
        <[Found<'a>; 2]>::try_from(self.list()?).map_err(|_| self.not("a list of two"))
    }

    /// # Errors
    /// It is no object.
    pub fn fields(&self) -> Result<Fields<'a>, Box<Wrong>> {
        let map = self.value.as_object().ok_or_else(|| self.not("an object"))?;
        Ok(Fields { at: self.at.clone(), map, asked: Vec::new() })
    }
}

impl<'a> Fields<'a> {
    /// A field, if it is there and not null.
    #[inline(never)]
    pub fn may(&mut self, name: &'static str) -> Option<Found<'a>> {
        self.asked.push(name);
        let value = self.map.get(name).filter(|value| !value.is_null())?;
        Some(Found { at: if self.at.is_empty() { name.into() } else { format!("{}.{name}", self.at) }, value })
    }

    /// A text, if it is there.
    ///
    /// # Errors
    /// It is no text.
    #[inline(never)]
    pub fn text(&mut self, name: &'static str) -> Result<Option<String>, Box<Wrong>> {
        Ok(match self.may(name) {
            Some(found) => Some(found.text()?.to_owned()),
            None => None,
        })
    }

    /// True or false, if it is there.
    ///
    /// # Errors
    /// It is neither.
    #[inline(never)]
    pub fn flag(&mut self, name: &'static str) -> Result<Option<bool>, Box<Wrong>> {
        Ok(match self.may(name) {
            Some(found) => Some(found.flag()?),
            None => None,
        })
    }

    /// A number, if it is there.
    ///
    /// # Errors
    /// It is no whole number of this range.
    #[inline(never)]
    pub fn number(&mut self, name: &'static str, least: u64, most: u64) -> Result<Option<u64>, Box<Wrong>> {
        Ok(match self.may(name) {
            Some(found) => Some(found.number(least, most)?),
            None => None,
        })
    }

    /// Whether a field that may be absent is said to be absent.
    #[must_use]
    pub fn is_null(&self, name: &str) -> bool {
        self.map.get(name).is_some_and(Value::is_null)
    }

    /// A field that must be there.
    ///
    /// # Errors
    /// It is not.
    pub fn must(&mut self, name: &'static str) -> Result<Found<'a>, Box<Wrong>> {
        self.may(name).ok_or_else(|| Box::new(Wrong { at: self.at.clone(), what: Fault::Missing(name) }))
    }

    /// All has been asked for.
    ///
    /// # Errors
    /// There are other fields.
    pub fn end(self) -> Result<(), Box<Wrong>> {
        match self.map.keys().find(|key| !self.asked.contains(&key.as_str())) {
            Some(key) => Err(Box::new(Wrong { at: self.at, what: Fault::Unknown(key.clone(), self.asked) })),
            None => Ok(()),
        }
    }
}

/// A value as one line.
#[must_use]
pub fn text_of(value: &Value) -> String {
    serde_json::to_string(value).expect("a value is numbers, texts and lists")
}

/// Adds something to a list that is in order of a number, behind all of the same number.
pub fn insert_in_order<T>(list: &mut Vec<T>, item: T, number: impl Fn(&T) -> u64) {
    let at = list.partition_point(|other| number(other) <= number(&item));
    list.insert(at, item);
}

/// The bytes that hexadecimal digits stand for; blanks between them are nothing.
#[must_use]
pub fn bytes_of_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16).map(|digit| digit as u8)).collect();
    let digits = digits?;
    digits.len().is_multiple_of(2).then(|| digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

/// Hexadecimal digits of bytes.
#[must_use]
pub fn hex_of(bytes: &[u8]) -> String {
    let digit = |n: u8| char::from_digit(u32::from(n), 16).expect("four bits are one digit");
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
