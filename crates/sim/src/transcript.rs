//! What the clients of a story saw: one line a packet, with the time in seconds since the story began. Comparing leaves
//! out comments, and a new answer is written over an old one with the comments of the lines that stay.

pub mod packet;

use core::fmt;

use crate::scenario::token::without_comment;

/// One line of a transcript.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// When, in microseconds since the story began.
    pub at_us: u64,
    /// Who saw it.
    pub who: String,
    /// What it was.
    pub text: String,
}

/// What the clients of a story saw.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Transcript {
    /// In order of time; within one step client by client.
    pub lines: Vec<Line>,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.at_us / 1000;
        write!(f, "{}.{:03} {} {}", ms / 1000, ms % 1000, self.who, self.text)
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl Transcript {
    /// Adds a line.
    pub fn push(&mut self, at_us: u64, who: &str, text: String) {
        self.lines.push(Line { at_us, who: who.into(), text });
    }

    /// Compares with the text below `---` of a scenario; the difference, if there is one.
    pub fn differs_from(&self, expected: &str) -> Option<String> {
        let wanted: Vec<String> = meaning(expected);
        let got: Vec<String> = self.lines.iter().map(ToString::to_string).collect();
        (wanted != got).then(|| difference(&wanted, &got))
    }

    /// The text for below `---`: these lines, with the comments that `expected` has on equal ones.
    pub fn over(&self, expected: &str) -> String {
        let old: Vec<&str> = expected.lines().collect();
        let mut from = 0;
        let mut out = String::new();
        for line in self.lines.iter().map(ToString::to_string) {
            let same = |text: &&str| normal(text) == line;
            match old[from..].iter().position(same) {
                Some(skip) => {
                    // Lines that are only comments stay before the line they explain.
                    let kept = old[from..from + skip].iter().filter(|text| normal(text).is_empty());
                    kept.for_each(|text| push_line(&mut out, text));
                    push_line(&mut out, old[from + skip]);
                    from += skip + 1;
                }
                None => push_line(&mut out, &line),
            }
        }
        out
    }
}

fn push_line(out: &mut String, line: &str) {
    out.push_str(line);
    out.push('\n');
}

/// A line without its comment and with single spaces outside quotes.
fn normal(line: &str) -> String {
    let mut out = String::new();
    let (mut quoted, mut escaped) = (false, false);
    for c in without_comment(line).trim().chars() {
        if c == ' ' && !quoted && out.ends_with(' ') {
            continue;
        }
        quoted ^= c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        out.push(c);
    }
    out
}

/// The lines that count.
fn meaning(text: &str) -> Vec<String> {
    text.lines().map(normal).filter(|line| !line.is_empty()).collect()
}

/// A line difference: `-` expected but missing, `+` seen but not expected.
fn difference(wanted: &[String], got: &[String]) -> String {
    let mut longest = vec![vec![0u32; got.len() + 1]; wanted.len() + 1];
    for i in (0..wanted.len()).rev() {
        for j in (0..got.len()).rev() {
            longest[i][j] = match wanted[i] == got[j] {
                true => longest[i + 1][j + 1] + 1,
                false => longest[i + 1][j].max(longest[i][j + 1]),
            };
        }
    }
    let (mut i, mut j, mut out) = (0, 0, String::new());
    while i < wanted.len() || j < got.len() {
        if i < wanted.len() && j < got.len() && wanted[i] == got[j] {
            push_line(&mut out, &format!("  {}", got[j]));
            (i, j) = (i + 1, j + 1);
        } else if j >= got.len() || i < wanted.len() && longest[i + 1][j] >= longest[i][j + 1] {
            push_line(&mut out, &format!("- {}", wanted[i]));
            i += 1;
        } else {
            push_line(&mut out, &format!("+ {}", got[j]));
            j += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_do_not_count_and_are_kept() {
        let mut transcript = Transcript::default();
        transcript.push(5_000_000, "alice", "<- PUBREL id=1".into());
        transcript.push(5_000_000, "alice", "<- closed".into());
        let expected = "# first\n5.000 alice <- PUBREL id=1   # resent\n5.000 alice <- PUBCOMP id=1\n";
        assert_eq!(
            transcript.differs_from(expected).as_deref(),
            Some("  5.000 alice <- PUBREL id=1\n- 5.000 alice <- PUBCOMP id=1\n+ 5.000 alice <- closed\n")
        );
        let new = transcript.over(expected);
        assert_eq!(new, "# first\n5.000 alice <- PUBREL id=1   # resent\n5.000 alice <- closed\n");
        assert_eq!(transcript.differs_from(&new), None);
    }
}
