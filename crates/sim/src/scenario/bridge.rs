//! `bridge NAME add …` and `bridge NAME remove`: what a story says of bridges. The remote is an actor of the story,
//! named by `to=`, who speaks the server's side by hand.

use bytes::Bytes;
use wasmqtt_broker::{BridgeConfig, BridgeTopic, Command, Direction};
use wasmqtt_codec::Qos;

use super::args::{Args, boolean};
use super::client;
use super::error::{ParseError, Wrong};
use super::step::unknown;
use super::token::Word;

/// The command that the words behind `bridge` mean.
pub fn command(args: &mut Args) -> Result<Command, ParseError> {
    let name: String = args.expect("a bridge's name")?.text()?.into();
    let verb = args.expect("add or remove")?;
    match verb.text()? {
        "add" => Ok(Command::AddBridge(Box::new(config(name, args)?))),
        "remove" => Ok(Command::RemoveBridge { name }),
        _ => Err(unknown(&verb, &["add", "remove"])),
    }
}

/// What is not said is as in a configuration nobody changed, but that the Client Identifier is the bridge's name.
fn config(name: String, args: &mut Args) -> Result<BridgeConfig, ParseError> {
    let usual = BridgeConfig::default();
    let mut topics = Vec::new();
    while let Some(word) = args.take("topic") {
        topics.push(topic(&word)?);
    }
    Ok(BridgeConfig {
        version: client::version(args).unwrap_or(usual.version),
        target: args.text("to")?.ok_or_else(|| args.wrong(Wrong::Missing { what: "to= and the name of a remote" }))?,
        try_private: args.take("try_private").map_or(Ok(usual.try_private), |word| boolean(&word))?,
        client_identifier: args.text("id")?.unwrap_or_else(|| name.clone()),
        user_name: args.text("user")?,
        password: args.bytes("password").map(Bytes::from),
        keep_alive_s: args.number("keep_alive_s")?.unwrap_or(0),
        clean_start: args.take("clean_start").map_or(Ok(usual.clean_start), |word| boolean(&word))?,
        session_expiry_s: args.number("session_expiry_s")?.unwrap_or(usual.session_expiry_s),
        topics,
        redial_min_ms: args.number("redial_min_ms")?.unwrap_or(usual.redial_min_ms),
        redial_max_ms: args.number("redial_max_ms")?.unwrap_or(usual.redial_max_ms),
        // Stories that don't speak of circles show messages without the count.
        hops_max: args.number("hops_max")?.unwrap_or(0),
        name,
    })
}

/// `"FILTER in|out|both [QOS [LOCAL_PREFIX [REMOTE_PREFIX]]]"`; a prefix `-` is none.
fn topic(word: &Word) -> Result<BridgeTopic, ParseError> {
    let text = word.text()?;
    let wrong = || {
        let what = "a topic \"FILTER in|out|both [QOS [LOCAL_PREFIX [REMOTE_PREFIX]]]\", with - for no prefix";
        word.wrong(Wrong::NotA { what, found: word.show() })
    };
    let mut parts = text.split(' ');
    let filter = parts.next().unwrap_or_default().into();
    let direction = match parts.next() {
        Some("in") => Direction::In,
        Some("out") => Direction::Out,
        Some("both") => Direction::Both,
        _ => return Err(wrong()),
    };
    let qos = parts.next().unwrap_or("0").parse().ok().and_then(Qos::from_bits).ok_or_else(wrong)?;
    let mut prefix = || parts.next().filter(|prefix| *prefix != "-").unwrap_or_default().into();
    let (local_prefix, remote_prefix) = (prefix(), prefix());
    Ok(BridgeTopic { filter, direction, qos, local_prefix, remote_prefix })
}

#[cfg(test)]
mod tests {
    use super::super::token::words;
    use super::*;

    fn read(line: &str) -> Result<Command, ParseError> {
        let mut args = Args::new(words(line, 1)?.concat(), 1);
        let command = command(&mut args)?;
        args.finish()?;
        Ok(command)
    }

    #[test]
    fn a_bridge_is_read() {
        let line = "b add v311 to=far topic=\"s/# out 1 local/ remote/\" topic=\"c in\" keep_alive_s=9";
        let Ok(Command::AddBridge(config)) = read(line) else { panic!("{:?}", read(line)) };
        assert_eq!((config.name.as_str(), config.target.as_str(), config.keep_alive_s), ("b", "far", 9));
        let [out, into] = &config.topics[..] else { panic!() };
        assert_eq!((out.direction, out.qos, out.remote_prefix.as_str()), (Direction::Out, Qos::AtLeastOnce, "remote/"));
        assert_eq!((into.direction, into.qos, into.local_prefix.as_str()), (Direction::In, Qos::AtMostOnce, ""));
        assert_eq!(read("b remove"), Ok(Command::RemoveBridge { name: "b".into() }));
        assert!(read("b add to=far topic=\"s up\"").unwrap_err().to_string().contains("in|out|both"));
        assert!(read("b add").unwrap_err().to_string().contains("to= and the name of a remote"));
    }
}
