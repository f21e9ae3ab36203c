//! Texts made of parts and numbers, without `core::fmt`: with it, and with all that it can do, the page's download
//! would be 4 KB longer for the sake of a few decimals.

use alloc::string::String;

/// A number in decimal digits.
pub(crate) fn decimal(number: u64) -> String {
    let mut text = String::with_capacity(20);
    push_digits(&mut text, number, 10, 1);
    text
}

/// Appends a number to the base 10 or 16, with zeros before it up to this many digits.
pub(crate) fn push_digits(text: &mut String, number: u64, base: u64, digits_min: usize) {
    let mut divisor = 1;
    let mut digits = 1;
    while digits < digits_min || number / divisor >= base {
        divisor *= base;
        digits += 1;
    }
    for _ in 0..digits {
        let digit = (number / divisor % base) as u8;
        text.push(char::from(if digit < 10 { b'0' + digit } else { b'A' - 10 + digit }));
        divisor = (divisor / base).max(1);
    }
}

/// Whether a variable, two ASCII characters, stands in a text.
pub(crate) fn has_variable(text: &str, variable: &str) -> bool {
    text.as_bytes().windows(2).any(|pair| pair == variable.as_bytes())
}

/// A text with values for its variables. What a value brings in is not filled in again.
pub(crate) fn filled_in(text: &str, values: &[(&str, &str)]) -> String {
    let (mut filled, mut rest) = (String::new(), text);
    while let Some(first) = rest.chars().next() {
        let pair = rest.as_bytes().get(..2);
        match values.iter().find(|(variable, _)| pair == Some(variable.as_bytes())) {
            Some((_, value)) => {
                filled.push_str(value);
                rest = &rest[2..];
            }
            None => {
                filled.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    filled
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn numbers_are_as_the_standard_library_writes_them() {
        for number in [0, 1, 9, 10, 99, 100, 1_234_567_890, u64::MAX / 10, u64::MAX - 5, u64::MAX] {
            assert_eq!(decimal(number), format!("{number}"));
            let (mut hex, mut two) = (String::new(), String::new());
            push_digits(&mut hex, number, 16, 16);
            push_digits(&mut two, number, 10, 2);
            assert_eq!((hex, two), (format!("{number:016X}"), format!("{number:02}")));
        }
    }

    #[test]
    fn variables_are_filled_in_once() {
        let values = [("%c", "%u"), ("%u", "%c")];
        assert_eq!(filled_in("%c/é%%u%", &values), "%u/é%%c%");
        assert_eq!(filled_in("", &values), "");
        assert!(has_variable("a/%%u", "%u") && !has_variable("%/u", "%u") && !has_variable("%", "%u"));
    }
}
