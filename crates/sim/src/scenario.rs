//! The story language: what a scenario file may say, and reading it.
//!
//! ```text
//! # A takeover tells the old connection why          the title
//! #
//! # What the story shows, for people.
//! proves: 5:MQTT-3.1.4-3                             statements of the standards
//! config limits.receive_maximum=2                    how the broker is configured
//!
//! alice connect v5 id=a                              who does what
//! after 5s bob connect v5 id=a                       time passes first
//! ---
//! 0.000 alice <- CONNACK                             what each client receives
//! 5.000 alice <- DISCONNECT reason=0x8E
//! ```
//!
//! # Above the first step
//!
//! - `proves: 5:MQTT-… 311:MQTT-…`: statements; `targets: native guest`: where it can be told, everywhere if not said
//! - `config limits.receive_maximum=2 storage=log authentication=ask …`: fields of [`Config`] by their paths
//! - `permissions publish=a/#,b subscribe=… receive=… deny_publish=… …`: what everybody may do
//! - `account NAME PASSWORD [publish=… …]`: who may connect; questions are then answered from these
//! - `show all`, `show events`, `show traces`, `show reason_strings`; `hide CLIENT PUBLISH …`, `hide operator`
//! - `split N`: what clients send is delivered in pieces of N bytes
//!
//! # Steps
//!
//! `after 5s` before a step lets time pass; `repeat 3` before it does it for `{n}` = 1, 2, 3; packets parted by ` ; `
//! leave in one write. A client's name comes first, then:
//!
//! - `connect [v3|v311|v5] [id=…] [clean_start=false] [keep_alive_s=…] [user=…] [password=…] [bridge]`, `will=TOPIC`
//!   with `will_payload= will_qos= will_retain will_delay_s=`, and properties by name: `session_expiry_s=60`; on a
//!   transport that is open it is a second CONNECT; `id=*` is the identifier that was assigned before
//! - `subscribe FILTER [qos=…] [no_local] [rap] [rh=…] FILTER …`, `unsubscribe FILTER …`
//! - `publish TOPIC "payload" [size=…] [qos=…] [id=…] [retain] [dup] [alias=…] [expiry_s=…] …`
//! - `puback|pubrec|pubrel|pubcomp id=… [reason=…]`, `ping`, `disconnect [reason=…]`, `auth [reason=…]`
//! - `raw 82 [ 0001 [] s"a/#/b" 00 ]`: bytes by hand, see [`raw`]; `open [v311]`: a transport without a CONNECT
//! - `acks manual|auto`: whether it acknowledges by itself, which it does at first
//!
//! The remote of a bridge is an actor too, who also says `connack [session_present] [reason=…|return=…] …`,
//! `suback id=… codes=1,0x87 …`, `pingresp`; with `acks auto` it answers all but CONNECT by itself:
//!
//! - `bridge NAME add to=REMOTE [v311] [id=…] [topic="FILTER in|out|both QOS LOCAL_PREFIX REMOTE_PREFIX"] …`, see
//!   [`bridge`]; `bridge NAME remove`; `link REMOTE down|up`: whether dialling it succeeds
//!
//! And what is no client: `link CLIENT cut [before TYPE | after N TYPE]`, `link CLIENT freeze|thaw|split N`,
//! `broker restart|swap|stop|sleep TIME`, `store hold|release|fail`,
//! `operator publish|kick|set_permissions|set_limits|count|inspect …`, `answer [CLIENT] allow|continue|refuse …`.

pub mod args;
pub mod bridge;
pub mod client;
pub mod error;
pub mod property;
pub mod raw;
pub mod settings;
pub mod step;
pub mod token;
pub mod wish;

use wasmqtt_broker::{Authentication, Command, Config, Permissions, Storage};
use wasmqtt_codec::PacketType;

pub use error::{ParseError, Wrong};
pub use step::{Act, BrokerAct, LinkAct, Operation, Step};

use args::Args;
use token::words;

/// A story with its expected transcript.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The first line of the file.
    pub title: String,
    /// The statements it proves, such as `5:MQTT-4.3.3-8`.
    pub proves: Vec<String>,
    /// The targets it names; all of them if it names none.
    pub targets: Vec<String>,
    /// How the broker is configured.
    pub config: Config,
    /// Who may connect, when the story declares it; questions are then answered from here.
    pub accounts: Vec<Account>,
    /// What the transcript shows beside packets.
    pub show: Show,
    /// Bytes of clients are delivered in pieces of this many; 0 = as they are sent.
    pub split: usize,
    /// Packets that are left out of the transcript: of this client, of this type.
    pub hidden: Vec<(String, PacketType)>,
    /// What happens, in order.
    pub steps: Vec<Step>,
    /// The text below `---`, as it stands in the file.
    pub expected: String,
}

/// A user that may connect.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    /// User Name.
    pub user: String,
    /// Password.
    pub password: Vec<u8>,
    /// What it may do; the configuration's permissions if not said.
    pub permissions: Option<Permissions>,
}

/// What the transcript shows beside the packets.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Show {
    /// `show events`: rare events of the broker.
    pub events: bool,
    /// `show traces`: why each message was delivered or not; switches tracing on.
    pub traces: bool,
    /// `show all`: properties of CONNACK that only repeat the broker's usual announcement.
    pub all: bool,
    /// `hide operator`: that an operator's command was done.
    pub quiet_operator: bool,
    /// `show reason_strings`: Reason Strings, which are for people and change freely.
    pub reason_strings: bool,
}

/// What a story asks of a target beside bytes and time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Needs {
    /// It looks inside or acts as the broker's driver: events, traces, questions, permissions, the log, sleep.
    pub inside: bool,
    /// It restarts the broker from the log.
    pub restart: bool,
    /// It moves the state of the broker into another one.
    pub swap: bool,
    /// It needs links whose speed the runner decides.
    pub flow: bool,
}

impl Scenario {
    /// Reads a scenario file.
    pub fn parse(text: &str) -> Result<Scenario, ParseError> {
        let first = ParseError { line: 1, column: 1, what: Wrong::NoTitle };
        let title = text.lines().next().and_then(|line| line.strip_prefix("# ")).ok_or(first)?;
        let config = Config { sys_interval_s: 0, ..Config::default() };
        let mut scenario = Scenario {
            title: title.trim().into(),
            proves: Vec::new(),
            targets: Vec::new(),
            config,
            accounts: Vec::new(),
            show: Show::default(),
            split: 0,
            hidden: Vec::new(),
            steps: Vec::new(),
            expected: String::new(),
        };
        let mut lines = text.split_inclusive('\n').zip(1u32..);
        let mut last = 1;
        for (line, number) in lines.by_ref() {
            last = number;
            if line.trim_end() == "---" {
                scenario.expected = lines.map(|(line, _)| line).collect();
                return Ok(scenario);
            }
            scenario.line(line.trim_end(), number)?;
        }
        Err(ParseError { line: last, column: 1, what: Wrong::NoTranscript })
    }

    /// What the story asks of a target.
    pub fn needs(&self) -> Needs {
        let asks = self.config.authentication == Authentication::Ask;
        let logs = self.config.storage == Storage::Log;
        let permits = self.config.permissions != Permissions::everything();
        let inside = self.show.events || self.show.traces || asks || logs || permits;
        let mut needs = Needs { inside, ..Needs::default() };
        for step in &self.steps {
            match &step.act {
                Act::Link { what: LinkAct::Freeze | LinkAct::Thaw, .. } => needs.flow = true,
                Act::Broker(BrokerAct::Restart) => needs.restart = true,
                Act::Broker(BrokerAct::Swap) => needs.swap = true,
                Act::Broker(BrokerAct::Sleep(_)) | Act::Store(_) | Act::Answer { .. } => needs.inside = true,
                Act::Link { .. } | Act::Client { .. } | Act::Open { .. } | Act::Acks { .. } => {}
                Act::Operator(Operation::Command(Command::AddBridge(_))) => needs.inside = true,
                Act::Operator(_) | Act::Wait => {}
            }
        }
        needs
    }

    fn line(&mut self, line: &str, number: u32) -> Result<(), ParseError> {
        let head = line.split_whitespace().next().unwrap_or("#");
        let rest = line[line.find(head).unwrap_or(0)..].strip_prefix(head).unwrap_or("");
        let list = || token::without_comment(rest).split_whitespace().map(Into::into);
        match head {
            "#" => Ok(()),
            "proves:" => {
                self.proves.extend(list());
                Ok(())
            }
            "targets:" => {
                self.targets.extend(list());
                Ok(())
            }
            "config" | "permissions" | "account" | "show" | "split" | "hide" if self.steps.is_empty() => {
                let words = words(line, number)?.concat();
                self.directive(head, Args::new(words[1..].to_vec(), number))
            }
            _ => step::read(line, number, &mut self.steps),
        }
    }

    fn directive(&mut self, head: &str, mut args: Args) -> Result<(), ParseError> {
        match head {
            "config" => return settings::configure(&mut self.config, args),
            "permissions" => {
                self.config.permissions = settings::permissions(&mut args)?.unwrap_or_else(Permissions::everything);
            }
            "account" => {
                self.config.authentication = Authentication::Ask;
                let user = args.expect("a User Name")?.text()?.into();
                let password = args.expect("a Password")?.value;
                self.accounts.push(Account { user, password, permissions: settings::permissions(&mut args)? });
            }
            "hide" => {
                let who: String = args.expect("a client's name, or operator")?.text()?.into();
                self.show.quiet_operator |= who == "operator";
                while !args.is_empty() {
                    self.hidden.push((who.clone(), step::packet_type(&mut args)?));
                }
            }
            "split" => self.split = args::number(&args.expect("a number of bytes")?)?,
            _ => {
                self.show.all |= args.flag("all")?;
                self.show.events |= args.flag("events")?;
                self.show.traces |= args.flag("traces")?;
                self.show.reason_strings |= args.flag("reason_strings")?;
                self.config.trace |= self.show.traces;
            }
        }
        args.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORY: &str = "# A title\n#\n# Words.\nproves: 5:MQTT-1.5.4-1\n\
        config limits.receive_maximum=2 storage=log\n\n\
        alice connect v5 clean_start=false session_expiry_s=60 # why\nafter 5s link alice cut before PUBCOMP\n\
        repeat 2 bob publish t/{n} \"x\"\n---\n0.000 alice <- CONNACK\n";

    #[test]
    fn a_story_is_read() {
        let story = Scenario::parse(STORY).unwrap();
        assert_eq!((story.title.as_str(), story.steps.len()), ("A title", 4));
        assert_eq!(story.config.limits.receive_maximum, 2);
        assert_eq!(story.config.storage, Storage::Log);
        assert_eq!(story.steps[1].after_us, 5_000_000);
        assert_eq!(story.expected, "0.000 alice <- CONNACK\n");
        assert!(story.needs().inside && !story.needs().restart);
    }

    #[test]
    fn mistakes_say_where_and_what_is_allowed() {
        let wrong = |story: &str| Scenario::parse(story).unwrap_err().to_string();
        assert_eq!(wrong("# T\nalice dance\n---\n").split(';').next(), Some("line 2, column 7: found `dance`"));
        assert!(wrong("# T\nconfig limits.receive_max=2\n---\n").contains("limits.receive_maximum"));
        assert!(wrong("# T\nalice connect v5\n").ends_with("a line `---` between story and transcript is missing"));
    }

    /// Both made the parser panic: it writes properties down as it reads them.
    #[test]
    fn what_fits_into_no_packet_is_a_mistake_in_the_story() {
        let wrong = |property: &str| {
            let story = format!("# T\nalice connect v5\nalice subscribe a {property}\n---\n");
            Scenario::parse(&story).unwrap_err().to_string()
        };
        let large = wrong("subscription_identifier=268435456");
        assert_eq!(large, "line 3, column 19: `subscription_identifier=268435456` is not a number up to 268,435,455");
        let long = wrong(&format!("reason_string={}", "x".repeat(65_536)));
        assert_eq!(long, "line 3, column 19: `reason_string= with 65536 bytes` is not a value of at most 65,535 bytes");
    }
}
