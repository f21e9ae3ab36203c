//! Cuts one line of a story into words. A word is bare (`sensors/+`), quoted (`"two words"`, with escapes), or a pair
//! (`qos=2`, `reason_string="too late"`); ` ; ` stands between packets that leave in one write, and a `#` that stands
//! alone begins a comment, so that `home/#` needs no quotes.

use super::error::{ParseError, Wrong};

/// One word of a line, with the place where it stands for error messages.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Word {
    /// Line in the file, from 1.
    pub line: u32,
    /// Column in the line, from 1.
    pub column: u32,
    /// What stands before `=`, if the word is a pair.
    pub key: Option<String>,
    /// The word, or what stands behind `=`; bytes, because payloads need not be text.
    pub value: Vec<u8>,
    /// Whether the value stood in quotes.
    pub quoted: bool,
}

impl Word {
    /// The value as text.
    pub fn text(&self) -> Result<&str, ParseError> {
        core::str::from_utf8(&self.value)
            .map_err(|_| self.wrong(Wrong::NotA { what: "UTF-8 text", found: self.show() }))
    }

    /// The word as it stood in the file, roughly, for error messages.
    pub fn show(&self) -> String {
        let value = String::from_utf8_lossy(&self.value);
        match &self.key {
            Some(key) => format!("{key}={value}"),
            None => value.into_owned(),
        }
    }

    /// An error at this word.
    pub fn wrong(&self, what: Wrong) -> ParseError {
        ParseError { line: self.line, column: self.column, what }
    }

    /// Whether this is the bare word `word`.
    pub fn is(&self, word: &str) -> bool {
        self.key.is_none() && !self.quoted && self.value == word.as_bytes()
    }
}

/// Cuts `text`, which stands in the file at `line`, into statements of words; a statement ends at ` ; `.
pub fn words(text: &str, line: u32) -> Result<Vec<Vec<Word>>, ParseError> {
    let mut lexer = Lexer { text: text.as_bytes(), at: 0, line };
    let mut statements = vec![Vec::new()];
    while let Some(word) = lexer.next()? {
        if word.is(";") {
            statements.push(Vec::new());
        } else if let Some(last) = statements.last_mut() {
            last.push(word);
        }
    }
    Ok(statements)
}

/// The text without its comment: what stands before a `#` that is a word of its own and outside quotes.
pub fn without_comment(text: &str) -> &str {
    let (mut quoted, mut escaped, mut before) = (false, false, b' ');
    let bytes = text.as_bytes();
    for (at, &byte) in bytes.iter().enumerate() {
        let alone = before == b' ' && bytes.get(at + 1).is_none_or(|&next| next == b' ');
        if byte == b'#' && !quoted && alone {
            return text[..at].trim_end();
        }
        if byte == b'"' && !escaped {
            quoted = !quoted;
        }
        escaped = byte == b'\\' && !escaped;
        before = byte;
    }
    text.trim_end()
}

struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
    line: u32,
}

impl Lexer<'_> {
    fn next(&mut self) -> Result<Option<Word>, ParseError> {
        while self.peek().is_some_and(|b| b.is_ascii_whitespace()) {
            self.at += 1;
        }
        let Some(first) = self.peek() else { return Ok(None) };
        if first == b'#' && self.text.get(self.at + 1).is_none_or(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        let column = self.column();
        let key = self.key();
        let quoted = self.peek() == Some(b'"');
        let value = if quoted { self.quoted()? } else { self.bare() };
        Ok(Some(Word { line: self.line, column, key, value, quoted }))
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn column(&self) -> u32 {
        self.at as u32 + 1
    }

    /// `name=` at this place, if there is one: small letters, digits, `_` and `.`.
    fn key(&mut self) -> Option<String> {
        let rest = &self.text[self.at..];
        let length =
            rest.iter().take_while(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_.".contains(b)).count();
        if length == 0 || rest.get(length) != Some(&b'=') {
            return None;
        }
        self.at += length + 1;
        Some(String::from_utf8_lossy(&rest[..length]).into_owned())
    }

    fn bare(&mut self) -> Vec<u8> {
        let from = self.at;
        while self.peek().is_some_and(|b| !b.is_ascii_whitespace()) {
            self.at += 1;
        }
        self.text[from..self.at].to_vec()
    }

    fn quoted(&mut self) -> Result<Vec<u8>, ParseError> {
        let opened = self.column();
        self.at += 1;
        let mut value = Vec::new();
        loop {
            let Some(byte) = self.peek() else {
                return Err(ParseError { line: self.line, column: opened, what: Wrong::UnclosedQuote });
            };
            self.at += 1;
            match byte {
                b'"' => return Ok(value),
                b'\\' => value.push(self.escape()?),
                other => value.push(other),
            }
        }
    }

    fn escape(&mut self) -> Result<u8, ParseError> {
        let column = self.column();
        let letter = self.peek().unwrap_or(b' ');
        self.at += 1;
        match letter {
            b'"' | b'\\' => Ok(letter),
            b'n' => Ok(b'\n'),
            b'x' => {
                let digits = self.text.get(self.at..self.at + 2).and_then(|d| core::str::from_utf8(d).ok());
                self.at += 2;
                digits.and_then(|d| u8::from_str_radix(d, 16).ok()).ok_or(ParseError {
                    line: self.line,
                    column,
                    what: Wrong::BadEscape,
                })
            }
            _ => Err(ParseError { line: self.line, column, what: Wrong::BadEscape }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<String> {
        words(text, 1).unwrap().concat().iter().map(Word::show).collect()
    }

    #[test]
    fn a_hash_begins_a_comment_only_when_it_stands_alone() {
        assert_eq!(values("subscribe home/# qos=1 # why"), ["subscribe", "home/#", "qos=1"]);
        assert_eq!(values("subscribe \"#\" qos=1"), ["subscribe", "#", "qos=1"]);
        assert_eq!(without_comment("a <- X \" # \" b # c"), "a <- X \" # \" b");
    }

    #[test]
    fn quotes_and_escapes() {
        let all = words(r#"publish a "x \"y\" \x00\n""#, 1).unwrap().concat();
        assert_eq!(all[2].value, b"x \"y\" \x00\n");
        assert_eq!(words("publish \"x", 7).unwrap_err(), ParseError { line: 7, column: 9, what: Wrong::UnclosedQuote });
    }

    #[test]
    fn a_semicolon_parts_packets() {
        assert_eq!(words("connect v5 ; ping", 1).unwrap().len(), 2);
    }
}
