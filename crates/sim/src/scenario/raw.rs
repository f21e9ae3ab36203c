//! Bytes by hand, for packets that no encoder would make: `raw 82 [ 0001 [] s"a/#/b" 00 ]`. Hexadecimal digits in
//! pairs, `"text"` for bytes of text, `s"text"` for a UTF-8 Encoded String with its length, `[ … ]` for what stands
//! between them behind its length as a Variable Byte Integer.

use super::error::{ParseError, Wrong};

/// Reads the rest of a line, which begins at `column`, up to a comment.
pub fn read(text: &str, line: u32, column: u32) -> Result<Vec<u8>, ParseError> {
    let mut open: Vec<(usize, Vec<u8>)> = Vec::new();
    let mut out = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    let wrong = |at: usize, what| ParseError { line, column: column + at as u32, what };
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b' ' => at += 1,
            b'#' => break,
            b'[' => {
                open.push((at, core::mem::take(&mut out)));
                at += 1;
            }
            b']' => {
                let (_, before) = open.pop().ok_or_else(|| wrong(at, Wrong::Bracket))?;
                let inner = core::mem::replace(&mut out, before);
                variable_byte_integer(inner.len(), &mut out);
                out.extend_from_slice(&inner);
                at += 1;
            }
            b'"' => at = quoted(bytes, at, &mut out).ok_or_else(|| wrong(at, Wrong::UnclosedQuote))?,
            b's' if bytes.get(at + 1) == Some(&b'"') => {
                let mut inner = Vec::new();
                at = quoted(bytes, at + 1, &mut inner).ok_or_else(|| wrong(at, Wrong::UnclosedQuote))?;
                out.extend_from_slice(&(inner.len() as u16).to_be_bytes());
                out.extend_from_slice(&inner);
            }
            _ => {
                let pair = bytes.get(at..at + 2).and_then(|p| core::str::from_utf8(p).ok());
                let value = pair.and_then(|p| u8::from_str_radix(p, 16).ok());
                let found = || text[at..].chars().take(2).collect();
                let allowed = || ["hex pairs", "\"text\"", "s\"string\"", "[", "]"].map(Into::into).into();
                out.push(value.ok_or_else(|| wrong(at, Wrong::Unknown { found: found(), allowed: allowed() }))?);
                at += 2;
            }
        }
    }
    match open.pop() {
        Some((at, _)) => Err(wrong(at, Wrong::Bracket)),
        None => Ok(out),
    }
}

/// Text in quotes from `at`, with `\xHH`; the place behind its end.
fn quoted(bytes: &[u8], at: usize, out: &mut Vec<u8>) -> Option<usize> {
    let mut at = at + 1;
    loop {
        match *bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' if bytes.get(at + 1) == Some(&b'x') => {
                let digits = core::str::from_utf8(bytes.get(at + 2..at + 4)?).ok()?;
                out.push(u8::from_str_radix(digits, 16).ok()?);
                at += 4;
            }
            other => {
                out.push(other);
                at += 1;
            }
        }
    }
}

fn variable_byte_integer(mut value: usize, out: &mut Vec<u8>) {
    loop {
        let more = value > 127;
        out.push((value % 128) as u8 | if more { 128 } else { 0 });
        value /= 128;
        if !more {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn lengths_are_counted() {
        let bytes = read("82 [0001 [] s\"ab\" 07] # comment", 1, 1).unwrap();
        assert_eq!(bytes, [0x82, 8, 0, 1, 0, 0, 2, b'a', b'b', 7]);
        assert_eq!(read("[", 3, 10).unwrap_err().to_string(), "line 3, column 10: this bracket has no other half");
        assert_eq!(read("ff \"\\x00\"", 1, 1).unwrap(), [0xff, 0]);
    }
}
