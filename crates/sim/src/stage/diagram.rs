//! The log as a Mermaid sequence diagram, which documents and issue trackers draw.

use std::fmt::Write;
use std::rc::Rc;

use super::entry::{End, Entry, What};
use super::text::packet_line;

/// What Mermaid reads as the end of a statement or as an entity stands as an entity.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '#' => out.push_str("#35;"),
            ';' => out.push_str("#59;"),
            '<' => out.push_str("#60;"),
            '>' => out.push_str("#62;"),
            '%' => out.push_str("#37;"),
            '{' => out.push_str("#123;"),
            '}' => out.push_str("#125;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// The log as text for Mermaid: a line for each packet when its fate is known, notes for what happens to links.
#[must_use]
pub fn mermaid(log: &[Rc<Entry>]) -> String {
    let mut names: Vec<Rc<str>> = Vec::new();
    for entry in log {
        if let What::Opened(place) = &entry.what
            && !names.contains(&place.who)
        {
            names.push(place.who.clone());
        }
    }
    let mut text = String::from("sequenceDiagram\n    participant broker\n");
    for (n, name) in names.iter().enumerate() {
        let _ = writeln!(text, "    participant c{n} as {}", escaped(name));
    }
    let place = |who: &Rc<str>| names.iter().position(|name| name == who).map_or("broker".into(), |n| format!("c{n}"));
    for entry in log {
        let note = |over: String, words: &str| format!("    Note over {over}: {}\n", escaped(words));
        let line = match &entry.what {
            What::Delivered(passed) | What::Lost(passed) => {
                let Some(What::Sent(sent)) = log.get(passed.packet as usize).map(|entry| &entry.what) else { continue };
                let arrow = if passed.how_far.is_some() { "-x" } else { "->>" };
                let (from, to) = match sent.toward {
                    "broker" => (place(&sent.who), "broker".to_owned()),
                    _ => ("broker".to_owned(), place(&sent.who)),
                };
                format!("    {from}{arrow}{to}: {}\n", escaped(&packet_line(sent)))
            }
            What::Broke(link) => note(format!("broker,{}", place(&link.who)), "the link breaks"),
            What::Closed(link) if link.end == Some(End::Broker) => {
                let reason = link.reason.as_deref().unwrap_or("");
                note("broker".into(), &format!("closes the link of {}: {reason}", link.who))
            }
            What::Closed(link) => note(place(&link.who), "closes its link"),
            What::Timer(timer) => match &timer.who {
                Some(who) => note(place(who), &super::text::line(entry, log)),
                None => note("broker".into(), &super::text::line(entry, log)),
            },
            What::Told(told) => note(place(&told.who), &format!("{} {}", told.topic, told.payload)),
            What::Restarted(_) => note("broker".into(), &super::text::line(entry, log)),
            What::Command(_)
            | What::Refused(_)
            | What::Opened(_)
            | What::Sent(_)
            | What::Learned(_)
            | What::Decision(_)
            | What::Event(_) => continue,
        };
        text.push_str(&line);
    }
    text
}
