//! The words behind a verb, taken one by one. What was asked for is remembered, so that a leftover word is answered
//! with everything that would have been allowed: no verb has to keep a second list for its error messages.

use wasmqtt_codec::{Qos, ReasonCode};

use super::error::{ParseError, Wrong};
use super::token::Word;

/// The words of a statement that nobody has taken yet.
pub struct Args {
    words: Vec<Word>,
    allowed: Vec<String>,
    line: u32,
    column: u32,
}

impl Args {
    /// All words of a statement that begins at `line`.
    pub fn new(words: Vec<Word>, line: u32) -> Self {
        let column = words.last().map_or(1, |w| w.column);
        Args { words, allowed: Vec::new(), line, column }
    }

    /// Whether no word is left.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// An error at the first word that is left, or at the end of the statement.
    pub fn wrong(&self, what: Wrong) -> ParseError {
        let (line, column) = self.words.first().map_or((self.line, self.column), |w| (w.line, w.column));
        ParseError { line, column, what }
    }

    /// The next word, if it is not a pair.
    pub fn positional(&mut self) -> Option<Word> {
        if self.words.first()?.key.is_some() {
            return None;
        }
        Some(self.words.remove(0))
    }

    /// The next word, which must not be a pair.
    pub fn expect(&mut self, what: &'static str) -> Result<Word, ParseError> {
        self.positional().ok_or_else(|| self.wrong(Wrong::Missing { what }))
    }

    /// The next word whatever it is.
    pub fn take_next(&mut self) -> Option<Word> {
        if self.words.is_empty() { None } else { Some(self.words.remove(0)) }
    }

    /// The next word without taking it.
    pub fn peek(&self) -> Option<&Word> {
        self.words.first()
    }

    /// The value of `key=`, wherever it stands.
    pub fn take(&mut self, key: &str) -> Option<Word> {
        self.allow(format!("{key}=…"));
        let at = self.words.iter().position(|w| w.key.as_deref() == Some(key))?;
        Some(self.words.remove(at))
    }

    /// Whether the bare word `name` (or `name=true`) stands anywhere.
    pub fn flag(&mut self, name: &str) -> Result<bool, ParseError> {
        self.allow(name.into());
        if let Some(at) = self.words.iter().position(|w| w.is(name)) {
            self.words.remove(at);
            return Ok(true);
        }
        self.take(name).map_or(Ok(false), |word| boolean(&word))
    }

    /// The number behind `key=`, if it is there.
    pub fn number<N: TryFrom<u64>>(&mut self, key: &str) -> Result<Option<N>, ParseError> {
        self.take(key).map(|word| number(&word)).transpose()
    }

    /// The text behind `key=`, if it is there.
    pub fn text(&mut self, key: &str) -> Result<Option<String>, ParseError> {
        self.take(key).map(|word| word.text().map(Into::into)).transpose()
    }

    /// The bytes behind `key=`, if it is there.
    pub fn bytes(&mut self, key: &str) -> Option<Vec<u8>> {
        self.take(key).map(|word| word.value)
    }

    /// The QoS behind `key=`; 0 without it.
    pub fn qos(&mut self, key: &str) -> Result<Qos, ParseError> {
        self.take(key).map_or(Ok(Qos::AtMostOnce), |word| qos(&word))
    }

    /// The Reason Code behind `reason=`, if it is there.
    pub fn reason(&mut self) -> Result<Option<ReasonCode>, ParseError> {
        self.take("reason").map(|word| reason(&word)).transpose()
    }

    /// Takes every pair that `wanted` knows, in order.
    pub fn drain(&mut self, mut wanted: impl FnMut(&str, &Word) -> Result<bool, ParseError>) -> Result<(), ParseError> {
        let mut kept = Vec::new();
        for word in core::mem::take(&mut self.words) {
            let taken = match &word.key {
                Some(key) => wanted(key, &word)?,
                None => false,
            };
            if !taken {
                kept.push(word);
            }
        }
        self.words = kept;
        Ok(())
    }

    /// Remembers what would have been allowed.
    pub fn allow(&mut self, what: String) {
        if !self.allowed.contains(&what) {
            self.allowed.push(what);
        }
    }

    /// Ends the statement: a word that is left is an error.
    pub fn finish(self) -> Result<(), ParseError> {
        match self.words.first() {
            None => Ok(()),
            Some(word) => Err(word.wrong(Wrong::Unknown { found: word.show(), allowed: self.allowed })),
        }
    }
}

/// `true` or `false`.
pub fn boolean(word: &Word) -> Result<bool, ParseError> {
    match word.text()? {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(word.wrong(Wrong::NotA { what: "true or false", found: word.show() })),
    }
}

/// A number, decimal or `0x…`.
pub fn number<N: TryFrom<u64>>(word: &Word) -> Result<N, ParseError> {
    let text = word.text()?;
    let value = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.replace('_', "").parse().ok(),
    };
    value
        .and_then(|v| N::try_from(v).ok())
        .ok_or_else(|| word.wrong(Wrong::NotA { what: "a number that fits here", found: word.show() }))
}

/// A QoS.
pub fn qos(word: &Word) -> Result<Qos, ParseError> {
    let bits: u8 = number(word)?;
    Qos::from_bits(bits).ok_or_else(|| word.wrong(Wrong::NotA { what: "a QoS (0, 1 or 2)", found: word.show() }))
}

/// A Reason Code, as a number.
pub fn reason(word: &Word) -> Result<ReasonCode, ParseError> {
    let byte: u8 = number(word)?;
    ReasonCode::from_byte(byte).ok_or_else(|| word.wrong(Wrong::NotA { what: "a Reason Code", found: word.show() }))
}

/// A time such as `5s`, `250ms`, `0.5s`, `2min`, `1h` or `3d`, in microseconds.
pub fn duration_us(word: &Word) -> Result<u64, ParseError> {
    let text = word.text()?;
    let digits = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let unit_us: u64 = match &text[digits..] {
        "us" => 1,
        "ms" => 1_000,
        "s" => 1_000_000,
        "min" => 60_000_000,
        "h" => 3_600_000_000,
        "d" => 86_400_000_000,
        _ => 0,
    };
    let not = || word.wrong(Wrong::NotA { what: "a time such as 5s, 250ms, 1.5s, 2min, 1h, 3d", found: word.show() });
    if unit_us == 0 {
        return Err(not());
    }
    let (whole, part) = text[..digits].split_once('.').unwrap_or((&text[..digits], ""));
    let whole: u64 = whole.parse().map_err(|_| not())?;
    let scale = 10u64.pow(part.len().min(9) as u32);
    let part: u64 = if part.is_empty() { 0 } else { part.parse().map_err(|_| not())? };
    Ok(whole * unit_us + part * unit_us / scale)
}
